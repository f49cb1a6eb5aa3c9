// Tested by tests/programs/queries_test.cc.

#include "query/classify.h"

#include <fmt/format.h>

#include <algorithm>

#include "lib/util/error.h"
#include "lib/util/parallel.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

// Rows in flight a thread: as many as keep the block and its similarities in a core's cache.
size_t rows_a_block(size_t labels) {
  return std::clamp<size_t>(65'536 / labels, 16, 512);
}

// Fuses rows [begin, end): both similarities of a row are in cache when it is its turn.
class BlockClassifier {
 public:
  BlockClassifier(const Collection& collection, const Matrix& labels, FusionRule rule)
      : collection_(collection), labels_(labels), rule_(rule) {}

  void operator()(size_t begin, size_t end, Prediction* out) const {
    const auto& owners = collection_.text_owners();
    const auto first_text = std::lower_bound(owners.begin(), owners.end(), begin);
    const auto last_text = std::lower_bound(first_text, owners.end(), end);
    const std::vector<float> image = similarities(collection_.image_vectors(), begin, end - begin);
    const std::vector<float> text =
        similarities(collection_.text_vectors(), first_text - owners.begin(),
                     static_cast<size_t>(last_text - first_text));
    auto owner = first_text;
    for (size_t row = begin; row < end; ++row) {
      const bool has_text = owner != last_text && *owner == row;
      const auto text_row = has_text ? scores(text, owner - first_text) : std::span<const float>();
      *out++ =
          fuse(rule_, scores(image, row - begin), text_row, collection_.manifest().logit_scale);
      if (has_text) ++owner;
    }
  }

 private:
  std::vector<float> similarities(const VectorRows& vectors, Row first, size_t rows) const {
    std::vector<float> result(rows * labels_.rows());
    if (rows > 0) inner_products(vectors, first, rows, labels_, result);
    return result;
  }

  std::span<const float> scores(const std::vector<float>& block, size_t row) const {
    return std::span(block).subspan(row * labels_.rows(), labels_.rows());
  }

  const Collection& collection_;
  const Matrix& labels_;
  FusionRule rule_;
};

}  // namespace

std::vector<Prediction> classify(const Collection& collection, const Matrix& label_vectors,
                                 FusionRule rule, unsigned threads) {
  if (label_vectors.columns() != collection.manifest().dimension || label_vectors.rows() == 0) {
    throw Error(
        ErrorCode::InvalidArgument, "labels",
        fmt::format("{} vectors of {} dimensions for a collection of {}", label_vectors.rows(),
                    label_vectors.columns(), collection.manifest().dimension));
  }
  std::vector<Prediction> predictions(collection.image_vectors().size());
  const BlockClassifier classify_block(collection, label_vectors, rule);
  parallel_chunks(
      predictions.size(), rows_a_block(label_vectors.rows()), threads,
      [&](size_t begin, size_t end) { classify_block(begin, end, predictions.data() + begin); });
  return predictions;
}

}  // namespace zeroshelf
