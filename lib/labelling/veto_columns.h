#pragma once

// Where vetoes and the labels that they are against have their columns.

#include <vector>

#include "lib/labelling/classify.h"
#include "lib/labels/label_vectors.h"

namespace zeroshelf {

// Columns of zeros: for each label that has vetoes one for its own prompts, then one a veto.
// places: as vetoes_of() gives them.
VetoVectors veto_columns(const std::vector<VetoPlace>& places, size_t dimension);

// The same with the vectors of prompts in them.
VetoVectors veto_vectors(const PromptVectors& prompts);

}  // namespace zeroshelf
