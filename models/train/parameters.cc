// Tested by tests/train/trainer_test.cc.

#include "models/train/parameters.h"

#include <ATen/CPUGeneratorImpl.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "models/checkpoint/safetensors.h"

namespace zeroshelf::train {
namespace {

// The deviation of a tensor's first values; 0 for biases.
double deviation_of(const std::string& name, const std::vector<int64_t>& shape,
                    const ClipConfig& config) {
  const bool is_image = name.starts_with("vision");
  const TransformerConfig& tower =
      is_image || name.starts_with("visual") ? config.image : config.text;
  const double width = std::pow(static_cast<double>(tower.width), -0.5);
  const double depth = std::pow(2.0 * static_cast<double>(tower.layers), -0.5);
  if (name.ends_with("bias")) return 0;
  if (name.ends_with("out_proj.weight") || name.ends_with("fc2.weight")) return width * depth;
  if (name.ends_with("fc1.weight")) return width * std::sqrt(0.5);
  if (name.ends_with("token_embedding.weight")) return 0.02;
  if (name.ends_with("position_embedding.weight")) return is_image ? width : 0.01;
  if (name.ends_with("patch_embedding.weight")) {
    return std::pow(static_cast<double>(shape[1] * shape[2] * shape[3]), -0.5);
  }
  return width;
}

bool is_norm_weight(const std::string& name) {
  return name.ends_with("norm.weight") || name.ends_with("norm1.weight") ||
         name.ends_with("norm2.weight") || name.ends_with("layrnorm.weight");
}

nlohmann::ordered_json tower_json(const TransformerConfig& tower) {
  return {{"hidden_size", tower.width},
          {"num_hidden_layers", tower.layers},
          {"num_attention_heads", tower.heads},
          {"intermediate_size", tower.mlp_width},
          {"hidden_act", tower.activation == Activation::Gelu ? "gelu" : "quick_gelu"},
          {"layer_norm_eps", 1e-5}};
}

void write_json(const std::filesystem::path& path, const nlohmann::ordered_json& json) {
  write_file_atomically(path, json.dump(2) + "\n");
}

}  // namespace

Parameters::Parameters(const ClipConfig& config, uint64_t seed, at::Device device)
    : config_(config) {
  at::Generator random = at::detail::createCPUGenerator(seed);
  // Asking for every weight once makes every tensor.
  TensorSource maker;
  maker.find = [&](const std::string& name, const std::vector<int64_t>& shape) {
    at::Tensor& tensor = tensors_[name];
    tensor = is_norm_weight(name) ? at::ones(shape)
                                  : at::randn(shape, random) * deviation_of(name, shape, config_);
    tensor = tensor.to(device).set_requires_grad(true);
    return tensor;
  };
  read_image_weights(maker, config_, at::kFloat);
  read_text_weights(maker, config_, at::kFloat);
  tensors_["logit_scale"] =
      at::full({}, std::log(1 / 0.07), at::TensorOptions(device)).set_requires_grad(true);
}

TensorSource Parameters::source() const {
  TensorSource source;
  source.find = [this](const std::string& name, const std::vector<int64_t>&) {
    return tensors_.at(name);
  };
  return source;
}

ImageWeights Parameters::image_weights(at::ScalarType computing_type) const {
  return read_image_weights(source(), config_, computing_type);
}

TextWeights Parameters::text_weights(at::ScalarType computing_type) const {
  return read_text_weights(source(), config_, computing_type);
}

void write_checkpoint(const std::map<std::string, at::Tensor>& tensors, const ClipConfig& config,
                      const std::filesystem::path& folder) {
  std::map<std::string, at::Tensor> halves;
  std::map<std::string, TensorView> views;
  for (const auto& [name, tensor] : tensors) {
    at::Tensor& half = halves[name];
    half = tensor.detach().to(at::kCPU).to(at::kHalf).contiguous();
    views[name] = {TensorType::F16,
                   half.sizes().vec(),
                   {static_cast<const std::byte*>(half.data_ptr()), half.nbytes()}};
  }
  write_safetensors(folder / "model.safetensors", views);

  nlohmann::ordered_json text = tower_json(config.text);
  text["max_position_embeddings"] = config.context_length;
  text["vocab_size"] = config.vocabulary_size;
  text["bos_token_id"] = config.vocabulary_size - 2;
  text["eos_token_id"] = config.vocabulary_size - 1;
  text["projection_dim"] = config.dimension;
  nlohmann::ordered_json image = tower_json(config.image);
  image["image_size"] = config.image_size_px;
  image["patch_size"] = config.patch_size_px;
  image["projection_dim"] = config.dimension;
  write_json(folder / "config.json", {{"architectures", {"CLIPModel"}},
                                      {"model_type", "clip"},
                                      {"projection_dim", config.dimension},
                                      {"text_config", text},
                                      {"vision_config", image}});
  const Preprocessing& preprocessing = config.preprocessing;
  write_json(folder / "preprocessor_config.json", {{"crop_size", config.image_size_px},
                                                   {"do_center_crop", true},
                                                   {"do_normalize", true},
                                                   {"do_resize", true},
                                                   {"image_mean", preprocessing.mean},
                                                   {"image_std", preprocessing.standard_deviation},
                                                   {"resample", 3},
                                                   {"size", config.image_size_px}});
}

}  // namespace zeroshelf::train
