#pragma once

// A fresh folder that is removed with everything in it when the object goes.

#include <filesystem>
#include <string_view>

namespace zeroshelf::testing {

class TemporaryDirectory {
 public:
  TemporaryDirectory();
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::filesystem::path& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

// Writes bytes to a file, making its folders.
void write_file(const std::filesystem::path& path, std::string_view bytes);

}  // namespace zeroshelf::testing
