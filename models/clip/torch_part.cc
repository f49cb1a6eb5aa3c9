// The library that torch_loader.cc loads: the network of forward.h on any device, and TorchScript
// programs. Tested by tests/clip.

#include "models/clip/torch_part.h"

#include <c10/core/InferenceMode.h>
#include <torch/script.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "lib/util/error.h"
#include "models/clip/forward.h"
#include "models/clip/torch_device.h"
#include "models/clip/torchscript_network.h"

namespace zeroshelf {
namespace {

constexpr size_t kCpuBatch = 32;

class TorchNetwork : public Network {
 public:
  TorchNetwork(std::shared_ptr<const Checkpoint> checkpoint, EncoderSide side, Precision precision,
               Device device)
      : checkpoint_(std::move(checkpoint)), device_(device_of(device)) {
    const c10::InferenceMode inference;
    const at::ScalarType type = precision == Precision::Bf16 ? at::kBFloat16 : at::kFloat;
    const TensorSource source{[this](const std::string& name, const std::vector<int64_t>& shape) {
                                const TensorView& view = tensor_of(*checkpoint_, name, shape);
                                const at::ScalarType stored =
                                    view.type == TensorType::F32   ? at::kFloat
                                    : view.type == TensorType::F16 ? at::kHalf
                                                                   : at::kBFloat16;
                                return at::from_blob(const_cast<std::byte*>(view.bytes.data()),
                                                     shape, at::TensorOptions(stored))
                                    .to(device_);
                              },
                              checkpoint_->names};
    if (side != EncoderSide::TextOnly) {
      image_ = read_image_weights(source, checkpoint_->config, type);
    }
    if (side != EncoderSide::ImageOnly)
      text_ = read_text_weights(source, checkpoint_->config, type);
  }

  Matrix encode_images(std::span<const Image> images) override {
    return in_batches(images, [this](std::span<const Image> batch) {
      const ClipConfig& config = checkpoint_->config;
      return encode_pixels(image_.value(), config,
                           pixels_of(batch, config.preprocessing).to(device_));
    });
  }

  Matrix encode_tokens(std::span<const std::vector<int32_t>> sequences) override {
    return in_batches(sequences, [this](std::span<const std::vector<int32_t>> batch) {
      TokenBatch tokens = batch_of(batch);
      tokens.ids = tokens.ids.to(device_);
      tokens.ends = tokens.ends.to(device_);
      return zeroshelf::encode_tokens(text_.value(), checkpoint_->config, tokens);
    });
  }

  std::string kernel() const override { return "libtorch on " + device_.str(); }
  size_t batch_images() const override { return device_.is_cuda() ? kCudaBatch : kCpuBatch; }

 private:
  template <class Input, class Encode>
  Matrix in_batches(std::span<const Input> inputs, Encode encode) {
    const std::lock_guard lock(mutex_);
    const c10::InferenceMode inference;
    Matrix result(inputs.size(), static_cast<size_t>(checkpoint_->config.dimension));
    for (size_t first = 0; first < inputs.size(); first += batch_images()) {
      const auto batch = inputs.subspan(first, std::min(batch_images(), inputs.size() - first));
      const Matrix vectors = to_matrix(encode(batch));
      std::copy_n(vectors.data(), vectors.rows() * vectors.columns(), result.row(first).data());
    }
    return result;
  }

  std::shared_ptr<const Checkpoint> checkpoint_;
  at::Device device_;
  std::optional<ImageWeights> image_;
  std::optional<TextWeights> text_;
  std::mutex mutex_;
};

std::unique_ptr<Network> make_network(std::shared_ptr<const Checkpoint> checkpoint,
                                      EncoderSide side, Precision precision, Device device) {
  if (!is_plain(checkpoint->config) || !checkpoint->text_prefix.empty()) {
    throw Error(ErrorCode::Incompatible, checkpoint->path.string(),
                "of this kind of model only the processor's code is written", "leave --device out");
  }
  return std::make_unique<TorchNetwork>(std::move(checkpoint), side, precision, device);
}

}  // namespace
}  // namespace zeroshelf

extern "C" __attribute__((visibility("default"))) const zeroshelf::TorchPart zeroshelf_torch_part;
const zeroshelf::TorchPart zeroshelf_torch_part = {zeroshelf::make_network,
                                                       zeroshelf::make_torchscript_network};
