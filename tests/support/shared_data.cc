#include "tests/support/shared_data.h"

#include <cstdlib>
#include <cstring>
#include <functional>
#include <numeric>
#include <regex>
#include <sstream>
#include <stdexcept>

#include "lib/util/file.h"

namespace zeroshelf::testing {
namespace {

float from_half(uint16_t half) {
  const uint32_t sign = (half & 0x8000u) << 16;
  const uint32_t exponent = half >> 10 & 31;
  const uint32_t fraction = half & 1023;
  if (exponent == 0) {
    return (sign ? -1.0f : 1.0f) * static_cast<float>(fraction) / (1 << 24);
  }
  const uint32_t bits =
      sign | (exponent == 31 ? 0x7f800000u : (exponent + 112) << 23) | fraction << 13;
  float value;
  std::memcpy(&value, &bits, 4);
  return value;
}

}  // namespace

std::filesystem::path shared_directory() {
  const char* named = std::getenv("ZEROSHELF_SHARED");
  const std::filesystem::path path = named != nullptr ? named : ZEROSHELF_SHARED_DEFAULT;
  return std::filesystem::exists(path / "golden" / "index.json") ? path : "";
}

NpyArray read_npy(const std::filesystem::path& path) {
  const std::string file = read_file(path, uint64_t{1} << 30);
  uint16_t header_size = 0;
  std::memcpy(&header_size, file.data() + 8, 2);
  const std::string header = file.substr(10, header_size);
  std::smatch match;
  if (!std::regex_search(header, match, std::regex("'shape': \\(([0-9, ]*)\\)"))) {
    throw std::runtime_error("no shape in " + path.string());
  }
  NpyArray array;
  std::stringstream numbers(match[1]);
  for (std::string number; std::getline(numbers, number, ',');) {
    if (number.find_first_of("0123456789") != std::string::npos)
      array.shape.push_back(std::stoul(number));
  }
  array.values.resize(
      std::accumulate(array.shape.begin(), array.shape.end(), size_t{1}, std::multiplies<>()));
  const char* data = file.data() + 10 + header_size;
  if (header.find("<f4") != std::string::npos) {
    std::memcpy(array.values.data(), data, array.values.size() * 4);
  } else if (header.find("<i4") != std::string::npos) {
    for (size_t i = 0; i < array.values.size(); ++i) {
      int32_t value = 0;
      std::memcpy(&value, data + 4 * i, 4);
      array.values[i] = static_cast<float>(value);
    }
  } else if (header.find("|i1") != std::string::npos) {
    for (size_t i = 0; i < array.values.size(); ++i)
      array.values[i] = static_cast<signed char>(data[i]);
  } else if (header.find("<f2") != std::string::npos) {
    for (size_t i = 0; i < array.values.size(); ++i) {
      uint16_t half = 0;
      std::memcpy(&half, data + 2 * i, 2);
      array.values[i] = from_half(half);
    }
  } else {
    throw std::runtime_error("neither float16, float32, int8 nor int32: " + path.string());
  }
  return array;
}

}  // namespace zeroshelf::testing
