// Tested by tests/programs/everyday_test.cc.

#include "lib/labelling/told_apart.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <span>
#include <utility>

namespace zeroshelf {
namespace {

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

}  // namespace zeroshelf
