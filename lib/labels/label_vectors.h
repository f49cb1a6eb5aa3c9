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
// prompt ensemble of Radford et al. 2021, section 3.1.4). vector_of gives a prompt's vector, all of
// one dimension. Returns [labels, dimension].
Matrix average_prompts(const std::vector<Label>& labels, size_t dimension,
                       const std::function<std::span<const float>(const std::string&)>& vector_of);

// The same with every distinct prompt encoded once.
Matrix encode_labels(Encoder& encoder, const std::vector<Label>& labels);

}  // namespace zeroshelf
