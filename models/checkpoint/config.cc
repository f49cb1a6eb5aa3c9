// Tested by tests/clip/config_test.cc, checkpoint_test.cc and hostile_files_test.cc.

#include "models/checkpoint/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <string_view>

#include "lib/util/error.h"
#include "models/checkpoint/config_section.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
namespace fs = std::filesystem;

constexpr int64_t kHeadWidth =
    64;                      // of every published CLIP unless its configuration says otherwise
constexpr int64_t kArgmax = 2;  // an eos_token_id that is none: transformers then takes the largest
constexpr int64_t kRobertaPadding = 1;
constexpr int kBilinear = 2;    // PIL's numbers
constexpr int kBicubic = 3;

// --- Hugging Face -------------------------------------------------------------------------------

Activation activation(const ConfigSection& section, const char* otherwise) {
  const std::string name = section.text("hidden_act", otherwise);
  if (name == "quick_gelu") return Activation::QuickGelu;
  if (name == "gelu") return Activation::Gelu;
  if (name == "gelu_pytorch_tanh") return Activation::GeluTanh;
  section.refuse_value("hidden_act");
}

// What every configuration of transformers may hold: how it was made, and how other models generate
// text.
void ignore_common(const ConfigSection& section) {
  section.ignore({"_name_or_path", "_commit_hash", "architectures", "torch_dtype", "dtype",
                  "transformers_version", "initializer_factor", "initializer_range",
                  "logit_scale_init_value", "attention_dropout", "dropout", "gradient_checkpointing",
                  "return_dict", "output_hidden_states", "output_attentions", "use_cache",
                  "chunk_size_feed_forward", "tie_word_embeddings", "tie_encoder_decoder",
                  "finetuning_task", "id2label", "label2id", "problem_type", "task_specific_params",
                  "tokenizer_class", "prefix", "use_bfloat16", "tf_legacy_loss", "torchscript"});
  section.ignore({"bad_words_ids", "begin_suppress_tokens", "suppress_tokens",
                  "decoder_start_token_id", "diversity_penalty", "do_sample", "early_stopping",
                  "encoder_no_repeat_ngram_size", "exponential_decay_length_penalty",
                  "forced_bos_token_id", "forced_eos_token_id", "length_penalty", "max_length",
                  "min_length", "no_repeat_ngram_size", "num_beam_groups", "num_beams",
                  "num_return_sequences", "output_scores", "remove_invalid_values",
                  "repetition_penalty", "return_dict_in_generate", "temperature", "top_k", "top_p",
                  "typical_p", "sep_token_id"});
  for (const char* key : {"add_cross_attention", "is_decoder", "is_encoder_decoder"})
    section.expect(key, false);
  section.expect("cross_attention_hidden_size", nullptr);
  section.expect("pruned_heads", json::object());
}

TransformerConfig hugging_face_tower(const ConfigSection& section, const char* model_type,
                                     const TransformerConfig& otherwise) {
  TransformerConfig tower;
  tower.width = section.integer("hidden_size", otherwise.width);
  tower.layers = section.integer("num_hidden_layers", otherwise.layers);
  tower.heads = section.integer("num_attention_heads", otherwise.heads);
  tower.mlp_width = section.integer("intermediate_size", otherwise.mlp_width);
  tower.activation = activation(section, "quick_gelu");
  tower.epsilon = section.number("layer_norm_eps", 1e-5);
  section.expect("model_type", model_type);
  section.ignore({"projection_dim"});  // the model's own counts
  ignore_common(section);
  return tower;
}

// transformers takes eos_token_id for a token to look for, unless it is 2, which old files have.
void read_text_pool(const ConfigSection& text, ClipConfig& config) {
  text.ignore({"bos_token_id", "pad_token_id"});
  const int64_t id = text.integer("eos_token_id", kArgmax);
  if (id == kArgmax || id == config.vocabulary_size - 1) return;  // that is the largest
  if (id < 0 || id >= config.vocabulary_size) {
    text.refuse_value("eos_token_id");
  }
  config.text_pool = TextPool::TokenId;
  config.text_pool_id = id;
}

// "size": a number or a shortest edge keeps the aspect; height and width do not.
void read_size(const ConfigSection& section, Preprocessing& preprocessing) {
  int64_t size = preprocessing.size_px;
  if (section.has("size") && section.value("size").is_object()) {
    const ConfigSection sides = section.section("size");
    if (sides.has("shortest_edge")) {
      size = sides.integer("shortest_edge", 0);
      preprocessing.resize = Resize::ShortestSide;
    } else {
      size = sides.integer("height", 0);
      if (sides.integer("width", 0) != size) section.refuse_value("size");
      preprocessing.resize = Resize::Squash;
    }
    sides.expect_no_more();
  } else if (section.has("size")) {
    size = section.integer("size", size);
    preprocessing.resize = Resize::ShortestSide;
  }
  if (size != preprocessing.size_px) section.refuse_value("size");
}

void read_crop(const ConfigSection& section, const Preprocessing& preprocessing) {
  int64_t size = preprocessing.size_px;
  if (section.has("crop_size") && section.value("crop_size").is_object()) {
    const ConfigSection sides = section.section("crop_size");
    size = sides.integer("height", 0);
    if (sides.integer("width", 0) != size) section.refuse_value("crop_size");
    sides.expect_no_more();
  } else {
    size = section.integer("crop_size", size);
  }
  // A squashed picture has nothing to cut away.
  const bool is_cropped =
      section.boolean("do_center_crop", preprocessing.resize != Resize::Squash);
  if (is_cropped && size != preprocessing.size_px) section.refuse_value("crop_size");
  if (!is_cropped && preprocessing.resize != Resize::Squash) section.refuse_value("do_center_crop");
}

Filter filter_of(const ConfigSection& section) {
  const int64_t number = section.integer("resample", kBicubic);
  if (number == kBicubic) return Filter::Bicubic;
  if (number == kBilinear) return Filter::Bilinear;
  section.refuse_value("resample");
}

Preprocessing hugging_face_preprocessing(const fs::path& folder, int64_t image_size_px,
                                         Preprocessing preprocessing) {
  preprocessing.size_px = static_cast<int>(image_size_px);
  const fs::path path = folder / "preprocessor_config.json";
  if (!fs::exists(path)) return preprocessing;
  const ConfigSection section(path);
  preprocessing.filter = filter_of(section);
  read_size(section, preprocessing);
  read_crop(section, preprocessing);
  for (const char* key : {"do_resize", "do_rescale", "do_normalize"}) section.expect(key, true);
  if (std::abs(section.number("rescale_factor", 1.0 / 255) * 255 - 1) > 1e-6)
    section.refuse_value("rescale_factor");
  section.read_triple("image_mean", preprocessing.mean);
  section.read_triple("image_std", preprocessing.standard_deviation);
  section.ignore({"do_convert_rgb", "feature_extractor_type", "image_processor_type",
                  "processor_class", "_valid_processor_keys"});
  section.expect_no_more();
  return preprocessing;
}

// Older files have "<name>_config_dict" besides, which counts where it is there.
ConfigSection tower_section(const ConfigSection& root, const char* name, const char* old_name) {
  const bool has_old = root.has(old_name);
  root.ignore({name});
  return root.section(has_old ? old_name : name);
}

// What all towers of XLM-R have.
void make_roberta(ClipConfig& config) {
  config.is_roberta = true;
  config.is_text_causal = false;
  config.text_pool = TextPool::Mean;
  config.text.activation = Activation::Gelu;
  config.text.epsilon = 1e-5;
  config.text.is_normed_after = true;
  config.pad_id = kRobertaPadding;
}

// --- OpenCLIP -----------------------------------------------------------------------------------

// 0, which check_config refuses, where the product is no size.
int64_t scaled(int64_t width, double ratio) {
  constexpr double kNoSize = 1e15;
  const double product = static_cast<double>(width) * ratio;
  return product >= 0 && product < kNoSize ? static_cast<int64_t>(product) : 0;
}

// What both towers of OpenCLIP say in the same words.
void read_open_clip_traits(const ConfigSection& section, bool has_quick_gelu,
                           TransformerConfig& tower) {
  tower.activation = has_quick_gelu ? Activation::QuickGelu : Activation::Gelu;
  const ConfigSection activation = section.section("act_kwargs");
  if (activation.has("approximate")) {
    // QuickGELU takes no arguments: OpenCLIP cannot make such a model.
    if (activation.text("approximate", "") != "tanh" || has_quick_gelu)
      activation.refuse_value("approximate");
    tower.activation = Activation::GeluTanh;
  }
  activation.expect_no_more();
  const ConfigSection norm = section.section("norm_kwargs");
  tower.epsilon = norm.number("eps", 1e-5);
  norm.expect_no_more();
  tower.has_layer_scale = section.has("ls_init_value");
  if (tower.has_layer_scale) section.number("ls_init_value", 0);
  tower.has_query_key_norms = section.boolean("qk_norm", false);
  tower.has_head_scales = section.boolean("scale_heads", false);
  tower.has_mlp_norm = section.boolean("scale_fc", false);
  section.expect("block_type", nullptr);
  for (const char* key :
       {"scaled_cosine_attn", "scale_attn_inner", "scale_attn", "output_tokens"}) {
    section.expect(key, false);
  }
}

// The sizes of timm's plain ViTs follow from their names: vit_SIZE_patchN_KIND_PIXELS.
void read_timm_name(const ConfigSection& image, ClipConfig& config) {
  struct Size {
    std::string_view name;
    int64_t width, layers, heads;
    double mlp_ratio;
  };
  constexpr Size kSizes[] = {{"base", 768, 12, 12, 4},
                             {"large", 1024, 24, 16, 4},
                             {"huge", 1280, 32, 16, 4},
                             {"so400m", 1152, 27, 16, 3.7362},
                             {"giantopt", 1536, 40, 16, 4}};
  const std::string name = image.text("timm_model_name", "");
  std::smatch parts;
  static const std::regex kName("vit_([a-z0-9]+)_patch([0-9]{1,2})_(siglip|clip|clip_quickgelu)_([0-9]{2,3})");
  if (name.size() > 80 || !std::regex_match(name, parts, kName)) image.refuse_value("timm_model_name");
  const auto* size = std::find_if(std::begin(kSizes), std::end(kSizes),
                                  [&](const Size& known) { return parts[1].str() == known.name; });
  if (size == std::end(kSizes)) image.refuse_value("timm_model_name");
  const ConfigSection changed = image.section("timm_model_kwargs");
  config.image.width = changed.integer("embed_dim", size->width);
  config.image.layers = changed.integer("depth", size->layers);
  config.image.heads = changed.integer("num_heads", size->heads);
  config.image.mlp_width = scaled(config.image.width, changed.number("mlp_ratio", size->mlp_ratio));
  config.patch_size_px = changed.side("patch_size", std::stol(parts[2].str()));
  config.image_size_px = changed.side("img_size", std::stol(parts[4].str()));
  changed.expect_no_more();
  if (image.side("image_size", config.image_size_px) != config.image_size_px)
    image.refuse_value("image_size");
  const bool is_siglip = parts[3].str() == "siglip";
  config.image.activation = parts[3].str() == "clip_quickgelu" ? Activation::QuickGelu : Activation::Gelu;
  config.image.epsilon = is_siglip ? 1e-6 : 1e-5;
  config.has_class_token = !is_siglip;
  config.has_patch_bias = is_siglip;
  config.has_norm_before = !is_siglip;
  config.image_pool = is_siglip ? ImagePool::Attention : ImagePool::ClassToken;
}

void read_timm_image(const ConfigSection& image, ClipConfig& config) {
  config.has_timm_trunk = true;
  read_timm_name(image, config);
  const bool is_siglip = config.image_pool == ImagePool::Attention;
  if (image.text("timm_pool", "avg") != (is_siglip ? "map" : "token"))
    image.refuse_value("timm_pool");
  const std::string projection = image.text("timm_proj", "");
  if (projection != "" && projection != "none") image.refuse_value("timm_proj");
  config.image_projection =
      projection == "none" ? Projection::None : Projection::LinearWithBias;
  image.ignore({"timm_model_pretrained", "timm_proj_bias", "timm_drop", "timm_drop_path"});
  image.expect_no_more();
}

// "layers" is the blocks of four stages, and "width" the channels before them.
void read_resnet(const ConfigSection& image, ClipConfig& config) {
  const json& stages = image.value("layers");
  if (stages.size() != config.resnet_blocks.size()) image.refuse_value("layers");
  for (size_t i = 0; i < stages.size(); ++i) {
    config.resnet_blocks[i] = json_as<int64_t>(stages[i]).value_or(0);
    if (config.resnet_blocks[i] < 1) image.refuse_value("layers");
    config.image.layers += config.resnet_blocks[i];
  }
  if (config.image.width < 1 || config.image.width > 512) image.refuse_value("width");
  config.image.width *= ClipConfig::kResNetWidening;
}

// "attentional_pool" comes before the norm and before "pool_type", which takes its first vector.
void read_queries_pool(const ConfigSection& image, ClipConfig& config) {
  image.ignore({"attn_pooler_queries", "attn_pooler_heads"});  // of that alone
  if (image.has("attentional_pool") && !image.value("attentional_pool").is_boolean())
    image.refuse_value("attentional_pool");
  if (!image.boolean("attentional_pool", false)) return;
  if (config.is_resnet()) image.refuse_value("attentional_pool");
  if (config.image_pool != ImagePool::ClassToken) image.refuse_value("pool_type");
  config.image_pool = ImagePool::Queries;
  config.pool_queries = image.integer("attn_pooler_queries", 256);
  config.pool_heads = image.integer("attn_pooler_heads", 8);
}

void read_open_clip_image(const ConfigSection& image, bool has_quick_gelu, ClipConfig& config) {
  if (image.has("timm_model_name")) return read_timm_image(image, config);
  // For trunks of timm, which this is not.
  image.ignore({"timm_model_pretrained", "timm_pool", "timm_proj", "timm_proj_bias", "timm_drop",
                "timm_drop_path", "timm_model_kwargs"});
  config.image.width = image.integer("width", image.has_array("layers") ? 64 : 768);
  const int64_t head_width = std::max<int64_t>(1, image.integer("head_width", kHeadWidth));
  if (image.has_array("layers")) {
    read_resnet(image, config);
  } else {
    config.image.layers = image.integer("layers", 12);
  }
  config.image.heads = config.image.width / head_width;
  config.image.mlp_width = scaled(config.image.width, image.number("mlp_ratio", 4));
  read_open_clip_traits(image, has_quick_gelu, config.image);
  config.image_size_px = image.side("image_size", 224);
  config.patch_size_px = image.side("patch_size", 16);
  if (config.is_resnet()) {
    // The patch size of such a configuration is a default that nothing reads.
    config.patch_size_px = ClipConfig::kResNetReduction;
    if (config.image_size_px % config.patch_size_px != 0) image.refuse_value("image_size");
    if (config.image.has_layer_scale) image.refuse_value("ls_init_value");
    if (config.image.has_query_key_norms) image.refuse_value("qk_norm");
    if (config.image.has_head_scales) image.refuse_value("scale_heads");
    if (config.image.has_mlp_norm) image.refuse_value("scale_fc");
  }
  config.has_norm_before = !image.boolean("no_ln_pre", false);
  const std::string pool = image.text("pool_type", "tok");
  if (pool != "tok" && pool != "avg") image.refuse_value("pool_type");
  config.image_pool = pool == "avg" ? ImagePool::Mean : ImagePool::ClassToken;
  config.is_norm_after_mean = image.boolean("final_ln_after_pool", false);
  read_queries_pool(image, config);
  const std::string positions = image.text("pos_embed_type", "learnable");
  // Either is kept as a tensor.
  if (positions != "learnable" && positions != "sin_cos_2d") image.refuse_value("pos_embed_type");
  image.expect("image_seq_len", nullptr);
  image.number("patch_dropout", 0);  // in training only
  image.expect_no_more();
}

void read_open_clip_pool(const ConfigSection& text, ClipConfig& config) {
  const std::string pool = text.text("pool_type", "argmax");
  const int64_t end_id = text.integer("eos_id", -1);
  if (pool == "argmax") return;
  if (pool == "last") {
    config.text_pool = TextPool::Last;
    config.pads_texts = true;
  } else if (pool == "eos") {
    if (end_id < 0 || end_id >= config.vocabulary_size) text.refuse_value("eos_id");
    config.text_pool = TextPool::TokenId;
    config.text_pool_id = end_id;
  } else {
    text.refuse_value("pool_type");
  }
}

// "proj_type": "none" and "linear" with "proj_bias" or without.
Projection projection_of(const ConfigSection& text) {
  const std::string type = text.text("proj_type", "linear");
  const bool has_bias = text.boolean("proj_bias", false);
  if (type == "none") return Projection::None;
  if (type != "linear") text.refuse_value("proj_type");
  return has_bias ? Projection::LinearWithBias : Projection::Linear;
}

// "tokenizer_kwargs": what is done to a text before it is cut into words. Tokenizers of Hugging Face
// have another default.
TextCleaning cleaning_of(const ConfigSection& text, Vocabulary vocabulary) {
  const ConfigSection options = text.section("tokenizer_kwargs");
  const bool is_clip = vocabulary == Vocabulary::Clip;
  const std::string name = options.text("clean", is_clip ? "lower" : "whitespace");
  options.expect_no_more();
  if (name == "canonicalize") return TextCleaning::Canonical;
  if (name == "lower") return is_clip ? TextCleaning::Own : TextCleaning::Lower;
  if (name != "whitespace") options.refuse_value("clean");
  return TextCleaning::Whitespace;
}

// The sizes of XLM-R follow from its name, where "hf_model_config" does not say others.
void read_roberta(const ConfigSection& text, ClipConfig& config) {
  struct Size {
    std::string_view name;
    int64_t width, layers, heads, mlp_width;
  };
  constexpr Size kSizes[] = {{"xlm-roberta-base", 768, 12, 12, 3072},
                             {"xlm-roberta-large", 1024, 24, 16, 4096}};
  std::string name = text.text("hf_model_name", "");
  constexpr std::string_view kOwner = "FacebookAI/";
  if (name.starts_with(kOwner)) name.erase(0, kOwner.size());
  const auto* size = std::find_if(std::begin(kSizes), std::end(kSizes),
                                  [&](const Size& known) { return name == known.name; });
  if (size == std::end(kSizes)) text.refuse_value("hf_model_name");
  if (text.text("hf_tokenizer_name", name).find("xlm-roberta") == std::string::npos)
    text.refuse_value("hf_tokenizer_name");
  const ConfigSection changed = text.section("hf_model_config");
  config.text.width = changed.integer("hidden_size", size->width);
  config.text.layers = changed.integer("num_hidden_layers", size->layers);
  config.text.heads = changed.integer("num_attention_heads", size->heads);
  config.text.mlp_width = changed.integer("intermediate_size", size->mlp_width);
  config.vocabulary_size = changed.integer("vocab_size", 250'002);
  config.text_positions = changed.integer("max_position_embeddings", 514);
  changed.expect_no_more();
  for (const auto& [key, old_key] :
       {std::pair("hf_pooler_type", "pooler_type"), {"hf_proj_type", "proj"}}) {
    if (text.has(key) && text.has(old_key)) text.refuse_value(old_key);
  }
  const char* pooler = text.has("pooler_type") ? "pooler_type" : "hf_pooler_type";
  if (text.text(pooler, "") != "mean_pooler") text.refuse_value(pooler);
  const char* projection = text.has("proj") ? "proj" : "hf_proj_type";
  const std::string kind = text.text(projection, "mlp");
  if (kind != "mlp" && kind != "linear") text.refuse_value(projection);
  config.text_projection = kind == "mlp" ? Projection::Mlp : Projection::Linear;
  config.context_length = text.integer("context_length", 77);
  config.vocabulary = Vocabulary::RobertaPieces;
  config.cleaning = cleaning_of(text, config.vocabulary);
  // For CLIP's own tower, which this is not; and where the weights came from.
  text.ignore({"hf_model_pretrained", "width", "heads", "layers", "mlp_ratio", "vocab_size",
               "ls_init_value", "embed_cls", "pad_id", "eos_id", "bos_id", "no_causal_mask",
               "final_ln_after_pool", "pool_type", "proj_bias", "proj_type", "output_tokens",
               "act_kwargs", "norm_kwargs"});
  text.expect_no_more();
  make_roberta(config);
}

void read_open_clip_text(const ConfigSection& text, bool has_quick_gelu, ClipConfig& config) {
  text.expect("tokenizer_mode", nullptr);
  if (text.has("hf_model_name")) return read_roberta(text, config);
  if (text.has("hf_tokenizer_name")) {
    if (text.text("hf_tokenizer_name", "").find("SigLIP") == std::string::npos)
      text.refuse_value("hf_tokenizer_name");
    config.vocabulary = Vocabulary::Pieces;
  }
  text.ignore({"hf_model_pretrained", "hf_proj_type", "hf_pooler_type", "hf_model_config"});
  config.text.width = text.integer("width", 512);
  config.text.layers = text.integer("layers", 12);
  config.text.heads = text.integer("heads", 8);
  config.text.mlp_width = scaled(config.text.width, text.number("mlp_ratio", 4));
  read_open_clip_traits(text, has_quick_gelu, config.text);
  config.context_length = text.integer("context_length", 77);
  config.vocabulary_size = text.integer("vocab_size", 49408);
  config.is_text_causal = !text.boolean("no_causal_mask", false);
  config.pads_texts = !config.is_text_causal;
  text.expect("pad_id", 0);  // with which OpenCLIP's tokenizer of CLIP fills up
  read_open_clip_pool(text, config);
  config.text_projection = projection_of(text);
  config.cleaning = cleaning_of(text, config.vocabulary);
  config.has_open_clip_marks = true;
  text.expect("embed_cls", false);
  text.expect("final_ln_after_pool", false);
  text.ignore({"bos_id"});  // the tokenizer has it
  // For towers of another kind, which a program that writes out every field names with its default.
  const std::pair<const char*, json> kOthers[] = {{"text_arch", "clip"},
                                                  {"variable_text", false},
                                                  {"tokenizer_type", ""},
                                                  {"tiktoken_name", "cl100k_base"},
                                                  {"attention_mode", "causal"},
                                                  {"pos_embed", "rope"},
                                                  {"rope_temperature", 10000.0},
                                                  {"mlp_type", "swiglu"},
                                                  {"norm_type", nullptr},
                                                  {"norm_eps", 1e-6},
                                                  {"attn_gated", false},
                                                  {"pre_norm", false},
                                                  {"norm_placement", "pre"},
                                                  {"zero_init_residual", false},
                                                  {"reg_tokens", 0},
                                                  {"value_residual", false},
                                                  {"attention_bias", nullptr},
                                                  {"mlp_bias", nullptr},
                                                  {"gate_bias", nullptr}};
  for (const auto& [key, only] : kOthers) text.expect(key, only);
  text.expect_no_more();
}

Preprocessing open_clip_preprocessing(const ConfigSection& section, int64_t image_size_px) {
  Preprocessing preprocessing;
  preprocessing.size_px = static_cast<int>(image_size_px);
  if (section.side("size", image_size_px) != image_size_px) section.refuse_value("size");
  section.read_triple("mean", preprocessing.mean);
  section.read_triple("std", preprocessing.standard_deviation);
  preprocessing.filter = read_filter(section, "interpolation");
  preprocessing.resize = read_resize(section, "resize_mode");
  section.expect("mode", "RGB");
  section.ignore({"fill_color"});  // of a resize that leaves something to fill
  section.expect_no_more();
  return preprocessing;
}

}  // namespace

namespace {

// What SigLIP leaves out means its own defaults, not CLIP's.
TransformerConfig siglip_tower(const ConfigSection& section, const char* model_type) {
  TransformerConfig tower;
  tower.width = section.integer("hidden_size", 768);
  tower.layers = section.integer("num_hidden_layers", 12);
  tower.heads = section.integer("num_attention_heads", 12);
  tower.mlp_width = section.integer("intermediate_size", 3072);
  tower.activation = activation(section, "gelu_pytorch_tanh");
  tower.epsilon = section.number("layer_norm_eps", 1e-6);
  section.expect("model_type", model_type);
  ignore_common(section);
  return tower;
}

ClipConfig read_siglip(const ConfigSection& root, const fs::path& folder) {
  const ConfigSection image = root.section("vision_config");
  const ConfigSection text = root.section("text_config");
  ClipConfig config;
  config.image = siglip_tower(image, "siglip_vision_model");
  config.text = siglip_tower(text, "siglip_text_model");
  config.image_size_px = image.side("image_size", 224);
  config.patch_size_px = image.integer("patch_size", 16);
  image.expect("num_channels", 3);
  image.expect("vision_use_head", true);
  config.has_class_token = config.has_norm_before = false;
  config.has_patch_bias = true;
  config.image_pool = ImagePool::Attention;
  config.image_projection = Projection::None;
  config.context_length = text.integer("max_position_embeddings", 64);
  config.vocabulary_size = text.integer("vocab_size", 32000);
  config.is_text_causal = false;
  config.text_pool = TextPool::Last;
  config.pads_texts = true;
  config.text_projection = Projection::LinearWithBias;
  config.dimension = config.image.width;
  if (text.integer("projection_size", config.dimension) != config.dimension)
    text.refuse_value("projection_size");
  config.is_sigmoid = true;
  config.vocabulary = Vocabulary::Pieces;
  text.ignore({"bos_token_id", "eos_token_id", "pad_token_id"});  // the tokenizer has them
  ignore_common(root);
  for (const ConfigSection* section : {&root, &image, &text}) section->expect_no_more();
  check_config(config, root.subject());
  Preprocessing otherwise;
  otherwise.resize = Resize::Squash;
  otherwise.mean = otherwise.standard_deviation = {0.5f, 0.5f, 0.5f};
  config.preprocessing = hugging_face_preprocessing(folder, config.image_size_px, otherwise);
  check_config(config, root.subject());
  return config;
}

}  // namespace

ClipConfig read_hugging_face_config(const fs::path& folder) {
  const ConfigSection root(folder / "config.json");
  const std::string type = root.text("model_type", "clip");
  if (type == "siglip") return read_siglip(root, folder);
  if (type != "clip") root.refuse_value("model_type");
  const ConfigSection image = tower_section(root, "vision_config", "vision_config_dict");
  const ConfigSection text = tower_section(root, "text_config", "text_config_dict");
  ClipConfig config;
  config.image = hugging_face_tower(image, "clip_vision_model", {768, 12, 12, 3072});
  config.text = hugging_face_tower(text, "clip_text_model", {512, 12, 8, 2048});
  config.image_size_px = image.side("image_size", 224);
  config.patch_size_px = image.side("patch_size", 32);
  image.expect("num_channels", 3);
  config.context_length = text.integer("max_position_embeddings", 77);
  config.vocabulary_size = text.integer("vocab_size", 49408);
  config.dimension = root.integer("projection_dim", 512);
  read_text_pool(text, config);
  ignore_common(root);
  for (const ConfigSection* section : {&root, &image, &text}) section->expect_no_more();
  check_config(config, root.subject());
  config.preprocessing = hugging_face_preprocessing(folder, config.image_size_px, {});
  check_config(config, root.subject());
  return config;
}

ClipConfig read_open_clip_config(const fs::path& folder) {
  const ConfigSection root(folder / "open_clip_config.json");
  const ConfigSection model = root.section("model_cfg");
  const bool has_quick_gelu = model.boolean("quick_gelu", false);
  ClipConfig config;
  config.dimension = model.integer("embed_dim", 512);
  read_open_clip_image(model.section("vision_cfg"), has_quick_gelu, config);
  read_open_clip_text(model.section("text_cfg"), has_quick_gelu, config);
  model.expect("multimodal_cfg", nullptr);
  config.is_sigmoid = model.has("init_logit_bias");
  if (config.is_sigmoid) model.number("init_logit_bias", 0);
  model.boolean("custom_text", false);          // how the tensors are called, which they show
  model.boolean("nonscalar_logit_scale", false);  // likewise
  model.ignore({"init_logit_scale", "cast_dtype", "output_dict"});
  model.expect_no_more();
  check_config(config, root.subject());
  config.preprocessing =
      open_clip_preprocessing(root.section("preprocess_cfg"), config.image_size_px);
  root.expect_no_more();
  check_config(config, root.subject());
  return config;
}

bool is_m_clip(const fs::path& folder) {
  return ConfigSection(folder / "config.json").text("model_type", "clip") == "M-CLIP";
}

ClipConfig read_m_clip_config(const fs::path& folder) {
  const ConfigSection root(folder / "config.json");
  root.expect("model_type", "M-CLIP");
  const std::string base = root.text("modelBase", "");
  if (base != "xlm-roberta-base" && base != "xlm-roberta-large") root.refuse_value("modelBase");
  ClipConfig config;
  make_roberta(config);
  config.has_image_tower = false;
  config.text.width = root.integer("transformerDimensions", 0);
  config.dimension = root.integer("numDims", 0);
  config.text_projection = Projection::LinearWithBias;
  config.skips_padding = false;
  config.vocabulary = Vocabulary::RobertaPieces;
  config.cleaning = TextCleaning::Nothing;
  ignore_common(root);
  root.expect_no_more();
  return config;
}

void check_config(const ClipConfig& config, const std::string& subject) {
  const auto check = [&](const char* what, int64_t value, int64_t largest) {
    if (value >= 1 && value <= largest) return;
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: {} is {}, not 1 to {}", what, value, largest),
                "fetch the file again");
  };
  std::vector<std::pair<const char*, TransformerConfig>> towers = {{"text", config.text}};
  if (config.has_image_tower) towers.insert(towers.begin(), {"image", config.image});
  for (const auto& [name, tower] : towers) {
    check(name, tower.width, 16'384);
    check("the number of layers", tower.layers, 256);
    check("the number of heads", tower.heads, tower.width);
    if (!config.is_resnet() || name != std::string_view("image"))
      check("the width of the MLP", tower.mlp_width, 131'072);
    if (!(tower.epsilon > 0) || !(tower.epsilon < 1)) {
      throw Error(ErrorCode::Corruption, subject,
                  fmt::format("damaged: the epsilon of a layer norm is {}, not between 0 and 1",
                              tower.epsilon),
                  "fetch the file again");
    }
    if (tower.width % tower.heads != 0) {
      throw Error(ErrorCode::Corruption, subject,
                  fmt::format("damaged: a width of {} for {} heads", tower.width, tower.heads),
                  "fetch the file again");
    }
  }
  if (config.has_image_tower) {
    check("the picture size", config.image_size_px, 4'096);
    check("the patch size", config.patch_size_px, config.image_size_px);
  }
  // Two marks, and a token at least between them.
  constexpr int64_t kLeastContext = 3;
  check("the context length less its marks", config.context_length - (kLeastContext - 1), 4'096);
  if (config.is_roberta)
    check("the context length", config.context_length, config.text_positions - config.pad_id - 1);
  check("the vocabulary's size", config.vocabulary_size, 4'000'000);
  check("the dimension", config.dimension, 16'384);
  if (config.image_pool == ImagePool::Queries) {
    check("the number of the pool's queries", config.pool_queries, 4'096);
    check("the number of the pool's heads", config.pool_heads, config.dimension);
    if (config.dimension % config.pool_heads != 0) {
      throw Error(ErrorCode::Corruption, subject,
                  fmt::format("damaged: a pool of {} dimensions for {} heads", config.dimension,
                              config.pool_heads),
                  "fetch the file again");
    }
  }
  const auto check_unprojected = [&](Projection projection, int64_t width) {
    if (projection != Projection::None || width == config.dimension) return;
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("damaged: a width of {} for {} dimensions without a projection", width,
                            config.dimension),
                "fetch the file again");
  };
  if (config.has_image_tower) check_unprojected(config.image_projection, config.image.width);
  check_unprojected(config.text_projection, config.text.width);
  check_preprocessing(config.preprocessing, subject);
}

void check_preprocessing(const Preprocessing& preprocessing, const std::string& subject) {
  for (size_t i = 0; i < 3; ++i) {
    const float deviation = preprocessing.standard_deviation[i];
    if (!(deviation > 0) || !std::isfinite(deviation) || !std::isfinite(1 / deviation)) {
      throw Error(ErrorCode::Corruption, subject,
                  "damaged: a standard deviation that is not above 0", "fetch the file again");
    }
    if (!std::isfinite(preprocessing.mean[i])) {
      throw Error(ErrorCode::Corruption, subject, "damaged: a mean that is no number",
                  "fetch the file again");
    }
  }
}

bool is_plain(const ClipConfig& config) {
  const auto is_plain_tower = [](const TransformerConfig& tower) {
    return tower.activation != Activation::GeluTanh && !tower.has_layer_scale &&
           !tower.has_query_key_norms && !tower.has_head_scales && !tower.has_mlp_norm;
  };
  return is_plain_tower(config.image) && is_plain_tower(config.text) && config.has_norm_before &&
         config.image_pool == ImagePool::ClassToken && config.is_text_causal &&
         !config.has_timm_trunk && config.vocabulary == Vocabulary::Clip &&
         config.text_pool == TextPool::LargestId && !config.pads_texts &&
         config.text_projection == Projection::Linear && !config.is_resnet() &&
         config.has_image_tower && config.has_class_token && !config.has_patch_bias &&
         config.image_projection == Projection::Linear && !config.is_roberta;
}

namespace {

const char* name_of(Activation activation) {
  switch (activation) {
    case Activation::QuickGelu:
      return "quick_gelu";
    case Activation::Gelu:
      return "gelu";
    case Activation::GeluTanh:
      return "gelu_tanh";
  }
  return "";
}

// What earlier versions did not know, where it is not what they computed with: their fingerprints
// stay as they are.
std::string describe_traits(const ClipConfig& config) {
  std::string text;
  const auto add = [&](bool is_unusual, const std::string& what) {
    if (is_unusual) text += ";" + what;
  };
  add(config.text.epsilon != config.image.epsilon, fmt::format("text eps {}", config.text.epsilon));
  add(config.image.has_layer_scale, "image scales");
  add(config.text.has_layer_scale, "text scales");
  for (const auto& [name, tower] : {std::pair("image", config.image), {"text", config.text}}) {
    add(tower.has_query_key_norms, fmt::format("{} query key norms", name));
    add(tower.has_head_scales, fmt::format("{} head scales", name));
    add(tower.has_mlp_norm, fmt::format("{} mlp norm", name));
  }
  add(!config.has_norm_before, "no norm before");
  add(config.image_pool == ImagePool::Mean,
      fmt::format("mean of patches {}", config.is_norm_after_mean ? "before" : "after"));
  add(config.image_pool == ImagePool::Attention, "attention pool");
  add(config.image_pool == ImagePool::Queries,
      fmt::format("pool of {} queries, {} heads", config.pool_queries, config.pool_heads));
  add(config.is_sigmoid, "sigmoid");
  add(!config.is_text_causal, "both ways");
  add(config.text_pool == TextPool::TokenId, fmt::format("pool {}", config.text_pool_id));
  add(config.text_pool == TextPool::Last, "pool last");
  add(config.pads_texts, fmt::format("pad {}", config.pad_id));
  add(config.text_projection == Projection::None, "no projection");
  add(config.text_projection == Projection::LinearWithBias, "projection with bias");
  add(config.cleaning != TextCleaning::Own,
      fmt::format("cleaning {}", static_cast<int>(config.cleaning)));
  add(config.is_resnet(), fmt::format("resnet {}", fmt::join(config.resnet_blocks, " ")));
  add(config.text_projection == Projection::Mlp, "projection by an mlp");
  add(!config.has_image_tower, "texts alone");
  add(config.is_roberta, fmt::format("roberta {} {}", config.text_positions, config.skips_padding));
  add(config.preprocessing.resize == Resize::Squash, "squash");
  add(config.preprocessing.filter == Filter::Bilinear, "bilinear");
  return text;
}

}  // namespace

std::string describe(const ClipConfig& config) {
  std::string text;
  for (const TransformerConfig& tower : {config.image, config.text}) {
    text += fmt::format("{} {} {} {} {};", tower.width, tower.layers, tower.heads, tower.mlp_width,
                        name_of(tower.activation));
  }
  const Preprocessing& p = config.preprocessing;
  return text + fmt::format("{} {} {} {} {} {};{} {} {} {} {} {}", config.image_size_px,
                            config.patch_size_px, config.context_length, config.vocabulary_size,
                            config.dimension, config.image.epsilon, p.mean[0], p.mean[1],
                            p.mean[2], p.standard_deviation[0], p.standard_deviation[1],
                            p.standard_deviation[2]) +
         describe_traits(config);
}

}  // namespace zeroshelf
