#pragma once

// A checkpoint on disk, whatever its format: geometry, tensors by name, and the bytes that make its
// identity. Nothing is converted yet.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "models/checkpoint/config.h"
#include "models/checkpoint/safetensors.h"

namespace zeroshelf {

// How the tensors are called. OpenCLIP took over OpenAI's names.
enum class TensorNames { OpenAi, HuggingFace };

struct Checkpoint {
  std::string name;               // for people
  std::filesystem::path path;     // what the user named, absolute
  std::filesystem::path weights;  // the file with the tensors, or the index of several
  std::vector<std::filesystem::path> weight_files;  // all of them
  std::filesystem::path folder;   // where the vocabulary is looked for
  ClipConfig config;
  TensorNames names = TensorNames::OpenAi;
  std::string text_prefix;  // before the text tower's names, where it is a module of its own
  std::map<std::string, TensorView> tensors;
  std::vector<std::shared_ptr<void>> owners;  // of the tensors' bytes
};

// Throws NotFound, Corruption or Incompatible, naming the file.
Checkpoint open_checkpoint(const std::filesystem::path& path);

// The tensor of this name. Throws Corruption when there is none of this shape, or it is not of
// fp32, fp16 or bf16.
const TensorView& tensor_of(const Checkpoint& checkpoint, const std::string& name,
                            const std::vector<int64_t>& shape);

// Its values in fp32, row-major. out has as many elements as the tensor.
void copy_floats(const TensorView& tensor, std::span<float> out);

// tensor_of and copy_floats in one.
std::vector<float> floats_of(const Checkpoint& checkpoint, const std::string& name,
                             const std::vector<int64_t>& shape);

// exp of the learned parameter; 0 for a text tower alone, which has none. Throws Corruption.
float read_logit_scale(const Checkpoint& checkpoint);

// The learned parameter of a model whose scores are sigmoids. Throws Corruption.
float read_logit_bias(const Checkpoint& checkpoint);

}  // namespace zeroshelf
