#pragma once

// The identity of a collection: what its vectors are. Written once, when it is created.

#include <cstdint>
#include <string>

namespace zeroshelf {

struct Manifest {
  static constexpr uint32_t kFormatVersion = 1;
  // The fingerprint of vectors that were imported and whose model nobody named.
  static constexpr const char* kUnknownModel = "unknown";

  uint32_t format_version = kFormatVersion;
  std::string model_name;
  std::string model_path;         // where the model was; used when no --model is given
  std::string model_fingerprint;  // vectors of another fingerprint are refused
  uint32_t dimension = 0;
  float logit_scale = 100;
  std::string ocr_languages;  // empty: the collection was made with --no-ocr
  bool mask_text = false;     // pictures with words also have the vector of the masked picture
  std::string created_utc;    // ISO 8601

  bool has_known_model() const { return model_fingerprint != kUnknownModel; }
};

}  // namespace zeroshelf
