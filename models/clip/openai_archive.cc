// OpenAI's published .pt files: TorchScript archives, of which only the tensors are taken. Tested
// by tests/clip.

#include <torch/script.h>

#include "lib/util/error.h"
#include "models/clip/checkpoint.h"

namespace zeroshelf {
namespace {

TensorType type_of(const at::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case at::kFloat:
      return TensorType::F32;
    case at::kHalf:
      return TensorType::F16;
    case at::kBFloat16:
      return TensorType::BF16;
    default:
      return TensorType::Other;
  }
}

}  // namespace

std::map<std::string, TensorView> read_torch_script(const std::filesystem::path& path,
                                                    std::shared_ptr<void>& owner) {
  try {
    const torch::jit::Module module = torch::jit::load(path.string(), at::kCPU);
    auto kept = std::make_shared<std::vector<at::Tensor>>();
    std::map<std::string, TensorView> tensors;
    for (const auto& parameter : module.named_parameters(/*recurse=*/true)) {
      const at::Tensor tensor = parameter.value.detach().contiguous();
      kept->push_back(tensor);
      tensors.emplace(parameter.name, TensorView{type_of(tensor),
                                                 tensor.sizes().vec(),
                                                 {static_cast<const std::byte*>(tensor.data_ptr()),
                                                  tensor.nbytes()}});
    }
    owner = kept;
    return tensors;
  } catch (const std::exception&) {
    // libtorch's own texts run over many lines and name its source files.
    throw Error(ErrorCode::Corruption, path.string(),
                "not a TorchScript archive that can be read, or a damaged one",
                "fetch the file again; OpenAI's names carry their SHA-256");
  }
}

}  // namespace zeroshelf
