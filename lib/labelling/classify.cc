// Tested by tests/programs/queries_test.cc.

#include "lib/labelling/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string>

#include "lib/util/error.h"
#include "lib/util/parallel.h"
#include "lib/vectors/fixed_point.h"

namespace zeroshelf {
namespace {

// Rows in flight a thread: as many as keep the block and its similarities in a core's cache, in
// whole tiles of a matrix unit.
size_t rows_a_block(size_t labels) {
  constexpr size_t kTileRows = 16;
  return std::clamp<size_t>(65'536 / labels / kTileRows * kTileRows, kTileRows, 512);
}

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

void check_side(const Matrix& vectors, const std::vector<float>& bias, size_t labels,
                uint32_t dimension, const char* side) {
  const auto refuse = [&](const std::string& cause) {
    throw Error(ErrorCode::InvalidArgument, "labels", cause);
  };
  if (vectors.columns() != dimension || vectors.rows() == 0 || vectors.rows() != labels)
    refuse(fmt::format("{} {} vectors of {} dimensions for {} labels of a collection of {}",
                       vectors.rows(), side, vectors.columns(), labels, dimension));
  if (!bias.empty() && bias.size() != labels)
    refuse(fmt::format("{} biases of the {} side for {} labels", bias.size(), side, labels));
  for (size_t k = 0; k < labels; ++k) {
    if (!all_finite(vectors.row(k)) || (!bias.empty() && !std::isfinite(bias[k])))
      refuse(fmt::format("the {} vector of label {} holds what is no number", side, k + 1));
  }
}

// What is added to the similarities of each label; empty when that is nothing.
std::vector<float> offsets(const Matrix& vectors, const std::vector<float>& bias, float centring,
                           const std::vector<float>& mean) {
  if (centring == 0) return bias;
  std::vector<float> result = bias.empty() ? std::vector<float>(vectors.rows()) : bias;
  for (size_t k = 0; k < result.size(); ++k) {
    double common = 0;
    for (size_t i = 0; i < mean.size(); ++i)
      common += static_cast<double>(mean[i]) * static_cast<double>(vectors.row(k)[i]);
    result[k] -= static_cast<float>(static_cast<double>(centring) * common);
  }
  return result;
}

// Fuses rows [begin, end): both similarities of a row are in cache when it is its turn.
class BlockScanner {
 public:
  BlockScanner(const Collection& collection, const LabelVectors& labels, const Fusion& fusion,
               bool all_scores)
      : collection_(collection),
        labels_(labels.labels()),
        fuser_(make_fuser(collection, labels, fusion)),  // checks the labels
        image_(labels.image),
        text_(labels.text),
        all_scores_(all_scores) {}

  // predictions has end - begin elements.
  void fuse(Row begin, Row end, Prediction* predictions, std::vector<float>& scores) const {
    const auto& owners = collection_.text_owners();
    const auto first_text = std::lower_bound(owners.begin(), owners.end(), begin);
    const auto last_text = std::lower_bound(first_text, owners.end(), end);
    const auto text_begin = static_cast<size_t>(first_text - owners.begin());
    const auto texts = static_cast<size_t>(last_text - first_text);
    thread_local std::vector<float> image;
    thread_local std::vector<float> text;
    similarities(collection_.image_vectors(), begin, end - begin, image_, image);
    similarities(collection_.text_vectors(), text_begin, texts, text_, text);
    scores.resize(all_scores_ ? (end - begin) * labels_ : 0);
    fuser_({labels_, std::span(image).first((end - begin) * labels_),
            std::span(text).first(texts * labels_), std::span(owners).subspan(text_begin, texts),
            begin, std::span(collection_.text_evidence()).subspan(text_begin, texts)},
           {predictions, end - begin}, scores);
  }

 private:
  static void similarities(const VectorRows& vectors, Row first, size_t rows,
                           const FixedPointQueries& labels, std::vector<float>& result) {
    result.resize(std::max(result.size(), rows * labels.count()));
    if (rows > 0)
      labels.inner_products(vectors, first, rows, std::span(result).first(rows * labels.count()));
  }

  const Collection& collection_;
  size_t labels_;
  Fuser fuser_;
  FixedPointQueries image_;
  FixedPointQueries text_;
  bool all_scores_;
};

}  // namespace

Fusion default_fusion(const Collection& collection, std::string_view rule) {
  return {&fusion_rule(rule), FusionSettings::for_logit_scale(collection.manifest().logit_scale)};
}

Fuser make_fuser(const Collection& collection, const LabelVectors& labels, const Fusion& fusion) {
  const uint32_t dimension = collection.manifest().dimension;
  check_side(labels.image, labels.image_bias, labels.labels(), dimension, "picture");
  check_side(labels.text, labels.text_bias, labels.labels(), dimension, "text");
  const bool centred = fusion.rule->sides() == FusionRule::Sides::Centred;
  return {fusion,
          offsets(labels.image, labels.image_bias, centred ? fusion.settings.image_centring : 0,
                  collection.mean_image_vector()),
          offsets(labels.text, labels.text_bias, centred ? fusion.settings.text_centring : 0,
                  collection.mean_text_vector())};
}

void scan(const Collection& collection, const LabelVectors& labels, const Fusion& fusion,
          const ScanOptions& options, const std::function<void(const PredictionBlock&)>& visit) {
  const BlockScanner scanner(collection, labels, fusion, options.all_scores);
  const Row end_row = std::min<Row>(options.end_row, collection.image_vectors().size());
  if (options.first_row >= end_row) return;
  const size_t block = rows_a_block(labels.labels());
  parallel_chunks(end_row - options.first_row, block, options.threads,
                  [&](size_t begin, size_t end) {
                    thread_local std::vector<Prediction> predictions;
                    thread_local std::vector<float> scores;
                    predictions.resize(end - begin);
                    const Row first = options.first_row + begin;
                    scanner.fuse(first, options.first_row + end, predictions.data(), scores);
                    visit({first, predictions, scores, labels.labels()});
                  });
}

std::vector<Prediction> classify(const Collection& collection, const LabelVectors& labels,
                                 const Fusion& fusion, unsigned threads) {
  std::vector<Prediction> predictions(collection.image_vectors().size());
  ScanOptions options;
  options.threads = threads;
  scan(collection, labels, fusion, options, [&](const PredictionBlock& block) {
    std::ranges::copy(block.predictions,
                      predictions.begin() + static_cast<std::ptrdiff_t>(block.first_row));
  });
  return predictions;
}

}  // namespace zeroshelf
