#pragma once

// Labels -> one unit vector each.

#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// A label's vector is the mean of its prompts' unit vectors, scaled to unit length again (the
// prompt ensemble of Radford et al. 2021, section 3.1.4). Returns [labels, dimension]. Every
// distinct prompt is encoded once.
Matrix encode_labels(Encoder& encoder, const std::vector<Label>& labels);

}  // namespace zeroshelf
