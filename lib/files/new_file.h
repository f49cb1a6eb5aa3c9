#pragma once

// A file that appears complete under its name or not at all, and never in the place of another.

#include <cstdio>
#include <filesystem>
#include <string>
#include <string_view>

#include "lib/files/exclusive.h"

namespace zeroshelf {

// Writes go to a file beside it, NAME.unfinished (with a number when that is taken), which goes
// away with the object; only a killed process leaves it behind.
// Threads: one at a time.
class NewFile {
 public:
  // Throws InvalidArgument when something has that name already, also a link that leads nowhere,
  // and NotFound when the folder is absent. Changes nothing.
  static void check(const std::filesystem::path& path);

  // Throws what check does, and Io.
  explicit NewFile(std::filesystem::path path);
  // The same in a folder that is held open, and stays so; shown is for errors.
  NewFile(Place place, std::filesystem::path shown);
  ~NewFile();
  NewFile(const NewFile&) = delete;
  NewFile& operator=(const NewFile&) = delete;

  // Throws Io.
  void write(std::string_view bytes);

  // Syncs the file and gives it its name. Throws Io, and InvalidArgument when something took the
  // name meanwhile.
  void publish();

 private:
  void open_unfinished();
  Place unfinished() const { return {place_.folder, unfinished_}; }
  [[noreturn]] void fail(int error_number) const;

  Place place_;
  std::filesystem::path shown_;
  std::filesystem::path unfinished_;  // empty: it has its name
  std::FILE* file_ = nullptr;
};

}  // namespace zeroshelf
