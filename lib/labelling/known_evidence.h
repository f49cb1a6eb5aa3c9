#pragma once

// What is known of labelled pictures, ready to be fused again and again with other settings.

#include <cstdint>
#include <span>
#include <vector>

#include "lib/evaluation/metrics.h"
#include "lib/labelling/classify.h"
#include "lib/labelling/truth.h"

namespace zeroshelf {

// The similarities of some pictures with all labels. Memory: pictures x labels floats a side.
class KnownEvidence {
 public:
  // The collection and the label vectors must outlive it.
  KnownEvidence(const View& collection, const LabelVectors& labels,
                std::span<const KnownPicture> pictures);

  size_t size() const { return truths_.size(); }
  size_t with_text() const { return with_text_; }
  std::span<const uint32_t> truths() const { return truths_; }

  // For each picture at these places: the answer by `mix` with these settings, and the probability
  // that it gives to the true label.
  struct Outcome {
    CheckedAnswer answer;
    double log_loss = 0;  // -log of that probability
  };
  std::vector<Outcome> outcomes(const FusionSettings& settings,
                                std::span<const size_t> places) const;

 private:
  std::span<const float> row(const std::vector<float>& values, size_t i) const {
    return std::span(values).subspan(i * labels_.labels(), labels_.labels());
  }

  const View& collection_;
  const LabelVectors& labels_;
  std::vector<uint32_t> truths_;
  std::vector<float> image_;            // [pictures, labels], without offsets
  std::vector<float> text_;             // the same; of pictures without text unused
  std::vector<TextEvidence> evidence_;  // 0 words: no text
  size_t with_text_ = 0;
};

}  // namespace zeroshelf
