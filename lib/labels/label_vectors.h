#pragma once

// Labels -> one unit vector each.

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// Whether it has a prompt that is a text and no veto.
bool has_text_prompt(const Label& label);

// Whether it has pictures for prompts and no text, but for vetoes.
bool has_pictures_alone(const Label& label);

// Every text of the labels' prompts and vetoes once, in order; pictures among them are left out.
std::vector<std::string> distinct_prompts(const std::vector<Label>& labels);

// A veto by its label and its place among the label's prompts.
struct VetoPlace {
  uint32_t label = 0;
  uint32_t prompt = 0;
};

// All of them, in the order of the labels and their prompts.
std::vector<VetoPlace> vetoes_of(const std::vector<Label>& labels);

struct PromptVectors {
  // [labels, dimension], see label_vectors(); zeros of a label without a text.
  Matrix labels;
  std::vector<VetoPlace> vetoes;  // see vetoes_of()
  Matrix of_vetoes;               // [vetoes, dimension], unit vectors; zeros of one that is no text
};

// A label's vector is the mean of its prompts' unit vectors, scaled to unit length again (the
// prompt ensemble of Radford et al. 2021, section 3.1.4). encode gives the vectors of texts,
// [texts, dimension]; it is called once, with every text once. Throws InvalidArgument for a label
// that has vetoes alone.
PromptVectors vectors_of_prompts(
    const std::vector<Label>& labels,
    const std::function<Matrix(const std::vector<std::string>&)>& encode);
// Without the vetoes: [labels, dimension].
Matrix label_vectors(const std::vector<Label>& labels,
                     const std::function<Matrix(const std::vector<std::string>&)>& encode);
Matrix label_vectors(const std::vector<Label>& labels, Encoder& encoder);

}  // namespace zeroshelf
