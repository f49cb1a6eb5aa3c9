// Tested by tests/clip: every checkpoint is read by these names.

#include "models/checkpoint/tensor_names.h"

#include <fmt/format.h>

namespace zeroshelf {
namespace {

NormNames norm(const std::string& prefix) {
  return {prefix + ".weight", prefix + ".bias"};
}

LinearNames linear(const std::string& prefix, int64_t in, int64_t out) {
  return {{prefix + ".weight"}, {prefix + ".bias"}, in, out, {out, in}, false};
}

BlockNames openai_block(const std::string& prefix, const TransformerConfig& config) {
  const int64_t width = config.width;
  return {norm(prefix + ".ln_1"),
          {{prefix + ".attn.in_proj_weight"},
           {prefix + ".attn.in_proj_bias"},
           width,
           3 * width,
           {3 * width, width},
           false},
          linear(prefix + ".attn.out_proj", width, width),
          norm(prefix + ".ln_2"),
          linear(prefix + ".mlp.c_fc", width, config.mlp_width),
          linear(prefix + ".mlp.c_proj", config.mlp_width, width)};
}

BlockNames hugging_face_block(const std::string& prefix, const TransformerConfig& config) {
  const int64_t width = config.width;
  LinearNames parts{{}, {}, width, width, {width, width}, false};
  for (const char* part : {".self_attn.q_proj", ".self_attn.k_proj", ".self_attn.v_proj"}) {
    parts.weights.push_back(prefix + part + ".weight");
    parts.biases.push_back(prefix + part + ".bias");
  }
  return {norm(prefix + ".layer_norm1"),
          std::move(parts),
          linear(prefix + ".self_attn.out_proj", width, width),
          norm(prefix + ".layer_norm2"),
          linear(prefix + ".mlp.fc1", width, config.mlp_width),
          linear(prefix + ".mlp.fc2", config.mlp_width, width)};
}

std::vector<BlockNames> blocks(const std::string& openai_prefix,
                               const std::string& hugging_face_prefix,
                               const TransformerConfig& config, TensorNames scheme) {
  std::vector<BlockNames> result;
  for (int64_t layer = 0; layer < config.layers; ++layer) {
    result.push_back(
        scheme == TensorNames::OpenAi
            ? openai_block(fmt::format("{}.resblocks.{}", openai_prefix, layer), config)
            : hugging_face_block(fmt::format("{}.layers.{}", hugging_face_prefix, layer), config));
  }
  return result;
}

// OpenAI keeps projections as [width, dimension], Hugging Face as [dimension, width].
LinearNames projection(const char* openai, const char* hugging_face, int64_t width,
                       int64_t dimension, TensorNames scheme) {
  if (scheme == TensorNames::OpenAi) {
    return {{openai}, {}, width, dimension, {width, dimension}, true};
  }
  return {{hugging_face}, {}, width, dimension, {dimension, width}, false};
}

}  // namespace

ImageNames image_names(const ClipConfig& config, TensorNames scheme) {
  const auto name = [&](const char* openai, const char* hugging_face) {
    return std::string(scheme == TensorNames::OpenAi ? openai : hugging_face);
  };
  const int64_t width = config.image.width;
  const int64_t patch = config.patch_size_px;
  ImageNames names;
  names.patches = {{name("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight")},
                   {},
                   3 * patch * patch,
                   width,
                   {width, 3, patch, patch},
                   false};
  names.class_token = name("visual.class_embedding", "vision_model.embeddings.class_embedding");
  names.positions =
      name("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight");
  names.before = norm(name("visual.ln_pre", "vision_model.pre_layrnorm"));
  names.blocks = blocks("visual.transformer", "vision_model.encoder", config.image, scheme);
  names.after = norm(name("visual.ln_post", "vision_model.post_layernorm"));
  names.projection =
      projection("visual.proj", "visual_projection.weight", width, config.dimension, scheme);
  return names;
}

TextNames text_names(const ClipConfig& config, TensorNames scheme) {
  const auto name = [&](const char* openai, const char* hugging_face) {
    return std::string(scheme == TensorNames::OpenAi ? openai : hugging_face);
  };
  TextNames names;
  names.tokens = name("token_embedding.weight", "text_model.embeddings.token_embedding.weight");
  names.positions = name("positional_embedding", "text_model.embeddings.position_embedding.weight");
  names.blocks = blocks("transformer", "text_model.encoder", config.text, scheme);
  names.after = norm(name("ln_final", "text_model.final_layer_norm"));
  names.projection = projection("text_projection", "text_projection.weight", config.text.width,
                                config.dimension, scheme);
  return names;
}

}  // namespace zeroshelf
