// Tests models/checkpoint/config.h: every key of a configuration is understood, or the model is
// refused by its name.

#include "models/checkpoint/config.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
using testing::TemporaryDirectory;

ClipConfig read_hugging_face(const json& config, const json& preprocessor) {
  const TemporaryDirectory folder;
  testing::write_file(folder / "config.json", config.dump());
  testing::write_file(folder / "preprocessor_config.json", preprocessor.dump());
  return read_hugging_face_config(folder.path());
}

ClipConfig read_open_clip(const json& config) {
  const TemporaryDirectory folder;
  testing::write_file(folder / "open_clip_config.json", config.dump());
  return read_open_clip_config(folder.path());
}

// json_pointer of the key -> an error that names the last of it.
template <class Read>
void check_refused(const json& good, const char* pointer, const json& value, Read read) {
  json changed = good;
  changed[json::json_pointer(pointer)] = value;
  const std::string key = json::json_pointer(pointer).back();
  BOOST_TEST_CONTEXT(pointer << " = " << value.dump())
  BOOST_CHECK_EXCEPTION(read(changed), Error, [&](const Error& error) {
    BOOST_TEST_CONTEXT(error.what()) BOOST_TEST(error.cause().find(key) != std::string::npos);
    return error.code() == ErrorCode::Incompatible || error.code() == ErrorCode::Corruption;
  });
}

const json kHuggingFace = {
    {"model_type", "clip"},
    {"projection_dim", 16},
    {"text_config",
     {{"hidden_size", 32}, {"num_hidden_layers", 2}, {"num_attention_heads", 2},
      {"intermediate_size", 64}, {"vocab_size", 600}, {"max_position_embeddings", 77}}},
    {"vision_config",
     {{"hidden_size", 32}, {"num_hidden_layers", 2}, {"num_attention_heads", 2},
      {"intermediate_size", 64}, {"image_size", 64}, {"patch_size", 16}}}};
const json kPreprocessor = {{"size", 64}, {"crop_size", 64}};
const json kOpenClip = {
    {"model_cfg",
     {{"embed_dim", 16},
      {"vision_cfg", {{"image_size", 64}, {"layers", 2}, {"width", 64}, {"patch_size", 16}}},
      {"text_cfg", {{"context_length", 77}, {"vocab_size", 600}, {"width", 32}, {"heads", 2}, {"layers", 2}}}}},
    {"preprocess_cfg", {{"mean", {0.5, 0.5, 0.5}}}}};

const auto read_config = [](const json& changed) { read_hugging_face(changed, kPreprocessor); };
const auto read_preprocessor = [](const json& changed) { read_hugging_face(kHuggingFace, changed); };

BOOST_AUTO_TEST_SUITE(configurations)

BOOST_AUTO_TEST_CASE(unknown_keys_are_refused_by_name) {
  for (const char* key : {"/surprise", "/text_config/surprise", "/vision_config/surprise",
                          "/vision_config/use_head", "/text_config/rope_theta"}) {
    check_refused(kHuggingFace, key, 1, read_config);
  }
  check_refused(kPreprocessor, "/surprise", true, read_preprocessor);
  for (const char* key :
       {"/surprise", "/model_cfg/surprise", "/model_cfg/vision_cfg/surprise",
        "/model_cfg/text_cfg/surprise", "/preprocess_cfg/surprise",
        "/model_cfg/vision_cfg/input_patchnorm", "/model_cfg/vision_cfg/global_average_pool"}) {
    check_refused(kOpenClip, key, true, read_open_clip);
  }
  // A key without a value says nothing.
  json silent = kOpenClip;
  silent["model_cfg"]["surprise"] = nullptr;
  read_open_clip(silent);
}

BOOST_AUTO_TEST_CASE(unknown_values_in_hugging_faces_layout_are_refused_by_the_key) {
  const std::pair<const char*, json> kValues[] = {
      {"/model_type", "clap"},
      {"/is_encoder_decoder", true},
      {"/text_config/hidden_act", "relu"},
      {"/text_config/layer_norm_eps", "small"},
      {"/text_config/eos_token_id", 601},
      {"/text_config/eos_token_id", {1, 2}},
      {"/text_config/model_type", "bert"},
      {"/text_config/is_decoder", true},
      {"/text_config/add_cross_attention", true},
      {"/text_config/pruned_heads", {{"1", {0}}}},
      {"/vision_config/hidden_act", "silu"},
      {"/vision_config/num_channels", 4},
      {"/vision_config/model_type", "siglip_vision_model"},
      {"/vision_config/image_size", {64, 32}},
      {"/vision_config/hidden_size", "32"},
      {"/projection_dim", 16.5}};
  for (const auto& [key, value] : kValues) check_refused(kHuggingFace, key, value, read_config);
}

BOOST_AUTO_TEST_CASE(unknown_values_of_a_preprocessor_are_refused_by_the_key) {
  const std::pair<const char*, json> kValues[] = {
      {"/resample", 1},
      {"/size", 32},
      {"/size", {{"height", 64}, {"width", 32}}},
      {"/size", {{"shortest_edge", 32}}},
      {"/size", {{"longest_edge", 64}}},
      {"/crop_size", 32},
      {"/crop_size", {{"height", 64}, {"width", 32}}},
      {"/do_center_crop", false},
      {"/do_resize", false},
      {"/do_rescale", false},
      {"/do_normalize", false},
      {"/rescale_factor", 0.5},
      {"/image_mean", {1, 2}},
      {"/image_std", "half"}};
  for (const auto& [key, value] : kValues) check_refused(kPreprocessor, key, value, read_preprocessor);
}

BOOST_AUTO_TEST_CASE(unknown_values_in_open_clips_layout_are_refused_by_the_key) {
  const std::pair<const char*, json> kValues[] = {
      {"/model_cfg/quick_gelu", "yes"},
      {"/model_cfg/custom_text", 1},
      {"/model_cfg/multimodal_cfg", {{"width", 64}}},
      {"/model_cfg/init_logit_bias", "low"},
      {"/model_cfg/vision_cfg/timm_model_name", "convnext_base"},
      {"/model_cfg/vision_cfg/layers", {3, 4, 6}},
      {"/model_cfg/vision_cfg/layers", {3, 4, 6, 0}},
      {"/model_cfg/vision_cfg/ls_init_value", "small"},
      {"/model_cfg/vision_cfg/attentional_pool", "parallel"},
      {"/model_cfg/vision_cfg/pos_embed_type", "rope"},
      {"/model_cfg/vision_cfg/pool_type", "none"},
      {"/model_cfg/vision_cfg/image_seq_len", 10},
      {"/model_cfg/vision_cfg/output_tokens", true},
      {"/model_cfg/vision_cfg/act_kwargs", {{"approximate", "sin"}}},
      {"/model_cfg/vision_cfg/norm_kwargs", {{"eps", "small"}}},
      {"/model_cfg/vision_cfg/block_type", "custom"},
      {"/model_cfg/vision_cfg/qk_norm", 1},
      {"/model_cfg/vision_cfg/scaled_cosine_attn", true},
      {"/model_cfg/vision_cfg/scale_heads", 1},
      {"/model_cfg/vision_cfg/scale_attn_inner", true},
      {"/model_cfg/vision_cfg/scale_attn", true},
      {"/model_cfg/vision_cfg/scale_fc", 1},
      {"/model_cfg/vision_cfg/no_ln_pre", 0},
      {"/model_cfg/vision_cfg/final_ln_after_pool", "no"},
      {"/model_cfg/text_cfg/hf_model_name", "roberta-base"},
      {"/model_cfg/text_cfg/hf_tokenizer_name", "bert-base-uncased"},
      {"/model_cfg/text_cfg/tokenizer_mode", "clips"},
      {"/model_cfg/text_cfg/tokenizer_kwargs", {{"clean", "none"}}},
      {"/model_cfg/text_cfg/ls_init_value", "small"},
      {"/model_cfg/text_cfg/embed_cls", true},
      {"/model_cfg/text_cfg/pad_id", 1},
      {"/model_cfg/text_cfg/eos_id", "last"},
      {"/model_cfg/text_cfg/no_causal_mask", "true"},
      {"/model_cfg/text_cfg/final_ln_after_pool", true},
      {"/model_cfg/text_cfg/pool_type", "first"},
      {"/model_cfg/text_cfg/proj_bias", 1},
      {"/model_cfg/text_cfg/proj_type", "mlp"},
      {"/model_cfg/text_cfg/output_tokens", true},
      {"/model_cfg/text_cfg/act_kwargs", {{"approximate", "sin"}}},
      {"/model_cfg/text_cfg/block_type", "custom"},
      {"/model_cfg/text_cfg/qk_norm", 1},
      {"/model_cfg/text_cfg/scale_heads", 1},
      {"/model_cfg/text_cfg/scale_fc", 1},
      {"/model_cfg/text_cfg/text_arch", "modern"},
      {"/model_cfg/text_cfg/attention_mode", "full"},
      {"/model_cfg/text_cfg/variable_text", true},
      {"/model_cfg/text_cfg/tokenizer_type", "tiktoken"},
      {"/model_cfg/text_cfg/reg_tokens", 4},
      {"/model_cfg/text_cfg/norm_type", "rms"},
      {"/model_cfg/text_cfg/pre_norm", true},
      {"/preprocess_cfg/interpolation", "random"},
      {"/preprocess_cfg/resize_mode", "longest"},
      {"/preprocess_cfg/mode", "L"},
      {"/preprocess_cfg/size", 32},
      {"/preprocess_cfg/mean", 0.5}};
  for (const auto& [key, value] : kValues) check_refused(kOpenClip, key, value, read_open_clip);
}

BOOST_AUTO_TEST_CASE(unknown_values_of_an_xlm_r_tower_are_refused_by_the_key) {
  json multilingual = kOpenClip;
  multilingual["model_cfg"]["text_cfg"] = {{"hf_model_name", "xlm-roberta-base"},
                                           {"hf_tokenizer_name", "xlm-roberta-base"},
                                           {"hf_pooler_type", "mean_pooler"}};
  BOOST_TEST(read_open_clip(multilingual).is_roberta);
  const std::pair<const char*, json> kValues[] = {
      {"/model_cfg/text_cfg/hf_model_name", "xlm-roberta-xl"},
      {"/model_cfg/text_cfg/hf_tokenizer_name", "bert-base-uncased"},
      {"/model_cfg/text_cfg/hf_pooler_type", "cls_pooler"},
      {"/model_cfg/text_cfg/hf_proj_type", "conv"},
      {"/model_cfg/text_cfg/context_length", 513},
      {"/model_cfg/text_cfg/tokenizer_kwargs", {{"clean", "none"}}},
      {"/model_cfg/text_cfg/hf_model_config", {{"position_embedding_type", "relative"}}}};
  for (const auto& [key, value] : kValues) {
    if (std::string(key).ends_with("tokenizer_kwargs") || std::string(key).ends_with("config") ||
        std::string(key).ends_with("length")) {
      json changed = multilingual;
      changed[json::json_pointer(key)] = value;
      BOOST_TEST_CONTEXT(key) BOOST_CHECK_THROW(read_open_clip(changed), Error);
    } else {
      check_refused(multilingual, key, value, read_open_clip);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_context_without_room_for_a_token_is_refused) {
  for (const int length : {-1, 0, 1, 2}) {
    json small = kOpenClip;
    small["model_cfg"]["text_cfg"]["context_length"] = length;
    BOOST_TEST_CONTEXT(length) BOOST_CHECK_THROW(read_open_clip(small), Error);
  }
}

BOOST_AUTO_TEST_CASE(a_pool_of_queries_must_fit_what_it_stands_between) {
  json pooled = kOpenClip;
  pooled["model_cfg"]["vision_cfg"]["attentional_pool"] = true;
  pooled["model_cfg"]["vision_cfg"]["attn_pooler_heads"] = 4;
  const ClipConfig config = read_open_clip(pooled);
  BOOST_TEST((config.image_pool == ImagePool::Queries));
  BOOST_TEST(config.pool_queries == 256);
  BOOST_TEST(!is_plain(config));
  const std::pair<const char*, json> kValues[] = {
      {"attn_pooler_heads", 3},    // of 16 dimensions
      {"attn_pooler_heads", 0},    {"attn_pooler_heads", 1e9},      {"attn_pooler_queries", 0},
      {"attn_pooler_queries", -1}, {"attn_pooler_queries", 100000}, {"pool_type", "avg"},
      {"layers", {1, 1, 1, 1}}};
  for (const auto& [key, value] : kValues) {
    json changed = pooled;
    changed["model_cfg"]["vision_cfg"][key] = value;
    BOOST_TEST_CONTEXT(key) BOOST_CHECK_THROW(read_open_clip(changed), Error);
  }
}

BOOST_AUTO_TEST_CASE(what_changes_a_block_changes_the_description) {
  const std::string plain = describe(read_open_clip(kOpenClip));
  for (const char* tower : {"vision_cfg", "text_cfg"}) {
    for (const char* key : {"qk_norm", "scale_heads", "scale_fc"}) {
      json changed = kOpenClip;
      changed["model_cfg"][tower][key] = true;
      const ClipConfig config = read_open_clip(changed);
      BOOST_TEST_CONTEXT(tower << " " << key) {
        BOOST_TEST(describe(config) != plain);
        BOOST_TEST(!is_plain(config));  // the code on libtorch computes none of them
        changed["model_cfg"][tower][key] = false;
        BOOST_TEST(describe(read_open_clip(changed)) == plain);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_does_not_change_an_answer_does_not_change_the_description) {
  const std::string plain = describe(read_hugging_face(kHuggingFace, kPreprocessor));
  json said = kHuggingFace;
  said["torch_dtype"] = "float32";
  said["text_config"]["eos_token_id"] = 2;
  said["text_config"]["layer_norm_eps"] = 1e-5;
  BOOST_TEST(describe(read_hugging_face(said, kPreprocessor)) == plain);
  said["text_config"]["eos_token_id"] = 599;  // the largest id
  BOOST_TEST(describe(read_hugging_face(said, kPreprocessor)) == plain);
  said["text_config"]["eos_token_id"] = 598;
  BOOST_TEST(describe(read_hugging_face(said, kPreprocessor)) != plain);
  json squashed = kPreprocessor;
  squashed["size"] = {{"height", 64}, {"width", 64}};
  BOOST_TEST(describe(read_hugging_face(kHuggingFace, squashed)) != plain);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
