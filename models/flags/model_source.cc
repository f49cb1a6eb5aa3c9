// Tested through the programs by tests/programs.

#include "models/flags/model_source.h"

#include <utility>

#include "lib/collection/settings.h"

namespace zeroshelf {
namespace {

// Pictures by one model, texts by another.
class PairedEncoder : public Encoder {
 public:
  PairedEncoder(std::unique_ptr<Encoder> images, std::unique_ptr<Encoder> texts)
      : images_(std::move(images)), texts_(std::move(texts)), info_(images_->info()) {
    info_.context_length = texts_->info().context_length;
  }

  const ModelInfo& info() const override { return info_; }
  Matrix encode_images(std::span<const Image> images) override {
    return images_->encode_images(images);
  }
  Matrix encode_texts(std::span<const std::string> texts, LongText long_text) override {
    return texts_->encode_texts(texts, long_text);
  }
  std::vector<int32_t> tokenize(const std::string& text) const override {
    return texts_->tokenize(text);
  }

 private:
  std::unique_ptr<Encoder> images_;
  std::unique_ptr<Encoder> texts_;
  ModelInfo info_;
};

}  // namespace

ModelSource::ModelSource(const View& collection, ModelOptions options)
    : collection_(collection), options_(std::move(options)) {
  check_model_options(options_);
}

bool ModelSource::has_text_model() const {
  if (!options_.text_model.empty()) return options_.text_model != kOwnTextModel;
  return Settings(collection_.directory()).text_model().has_value();
}

// A text model that somebody names is checked, and one that is no longer wanted forgotten, also
// where the kept vectors of prompts would do.
bool ModelSource::is_named() const {
  return !options_.model.empty() || !options_.text_model.empty();
}

std::string ModelSource::text_fingerprint() {
  if (!has_text_model()) return {};
  if (options_.text_model.empty())
    return Settings(collection_.directory()).text_model().value().fingerprint;
  return encoder(EncoderSide::TextOnly).info().fingerprint;
}

std::unique_ptr<Encoder> ModelSource::load(EncoderSide side) const {
  const auto own = [&](EncoderSide wanted) {
    return load_model_of(collection_.manifest(), collection_.directory(), options_, wanted);
  };
  if (side == EncoderSide::ImageOnly) return own(side);
  auto texts = load_text_model_of(collection_, options_);
  if (!texts) return own(side);
  if (side == EncoderSide::TextOnly) return texts;
  return std::make_unique<PairedEncoder>(own(EncoderSide::ImageOnly), std::move(texts));
}

Encoder& ModelSource::encoder(EncoderSide side) {
  const std::lock_guard lock(mutex_);
  if (both_) return *both_;
  std::unique_ptr<Encoder>& place = side == EncoderSide::Both        ? both_
                                    : side == EncoderSide::ImageOnly ? image_
                                                                     : text_;
  if (!place) place = load(side);
  return *place;
}

std::string ModelSource::precision() const {
  if (options_.precision != "auto") return options_.precision;
  return options_.device == "cuda" || has_fast_bf16() ? "bf16" : "fp32";
}

}  // namespace zeroshelf
