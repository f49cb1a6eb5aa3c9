// Tested by tests/serve/warm_encoder_test.cc.

#include "query/serve/warm_encoder.h"

#include <algorithm>
#include <utility>

#include "lib/labelling/prompt_cache.h"
#include "lib/util/error.h"

namespace zeroshelf::serve {
namespace {

// At 512 dimensions 2 KiB each.
constexpr size_t kMostKnown = 32'768;
constexpr size_t kLongestKnown = 4096;

std::string fingerprint_of(const Manifest& manifest, const std::string& text_fingerprint) {
  if (!text_fingerprint.empty()) return text_fingerprint;
  return manifest.has_known_model() ? manifest.model_fingerprint : "";
}

}  // namespace

// A text model that is named says its fingerprint only as long as no encoder of both sides is there.
WarmEncoder::WarmEncoder(SnapshotPointer first, const ModelOptions& options)
    : first_(std::move(first)),
      source_(first_->view, options),
      text_fingerprint_(source_.text_fingerprint()),
      fingerprint_(fingerprint_of(first_->view.manifest(), text_fingerprint_)),
      dimension_(first_->view.manifest().dimension) {
  if (source_.is_named()) model();
  read_prompts();
}

Encoder& WarmEncoder::encoder(EncoderSide) {
  return *this;
}

Encoder& WarmEncoder::model() const {
  if (loaded() == nullptr && !source_.is_named()) expect_same_text_model();
  Encoder& encoder = source_.encoder(EncoderSide::Both);
  const std::lock_guard lock(mutex_);
  loaded_ = &encoder;
  return encoder;
}

void WarmEncoder::expect_same_text_model() const {
  if (source_.text_fingerprint() == text_fingerprint_) return;
  throw Error(ErrorCode::Incompatible, first_->view.directory().string(),
              "it was told another text model since the server was started",
              "start the server anew");
}

const Encoder* WarmEncoder::loaded() const {
  const std::lock_guard lock(mutex_);
  return loaded_;
}

const ModelInfo& WarmEncoder::info() const {
  return model().info();
}

Matrix WarmEncoder::encode_images(std::span<const Image> images) {
  return model().encode_images(images);
}

std::vector<int32_t> WarmEncoder::tokenize(const std::string& text) const {
  return model().tokenize(text);
}

Matrix WarmEncoder::encode_texts(std::span<const std::string> texts, LongText long_text) {
  if (long_text != LongText::Truncate) return model().encode_texts(texts, long_text);
  Matrix vectors(texts.size(), dimension_);
  std::vector<std::string> unknown;
  std::vector<size_t> places;
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto found = known_.find(texts[i]);
      if (found == known_.end()) {
        unknown.push_back(texts[i]);
        places.push_back(i);
      } else {
        by_use_.splice(by_use_.begin(), by_use_, found->second.used);
        std::ranges::copy(found->second.vector, vectors.row(i).begin());
      }
    }
  }
  if (unknown.empty()) return vectors;
  const Matrix encoded = model().encode_texts(unknown, long_text);
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < unknown.size(); ++i) {
    std::ranges::copy(encoded.row(i), vectors.row(places[i]).begin());
    remember(unknown[i], encoded.row(i));
    if (to_keep_.size() < kMostKnown) to_keep_.push_back(unknown[i]);
  }
  return vectors;
}

// With the lock.
void WarmEncoder::remember(const std::string& text, std::span<const float> vector) {
  if (text.size() > kLongestKnown) return;
  const auto [known, is_new] = known_.try_emplace(text);
  if (!is_new) return;
  by_use_.push_front(&known->first);
  known->second = {{vector.begin(), vector.end()}, by_use_.begin()};
  if (known_.size() <= kMostKnown) return;
  const std::string oldest = *by_use_.back();
  by_use_.pop_back();
  known_.erase(oldest);
}

void WarmEncoder::read_prompts() {
  if (fingerprint_.empty()) return;
  const PromptCache cache(first_->view.directory(), fingerprint_, source_.precision(), dimension_);
  const std::lock_guard lock(mutex_);
  cache.for_each([&](const std::string& prompt, std::span<const float> vector) {
    remember(prompt, vector);
  });
}

void WarmEncoder::keep_prompts(const View& collection) {
  std::vector<std::string> prompts;
  std::vector<float> values;
  {
    const std::lock_guard lock(mutex_);
    for (const std::string& prompt : std::exchange(to_keep_, {})) {
      const auto found = known_.find(prompt);
      if (found == known_.end()) continue;
      prompts.push_back(prompt);
      values.insert(values.end(), found->second.vector.begin(), found->second.vector.end());
    }
  }
  if (prompts.empty() || fingerprint_.empty()) return;
  Matrix vectors(prompts.size(), dimension_);
  std::ranges::copy(values, vectors.data());
  PromptCache(collection.directory(), fingerprint_, source_.precision(), dimension_)
      .keep(prompts, vectors);
}

}  // namespace zeroshelf::serve
