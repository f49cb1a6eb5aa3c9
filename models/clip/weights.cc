// Tensors by their names in both schemes. Tested by tests/clip.

#include "models/clip/weights.h"

#include <fmt/format.h>

#include <cmath>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

at::ScalarType scalar_type(TensorType type) {
  switch (type) {
    case TensorType::F32:
      return at::kFloat;
    case TensorType::F16:
      return at::kHalf;
    case TensorType::BF16:
      return at::kBFloat16;
    case TensorType::Other:
      break;
  }
  return at::kByte;
}

std::string shape_text(const std::vector<int64_t>& shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

[[noreturn]] void fail(const Checkpoint& checkpoint, const std::string& tensor,
                       const std::string& cause) {
  throw Error(ErrorCode::Corruption, checkpoint.weights.string(),
              fmt::format("tensor {} {}", tensor, cause),
              "the weights and the configuration must be of one model");
}

// Over the checkpoint's own bytes, which the checkpoint must outlive.
at::Tensor mapped(const Checkpoint& checkpoint, const std::string& name,
                  const std::vector<int64_t>& shape) {
  const auto found = checkpoint.tensors.find(name);
  if (found == checkpoint.tensors.end()) fail(checkpoint, name, "is missing");
  const TensorView& view = found->second;
  if (view.shape != shape) {
    fail(checkpoint, name,
         fmt::format("has the shape {}, not {}", shape_text(view.shape), shape_text(shape)));
  }
  if (view.type == TensorType::Other) fail(checkpoint, name, "is not of fp32, fp16 or bf16");
  return at::from_blob(const_cast<std::byte*>(view.bytes.data()), shape,
                       at::TensorOptions(scalar_type(view.type)));
}

TensorSource source_of(const Checkpoint& checkpoint) {
  return {[&checkpoint](const std::string& name, const std::vector<int64_t>& shape) {
            return mapped(checkpoint, name, shape);
          },
          checkpoint.names};
}

class TensorReader {
 public:
  TensorReader(const TensorSource& source, const ClipConfig& config, at::ScalarType computing_type)
      : source_(source), config_(config), computing_type_(computing_type) {}

  at::Tensor as_found(const std::string& name, const std::vector<int64_t>& shape) const {
    return source_.find(name, shape);
  }

  at::Tensor floats(const std::string& name, const std::vector<int64_t>& shape) const {
    return as_found(name, shape).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }

  LayerNorm layer_norm(const std::string& prefix, int64_t width) const {
    return {floats(prefix + ".weight", {width}), floats(prefix + ".bias", {width})};
  }

  Linear linear(const at::Tensor& weight, const at::Tensor& bias) const {
    return {weight.to(computing_type_).contiguous(),
            bias.defined() ? bias.to(computing_type_) : bias};
  }

  Linear linear(const std::string& prefix, int64_t in, int64_t out) const {
    return linear(floats(prefix + ".weight", {out, in}), floats(prefix + ".bias", {out}));
  }

  std::vector<Block> blocks(const std::string& openai_prefix,
                            const std::string& hugging_face_prefix,
                            const TransformerConfig& config) const {
    std::vector<Block> result;
    for (int64_t layer = 0; layer < config.layers; ++layer) {
      result.push_back(
          is_openai() ? openai_block(fmt::format("{}.resblocks.{}", openai_prefix, layer), config)
                      : hugging_face_block(fmt::format("{}.layers.{}", hugging_face_prefix, layer),
                                           config));
    }
    return result;
  }

  // OpenAI keeps projections as [width, dimension], Hugging Face as [dimension, width].
  Linear projection(const char* openai_name, const char* hugging_face_name, int64_t width) const {
    const int64_t dimension = config_.dimension;
    const at::Tensor weight = is_openai() ? floats(openai_name, {width, dimension}).t()
                                          : floats(hugging_face_name, {dimension, width});
    return linear(weight, {});
  }

  std::string name(const char* openai, const char* hugging_face) const {
    return is_openai() ? openai : hugging_face;
  }

 private:
  bool is_openai() const { return source_.names == TensorNames::OpenAi; }

  Block openai_block(const std::string& prefix, const TransformerConfig& config) const {
    const int64_t width = config.width;
    return {layer_norm(prefix + ".ln_1", width),
            linear(floats(prefix + ".attn.in_proj_weight", {3 * width, width}),
                   floats(prefix + ".attn.in_proj_bias", {3 * width})),
            linear(prefix + ".attn.out_proj", width, width),
            layer_norm(prefix + ".ln_2", width),
            linear(prefix + ".mlp.c_fc", width, config.mlp_width),
            linear(prefix + ".mlp.c_proj", config.mlp_width, width)};
  }

  Block hugging_face_block(const std::string& prefix, const TransformerConfig& config) const {
    const int64_t width = config.width;
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const char* part : {".self_attn.q_proj", ".self_attn.k_proj", ".self_attn.v_proj"}) {
      weights.push_back(floats(prefix + part + ".weight", {width, width}));
      biases.push_back(floats(prefix + part + ".bias", {width}));
    }
    return {layer_norm(prefix + ".layer_norm1", width),
            linear(at::cat(weights), at::cat(biases)),
            linear(prefix + ".self_attn.out_proj", width, width),
            layer_norm(prefix + ".layer_norm2", width),
            linear(prefix + ".mlp.fc1", width, config.mlp_width),
            linear(prefix + ".mlp.fc2", config.mlp_width, width)};
  }

  const TensorSource& source_;
  const ClipConfig& config_;
  at::ScalarType computing_type_;
};

}  // namespace

ImageWeights read_image_weights(const TensorSource& source, const ClipConfig& config,
                                at::ScalarType computing_type) {
  const TensorReader reader(source, config, computing_type);
  const int64_t width = config.image.width;
  const int64_t patch = config.patch_size_px;
  ImageWeights weights;
  const at::Tensor patches = reader.floats(
      reader.name("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight"),
      {width, 3, patch, patch});
  weights.patches = reader.linear(patches.reshape({width, 3 * patch * patch}), {});
  weights.class_token = reader.floats(
      reader.name("visual.class_embedding", "vision_model.embeddings.class_embedding"), {width});
  weights.positions =
      reader.floats(reader.name("visual.positional_embedding",
                                "vision_model.embeddings.position_embedding.weight"),
                    {1 + config.grid() * config.grid(), width});
  weights.before =
      reader.layer_norm(reader.name("visual.ln_pre", "vision_model.pre_layrnorm"), width);
  weights.blocks = reader.blocks("visual.transformer", "vision_model.encoder", config.image);
  weights.after =
      reader.layer_norm(reader.name("visual.ln_post", "vision_model.post_layernorm"), width);
  weights.projection = reader.projection("visual.proj", "visual_projection.weight", width);
  return weights;
}

TextWeights read_text_weights(const TensorSource& source, const ClipConfig& config,
                              at::ScalarType computing_type) {
  const TensorReader reader(source, config, computing_type);
  const int64_t width = config.text.width;
  TextWeights weights;
  weights.tokens = reader.as_found(
      reader.name("token_embedding.weight", "text_model.embeddings.token_embedding.weight"),
      {config.vocabulary_size, width});
  weights.positions = reader.floats(
      reader.name("positional_embedding", "text_model.embeddings.position_embedding.weight"),
      {config.context_length, width});
  weights.blocks = reader.blocks("transformer", "text_model.encoder", config.text);
  weights.after = reader.layer_norm(reader.name("ln_final", "text_model.final_layer_norm"), width);
  weights.projection = reader.projection("text_projection", "text_projection.weight", width);
  return weights;
}

ImageWeights read_image_weights(const Checkpoint& checkpoint, at::ScalarType computing_type) {
  return read_image_weights(source_of(checkpoint), checkpoint.config, computing_type);
}

TextWeights read_text_weights(const Checkpoint& checkpoint, at::ScalarType computing_type) {
  return read_text_weights(source_of(checkpoint), checkpoint.config, computing_type);
}

float read_logit_scale(const Checkpoint& checkpoint) {
  const auto found = checkpoint.tensors.find("logit_scale");
  if (found == checkpoint.tensors.end()) fail(checkpoint, "logit_scale", "is missing");
  // A scalar, or a vector of one in some files.
  const std::vector<int64_t> shape =
      found->second.shape.empty() ? std::vector<int64_t>{} : std::vector<int64_t>{1};
  const float scale =
      std::exp(mapped(checkpoint, "logit_scale", shape).to(at::kFloat).item<float>());
  if (!std::isfinite(scale)) fail(checkpoint, "logit_scale", "is not finite");
  return scale;
}

}  // namespace zeroshelf
