// Matrices in, matrices out. Tested by tests/clip.

#include "models/clip/network.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>

#include <algorithm>
#include <optional>

#include "models/clip/forward.h"

namespace zeroshelf {
namespace {

Matrix to_matrix(const at::Tensor& tensor) {
  const at::Tensor floats = tensor.to(at::kFloat).contiguous();
  Matrix matrix(static_cast<size_t>(floats.size(0)), static_cast<size_t>(floats.size(1)));
  std::copy_n(floats.data_ptr<float>(), matrix.rows() * matrix.columns(), matrix.data());
  return matrix;
}

}  // namespace

struct Network::Weights {
  std::optional<ImageWeights> image;
  std::optional<TextWeights> text;
  float logit_scale = 0;
};

Network::Network(std::shared_ptr<const Checkpoint> checkpoint, EncoderSide side,
                 Precision precision)
    : checkpoint_(std::move(checkpoint)), weights_(std::make_unique<Weights>()) {
  const c10::InferenceMode inference;
  const at::ScalarType type = precision == Precision::Bf16 ? at::kBFloat16 : at::kFloat;
  if (side != EncoderSide::TextOnly) weights_->image = read_image_weights(*checkpoint_, type);
  if (side != EncoderSide::ImageOnly) weights_->text = read_text_weights(*checkpoint_, type);
  weights_->logit_scale = read_logit_scale(*checkpoint_);
}

Network::~Network() = default;

float Network::logit_scale() const {
  return weights_->logit_scale;
}

Matrix Network::encode_images(std::span<const Image> images) const {
  const c10::InferenceMode inference;
  const ClipConfig& config = checkpoint_->config;
  return to_matrix(
      encode_pixels(weights_->image.value(), config, pixels_of(images, config.preprocessing)));
}

Matrix Network::encode_tokens(std::span<const std::vector<int32_t>> sequences) const {
  const c10::InferenceMode inference;
  return to_matrix(
      zeroshelf::encode_tokens(weights_->text.value(), checkpoint_->config, batch_of(sequences)));
}

void set_network_threads(unsigned threads) {
  at::set_num_threads(static_cast<int>(threads));
}

}  // namespace zeroshelf
