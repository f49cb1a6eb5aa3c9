#pragma once

// A large collection of random vectors, for benchmarks of labelling: no model is needed.

#include <cstdint>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

inline constexpr uint32_t kRandomShelfDimension = 512;
inline constexpr const char* kRandomShelfFingerprint = "random";

std::vector<float> random_unit_vector(std::minstd_rand& random);
Matrix random_unit_vectors(uint32_t seed, size_t rows);

// So many pictures, two of five with text; those that are there already stay.
View make_random_shelf(const std::filesystem::path& path, uint64_t rows);

// Keeps random vectors of the prompts with it, in every precision that a program may compute in, so
// that programs need no model to answer.
void keep_random_prompts(const std::filesystem::path& path,
                         const std::vector<std::string>& prompts);

}  // namespace zeroshelf
