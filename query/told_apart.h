#pragma once

// What a model cannot tell of what it is asked: texts that are longer than it reads, labels that
// are the same to it. Said on stderr.

#include <span>
#include <string>
#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/labelling/classify.h"
#include "lib/labels/labels.h"
#include "models/flags/model_source.h"

namespace zeroshelf {

// Warns of the texts that are cut.
void warn_of_cut_texts(const Encoder& encoder, std::span<const std::string> texts);

// Warns of labels that have the same vectors, of a label that is alone, and, where an encoder was
// needed, of prompts that are cut.
void warn_of_labels(const Labelling& labelling, const ModelSource& encoders);

}  // namespace zeroshelf
