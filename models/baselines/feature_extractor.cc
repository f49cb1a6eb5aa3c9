// Tested by tests/baselines.

#include <fmt/format.h>
#include <torch/script.h>

#include "lib/util/error.h"
#include "models/baselines/baselines.h"
#include "models/clip/forward.h"

namespace zeroshelf::baselines {
namespace {

constexpr size_t kBatch = 32;

}  // namespace

struct FeatureExtractor::Module {
  torch::jit::Module module;
};

FeatureExtractor::FeatureExtractor(const std::filesystem::path& file,
                                   const Preprocessing& preprocessing)
    : file_(file), preprocessing_(preprocessing), module_(std::make_unique<Module>()) {
  if (!std::filesystem::exists(file)) {
    throw Error(ErrorCode::NotFound, file.string(), "no such file", "name a TorchScript module");
  }
  try {
    module_->module = torch::jit::load(file.string(), at::kCPU);
  } catch (const c10::Error&) {
    throw Error(ErrorCode::Corruption, file.string(), "not a TorchScript module, or damaged",
                "make one with torch.jit.trace(model.eval(), example).save(file)");
  }
  module_->module.eval();
}

FeatureExtractor::~FeatureExtractor() = default;

Matrix FeatureExtractor::features(std::span<const Image> images) const {
  const c10::InferenceMode inference;
  Matrix result;
  for (size_t start = 0; start < images.size(); start += kBatch) {
    const auto part = images.subspan(start, std::min(kBatch, images.size() - start));
    at::Tensor given;
    try {
      given = module_->module.forward({pixels_of(part, preprocessing_)}).toTensor();
    } catch (const std::exception&) {
      throw Error(ErrorCode::Incompatible, file_.string(),
                  fmt::format("does not turn pictures of [n, 3, {0}, {0}] into one tensor",
                              preprocessing_.size_px),
                  "give the size that it was made for with --features-size");
    }
    given = given.to(at::kFloat).flatten(1).contiguous();
    if (start == 0) result = Matrix(images.size(), static_cast<size_t>(given.size(1)));
    std::copy_n(given.data_ptr<float>(), given.numel(), result.row(start).data());
  }
  return result;
}

}  // namespace zeroshelf::baselines
