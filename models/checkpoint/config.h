#pragma once

// The geometry of a CLIP model, and where a checkpoint's configuration says it.

#include <cstdint>
#include <filesystem>
#include <string>

#include "lib/image/preprocess.h"

namespace zeroshelf {

enum class Activation { QuickGelu, Gelu };  // x * sigmoid(1.702 x); the exact one with erf

struct TransformerConfig {
  int64_t width = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t mlp_width = 0;
  Activation activation = Activation::QuickGelu;
};

struct ClipConfig {
  TransformerConfig image;
  int64_t image_size_px = 0;
  int64_t patch_size_px = 0;
  TransformerConfig text;
  int64_t context_length = 0;
  int64_t vocabulary_size = 0;
  int64_t dimension = 0;  // of the shared space
  double layer_norm_epsilon = 1e-5;
  Preprocessing preprocessing;

  int64_t grid() const { return image_size_px / patch_size_px; }
};

// Both throw NotFound, Corruption (not JSON, a value missing or out of range) or Incompatible (a
// model of another kind), naming the file.
ClipConfig read_hugging_face_config(const std::filesystem::path& folder);
ClipConfig read_open_clip_config(const std::filesystem::path& folder);

// Throws Corruption when a number is outside what any CLIP model has: checked before any size that
// follows from it is used.
void check_config(const ClipConfig& config, const std::string& subject);

// A text of all that changes the embeddings, for the fingerprint.
std::string describe(const ClipConfig& config);

}  // namespace zeroshelf
