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

Matrix average_prompts(const std::vector<Label>& labels, size_t dimension,
                       const std::function<std::span<const float>(const std::string&)>& vector_of) {
  Matrix result(labels.size(), dimension);
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<float> sum = result.row(i);
    for (const std::string& prompt : labels[i].prompts) {
      const std::span<const float> vector = vector_of(prompt);
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += vector[j];
    }
    normalise(sum);
  }
  return result;
}

Matrix encode_labels(Encoder& encoder, const std::vector<Label>& labels) {
  const std::vector<std::string> prompts = distinct_prompts(labels);
  const Matrix vectors = encoder.encode_texts(prompts, LongText::Truncate);
  std::unordered_map<std::string, size_t> index;
  for (size_t i = 0; i < prompts.size(); ++i) index.emplace(prompts[i], i);
  return average_prompts(labels, vectors.columns(),
                         [&](const std::string& prompt) { return vectors.row(index.at(prompt)); });
}

}  // namespace zeroshelf
