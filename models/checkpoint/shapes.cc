// Tested by tests/clip/checkpoint_test.cc and golden_models_test.cc.

#include "models/checkpoint/shapes.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr int64_t kHeadWidth = 64;  // of all of OpenAI's models and of XLM-R

class Shapes {
 public:
  Shapes(const std::map<std::string, TensorView>& tensors, std::string subject)
      : tensors_(tensors), subject_(std::move(subject)) {}

  const std::string& subject() const { return subject_; }
  bool has(const std::string& name) const { return tensors_.contains(name); }

  [[noreturn]] void fail(const std::string& tensor, const std::string& cause) const {
    throw Error(ErrorCode::Corruption, subject_,
                fmt::format("not such a model as it should be: tensor {} {}", tensor, cause),
                "fetch the file again");
  }

  int64_t side(const std::string& name, size_t index, size_t dimensions) const {
    const auto tensor = tensors_.find(name);
    if (tensor == tensors_.end()) fail(name, "is missing");
    if (tensor->second.shape.size() != dimensions) fail(name, "has another number of dimensions");
    return tensor->second.shape[index];
  }

  // How many of these there are: name(0), name(1) ...
  template <class Name>
  int64_t count(Name name) const {
    int64_t found = 0;
    while (has(name(found))) ++found;
    return found;
  }

  // The side of a table of positions for a square of patches and a token more.
  int64_t grid(const std::string& positions) const {
    const int64_t patches = side(positions, 0, 2) - 1;
    const auto grid = static_cast<int64_t>(
        std::llround(std::sqrt(static_cast<double>(std::max<int64_t>(patches, 0)))));
    if (grid * grid != patches) fail(positions, "is for no square");
    return grid;
  }

 private:
  const std::map<std::string, TensorView>& tensors_;
  std::string subject_;
};

void read_blocks(const Shapes& shapes, const std::string& prefix, TransformerConfig& tower) {
  tower.activation = Activation::QuickGelu;
  tower.heads = std::max<int64_t>(1, tower.width / kHeadWidth);
  const auto block = [&](int64_t layer) {
    return fmt::format("{}resblocks.{}.mlp.c_fc.weight", prefix, layer);
  };
  tower.mlp_width = shapes.side(block(0), 0, 2);
  tower.layers = shapes.count(block);
}

void read_vit(const Shapes& shapes, ClipConfig& config) {
  config.image.width = shapes.side("visual.conv1.weight", 0, 4);
  config.patch_size_px = shapes.side("visual.conv1.weight", 3, 4);
  config.image_size_px = shapes.grid("visual.positional_embedding") * config.patch_size_px;
  read_blocks(shapes, "visual.transformer.", config.image);
}

void read_resnet(const Shapes& shapes, ClipConfig& config) {
  config.image.width =
      shapes.side("visual.layer1.0.conv1.weight", 0, 4) * ClipConfig::kResNetWidening;
  config.image.heads = std::max<int64_t>(1, config.image.width / kHeadWidth);
  for (size_t stage = 0; stage < config.resnet_blocks.size(); ++stage) {
    const auto block = [&](int64_t number) {
      return fmt::format("visual.layer{}.{}.conv1.weight", stage + 1, number);
    };
    shapes.side(block(0), 0, 4);
    config.resnet_blocks[stage] = shapes.count(block);
    config.image.layers += config.resnet_blocks[stage];
  }
  config.patch_size_px = ClipConfig::kResNetReduction;
  config.image_size_px =
      shapes.grid("visual.attnpool.positional_embedding") * config.patch_size_px;
}

}  // namespace

ClipConfig openai_config(const std::map<std::string, TensorView>& tensors,
                         const std::string& subject) {
  const Shapes shapes(tensors, subject);
  ClipConfig config;
  if (shapes.has("visual.layer1.0.conv1.weight")) {
    read_resnet(shapes, config);
  } else {
    read_vit(shapes, config);
  }
  config.text.width = shapes.side("ln_final.weight", 0, 1);
  config.context_length = shapes.side("positional_embedding", 0, 2);
  config.vocabulary_size = shapes.side("token_embedding.weight", 0, 2);
  config.dimension = shapes.side("text_projection", 1, 2);
  read_blocks(shapes, "transformer.", config.text);
  check_config(config, subject);
  config.preprocessing.size_px = static_cast<int>(config.image_size_px);
  return config;
}

void complete_m_clip(const std::map<std::string, TensorView>& tensors, const std::string& subject,
                     ClipConfig& config) {
  const Shapes shapes(tensors, subject);
  const auto layer = [](int64_t number) {
    return fmt::format("transformer.encoder.layer.{}.intermediate.dense.weight", number);
  };
  config.text.heads = std::max<int64_t>(1, config.text.width / kHeadWidth);
  config.text.mlp_width = shapes.side(layer(0), 0, 2);
  config.text.layers = shapes.count(layer);
  config.vocabulary_size =
      shapes.side("transformer.embeddings.word_embeddings.weight", 0, 2);
  config.text_positions =
      shapes.side("transformer.embeddings.position_embeddings.weight", 0, 2);
  config.context_length = config.text_positions - config.pad_id - 1;
  check_config(config, subject);
}

}  // namespace zeroshelf
