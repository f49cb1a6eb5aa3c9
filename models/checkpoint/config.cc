// Tested by tests/clip/checkpoint_test.cc.

#include "models/checkpoint/config.h"

#include <fmt/format.h>

#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/json_object.h"
#include "models/checkpoint/strict_json.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr uint64_t kMaxJsonBytes = 64 << 20;
constexpr int64_t kHeadWidth =
    64;                      // of every published CLIP unless its configuration says otherwise
constexpr int kBicubic = 3;  // PIL's number

// One JSON object of a configuration file, with errors that name the file and the key.
class Section {
 public:
  Section(json value, std::string subject)
      : value_(std::move(value)), subject_(std::move(subject)) {}
  explicit Section(const fs::path& path)
      : value_(parse_strict_json(read_file(path, kMaxJsonBytes), path.string())),
        subject_(path.string()) {}

  const std::string& subject() const { return subject_; }
  bool has(const char* key) const { return value_.contains(key) && !value_[key].is_null(); }

  Section section(const char* key) const {
    if (!has(key)) return {json::object(), subject_};
    if (!value_[key].is_object()) fail(key);
    return {value_[key], subject_};
  }

  int64_t integer(const char* key, int64_t otherwise) const { return member(key, otherwise); }
  double number(const char* key, double otherwise) const { return member(key, otherwise); }
  bool boolean(const char* key, bool otherwise) const { return member(key, otherwise); }
  std::string text(const char* key, const std::string& otherwise) const {
    return member(key, otherwise);
  }

  // A square's side: 224, [224, 224], {"shortest_edge": 224} or {"height": 224, "width": 224}.
  int64_t side(const char* key, int64_t otherwise) const {
    if (!has(key)) return otherwise;
    const json& value = value_[key];
    if (value.is_object()) {
      const Section inner(value, subject_);
      if (inner.has("shortest_edge")) return inner.integer("shortest_edge", 0);
      if (inner.integer("height", 0) != inner.integer("width", 0))
        refuse(fmt::format("\"{}\" is not a square", key));
      return inner.integer("height", 0);
    }
    if (value.is_array() && value.size() == 2 && value[0] == value[1]) {
      if (const auto side = json_as<int64_t>(value[0])) return *side;
    }
    return integer(key, otherwise);
  }

  void read_triple(const char* key, std::array<float, 3>& out) const {
    if (!has(key)) return;
    const json& value = value_[key];
    if (!value.is_array() || value.size() != 3) fail(key);
    for (size_t i = 0; i < 3; ++i) {
      const auto number = json_as<float>(value[i]);
      if (!number) fail(key);
      out[i] = *number;
    }
  }

  [[noreturn]] void refuse(const std::string& cause) const {
    throw Error(ErrorCode::Incompatible, subject_, cause,
                "zeroshelf reads CLIP models with a plain ViT");
  }

 private:
  template <class T>
  T member(const char* key, const T& otherwise) const {
    if (!has(key)) return otherwise;
    std::optional<T> value = json_as<T>(value_[key]);
    if (!value) fail(key);
    return *std::move(value);
  }

  [[noreturn]] void fail(const char* key) const {
    throw Error(ErrorCode::Corruption, subject_,
                fmt::format("damaged: \"{}\" is not what it should be", key),
                "fetch the file again");
  }

  json value_;
  std::string subject_;
};

Activation activation(const Section& section) {
  const std::string name = section.text("hidden_act", "quick_gelu");
  if (name == "quick_gelu") return Activation::QuickGelu;
  if (name == "gelu") return Activation::Gelu;
  section.refuse(fmt::format("the activation \"{}\" is not known", name));
}

TransformerConfig hugging_face_tower(const Section& section, const TransformerConfig& otherwise) {
  TransformerConfig tower;
  tower.width = section.integer("hidden_size", otherwise.width);
  tower.layers = section.integer("num_hidden_layers", otherwise.layers);
  tower.heads = section.integer("num_attention_heads", otherwise.heads);
  tower.mlp_width = section.integer("intermediate_size", otherwise.mlp_width);
  tower.activation = activation(section);
  return tower;
}

Preprocessing hugging_face_preprocessing(const fs::path& folder, int64_t image_size_px) {
  Preprocessing preprocessing;
  preprocessing.size_px = static_cast<int>(image_size_px);
  const fs::path path = folder / "preprocessor_config.json";
  if (!fs::exists(path)) return preprocessing;
  const Section section(path);
  if (section.integer("resample", kBicubic) != kBicubic)
    section.refuse("it resizes by another filter than bicubic");
  for (const char* key : {"size", "crop_size"}) {
    if (section.side(key, image_size_px) != image_size_px) {
      section.refuse(
          fmt::format("its \"{}\" is not the model's picture size of {}", key, image_size_px));
    }
  }
  for (const char* key : {"do_resize", "do_center_crop", "do_normalize"}) {
    if (!section.boolean(key, true)) section.refuse(fmt::format("\"{}\" is off", key));
  }
  section.read_triple("image_mean", preprocessing.mean);
  section.read_triple("image_std", preprocessing.standard_deviation);
  return preprocessing;
}

// What older files keep in "<name>_config_dict".
Section tower_section(const Section& root, const char* name, const char* old_name) {
  return root.has(old_name) && !root.has(name) ? root.section(old_name) : root.section(name);
}

// 0, which check_config refuses, where the product is no size.
int64_t scaled(int64_t width, double ratio) {
  constexpr double kNoSize = 1e15;
  const double product = static_cast<double>(width) * ratio;
  return product >= 0 && product < kNoSize ? static_cast<int64_t>(product) : 0;
}

}  // namespace

ClipConfig read_hugging_face_config(const fs::path& folder) {
  const Section root(folder / "config.json");
  if (root.text("model_type", "clip") != "clip") {
    root.refuse(fmt::format("a model of type \"{}\"", root.text("model_type", "")));
  }
  const Section image = tower_section(root, "vision_config", "vision_config_dict");
  const Section text = tower_section(root, "text_config", "text_config_dict");
  ClipConfig config;
  config.image = hugging_face_tower(image, {768, 12, 12, 3072});
  config.text = hugging_face_tower(text, {512, 12, 8, 2048});
  config.image_size_px = image.side("image_size", 224);
  config.patch_size_px = image.integer("patch_size", 32);
  config.context_length = text.integer("max_position_embeddings", 77);
  config.vocabulary_size = text.integer("vocab_size", 49408);
  config.dimension = root.integer("projection_dim", 512);
  config.layer_norm_epsilon = image.number("layer_norm_eps", 1e-5);
  check_config(config, root.subject());
  config.preprocessing = hugging_face_preprocessing(folder, config.image_size_px);
  check_config(config, root.subject());
  return config;
}

ClipConfig read_open_clip_config(const fs::path& folder) {
  const Section root(folder / "open_clip_config.json");
  const Section model = root.section("model_cfg");
  const Section image = model.section("vision_cfg");
  const Section text = model.section("text_cfg");
  for (const char* key :
       {"timm_model_name", "attentional_pool", "attn_pooler_queries", "global_average_pool"}) {
    if (image.has(key) && !(image.boolean(key, true) == false))
      image.refuse(fmt::format("it uses \"{}\"", key));
  }
  for (const char* key : {"hf_model_name", "hf_tokenizer_name", "embed_cls", "no_causal_mask"}) {
    if (text.has(key)) text.refuse(fmt::format("it uses \"{}\"", key));
  }
  if (model.boolean("custom_text", false) || model.has("multimodal_cfg"))
    model.refuse("its text encoder is not CLIP's");

  const Activation activation =
      model.boolean("quick_gelu", false) ? Activation::QuickGelu : Activation::Gelu;
  ClipConfig config;
  config.image.width = image.integer("width", 768);
  config.image.layers = image.integer("layers", 12);
  config.image.heads =
      config.image.width / std::max<int64_t>(1, image.integer("head_width", kHeadWidth));
  config.image.mlp_width = scaled(config.image.width, image.number("mlp_ratio", 4));
  config.image.activation = activation;
  config.image_size_px = image.side("image_size", 224);
  config.patch_size_px = image.side("patch_size", 16);
  config.text.width = text.integer("width", 512);
  config.text.layers = text.integer("layers", 12);
  config.text.heads = text.integer("heads", 8);
  config.text.mlp_width = scaled(config.text.width, text.number("mlp_ratio", 4));
  config.text.activation = activation;
  config.context_length = text.integer("context_length", 77);
  config.vocabulary_size = text.integer("vocab_size", 49408);
  config.dimension = model.integer("embed_dim", 512);
  check_config(config, root.subject());

  const Section preprocess = root.section("preprocess_cfg");
  config.preprocessing.size_px = static_cast<int>(config.image_size_px);
  preprocess.read_triple("mean", config.preprocessing.mean);
  preprocess.read_triple("std", config.preprocessing.standard_deviation);
  if (preprocess.text("interpolation", "bicubic") != "bicubic" ||
      preprocess.text("resize_mode", "shortest") != "shortest") {
    root.refuse("it resizes pictures in another way than CLIP");
  }
  check_config(config, root.subject());
  return config;
}

void check_config(const ClipConfig& config, const std::string& subject) {
  const auto check = [&](const char* what, int64_t value, int64_t largest) {
    if (value >= 1 && value <= largest) return;
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: {} is {}, not 1 to {}", what, value, largest),
                "fetch the file again");
  };
  for (const auto& [name, tower] :
       {std::pair("image", config.image), std::pair("text", config.text)}) {
    check(name, tower.width, 16'384);
    check("the number of layers", tower.layers, 256);
    check("the number of heads", tower.heads, tower.width);
    check("the width of the MLP", tower.mlp_width, 131'072);
    if (tower.width % tower.heads != 0) {
      throw Error(ErrorCode::Corruption, subject,
                  fmt::format("damaged: a width of {} for {} heads", tower.width, tower.heads),
                  "fetch the file again");
    }
  }
  check("the picture size", config.image_size_px, 4'096);
  check("the patch size", config.patch_size_px, config.image_size_px);
  check("the context length", config.context_length, 4'096);
  check("the vocabulary's size", config.vocabulary_size, 4'000'000);
  check("the dimension", config.dimension, 16'384);
  if (!(config.layer_norm_epsilon > 0) || !(config.layer_norm_epsilon < 1)) {
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: \"layer_norm_eps\" is {}, not between 0 and 1",
                            config.layer_norm_epsilon),
                "fetch the file again");
  }
  for (size_t i = 0; i < 3; ++i) {
    const float deviation = config.preprocessing.standard_deviation[i];
    if (!(deviation > 0) || !std::isfinite(deviation) || !std::isfinite(1 / deviation)) {
      throw Error(ErrorCode::Corruption, subject,
                  "damaged: a standard deviation that is not above 0", "fetch the file again");
    }
    if (!std::isfinite(config.preprocessing.mean[i])) {
      throw Error(ErrorCode::Corruption, subject, "damaged: a mean that is no number",
                  "fetch the file again");
    }
  }
}

std::string describe(const ClipConfig& config) {
  std::string text;
  for (const TransformerConfig& tower : {config.image, config.text}) {
    text += fmt::format("{} {} {} {} {};", tower.width, tower.layers, tower.heads, tower.mlp_width,
                        tower.activation == Activation::Gelu ? "gelu" : "quick_gelu");
  }
  const Preprocessing& p = config.preprocessing;
  return text + fmt::format("{} {} {} {} {} {};{} {} {} {} {} {}", config.image_size_px,
                            config.patch_size_px, config.context_length, config.vocabulary_size,
                            config.dimension, config.layer_norm_epsilon, p.mean[0], p.mean[1],
                            p.mean[2], p.standard_deviation[0], p.standard_deviation[1],
                            p.standard_deviation[2]);
}

}  // namespace zeroshelf
