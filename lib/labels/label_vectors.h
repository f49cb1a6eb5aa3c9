#pragma once

// Labels -> one unit vector each.

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/encoder/encoder.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// Every prompt of the labels once, in order.
std::vector<std::string> distinct_prompts(const std::vector<Label>& labels);

// A label's vector is the mean of its prompts' unit vectors, scaled to unit length again (the
// prompt ensemble of Radford et al. 2021, section 3.1.4). encode gives the vectors of texts,
// [texts, dimension]; it is called once, with every prompt once. Returns [labels, dimension].
Matrix label_vectors(const std::vector<Label>& labels,
                     const std::function<Matrix(const std::vector<std::string>&)>& encode);
Matrix label_vectors(const std::vector<Label>& labels, Encoder& encoder);

}  // namespace zeroshelf
