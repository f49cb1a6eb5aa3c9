// Tested by tests/labelling/known_evidence_test.cc.

#include "lib/labelling/known_evidence.h"

#include <algorithm>
#include <cmath>

#include "lib/vectors/fixed_point.h"

namespace zeroshelf {

KnownEvidence::KnownEvidence(const View& collection, const LabelVectors& labels,
                             std::span<const KnownPicture> pictures)
    : collection_(collection),
      labels_(labels),
      image_(pictures.size() * labels.labels()),
      text_(image_.size()),
      evidence_(pictures.size()) {
  const size_t count = labels.labels();
  const FixedPointQueries image_labels(labels.image);
  const FixedPointQueries text_labels(labels.text);
  for (size_t i = 0; i < pictures.size(); ++i) {
    truths_.push_back(pictures[i].label);
    const View::Part& part = collection.part_of(pictures[i].row);
    const Row row = pictures[i].row - part.first_row;
    image_labels.inner_products(part.collection.image_vectors(), row, 1,
                                std::span(image_).subspan(i * count, count));
    const auto text = part.collection.text_index(row);
    if (!text) continue;
    ++with_text_;
    evidence_[i] = part.collection.text_evidence()[*text];
    text_labels.inner_products(part.collection.text_vectors(), *text, 1,
                               std::span(text_).subspan(i * count, count));
  }
}

std::vector<KnownEvidence::Outcome> KnownEvidence::outcomes(const FusionSettings& settings,
                                                            std::span<const size_t> places) const {
  const Fuser fuse = make_fuser(collection_, labels_, {&fusion_rule("mix"), settings});
  std::vector<Outcome> result;
  std::vector<float> image(labels_.labels());
  std::vector<float> text(labels_.labels());
  std::vector<float> scores(labels_.labels());
  for (const size_t i : places) {
    std::ranges::copy(row(image_, i), image.begin());
    std::ranges::copy(row(text_, i), text.begin());
    const bool has_text = evidence_[i].word_count > 0;
    const Prediction prediction =
        fuse(image, has_text ? std::span<float>(text) : std::span<float>(), evidence_[i], scores);
    const auto of_truth = static_cast<double>(scores[truths_[i]]);
    result.push_back({{truths_[i], prediction.answer().label, prediction.answer().score},
                      -std::log(std::max(of_truth, 1e-12))});
  }
  return result;
}

}  // namespace zeroshelf
