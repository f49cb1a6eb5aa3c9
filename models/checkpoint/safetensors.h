#pragma once

// The safetensors container (https://github.com/huggingface/safetensors): an 8-byte length, a JSON
// header, and the tensors' bytes. The file is memory-mapped; nothing is copied.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/util/file.h"

namespace zeroshelf {

enum class TensorType { F32, F16, BF16, Other };

// The bytes belong to whoever gave the view.
struct TensorView {
  TensorType type = TensorType::Other;
  std::vector<int64_t> shape;
  std::span<const std::byte> bytes;  // row-major, little endian
};

class Safetensors {
 public:
  // Throws NotFound, Io, or Corruption: every length, shape and offset is checked before it is
  // used.
  explicit Safetensors(const std::filesystem::path& path);

  const std::map<std::string, TensorView>& tensors() const { return tensors_; }
  std::span<const std::byte> file_bytes() const { return file_.bytes(); }

 private:
  MappedFile file_;
  std::map<std::string, TensorView> tensors_;
};

// Writes a file that the reader above reads, by rename. No tensor is of the type Other; the bytes
// are as many as type and shape say. Throws Io.
void write_safetensors(const std::filesystem::path& path,
                       const std::map<std::string, TensorView>& tensors);

}  // namespace zeroshelf
