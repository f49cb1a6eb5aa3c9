#pragma once

// A checkpoint on disk, whatever its format: geometry, tensors by name, and the bytes that make its
// identity. Nothing is converted yet.

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "lib/util/file.h"
#include "models/clip/config.h"
#include "models/clip/safetensors.h"

namespace zeroshelf {

// How the tensors are called. OpenCLIP took over OpenAI's names.
enum class TensorNames { OpenAi, HuggingFace };

struct Checkpoint {
  std::string name;               // for people
  std::filesystem::path path;     // what the user named, absolute
  std::filesystem::path weights;  // the file with the tensors
  std::filesystem::path folder;   // where the vocabulary is looked for
  ClipConfig config;
  TensorNames names = TensorNames::OpenAi;
  std::map<std::string, TensorView> tensors;
  std::shared_ptr<void> owner;  // of the tensors' bytes
};

// Throws NotFound, Corruption or Incompatible, naming the file.
Checkpoint open_checkpoint(const std::filesystem::path& path);

// The tensors of a TorchScript archive, and what keeps them alive. Throws Corruption.
std::map<std::string, TensorView> read_torch_script(const std::filesystem::path& path,
                                                    std::shared_ptr<void>& owner);

}  // namespace zeroshelf
