#pragma once

// An encoder of plain arithmetic for tests in which a real model is not the point: pictures of one
// colour, and texts, have vectors that can be told apart.

#include <algorithm>
#include <atomic>
#include <functional>
#include <sstream>
#include <string>

#include "lib/encoder/encoder.h"
#include "lib/encoder/encoder_source.h"
#include "lib/util/error.h"

namespace zeroshelf::testing {

class FakeEncoder : public Encoder {
 public:
  static constexpr uint32_t kDimension = 8;

  FakeEncoder() {
    info_.name = "fake";
    info_.path = "/fake";
    info_.fingerprint = "fa4e";
    info_.dimension = kDimension;
    info_.precision = "fp32";
    info_.preprocessing.size_px = 8;
  }

  const ModelInfo& info() const override { return info_; }

  // The mean of each channel in the upper and the lower half, and a constant.
  Matrix encode_images(std::span<const Image> images) override {
    images_encoded += images.size();
    Matrix result(images.size(), kDimension);
    for (size_t i = 0; i < images.size(); ++i) {
      const auto row = result.row(i);
      const size_t samples = images[i].rgb.size();
      for (size_t j = 0; j < samples; ++j)
        row[j % 3 + (j < samples / 2 ? 0 : 3)] += images[i].rgb[j] / 255.0f;
      row[6] = static_cast<float>(samples) / 40;
      normalise(row);
    }
    return result;
  }

  // A bag of hashed words.
  Matrix encode_texts(std::span<const std::string> texts, LongText) override {
    Matrix result(texts.size(), kDimension);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto row = result.row(i);
      std::istringstream words(texts[i]);
      for (std::string word; words >> word;)
        row[std::hash<std::string>()(word) % (kDimension - 1)] += 1;
      row[kDimension - 1] = 0.1f;
      normalise(row);
    }
    return result;
  }

  std::vector<int32_t> tokenize(const std::string& text) const override {
    return std::vector<int32_t>(text.size(), 1);
  }

  std::atomic<size_t> images_encoded = 0;

 private:
  ModelInfo info_;
};

// For what needs no encoder: throws Unavailable when it is asked for one.
class NoEncoder : public EncoderSource {
 public:
  Encoder& encoder(EncoderSide) override {
    throw Error(ErrorCode::Unavailable, "encoder", "none is needed here");
  }
  std::string precision() const override { return "fp32"; }
  bool is_named() const override { return false; }
};

}  // namespace zeroshelf::testing
