#pragma once

// The geometry of a CLIP or SigLIP model, and where a checkpoint's configuration says it.

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/image/preprocess.h"

namespace zeroshelf {

// x * sigmoid(1.702 x); the exact one with erf; its approximation with tanh
enum class Activation { QuickGelu, Gelu, GeluTanh };

struct TransformerConfig {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t mlp_width = 0;
  Activation activation = Activation::QuickGelu;
  double epsilon = 1e-5;         // of the layer norms
  bool has_layer_scale = false;  // what a part of a block adds is multiplied by learned factors
  bool has_query_key_norms = false;  // of each head's queries and keys, before they meet
  bool has_head_scales = false;      // what each head brings is multiplied by a learned factor
  bool has_mlp_norm = false;         // in the MLP, between activation and second multiplication
  bool is_normed_after = false;  // each sum is normed, and not what a part of a block begins with
};

// Whose last state becomes a text's vector.
enum class TextPool {
  Mean,       // of all tokens
  LargestId,  // of the token with the largest id, the first of equals: CLIP's end mark
  TokenId,    // of the first token with text_pool_id, or where there is none of the first token
  Last,       // of the last token, padding included
};

// What becomes a picture's vector.
enum class ImagePool {
  ClassToken,  // the state of a token of its own
  Mean,        // the mean of the patches' states; normed after it or before
  Attention,   // what a learned query finds in the patches' normed states (SigLIP)
  // The first of several queries, over the class token and the patches, as wide as the shared space
  // and without an MLP (CoCa)
  Queries,
};

// Mlp: two without bias, and the exact GELU between.
enum class Projection { None, Linear, LinearWithBias, Mlp };

// What cuts texts into tokens.
enum class Vocabulary {
  Clip,           // byte pairs with words' ends: models/text/tokenizer.h
  Pieces,         // SentencePiece's: models/text/piece_tokenizer.h
  RobertaPieces,  // the same with XLM-R's marks
};

// What becomes of a text before it is cut: models/text/text_cleaning.h.
enum class TextCleaning {
  Own,         // CLIP's, or transformers' for SigLIP's vocabularies
  Canonical,   // "canonicalize" of OpenCLIP
  Lower,       // its "lower"
  Whitespace,  // its "whitespace"
  Nothing,
};

struct ClipConfig {
  TransformerConfig image;
  int64_t image_size_px = 0;
  int64_t patch_size_px = 0;
  bool has_class_token = true;
  bool has_patch_bias = false;
  bool has_norm_before = true;  // between patches and blocks
  ImagePool image_pool = ImagePool::ClassToken;
  bool is_norm_after_mean = false;
  int64_t pool_queries = 0;  // of ImagePool::Queries, and the heads that attend to them
  int64_t pool_heads = 0;
  // Blocks of the four stages of a ResNet, whose widest stage has image.width channels and whose
  // pool has image.heads; all 0: a transformer.
  std::array<int64_t, 4> resnet_blocks = {};
  Projection image_projection = Projection::Linear;

  bool has_image_tower = true;  // else only texts can be encoded

  TransformerConfig text;
  bool is_roberta = false;      // XLM-R's embeddings and names of tensors
  int64_t text_positions = 0;   // rows of its table of positions; the first padding_id + 1 are not used
  bool skips_padding = true;    // a padding mark in a text counts as none
  int64_t context_length = 0;
  int64_t vocabulary_size = 0;
  bool is_text_causal = true;  // a token sees itself and those before
  TextPool text_pool = TextPool::LargestId;
  int64_t text_pool_id = 0;
  // Texts are filled up to context_length with this token, which takes part like any other.
  bool pads_texts = false;
  int64_t pad_id = 0;
  Projection text_projection = Projection::Linear;

  int64_t dimension = 0;  // of the shared space
  Preprocessing preprocessing;
  bool is_sigmoid = false;  // pairs are judged by sigmoid(scale * cosine + bias), not by a softmax

  // What the tokenizer does: see models/text.
  Vocabulary vocabulary = Vocabulary::Clip;
  TextCleaning cleaning = TextCleaning::Own;
  bool has_open_clip_marks = false;

  // How the tensors are called.
  bool has_timm_trunk = false;

  int64_t grid() const { return image_size_px / patch_size_px; }
  bool is_resnet() const { return resnet_blocks[0] > 0; }
  // For a ResNet: channels before the first stage.
  int64_t stem_width() const { return image.width / kResNetWidening; }

  static constexpr int64_t kResNetWidening = 32;   // from the stem to the last stage
  static constexpr int64_t kResNetReduction = 32;  // of the sides of a picture
};

// Both read the JSON files of a checkpoint's folder. Every key is understood, or the model is refused
// by the key's name: a key that is passed over may be the one that changes the answer. They throw
// NotFound, Corruption (not JSON, a value missing or out of range) or Incompatible (a model of
// another kind, an unknown key or value), naming the file and the key.
ClipConfig read_hugging_face_config(const std::filesystem::path& folder);
ClipConfig read_open_clip_config(const std::filesystem::path& folder);
// Reads a folder of Multilingual-CLIP, where the tensors' shapes say the rest: dimension and
// text.width.
ClipConfig read_m_clip_config(const std::filesystem::path& folder);
bool is_m_clip(const std::filesystem::path& folder);

// Throws Corruption when a number is outside what any CLIP model has: checked before any size that
// follows from it is used.
void check_config(const ClipConfig& config, const std::string& subject);

// Throws Corruption when a mean is no number, or when nothing can be divided by a deviation.
void check_preprocessing(const Preprocessing& preprocessing, const std::string& subject);

// Whether this is CLIP's own network, of whatever size: what the code on libtorch computes.
bool is_plain(const ClipConfig& config);

// A text of all that changes the embeddings, for the fingerprint.
std::string describe(const ClipConfig& config);

}  // namespace zeroshelf
