// Tested by tests/labels/labels_test.cc.

#include "lib/labels/label_vectors.h"

#include <unordered_map>
#include <unordered_set>

namespace zeroshelf {

std::vector<std::string> distinct_prompts(const std::vector<Label>& labels) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> prompts;
  for (const Label& label : labels) {
    for (const std::string& prompt : label.prompts) {
      if (seen.insert(prompt).second) prompts.push_back(prompt);
    }
  }
  return prompts;
}

Matrix label_vectors(const std::vector<Label>& labels,
                     const std::function<Matrix(const std::vector<std::string>&)>& encode) {
  const std::vector<std::string> prompts = distinct_prompts(labels);
  const Matrix vectors = encode(prompts);
  std::unordered_map<std::string, size_t> place;
  for (size_t i = 0; i < prompts.size(); ++i) place.emplace(prompts[i], i);
  Matrix result(labels.size(), vectors.columns());
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<float> sum = result.row(i);
    for (const std::string& prompt : labels[i].prompts) {
      const std::span<const float> vector = vectors.row(place.at(prompt));
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += vector[j];
    }
    normalise(sum);
  }
  return result;
}

Matrix label_vectors(const std::vector<Label>& labels, Encoder& encoder) {
  return label_vectors(labels, [&](const std::vector<std::string>& prompts) {
    return encoder.encode_texts(prompts, LongText::Truncate);
  });
}

}  // namespace zeroshelf
