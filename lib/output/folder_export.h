#pragma once

// Pictures -> one folder a label.
//
//   DIR/<label>/<file name>     symbolic links, hard links or copies
//   DIR/manifest.jsonl          one line a picture: where it came from, where it went, label, score
//
// Nothing that exists is ever overwritten or changed: DIR must be absent or empty, and two pictures
// of one name become "name.jpg" and "name (2).jpg". Characters that would be harmful in a name
// ('/', control characters, bytes that are not UTF-8, '%', a leading dot) are written as %XX; the
// manifest has the exact source path.

#include <cstdio>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>

namespace zeroshelf {

enum class ExportMode { Symlink, Hardlink, Copy };

// "symlink", "hardlink", "copy". Throws InvalidArgument for any other name.
ExportMode parse_export_mode(std::string_view name);

// A label or file name as one safe path component of at most 200 bytes; a longer one is cut and
// gets a checksum of the whole, so that different names stay different.
std::string safe_file_name(std::string_view name);

class FolderExport {
 public:
  // Throws InvalidArgument when there is something in the way: a file, or a folder with something
  // in it. Changes nothing.
  static void check(const std::filesystem::path& directory);

  // Makes the folder. Throws what check does, and Io when it cannot be made.
  FolderExport(std::filesystem::path directory, ExportMode mode);
  ~FolderExport();
  FolderExport(const FolderExport&) = delete;
  FolderExport& operator=(const FolderExport&) = delete;

  // Places one picture. evidence_json: further members of its manifest line, e.g. "\"score\":0.9".
  // Throws NotFound when the source is gone, Io when it cannot be placed (the cure names --mode
  // copy where a hard link is impossible); the export can go on after that.
  void add(const std::filesystem::path& source, std::string_view label,
           std::string_view evidence_json);

  // Completes the manifest. Throws Io.
  void finish();

  const std::filesystem::path& directory() const { return directory_; }

 private:
  std::filesystem::path place(const std::filesystem::path& source,
                              const std::filesystem::path& folder);

  std::filesystem::path directory_;
  ExportMode mode_;
  std::FILE* manifest_ = nullptr;
  // The next number to try for a name that was taken, by path.
  std::unordered_map<std::string, unsigned> taken_;
};

}  // namespace zeroshelf
