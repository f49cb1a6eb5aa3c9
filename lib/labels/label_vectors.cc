// Tested by tests/labels/labels_test.cc.

#include "lib/labels/label_vectors.h"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "lib/labels/prompt.h"
#include "lib/util/error.h"

namespace zeroshelf {

namespace {

void add_to(std::span<float> sum, std::span<const float> vector) {
  for (size_t j = 0; j < sum.size(); ++j) sum[j] += vector[j];
}

}  // namespace

std::vector<std::string> distinct_prompts(const std::vector<Label>& labels) {
  std::unordered_set<std::string> seen;
  std::vector<std::string> texts;
  for (const Label& label : labels) {
    for (const std::string& written : label.prompts) {
      Prompt prompt = parse_prompt(written);
      if (prompt.kind == Prompt::Kind::Text && seen.insert(prompt.value).second)
        texts.push_back(std::move(prompt.value));
    }
  }
  return texts;
}

bool has_text_prompt(const Label& label) {
  return std::ranges::any_of(label.prompts, [](const std::string& written) {
    return !is_veto(written) && parse_prompt(written).kind == Prompt::Kind::Text;
  });
}

std::vector<VetoPlace> vetoes_of(const std::vector<Label>& labels) {
  std::vector<VetoPlace> vetoes;
  for (uint32_t k = 0; k < labels.size(); ++k) {
    for (uint32_t i = 0; i < labels[k].prompts.size(); ++i) {
      if (is_veto(labels[k].prompts[i])) vetoes.push_back({k, i});
    }
  }
  return vetoes;
}

bool has_pictures_alone(const Label& label) {
  return !has_text_prompt(label) &&
         std::ranges::any_of(label.prompts,
                             [](const std::string& written) { return !is_veto(written); });
}

PromptVectors vectors_of_prompts(
    const std::vector<Label>& labels,
    const std::function<Matrix(const std::vector<std::string>&)>& encode) {
  const std::vector<std::string> texts = distinct_prompts(labels);
  const Matrix vectors = encode(texts);
  std::unordered_map<std::string, size_t> place;
  for (size_t i = 0; i < texts.size(); ++i) place.emplace(texts[i], i);
  const auto vector_of = [&](const Prompt& prompt) { return vectors.row(place.at(prompt.value)); };
  PromptVectors result;
  result.labels = Matrix(labels.size(), vectors.columns());
  for (size_t k = 0; k < labels.size(); ++k) {
    const std::vector<std::string>& prompts = labels[k].prompts;
    if (!prompts.empty() && std::ranges::all_of(prompts, is_veto))
      throw Error(ErrorCode::InvalidArgument, labels[k].name, "it has vetoes and no prompt",
                  "give it a prompt");
    for (const std::string& written : prompts) {
      const Prompt prompt = parse_prompt(written);
      if (!prompt.is_veto && prompt.kind == Prompt::Kind::Text)
        add_to(result.labels.row(k), vector_of(prompt));
    }
    normalise(result.labels.row(k));
  }
  result.vetoes = vetoes_of(labels);
  result.of_vetoes = Matrix(result.vetoes.size(), vectors.columns());
  for (size_t i = 0; i < result.vetoes.size(); ++i) {
    const VetoPlace& veto = result.vetoes[i];
    const Prompt prompt = parse_prompt(labels[veto.label].prompts[veto.prompt]);
    if (prompt.kind == Prompt::Kind::Text)
      std::ranges::copy(vector_of(prompt), result.of_vetoes.row(i).begin());
  }
  return result;
}

Matrix label_vectors(const std::vector<Label>& labels,
                     const std::function<Matrix(const std::vector<std::string>&)>& encode) {
  return vectors_of_prompts(labels, encode).labels;
}

Matrix label_vectors(const std::vector<Label>& labels, Encoder& encoder) {
  return label_vectors(labels, [&](const std::vector<std::string>& prompts) {
    return encoder.encode_texts(prompts, LongText::Truncate);
  });
}

}  // namespace zeroshelf
