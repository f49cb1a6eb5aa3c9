#pragma once

// Reading whole files, with errors that name the file. (Writing: lib/files/new_file.h.)

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>

namespace zeroshelf {

// A file mapped read-only. Movable; the mapping lives as long as the object.
//
// If another process cuts the file short, touching the lost pages raises SIGBUS, as with any
// mapping; zeroshelf's own files are replaced by rename and never cut.
class MappedFile {
 public:
  MappedFile() = default;
  // Throws NotFound or Io; an empty file gives an empty span.
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// The whole file. Throws NotFound, Io, or InvalidArgument when it has more than limit bytes.
std::string read_file(const std::filesystem::path& path, uint64_t limit_bytes);

// The same of an open file of that size, from where it stands; shown is for errors.
std::string read_open_file(int file, uint64_t size_bytes, uint64_t limit_bytes,
                           const std::filesystem::path& shown);

// Flushes a file's or a folder's content to the disk. Throws Io.
void sync_path(const std::filesystem::path& path);

// The path made absolute and lexically normal ("a/../b" -> "/cwd/b", no trailing slash), without
// following symbolic links. Bytes are kept as they are.
std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace zeroshelf
