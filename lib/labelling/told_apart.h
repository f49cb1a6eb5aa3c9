#pragma once

// What a model cannot tell of what it is asked: texts that are longer than it reads, labels that
// are the same to it.

#include <span>
#include <string>
#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/labelling/classify.h"

namespace zeroshelf {

// Whether the model reads the text to its end only.
bool is_cut(const Encoder& encoder, const std::string& text);

// Groups of labels that have the same vectors, in the order of the labels.
std::vector<std::vector<size_t>> equal_labels(const LabelVectors& vectors);

// What a person should know, a line each: of texts that are cut the first few, and how many more;
// of labels that have the same vectors, and of a label that is alone where labels exclude each
// other. encoder: null where none was needed, so that no prompt is looked at.
std::vector<std::string> cut_text_warnings(const Encoder& encoder,
                                           std::span<const std::string> texts);
std::vector<std::string> label_warnings(const Labelling& labelling, const Encoder* encoder);

}  // namespace zeroshelf
