#pragma once

// What the rest of zeroshelf knows of a model. models/clip implements it; tests implement it
// with arithmetic.

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "lib/image/preprocess.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// What makes a probability of the cosine of a picture and a text.
enum class Scoring {
  Softmax,  // over the labels: exp(scale * cosine), divided by the sum
  Sigmoid,  // of each label for itself: 1 / (1 + exp(-(scale * cosine + bias)))
};

struct ModelInfo {
  std::string name;         // for people, e.g. "ViT-B-32"
  std::string path;         // absolute; where it was loaded from
  std::string fingerprint;  // hex; of weights, configuration, vocabulary and preprocessing
  uint32_t dimension = 0;   // of the shared embedding space
  Scoring scoring = Scoring::Softmax;
  // exp of the learned parameter: 100 for OpenAI's models; 0: a text tower alone, which has none
  float logit_scale = 100;
  float logit_bias = 0;     // learned with a sigmoid
  bool has_picture_tower = true;  // in its checkpoint, loaded or not
  uint32_t context_length = 77;
  std::string precision;     // of the arithmetic: "fp32" or "bf16"
  std::string kernel;        // what computes, for people
  size_t batch_images = 32;  // that are best encoded in one call of one thread
  Preprocessing preprocessing;
};

// What to do with a text of more tokens than the context holds.
enum class LongText {
  Truncate,  // keep the first tokens and the end mark, as the reference does with truncate=True
  Windows,   // encode consecutive windows, average their unit vectors, normalise again
};

// Threads: any number of calls may run together. A call for more than batch_images pictures, or for
// many texts, uses threads of its own; one for fewer computes in the calling thread, as long as it
// is on the processor.
class Encoder {
 public:
  virtual ~Encoder() = default;

  virtual const ModelInfo& info() const = 0;

  // Pictures as resize_and_crop gives them, each preprocessing.size_px square.
  // Returns unit vectors [images, dimension].
  virtual Matrix encode_images(std::span<const Image> images) = 0;

  // Raw UTF-8 texts; cleaning and tokenising are part of the encoder. Bytes that are not UTF-8
  // count as U+FFFD. Returns unit vectors [texts, dimension].
  virtual Matrix encode_texts(std::span<const std::string> texts, LongText long_text) = 0;

  // Token ids of one text as LongText::Truncate would encode it: start and end mark included, no
  // padding, at most context_length.
  virtual std::vector<int32_t> tokenize(const std::string& text) const = 0;
};

}  // namespace zeroshelf
