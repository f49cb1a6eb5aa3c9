// Tested by tests/labels/labels_test.cc.

#include "lib/labels/label_vectors.h"

#include <string>
#include <unordered_map>

namespace zeroshelf {

Matrix encode_labels(Encoder& encoder, const std::vector<Label>& labels) {
  std::unordered_map<std::string, size_t> index;
  std::vector<std::string> prompts;
  for (const Label& label : labels) {
    for (const std::string& prompt : label.prompts) {
      if (index.emplace(prompt, prompts.size()).second) prompts.push_back(prompt);
    }
  }
  const Matrix vectors = encoder.encode_texts(prompts, LongText::Truncate);
  Matrix result(labels.size(), vectors.columns());
  for (size_t i = 0; i < labels.size(); ++i) {
    const std::span<float> sum = result.row(i);
    for (const std::string& prompt : labels[i].prompts) {
      const std::span<const float> vector = vectors.row(index.at(prompt));
      for (size_t j = 0; j < sum.size(); ++j) sum[j] += vector[j];
    }
    normalise(sum);
  }
  return result;
}

}  // namespace zeroshelf
