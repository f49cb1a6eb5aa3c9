#pragma once

// Inside models/train: what is learned, under the names of a Hugging Face checkpoint.

#include <ATen/ATen.h>

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "models/checkpoint/config.h"
#include "models/clip/weights.h"

namespace zeroshelf::train {

class Parameters {
 public:
  // Random, from the seed (Radford et al. 2021: widths decide the deviations).
  Parameters(const ClipConfig& config, uint64_t seed, at::Device device);

  ImageWeights image_weights(at::ScalarType computing_type) const;
  TextWeights text_weights(at::ScalarType computing_type) const;
  at::Tensor logit_scale() const { return tensors_.at("logit_scale"); }

  // Leaves that require gradients.
  const std::map<std::string, at::Tensor>& tensors() const { return tensors_; }

 private:
  TensorSource source() const;

  ClipConfig config_;
  std::map<std::string, at::Tensor> tensors_;
};

// model.safetensors in fp16, config.json and preprocessor_config.json.
void write_checkpoint(const std::map<std::string, at::Tensor>& tensors, const ClipConfig& config,
                      const std::filesystem::path& folder);

}  // namespace zeroshelf::train
