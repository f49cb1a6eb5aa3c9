// Tested by tests/labelling/prompt_cache_test.cc.

#include "lib/labelling/prompt_cache.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <optional>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kKind = "prompts";
constexpr size_t kMaxPrompts = 16'384;
constexpr size_t kMaxBytes = size_t{32} << 20;

// A name that a file may have, whatever the fingerprint looks like.
std::string name_of(std::string_view fingerprint, std::string_view precision) {
  Checksum128 checksum;
  checksum.update(std::string(fingerprint));
  checksum.update("\n");
  checksum.update(std::string(precision));
  return checksum.hex();
}

}  // namespace

PromptCache::PromptCache(const std::filesystem::path& collection, std::string_view fingerprint,
                         std::string_view precision, size_t dimension)
    : attachments_(collection), name_(name_of(fingerprint, precision)), dimension_(dimension) {
  try {
    read();
  } catch (const Error&) {  // damaged, or it may not be read: as if it were not there
    prompts_.clear();
    vectors_.clear();
    index_.clear();
  }
}

std::span<const float> PromptCache::find(const std::string& prompt) const {
  const auto found = index_.find(prompt);
  if (found == index_.end()) return {};
  return std::span(vectors_).subspan(found->second * dimension_, dimension_);
}

void PromptCache::for_each(
    const std::function<void(const std::string& prompt, std::span<const float>)>& visit) const {
  for (size_t i = 0; i < prompts_.size(); ++i)
    visit(prompts_[i], std::span(vectors_).subspan(i * dimension_, dimension_));
}

void PromptCache::keep(const std::vector<std::string>& prompts, const Matrix& vectors) {
  assert(vectors.rows() == prompts.size() && (prompts.empty() || vectors.columns() == dimension_));
  for (size_t i = 0; i < prompts.size(); ++i) {
    if (!index_.emplace(prompts[i], prompts_.size()).second) continue;
    prompts_.push_back(prompts[i]);
    vectors_.insert(vectors_.end(), vectors.row(i).begin(), vectors.row(i).end());
  }
  try {
    write();
  } catch (const Error&) {  // the next query encodes them again
  }
}

// The dimension and the number of prompts as u32; then for each, oldest first, the text and its
// vector.
void PromptCache::read() {
  const std::optional<std::string> content = attachments_.get(kKind, name_);
  if (!content) return;
  ByteReader reader(*content, "prompts");
  if (reader.number<uint32_t>() != dimension_) reader.fail("it is of another dimension");
  const auto count = reader.number<uint32_t>();
  if (count > kMaxPrompts) reader.fail("it has too many prompts");
  for (uint32_t i = 0; i < count; ++i) {
    std::string prompt(reader.text());
    const std::string_view bytes = reader.take(dimension_ * sizeof(float));
    const size_t at = vectors_.size();
    vectors_.resize(at + dimension_);
    std::memcpy(vectors_.data() + at, bytes.data(), bytes.size());
    if (!std::all_of(vectors_.begin() + static_cast<std::ptrdiff_t>(at), vectors_.end(),
                     [](float value) { return std::isfinite(value); }))
      reader.fail("a vector holds what is no number");
    index_.emplace(prompt, prompts_.size());
    prompts_.push_back(std::move(prompt));
  }
  reader.expect_end();
}

void PromptCache::write() const {
  size_t first = prompts_.size();
  size_t bytes = 0;
  while (first > 0 && prompts_.size() - first < kMaxPrompts) {
    bytes += prompts_[first - 1].size() + dimension_ * sizeof(float) + 10;
    if (bytes > kMaxBytes) break;
    --first;
  }
  ByteWriter writer;
  writer.number(static_cast<uint32_t>(dimension_));
  writer.number(static_cast<uint32_t>(prompts_.size() - first));
  for (size_t i = first; i < prompts_.size(); ++i) {
    writer.text(prompts_[i]);
    writer.raw(std::as_bytes(std::span(vectors_).subspan(i * dimension_, dimension_)));
  }
  attachments_.put(kKind, name_, writer.bytes());
}

namespace {

// The kept vectors of a model that the collection does not know: by the model that answers now.
struct CacheKey {
  std::string fingerprint;
  std::string precision;
};

CacheKey key_of(const View& collection, EncoderSource& encoders) {
  const Manifest& manifest = collection.manifest();
  if (std::string other = encoders.text_fingerprint(); !other.empty())
    return {std::move(other), encoders.precision()};
  if (manifest.has_known_model()) return {manifest.model_fingerprint, encoders.precision()};
  const ModelInfo& info = encoders.encoder(EncoderSide::TextOnly).info();
  return {info.fingerprint, info.precision};
}

}  // namespace

Matrix prompt_vectors(const View& collection, std::span<const std::string> prompts,
                      EncoderSource& encoders) {
  if (encoders.keeps_prompts())
    return encoders.encoder(EncoderSide::TextOnly).encode_texts(prompts, LongText::Truncate);
  const CacheKey key = key_of(collection, encoders);
  PromptCache cache(collection.directory(), key.fingerprint, key.precision,
                    collection.manifest().dimension);
  std::vector<std::string> unknown;
  for (const std::string& prompt : prompts) {
    if (cache.find(prompt).empty()) unknown.push_back(prompt);
  }
  if (!unknown.empty() || encoders.is_named()) {
    Encoder& encoder = encoders.encoder(EncoderSide::TextOnly);
    if (!unknown.empty()) cache.keep(unknown, encoder.encode_texts(unknown, LongText::Truncate));
  }
  Matrix vectors(prompts.size(), collection.manifest().dimension);
  for (size_t i = 0; i < prompts.size(); ++i)
    std::ranges::copy(cache.find(prompts[i]), vectors.row(i).begin());
  return vectors;
}

}  // namespace zeroshelf
