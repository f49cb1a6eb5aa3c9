#pragma once

// Reading and writing whole files, with errors that name the file.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

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

// Replaces a file so that after a crash at any instant the old content or the new is there: writes
// go to a new file beside it (temporary_name.h), which goes with the object unless published.
// Threads: one at a time. All of it throws Io; the cause says when the disk is full.
class AtomicFile {
 public:
  explicit AtomicFile(const std::filesystem::path& path);
  ~AtomicFile();
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;

  void write(std::span<const std::byte> bytes);
  // Syncs the file, renames it over the old one, and syncs the folder.
  void publish();

 private:
  std::filesystem::path path_;
  std::filesystem::path temporary_;
  int fd_;
  bool is_published_ = false;
};

// An AtomicFile with this content, published.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

// Flushes a file's or a folder's content to the disk. Throws Io.
void sync_path(const std::filesystem::path& path);

// The path made absolute and lexically normal ("a/../b" -> "/cwd/b", no trailing slash), without
// following symbolic links. Bytes are kept as they are.
std::filesystem::path absolute_path(const std::filesystem::path& path);

}  // namespace zeroshelf
