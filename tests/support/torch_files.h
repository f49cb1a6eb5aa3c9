#pragma once

// Files as libtorch writes them, made by code: ZIP archives of stored files, and the pickles that
// list tensors in them.

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zeroshelf::testing {

// Names and contents. with_zip64: sizes and places stand in the fields for large archives.
std::string stored_zip(const std::vector<std::pair<std::string, std::string>>& files,
                       bool with_zip64 = false);

struct SavedTensor {
  std::string name;
  std::vector<int64_t> shape;
  std::vector<float> values;          // of the storage, which becomes fp32
  std::vector<int64_t> strides = {};  // empty: of a tensor whose elements lie in order
  int64_t offset = 0;
  std::optional<size_t> storage = {};  // that of the tensor at this place of the list, not its own
};

// As torch.save(state_dict) and, for names with points, as a TorchScript module of modules would
// list them. The storages are "0", "1" ... in the tensors' order.
std::string state_dict_pickle(const std::vector<SavedTensor>& tensors);
std::string module_pickle(const std::vector<SavedTensor>& tensors);

// Archives of those, under the folder "archive". more: further files of it.
std::string state_dict_archive(const std::vector<SavedTensor>& tensors);
std::string module_archive(const std::vector<SavedTensor>& tensors,
                           const std::vector<std::pair<std::string, std::string>>& more = {});

// The storages' files and the version.
std::vector<std::pair<std::string, std::string>> archive_files(
    const std::string& pickle, const std::vector<SavedTensor>& tensors);

}  // namespace zeroshelf::testing
