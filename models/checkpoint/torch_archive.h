#pragma once

// Weights that libtorch wrote, read as data: OpenAI's NAME.pt (a TorchScript module) and the files
// of torch.save (pytorch_model.bin, a state_dict). Both are ZIP archives of a pickle and of the
// tensors' bytes. The file is memory-mapped. No code of a file ever runs: neither what its pickle
// asks for, nor the program that a TorchScript archive carries.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "models/checkpoint/safetensors.h"

namespace zeroshelf {

class TorchArchive {
 public:
  // Throws NotFound, Io, Corruption (every place, length, shape and stride is checked before it is
  // used; tensors whose elements do not lie in order are copied, together at most as many bytes as
  // the file has), or Incompatible: of another byte order, of packed tensors, with a pickle that
  // asks for more than tensors, or with a TorchScript class that loads itself by code of its own,
  // since what that makes of the tensors cannot be known without running it.
  explicit TorchArchive(const std::filesystem::path& path);

  // Parameters and buffers alike, by their names from the root: "visual.proj".
  const std::map<std::string, TensorView>& tensors() const { return tensors_; }

  // For a TorchScript archive: the class of each module below the root, by the module's name, as
  // its source calls it: "transformer.resblocks.0.mlp.gelu" -> "QuickGELU". Empty for a state_dict.
  const std::map<std::string, std::string>& module_classes() const { return module_classes_; }

 private:
  MappedFile file_;
  std::vector<std::vector<std::byte>> copied_;
  std::map<std::string, TensorView> tensors_;
  std::map<std::string, std::string> module_classes_;
};

}  // namespace zeroshelf
