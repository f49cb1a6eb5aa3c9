#pragma once

// The reference data beside the checkout: ../shared, or the folder that ZEROSHELF_SHARED names.
// It is not part of the project; tests that need it report themselves as skipped without it.

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf::testing {

// The folder, or an empty path where it is absent.
std::filesystem::path shared_directory();

// A NumPy array of float16, float32, int8 or int32, as floats (whole numbers to 2^24 are exact).
struct NpyArray {
  std::vector<size_t> shape;
  std::vector<float> values;
};
NpyArray read_npy(const std::filesystem::path& path);

}  // namespace zeroshelf::testing
