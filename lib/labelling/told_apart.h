#pragma once

// What a model cannot tell of what it is asked: texts that are longer than it reads, labels that
// are the same to it.

#include <string>
#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/labelling/classify.h"

namespace zeroshelf {

// Whether the model reads the text to its end only.
bool is_cut(const Encoder& encoder, const std::string& text);

// Groups of labels that have the same vectors, in the order of the labels.
std::vector<std::vector<size_t>> equal_labels(const LabelVectors& vectors);

}  // namespace zeroshelf
