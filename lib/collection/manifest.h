#pragma once

// The identity of a collection: what its vectors are. Written once, when it is created.

#include <cstdint>
#include <string>

#include "lib/encoder/encoder.h"

namespace zeroshelf {

struct Manifest {
  // The newest that is read. Each is written where an older one cannot say what is so:
  // 2: `scoring` and `logit_bias`, of a model with a sigmoid.
  static constexpr uint32_t kFormatVersion = 2;
  // The fingerprint of vectors that were imported and whose model nobody named.
  static constexpr const char* kUnknownModel = "unknown";

  uint32_t format_version = 1;  // that it was read from; writing chooses it
  std::string model_name;
  std::string model_path;         // where the model was; used when no --model is given
  std::string model_fingerprint;  // vectors of another fingerprint are refused
  uint32_t dimension = 0;
  float logit_scale = 100;
  Scoring scoring = Scoring::Softmax;
  float logit_bias = 0;       // of a sigmoid
  std::string ocr_languages;  // empty: the collection was made with --no-ocr
  bool mask_text = false;     // pictures with words also have the vector of the masked picture
  std::string created_utc;    // ISO 8601

  bool has_known_model() const { return model_fingerprint != kUnknownModel; }
};

}  // namespace zeroshelf
