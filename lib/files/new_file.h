#pragma once

// The one way in which a file is made: it appears complete under its name or not at all, and in the
// place of another only where that was asked for.

#include <cstddef>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "lib/files/exclusive.h"

namespace zeroshelf {

// What something that has the name already means.
enum class Existing {
  Refuse,   // an error: what a user names is never overwritten
  Replace,  // after a crash at any instant either the old content or the new is there
};

// With Refuse, writes go to NAME.unfinished (with a number when that is taken), with Replace to a
// name by chance (temporary_name.h); either is a new file, so nothing but NAME is ever changed and
// no link is followed, and goes away with the object, so only a killed process leaves it behind.
// Threads: one at a time.
class NewFile {
 public:
  // Throws InvalidArgument when something has that name already, also a link that leads nowhere,
  // or its folder is none, NotFound when the folder is absent, and Io when that cannot be known.
  // Changes nothing.
  static void check(const std::filesystem::path& path);

  // Throws Io and, with Refuse, what check does.
  explicit NewFile(std::filesystem::path path, Existing existing = Existing::Refuse);
  // In a folder that is held open, and stays so; Existing::Refuse. shown is for errors.
  NewFile(Place place, std::filesystem::path shown);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // Throws Io; the cause says when the disk is full.
  void write(std::string_view bytes);
  void write(std::span<const std::byte> bytes);

  // Puts these bytes in the place of the first ones, which are as many or more. Throws Io.
  void rewrite_beginning(std::string_view bytes);

  // Nothing more is written: syncs the file, so that only its name is missing. Throws Io.
  void complete();

  // Completes the file unless it is complete, gives it its name, and syncs the folder. Throws Io,
  // and InvalidArgument when something took the name meanwhile that is not to be replaced.
  void publish();

 private:
  void open_unfinished();
  void open_replacement();
  void flush();
  void write_through(std::string_view bytes);
  Place unfinished_place() const { return {place_.folder, unfinished_}; }
  // The name of what is being written, for errors.
  std::filesystem::path unfinished_shown() const;

  Place place_;
  std::filesystem::path path_;  // as it is shown
  Existing existing_;
  std::filesystem::path unfinished_;  // empty: it has its name
  std::string buffer_;                // not yet written
  int fd_ = -1;
};

// A file with this content, in the place of an earlier one. Throws Io.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

}  // namespace zeroshelf
