// Pictures -> vectors, by CLIP's ResNets (openai/CLIP, ModifiedResNet): three convolutions before the
// blocks, means in place of strides, and a pool by attention whose query is the mean of all places.
// Tested by tests/clip/golden_models_test.cc and network_test.cc.

#include <algorithm>
#include <cmath>
#include <optional>
#include <vector>

#include "models/clip/image_tower.h"
#include "models/clip/weight_reader.h"

namespace zeroshelf {
namespace {

constexpr float kNormEpsilon = 1e-5f;
constexpr size_t kRowsAtOnce = 512;  // places whose neighbourhoods are gathered before they are multiplied

// Values by place, row by row, in each place all channels.
struct Map {
  size_t height = 0;
  size_t width = 0;
  size_t channels = 0;
  std::vector<float> values;

  size_t places() const { return height * width; }
};

Map empty_map(size_t height, size_t width, size_t channels) {
  return {height, width, channels, std::vector<float>(height * width * channels)};
}

// The mean of each 2 x 2 places; an odd last row or column is left out.
Map halved(const Map& map) {
  Map half = empty_map(map.height / 2, map.width / 2, map.channels);
  float* to = half.values.data();
  for (size_t y = 0; y < half.height; ++y) {
    for (size_t x = 0; x < half.width; ++x) {
      const float* upper = map.values.data() + (2 * y * map.width + 2 * x) * map.channels;
      const float* lower = upper + map.width * map.channels;
      for (size_t c = 0; c < map.channels; ++c, ++to) {
        *to = (upper[c] + upper[c + map.channels] + lower[c] + lower[c + map.channels]) * 0.25f;
      }
    }
  }
  return half;
}

void relu(Map& map) {
  for (float& value : map.values) value = value < 0 ? 0 : value;
}

// A convolution and the normalisation behind it, which is a factor and an offset of each channel.
class Convolution {
 public:
  Convolution(const ConvolutionNames& names, size_t stride, After after, const WeightReader& reader)
      : kernels_(reader.kernels()),
        in_(static_cast<size_t>(names.shape[1])),
        out_(static_cast<size_t>(names.shape[0])),
        side_(static_cast<size_t>(names.shape[2])),
        stride_(stride),
        linear_(read(names, after, reader)) {}

  // With a border of zeros that keeps the size.
  Map operator()(const Map& map, Workspace& space) const {
    const size_t border = side_ / 2;
    Map result = empty_map((map.height + 2 * border - side_) / stride_ + 1,
                           (map.width + 2 * border - side_) / stride_ + 1, out_);
    add_to(map, space, result);
    return result;
  }

  // With After::AddToResult into what is there.
  void add_to(const Map& map, Workspace& space, Map& result) const {
    const size_t inputs = side_ * side_ * in_;
    space.patch.resize(inputs);
    for (size_t first = 0; first < result.places(); first += kRowsAtOnce) {
      const size_t rows = std::min(kRowsAtOnce, result.places() - first);
      const Operand operand = space.patches.make(kernels_, rows, inputs);
      for (size_t i = 0; i < rows; ++i) {
        gather(map, (first + i) / result.width, (first + i) % result.width, space.patch);
        kernels_.put(space.patch.data(), 1, inputs, operand, i);
      }
      linear_.run(operand, rows, result.values.data() + first * out_);
    }
  }

 private:
  static PackedLinear read(const ConvolutionNames& names, After after, const WeightReader& reader) {
    const auto [weights, bias] = folded(names, reader);
    return reader.packed(names.shape[1] * names.shape[2] * names.shape[3], names.shape[0], weights,
                         bias, after);
  }

  struct Folded {
    std::vector<float> weights;  // [out, y, x, in]
    std::vector<float> bias;
  };

  static Folded folded(const ConvolutionNames& names, const WeightReader& reader) {
    const auto out = static_cast<size_t>(names.shape[0]);
    const auto in = static_cast<size_t>(names.shape[1]);
    const auto places = static_cast<size_t>(names.shape[2] * names.shape[3]);
    const std::vector<float> weights = reader.floats(names.weight, names.shape);
    const auto of_channels = [&](const char* name) {
      return reader.floats(names.norm + name, {names.shape[0]});
    };
    const std::vector<float> scale = of_channels(".weight"), offset = of_channels(".bias"),
                             mean = of_channels(".running_mean"),
                             variance = of_channels(".running_var");
    Folded result{std::vector<float>(weights.size()), std::vector<float>(out)};
    for (size_t o = 0; o < out; ++o) {
      const float factor = scale[o] / std::sqrt(variance[o] + kNormEpsilon);
      result.bias[o] = offset[o] - mean[o] * factor;
      for (size_t c = 0; c < in; ++c) {
        for (size_t p = 0; p < places; ++p) {
          result.weights[(o * places + p) * in + c] = weights[(o * in + c) * places + p] * factor;
        }
      }
    }
    return result;
  }

  void gather(const Map& map, size_t row, size_t column, std::vector<float>& out) const {
    const size_t border = side_ / 2;
    float* to = out.data();
    for (size_t ky = 0; ky < side_; ++ky) {
      const size_t y = row * stride_ + ky - border;  // beyond the height where it would be negative
      for (size_t kx = 0; kx < side_; ++kx, to += in_) {
        const size_t x = column * stride_ + kx - border;
        if (y < map.height && x < map.width) {
          std::copy_n(map.values.data() + (y * map.width + x) * in_, in_, to);
        } else {
          std::fill_n(to, in_, 0.0f);
        }
      }
    }
  }

  const Kernels& kernels_;
  size_t in_;
  size_t out_;
  size_t side_;
  size_t stride_;
  PackedLinear linear_;
};

// Narrow, look around, widen; added to what came in.
class Bottleneck {
 public:
  Bottleneck(const BottleneckNames& names, const WeightReader& reader)
      : is_halving_(names.is_halving),
        reduce_(names.reduce, 1, After::Relu, reader),
        look_around_(names.look_around, 1, After::Relu, reader),
        expand_(names.expand, 1, After::AddToResult, reader) {
    if (!names.shortcut.weight.empty())
      shortcut_.emplace(names.shortcut, 1, After::Nothing, reader);
  }

  Map operator()(Map map, Workspace& space) const {
    Map inner = look_around_(reduce_(map, space), space);
    if (is_halving_) {
      inner = halved(inner);
      map = halved(map);
    }
    if (shortcut_) map = (*shortcut_)(map, space);
    expand_.add_to(inner, space, map);
    relu(map);
    return map;
  }

 private:
  bool is_halving_;
  Convolution reduce_;
  Convolution look_around_;
  Convolution expand_;
  std::optional<Convolution> shortcut_;
};

// Attention of the places' mean over the mean and all places.
class AttentionPool {
 public:
  AttentionPool(const ResNetNames& names, const ClipConfig& config, const WeightReader& reader)
      : kernels_(reader.kernels()),
        heads_(static_cast<size_t>(config.image.heads)),
        width_(static_cast<size_t>(config.image.width)),
        positions_(reader.floats(names.positions, names.positions_shape)),
        queries_keys_values_(reader.linear(names.queries_keys_values, After::Nothing)),
        projection_(reader.linear(names.projection, After::Nothing)) {}

  void run(const Map& map, Workspace& space, float* out) const {
    const size_t tokens = map.places() + 1;
    float* stream = space.stream.floats(tokens * width_);
    std::copy(map.values.begin(), map.values.end(), stream + width_);
    std::fill_n(stream, width_, 0.0f);
    for (size_t i = 1; i < tokens; ++i) {
      for (size_t j = 0; j < width_; ++j) stream[j] += stream[i * width_ + j];
    }
    for (size_t j = 0; j < width_; ++j) stream[j] /= static_cast<float>(map.places());
    for (size_t i = 0; i < positions_.size(); ++i) stream[i] += positions_[i];

    const Operand x = space.normalised.make(kernels_, tokens, width_);
    kernels_.put(stream, tokens, width_, x, 0);
    const Operand parts = space.parts.make(kernels_, tokens, 3 * width_);
    queries_keys_values_.run(x, tokens, parts);
    clip_kernels::AttentionShape shape;
    shape.length = tokens;
    shape.heads = heads_;
    shape.head_width = width_ / heads_;
    shape.end_query = 1;
    void* scratch = space.attention.bytes(kernels_.attention_scratch(tokens, shape.head_width));
    const Operand mixed = space.mixed.make(kernels_, 1, width_);
    kernels_.attention(parts, 0, shape, scratch, mixed, 0);
    projection_.run(mixed, 1, out);
  }

 private:
  const Kernels& kernels_;
  size_t heads_;
  size_t width_;
  std::vector<float> positions_;  // [1 + places, width]
  PackedLinear queries_keys_values_;
  PackedLinear projection_;
};

class ResNetTower : public ImageTower {
 public:
  ResNetTower(const Checkpoint& checkpoint, const ResNetNames& names, const WeightReader& reader)
      : size_(static_cast<size_t>(checkpoint.config.image_size_px)),
        dimension_(static_cast<size_t>(checkpoint.config.dimension)),
        preprocessing_(checkpoint.config.preprocessing),
        pool_(names, checkpoint.config, reader) {
    for (size_t i = 0; i < names.stem.size(); ++i)
      stem_.emplace_back(names.stem[i], i == 0 ? 2 : 1, After::Relu, reader);
    for (const BottleneckNames& block : names.blocks) blocks_.emplace_back(block, reader);
  }

  size_t batch() const override { return 1; }

  void encode(std::span<const Image> images, Workspace& space, float* out) const override {
    for (const Image& image : images) {
      Map map = pixels_of(image);
      for (const Convolution& convolution : stem_) map = convolution(map, space);
      map = halved(map);
      for (const Bottleneck& block : blocks_) map = block(std::move(map), space);
      pool_.run(map, space, out);
      out += dimension_;
    }
  }

 private:
  Map pixels_of(const Image& image) const {
    Map map = empty_map(size_, size_, 3);
    for (size_t i = 0; i < map.values.size(); ++i) {
      map.values[i] = (static_cast<float>(image.rgb[i]) / 255.0f - preprocessing_.mean[i % 3]) /
                      preprocessing_.standard_deviation[i % 3];
    }
    return map;
  }

  size_t size_;
  size_t dimension_;
  Preprocessing preprocessing_;
  std::vector<Convolution> stem_;
  std::vector<Bottleneck> blocks_;
  AttentionPool pool_;
};

}  // namespace

std::unique_ptr<ImageTower> make_resnet_tower(const Checkpoint& checkpoint, const Kernels& kernels) {
  const WeightReader reader(checkpoint, kernels);
  return std::make_unique<ResNetTower>(checkpoint, resnet_names(checkpoint.config), reader);
}

}  // namespace zeroshelf
