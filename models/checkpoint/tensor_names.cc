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
  BlockNames block = {norm(prefix + ".ln_1"),
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
  if (config.has_layer_scale) {
    block.attention_out.factors = prefix + ".ls_1.gamma";
    block.mlp_out.factors = prefix + ".ls_2.gamma";
  }
  if (config.has_query_key_norms) {
    block.queries = norm(prefix + ".attn.ln_q");
    block.keys = norm(prefix + ".attn.ln_k");
  }
  if (config.has_head_scales) {
    block.attention_out.head_factors = prefix + ".attn.head_scale";
    block.attention_out.heads = config.heads;
  }
  if (config.has_mlp_norm) block.in_mlp = norm(prefix + ".mlp.ln");
  return block;
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

namespace {

PoolNames hugging_face_pool(const TransformerConfig& config) {
  const std::string prefix = "vision_model.head";
  const int64_t width = config.width;
  return {prefix + ".probe",
          {prefix + ".attention.in_proj_weight"},
          {prefix + ".attention.in_proj_bias"},
          {3 * width},
          linear(prefix + ".attention.out_proj", width, width),
          norm(prefix + ".layernorm"),
          linear(prefix + ".mlp.fc1", width, config.mlp_width),
          linear(prefix + ".mlp.fc2", config.mlp_width, width)};
}

PoolNames timm_pool(const TransformerConfig& config) {
  const std::string prefix = "visual.trunk.attn_pool";
  const int64_t width = config.width;
  return {prefix + ".latent",
          {prefix + ".q.weight", prefix + ".kv.weight"},
          {prefix + ".q.bias", prefix + ".kv.bias"},
          {width, 2 * width},
          linear(prefix + ".proj", width, width),
          norm(prefix + ".norm"),
          linear(prefix + ".mlp.fc1", width, config.mlp_width),
          linear(prefix + ".mlp.fc2", config.mlp_width, width)};
}

QueriesPoolNames queries_pool(const ClipConfig& config) {
  const std::string prefix = "visual.attn_pool";
  return {prefix + ".query",
          norm(prefix + ".ln_q"),
          norm(prefix + ".ln_k"),
          prefix + ".attn.q_proj_weight",
          prefix + ".attn.k_proj_weight",
          prefix + ".attn.v_proj_weight",
          prefix + ".attn.in_proj_bias",
          linear(prefix + ".attn.out_proj", config.dimension, config.dimension)};
}

BlockNames timm_block(const std::string& prefix, const TransformerConfig& config) {
  const int64_t width = config.width;
  return {norm(prefix + ".norm1"),
          linear(prefix + ".attn.qkv", width, 3 * width),
          linear(prefix + ".attn.proj", width, width),
          norm(prefix + ".norm2"),
          linear(prefix + ".mlp.fc1", width, config.mlp_width),
          linear(prefix + ".mlp.fc2", config.mlp_width, width)};
}

// The convolution that makes the patches, as a multiplication.
LinearNames patches(const std::string& prefix, const ClipConfig& config) {
  const int64_t width = config.image.width;
  const int64_t patch = config.patch_size_px;
  LinearNames names = {{prefix + ".weight"}, {}, 3 * patch * patch, width,
                       {width, 3, patch, patch}, false};
  if (config.has_patch_bias) names.biases = {prefix + ".bias"};
  return names;
}

int64_t tokens_of(const ClipConfig& config) {
  return config.grid() * config.grid() + (config.has_class_token ? 1 : 0);
}

// A trunk of timm in an OpenCLIP checkpoint.
ImageNames timm_names(const ClipConfig& config) {
  const std::string prefix = "visual.trunk";
  const int64_t width = config.image.width;
  ImageNames names;
  names.patches = patches(prefix + ".patch_embed.proj", config);
  if (config.has_class_token) names.class_token = prefix + ".cls_token";
  names.class_token_shape = {1, 1, width};
  names.positions = prefix + ".pos_embed";
  names.positions_shape = {1, tokens_of(config), width};
  if (config.has_norm_before) names.before = norm(prefix + ".norm_pre");
  for (int64_t layer = 0; layer < config.image.layers; ++layer)
    names.blocks.push_back(timm_block(fmt::format("{}.blocks.{}", prefix, layer), config.image));
  names.after = norm(prefix + ".norm");
  if (config.image_pool == ImagePool::Attention) names.pool = timm_pool(config.image);
  if (config.image_projection != Projection::None)
    names.projection = linear(prefix + ".head", width, config.dimension);
  return names;
}

}  // namespace

ImageNames image_names(const ClipConfig& config, TensorNames scheme) {
  if (config.has_timm_trunk) return timm_names(config);
  const auto name = [&](const char* openai, const char* hugging_face) {
    return std::string(scheme == TensorNames::OpenAi ? openai : hugging_face);
  };
  const int64_t width = config.image.width;
  ImageNames names;
  names.patches = patches(name("visual.conv1", "vision_model.embeddings.patch_embedding"), config);
  if (config.has_class_token)
    names.class_token = name("visual.class_embedding", "vision_model.embeddings.class_embedding");
  names.class_token_shape = {width};
  names.positions =
      name("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight");
  names.positions_shape = {tokens_of(config), width};
  if (config.has_norm_before)
    names.before = norm(name("visual.ln_pre", "vision_model.pre_layrnorm"));
  names.blocks = blocks("visual.transformer", "vision_model.encoder", config.image, scheme);
  names.after = norm(name("visual.ln_post", "vision_model.post_layernorm"));
  if (config.image_pool == ImagePool::Attention) names.pool = hugging_face_pool(config.image);
  if (config.image_pool == ImagePool::Queries) names.queries_pool = queries_pool(config);
  if (config.image_projection != Projection::None) {
    const int64_t pooled = config.image_pool == ImagePool::Queries ? config.dimension : width;
    names.projection =
        projection("visual.proj", "visual_projection.weight", pooled, config.dimension, scheme);
  }
  return names;
}

namespace {

ConvolutionNames convolution(const std::string& weight, const std::string& norm, int64_t in,
                             int64_t out, int64_t side) {
  return {weight + ".weight", {out, in, side, side}, norm};
}

BottleneckNames bottleneck(const std::string& prefix, int64_t in, int64_t inner, bool is_halving) {
  constexpr int64_t kExpansion = 4;
  const int64_t out = kExpansion * inner;
  BottleneckNames names;
  names.is_halving = is_halving;
  names.reduce = convolution(prefix + ".conv1", prefix + ".bn1", in, inner, 1);
  names.look_around = convolution(prefix + ".conv2", prefix + ".bn2", inner, inner, 3);
  names.expand = convolution(prefix + ".conv3", prefix + ".bn3", inner, out, 1);
  if (is_halving || in != out)
    names.shortcut = convolution(prefix + ".downsample.0", prefix + ".downsample.1", in, out, 1);
  return names;
}

}  // namespace

ResNetNames resnet_names(const ClipConfig& config) {
  const int64_t stem = config.stem_width();
  const int64_t width = config.image.width;
  ResNetNames names;
  names.stem = {convolution("visual.conv1", "visual.bn1", 3, stem / 2, 3),
                convolution("visual.conv2", "visual.bn2", stem / 2, stem / 2, 3),
                convolution("visual.conv3", "visual.bn3", stem / 2, stem, 3)};
  int64_t in = stem;
  int64_t inner = stem;
  for (size_t stage = 0; stage < config.resnet_blocks.size(); ++stage, inner *= 2) {
    for (int64_t block = 0; block < config.resnet_blocks[stage]; ++block) {
      names.blocks.push_back(bottleneck(fmt::format("visual.layer{}.{}", stage + 1, block), in,
                                        inner, stage > 0 && block == 0));
      in = 4 * inner;
    }
  }
  const std::string pool = "visual.attnpool";
  names.positions = pool + ".positional_embedding";
  names.positions_shape = {config.grid() * config.grid() + 1, width};
  names.queries_keys_values = {{}, {}, width, width, {width, width}, false};
  for (const char* part : {".q_proj", ".k_proj", ".v_proj"}) {
    names.queries_keys_values.weights.push_back(pool + part + ".weight");
    names.queries_keys_values.biases.push_back(pool + part + ".bias");
  }
  names.projection = linear(pool + ".c_proj", width, config.dimension);
  return names;
}

namespace {

BlockNames roberta_block(const std::string& prefix, const TransformerConfig& config) {
  const int64_t width = config.width;
  LinearNames parts{{}, {}, width, width, {width, width}, false};
  for (const char* part : {".query", ".key", ".value"}) {
    parts.weights.push_back(prefix + ".attention.self" + part + ".weight");
    parts.biases.push_back(prefix + ".attention.self" + part + ".bias");
  }
  return {norm(prefix + ".attention.output.LayerNorm"),
          std::move(parts),
          linear(prefix + ".attention.output.dense", width, width),
          norm(prefix + ".output.LayerNorm"),
          linear(prefix + ".intermediate.dense", width, config.mlp_width),
          linear(prefix + ".output.dense", config.mlp_width, width)};
}

// XLM-R's tower in an OpenCLIP checkpoint ("text.transformer"), or of Multilingual-CLIP.
TextNames roberta_names(const ClipConfig& config) {
  const int64_t width = config.text.width;
  const std::string prefix = config.has_image_tower ? "text.transformer" : "transformer";
  TextNames names;
  names.tokens = prefix + ".embeddings.word_embeddings.weight";
  names.positions = prefix + ".embeddings.position_embeddings.weight";
  names.kinds = prefix + ".embeddings.token_type_embeddings.weight";
  names.embedded = norm(prefix + ".embeddings.LayerNorm");
  for (int64_t layer = 0; layer < config.text.layers; ++layer)
    names.blocks.push_back(
        roberta_block(fmt::format("{}.encoder.layer.{}", prefix, layer), config.text));
  const auto plain = [](const std::string& name, int64_t in, int64_t out) {
    return LinearNames{{name}, {}, in, out, {out, in}, false};
  };
  if (config.text_projection == Projection::LinearWithBias) {
    names.projection = linear("LinearTransformation", width, config.dimension);
  } else if (config.text_projection == Projection::Linear) {
    names.projection = plain("text.proj.weight", width, config.dimension);
  } else {
    const int64_t hidden = (width + config.dimension) / 2;
    names.hidden = plain("text.proj.0.weight", width, hidden);
    names.projection = plain("text.proj.2.weight", hidden, config.dimension);
  }
  return names;
}

}  // namespace

TextNames text_names(const ClipConfig& config, TensorNames scheme, const std::string& prefix) {
  if (config.is_roberta) return roberta_names(config);
  const auto name = [&](const char* openai, const char* hugging_face) {
    return scheme == TensorNames::OpenAi ? prefix + openai : std::string(hugging_face);
  };
  const int64_t width = config.text.width;
  TextNames names;
  names.tokens = name("token_embedding.weight", "text_model.embeddings.token_embedding.weight");
  names.positions = name("positional_embedding", "text_model.embeddings.position_embedding.weight");
  names.blocks = blocks(prefix + "transformer", "text_model.encoder", config.text, scheme);
  names.after = norm(name("ln_final", "text_model.final_layer_norm"));
  switch (config.text_projection) {
    case Projection::None:
    case Projection::Mlp:  // of XLM-R's towers alone
      break;
    case Projection::Linear:
      names.projection = projection((prefix + "text_projection").c_str(), "text_projection.weight",
                                    width, config.dimension, scheme);
      break;
    case Projection::LinearWithBias:
      names.projection = linear(
          scheme == TensorNames::OpenAi ? prefix + "text_projection" : "text_model.head", width,
          config.dimension);
      break;
  }
  return names;
}

namespace {

class NameSet {
 public:
  void add(const std::string& name) {
    if (!name.empty()) names_.insert(name);
  }
  void add(const NormNames& norm) {
    add(norm.weight);
    add(norm.bias);
  }
  void add(const LinearNames& linear) {
    names_.insert(linear.weights.begin(), linear.weights.end());
    names_.insert(linear.biases.begin(), linear.biases.end());
    add(linear.factors);
    add(linear.head_factors);
  }
  void add(const std::vector<BlockNames>& blocks) {
    for (const BlockNames& block : blocks) {
      add(block.before_attention);
      add(block.queries_keys_values);
      add(block.attention_out);
      add(block.before_mlp);
      add(block.mlp_in);
      add(block.mlp_out);
      add(block.queries);
      add(block.keys);
      add(block.in_mlp);
    }
  }
  void add(const ConvolutionNames& convolution) {
    if (convolution.weight.empty()) return;
    add(convolution.weight);
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var"})
      add(convolution.norm + part);
  }
  void add(const ResNetNames& image) {
    for (const ConvolutionNames& one : image.stem) add(one);
    for (const BottleneckNames& block : image.blocks) {
      for (const auto* one : {&block.reduce, &block.look_around, &block.expand, &block.shortcut})
        add(*one);
    }
    add(image.positions);
    add(image.queries_keys_values);
    add(image.projection);
  }
  void add(const ImageNames& image) {
    add(image.patches);
    add(image.class_token);
    add(image.positions);
    add(image.before);
    add(image.blocks);
    add(image.after);
    add(image.pool);
    add(image.queries_pool);
    add(image.projection);
  }
  void add(const TextNames& text) {
    add(text.tokens);
    add(text.positions);
    add(text.blocks);
    add(text.after);
    add(text.hidden);
    add(text.projection);
    add(text.kinds);
    add(text.embedded);
  }
  void add(const PoolNames& pool) {
    if (pool.query.empty()) return;
    add(pool.query);
    names_.insert(pool.weights.begin(), pool.weights.end());
    names_.insert(pool.biases.begin(), pool.biases.end());
    add(pool.attention_out);
    add(pool.before_mlp);
    add(pool.mlp_in);
    add(pool.mlp_out);
  }
  void add(const QueriesPoolNames& pool) {
    if (pool.queries.empty()) return;
    add(pool.queries);
    add(pool.of_queries);
    add(pool.of_states);
    for (const std::string* name :
         {&pool.query_weight, &pool.key_weight, &pool.value_weight, &pool.bias}) {
      add(*name);
    }
    add(pool.out);
  }
  std::set<std::string> take() { return std::move(names_); }

 private:
  std::set<std::string> names_;
};

}  // namespace

std::set<std::string> tensor_names(const ClipConfig& config, TensorNames scheme,
                                   const std::string& prefix) {
  NameSet names;
  if (config.is_resnet()) {
    names.add(resnet_names(config));
  } else if (config.has_image_tower) {
    names.add(image_names(config, scheme));
  }
  names.add(text_names(config, scheme, prefix));
  return names.take();
}

}  // namespace zeroshelf
