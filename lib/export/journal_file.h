#pragma once

// A journal in an export's folder: text, a sealed line for each thing that is going to be done,
// written down and synced before it is begun, so that it can be undone after a crash at any instant.
//
//   HEADER
//   FIELD <tab> FIELD ... <tab> SEAL
//
// In a field, '%', control characters, blanks and bytes that are no ASCII are %XX. SEAL is XXH3-64
// of the line before it, in hexadecimal. A last line without its end was cut short, and what it
// announces was never begun. None of this may change without a new header.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/files/descriptor.h"
#include "lib/util/error.h"

namespace zeroshelf {

// What the journals of one kind of export have in common.
struct JournalKind {
  std::string_view header;  // with the end of its line
  const char* of_what;      // "moves"
  const char* made_by;      // "only an export with --mode move or --format xmp has one"
};

// XXH3-64 in hexadecimal.
std::string journal_seal(std::string_view line);

// Threads: one at a time.
class JournalWriter {
 public:
  // Begins a journal of that name in the folder, which must have none, and holds its lock. directory
  // is for errors. Throws Io.
  JournalWriter(const JournalKind& kind, const std::string& name, const Descriptor& folder,
                const std::filesystem::path& directory);
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  // Durable only after sync(). Throw Io.
  void write(const std::vector<std::string>& fields);
  void sync();

 private:
  [[noreturn]] void fail() const;

  std::filesystem::path path_;
  std::FILE* file_ = nullptr;
};

struct JournalLine {
  size_t number = 0;  // the header is 1
  std::vector<std::string> fields;
};

struct JournalLines {
  std::vector<JournalLine> lines;
  std::vector<size_t> bad_lines;  // that cannot be read, with sound ones after them
  bool has_bad_end = false;  // whole lines at the end that cannot be read, or not even a header
};

// A folder's journal, locked while the object lives.
class LockedJournal {
 public:
  // Throws NotFound where there is none, InvalidArgument for one that is no file, another user's or
  // has a second name, Unavailable while somebody holds its lock.
  LockedJournal(const JournalKind& kind, const std::string& name, const Descriptor& folder,
                const std::filesystem::path& directory);

  const std::filesystem::path& path() const { return path_; }

  // What is locked, whatever has its name by now. Fields are as they were before they were escaped;
  // a line with fields that are not sound counts as one that cannot be read. Throws Corruption for a
  // journal of another kind.
  using AreSound = std::function<bool(const std::vector<std::string>& fields)>;
  JournalLines read(const AreSound& are_sound) const;

 private:
  void expect_own() const;

  JournalKind kind_;
  std::filesystem::path path_;
  Descriptor file_;
  uint64_t size_bytes_ = 0;
};

}  // namespace zeroshelf
