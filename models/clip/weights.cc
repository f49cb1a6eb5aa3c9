// Tensors by their names in both schemes. Tested by tests/clip.

#include "models/clip/weights.h"

#include "models/checkpoint/tensor_names.h"

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

// Over the checkpoint's own bytes, which the checkpoint must outlive.
at::Tensor mapped(const Checkpoint& checkpoint, const std::string& name,
                  const std::vector<int64_t>& shape) {
  const TensorView& view = tensor_of(checkpoint, name, shape);
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
  TensorReader(const TensorSource& source, at::ScalarType computing_type)
      : source_(source), computing_type_(computing_type) {}

  at::Tensor as_found(const std::string& name, const std::vector<int64_t>& shape) const {
    return source_.find(name, shape);
  }

  at::Tensor floats(const std::string& name, const std::vector<int64_t>& shape) const {
    return as_found(name, shape).to(at::kFloat, /*non_blocking=*/false, /*copy=*/true);
  }

  LayerNorm layer_norm(const NormNames& names, int64_t width) const {
    return {floats(names.weight, {width}), floats(names.bias, {width})};
  }

  Linear linear(const LinearNames& names) const {
    std::vector<at::Tensor> weights;
    std::vector<at::Tensor> biases;
    for (const std::string& name : names.weights) {
      const at::Tensor weight = floats(name, names.shape);
      weights.push_back(names.is_transposed ? weight.t() : weight.reshape({names.out, names.in}));
    }
    for (const std::string& name : names.biases) biases.push_back(floats(name, {names.out}));
    return {joined(weights).to(computing_type_).contiguous(),
            biases.empty() ? at::Tensor() : joined(biases).to(computing_type_)};
  }

  std::vector<Block> blocks(const std::vector<BlockNames>& blocks, int64_t width) const {
    std::vector<Block> result;
    for (const BlockNames& names : blocks) {
      result.push_back({layer_norm(names.before_attention, width),
                        linear(names.queries_keys_values), linear(names.attention_out),
                        layer_norm(names.before_mlp, width), linear(names.mlp_in),
                        linear(names.mlp_out)});
    }
    return result;
  }

 private:
  static at::Tensor joined(const std::vector<at::Tensor>& parts) {
    return parts.size() == 1 ? parts.front() : at::cat(parts);
  }

  const TensorSource& source_;
  at::ScalarType computing_type_;
};

}  // namespace

ImageWeights read_image_weights(const TensorSource& source, const ClipConfig& config,
                                at::ScalarType computing_type) {
  const TensorReader reader(source, computing_type);
  const ImageNames names = image_names(config, source.names);
  const int64_t width = config.image.width;
  ImageWeights weights;
  weights.patches = reader.linear(names.patches);
  weights.class_token = reader.floats(names.class_token, {width});
  weights.positions = reader.floats(names.positions, {1 + config.grid() * config.grid(), width});
  weights.before = reader.layer_norm(names.before, width);
  weights.blocks = reader.blocks(names.blocks, width);
  weights.after = reader.layer_norm(names.after, width);
  weights.projection = reader.linear(names.projection);
  return weights;
}

TextWeights read_text_weights(const TensorSource& source, const ClipConfig& config,
                              at::ScalarType computing_type) {
  const TensorReader reader(source, computing_type);
  const TextNames names = text_names(config, source.names);
  const int64_t width = config.text.width;
  TextWeights weights;
  weights.tokens = reader.as_found(names.tokens, {config.vocabulary_size, width});
  weights.positions = reader.floats(names.positions, {config.context_length, width});
  weights.blocks = reader.blocks(names.blocks, width);
  weights.after = reader.layer_norm(names.after, width);
  weights.projection = reader.linear(names.projection);
  return weights;
}

ImageWeights read_image_weights(const Checkpoint& checkpoint, at::ScalarType computing_type) {
  return read_image_weights(source_of(checkpoint), checkpoint.config, computing_type);
}

TextWeights read_text_weights(const Checkpoint& checkpoint, at::ScalarType computing_type) {
  return read_text_weights(source_of(checkpoint), checkpoint.config, computing_type);
}

}  // namespace zeroshelf
