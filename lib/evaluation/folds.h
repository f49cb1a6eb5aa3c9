#pragma once

// Dividing labelled examples into parts, so that what is fitted is measured on what it has not
// seen.

#include <cstdint>
#include <span>
#include <vector>

namespace zeroshelf {

// The fold of each example, 0 to folds - 1: every class is spread over the folds as evenly as can
// be, which of its examples go where follows from the seed. folds is at least 2.
std::vector<uint32_t> stratified_folds(std::span<const uint32_t> classes, uint32_t folds,
                                       uint64_t seed);

}  // namespace zeroshelf
