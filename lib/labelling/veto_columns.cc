// Tested by tests/labelling/labelling_test.cc.

#include "lib/labelling/veto_columns.h"

#include <algorithm>
#include <cstdint>

namespace zeroshelf {

VetoVectors veto_columns(const std::vector<VetoPlace>& places, size_t dimension) {
  VetoVectors result;
  uint32_t columns = 0;
  for (const VetoPlace& place : places) {
    const bool is_first = result.empty() || result.vetoes.back().label != place.label;
    const uint32_t own = is_first ? columns++ : result.vetoes.back().own;
    result.vetoes.push_back({place.label, place.prompt, own, columns++});
  }
  result.image = Matrix(columns, dimension);
  result.text = result.image;
  return result;
}

VetoVectors veto_vectors(const PromptVectors& prompts) {
  VetoVectors result = veto_columns(prompts.vetoes, prompts.labels.columns());
  for (size_t i = 0; i < result.vetoes.size(); ++i) {
    const Veto& veto = result.vetoes[i];
    std::ranges::copy(prompts.labels.row(veto.label), result.image.row(veto.own).begin());
    std::ranges::copy(prompts.of_vetoes.row(i), result.image.row(veto.against).begin());
  }
  result.text = result.image;
  return result;
}

}  // namespace zeroshelf
