#pragma once

// What people keep with a collection beside its records: saved runs, calibrations, classifiers,
// cached prompt vectors. Each attachment has a kind and a name, and is one sealed file,
// attachments/KIND/NAME, that is replaced atomically.
//
// Attachments are no part of the truth: they are written without the writer's lock, also while
// another process adds pictures, and the last one to put a name wins. Compaction and repair leave
// them as they are, so what they say of pictures must not rest on row numbers alone.
//
// Threads: any.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

class Attachments {
 public:
  // collection: its directory, which must exist. Nothing is read or made until it is needed.
  explicit Attachments(std::filesystem::path collection);

  // A name has 1 to 100 of the letters, digits, '.', '_' and '-', and does not begin with '.'.
  // Throws InvalidArgument, naming the flag that it came from, for any other.
  static void check_name(const std::string& flag, std::string_view name);

  // Durable when it returns. kind and name as check_name wants them (asserted). Throws Io.
  void put(std::string_view kind, std::string_view name, std::string_view content) const;

  // Absent when there is none. Throws Corruption when it is damaged or stands under another name,
  // Io.
  std::optional<std::string> get(std::string_view kind, std::string_view name) const;

  // Ascending.
  std::vector<std::string> names(std::string_view kind) const;
  std::vector<std::string> kinds() const;

  // Gives a file that is damaged another name, NAME.damaged (with a number where that is taken),
  // which is no attachment's, and returns it. Empty where it does not begin as an attachment does:
  // then it is somebody else's, and stays. Throws Io.
  std::string put_aside(std::string_view kind, std::string_view name) const;

  // Whether there was one. Throws Io.
  bool remove(std::string_view kind, std::string_view name) const;

 private:
  std::filesystem::path file_of(std::string_view kind, std::string_view name) const;

  std::filesystem::path directory_;
};

}  // namespace zeroshelf
