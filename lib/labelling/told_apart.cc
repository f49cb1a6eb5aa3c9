// Tested by tests/programs/everyday_test.cc.

#include "lib/labelling/told_apart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <utility>

#include "lib/labels/prompt.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr int kShownColumns = 40;
constexpr size_t kMostShown = 5;

std::string bytes_of(std::span<const float> vector) {
  return {reinterpret_cast<const char*>(vector.data()), vector.size_bytes()};
}

}  // namespace

// A text that fills the model's context exactly loses a token with its last letter; one that is
// cut does not.
bool is_cut(const Encoder& encoder, const std::string& text) {
  // A token has a byte at least, and two mark the ends.
  if (text.size() + 2 <= encoder.info().context_length) return false;
  const std::vector<int32_t> ids = encoder.tokenize(text);
  if (ids.size() < encoder.info().context_length) return false;
  size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string::npos) return false;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return encoder.tokenize(text.substr(0, end)) == ids;
}

std::vector<std::vector<size_t>> equal_labels(const LabelVectors& vectors) {
  std::map<std::string, std::vector<size_t>> places;
  for (size_t i = 0; i < vectors.labels(); ++i) {
    std::string key = bytes_of(vectors.image.row(i)) + bytes_of(vectors.text.row(i));
    if (!vectors.image_bias.empty()) key += bytes_of(std::span(vectors.image_bias).subspan(i, 1));
    if (!vectors.text_bias.empty()) key += bytes_of(std::span(vectors.text_bias).subspan(i, 1));
    places[std::move(key)].push_back(i);
  }
  std::vector<std::vector<size_t>> groups;
  for (auto& [key, group] : places) {
    if (group.size() > 1) groups.push_back(std::move(group));
  }
  std::ranges::sort(groups);
  return groups;
}

std::vector<std::string> cut_text_warnings(const Encoder& encoder,
                                           std::span<const std::string> texts) {
  std::vector<std::string> warnings;
  size_t cut = 0;
  for (const std::string& text : texts) {
    if (!is_cut(encoder, text) || ++cut > kMostShown) continue;
    warnings.push_back(
        fmt::format("'{}' is longer than the {} tokens that the model reads; its end counts for "
                    "nothing",
                    fitted(to_utf8(text), kShownColumns), encoder.info().context_length - 2));
  }
  if (cut > kMostShown)
    warnings.push_back(fmt::format("{} more texts are as long", with_thousands(cut - kMostShown)));
  return warnings;
}

std::vector<std::string> label_warnings(const Labelling& labelling, const Encoder* encoder) {
  const std::vector<Label>& labels = labelling.labels;
  std::vector<std::string> warnings;
  if (encoder != nullptr) {
    std::vector<std::string> prompts;
    for (const Label& label : labels) {
      for (const std::string& written : label.prompts) {
        const Prompt prompt = parse_prompt(written);
        if (prompt.kind == Prompt::Kind::Text) prompts.push_back(prompt.value);
      }
    }
    warnings = cut_text_warnings(*encoder, prompts);
  }
  if (labels.size() == 1 && !labelling.fusion.sigmoid_bias &&
      labelling.vectors.vetoes.empty()) {
    warnings.push_back(
        fmt::format("'{}' is the only label, so every picture gets it with a score of 1; name "
                    "others beside it, or ask for 'none', too",
                    labels.front().name));
  }
  for (const std::vector<size_t>& group : equal_labels(labelling.vectors)) {
    std::string names;
    for (const size_t place : group)
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", labels[place].name);
    warnings.push_back(
        fmt::format("{} are the same to the model (it knows no capitals, and reads the beginning "
                    "of long prompts only); '{}' gets their pictures",
                    names, labels[group.front()].name));
  }
  return warnings;
}

}  // namespace zeroshelf
