#pragma once

// Why one file could not be indexed: an expected outcome, kept in the collection's ledger.

#include <cstdint>
#include <string>
#include <string_view>

namespace zeroshelf {

// The numbers are written to disk and never change.
enum class SkipReason : uint8_t {
  NotRegularFile = 1,   // a FIFO, socket or device; never opened
  Unreadable = 2,       // the system refused to open or read it
  Vanished = 3,         // it was listed, and is not there
  Changed = 4,          // it changed while it was being read
  Empty = 5,            // 0 bytes
  NotAPicture = 6,      // the content is of no picture format that can be read
  Damaged = 7,          // a picture format, but broken or cut short
  TooManyBytes = 8,     // more than the limit on a file's size
  TooManyPixels = 9,    // more than the limit on a picture's size
  TextUnreadable = 10,  // the OCR engine gave up
  LinkedFolder = 11,    // a link to a folder that is walked nowhere else; not followed
};

struct Skip {
  SkipReason reason = SkipReason::Unreadable;
  std::string detail;  // for people: cause and cure, without the path
};

// "not_regular_file", "damaged", ...: stable names for scripts.
constexpr std::string_view skip_reason_name(SkipReason reason) {
  switch (reason) {
    case SkipReason::NotRegularFile:
      return "not_regular_file";
    case SkipReason::Unreadable:
      return "unreadable";
    case SkipReason::Vanished:
      return "vanished";
    case SkipReason::Changed:
      return "changed";
    case SkipReason::Empty:
      return "empty";
    case SkipReason::NotAPicture:
      return "not_a_picture";
    case SkipReason::Damaged:
      return "damaged";
    case SkipReason::TooManyBytes:
      return "too_many_bytes";
    case SkipReason::TooManyPixels:
      return "too_many_pixels";
    case SkipReason::TextUnreadable:
      return "text_unreadable";
    case SkipReason::LinkedFolder:
      return "linked_folder";
  }
  return "unknown";
}

}  // namespace zeroshelf
