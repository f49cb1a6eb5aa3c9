#include "lib/util/fp16.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "lib/util/fp16_kernel.h"

namespace zeroshelf {

BOOST_AUTO_TEST_CASE(conversion_is_exact_for_all_halves_and_the_same_everywhere) {
  std::vector<uint16_t> halves;
  for (uint32_t bits = 0; bits < 65'536; ++bits) {
    if ((bits & 0x7c00) != 0x7c00) halves.push_back(static_cast<uint16_t>(bits));  // finite
  }
  std::vector<float> values(halves.size());
  std::vector<float> portable(halves.size());
  from_fp16(halves, values);
  kernel::from_fp16_portable(halves.data(), halves.size(), portable.data());
  BOOST_TEST(std::memcmp(values.data(), portable.data(), values.size() * 4) == 0);
  std::vector<uint16_t> back(halves.size());
  to_fp16(values, back);
  BOOST_TEST((back == halves));
  // Between two halves: to the nearest, ties to even.
  const std::vector<float> between = {1.0f + 0x1p-11f, 1.0f + 3 * 0x1p-11f, 1.0f + 0x1.8p-11f};
  std::vector<uint16_t> rounded(3);
  to_fp16(between, rounded);
  BOOST_TEST((rounded == std::vector<uint16_t>{0x3c00, 0x3c02, 0x3c01}));
}

BOOST_AUTO_TEST_CASE(floats_of_every_exponent_round_to_the_same_half_everywhere) {
  std::vector<float> values;
  for (uint32_t exponent = 0; exponent < 512; ++exponent) {  // with the sign
    for (uint32_t mantissa = 0; mantissa < 1u << 23; mantissa += 0x3ff) {
      for (const uint32_t near : {mantissa & ~0xfffu, mantissa, (mantissa & ~0x1fffu) | 0x1001u})
        values.push_back(std::bit_cast<float>((exponent << 23) | near));
    }
  }
  std::vector<uint16_t> here(values.size());
  std::vector<uint16_t> portable(values.size());
  to_fp16(values, here);
  kernel::to_fp16_portable(values.data(), values.size(), portable.data());
  BOOST_TEST((here == portable));
}

BOOST_AUTO_TEST_CASE(infinities_and_what_is_no_number_stay_what_they_are) {
  const std::vector<uint16_t> halves = {0x7c00, 0xfc00, 0x7e00, 0xfe01};
  std::vector<float> values(halves.size());
  kernel::from_fp16_portable(halves.data(), halves.size(), values.data());
  BOOST_TEST(values[0] == std::numeric_limits<float>::infinity());
  BOOST_TEST(values[1] == -std::numeric_limits<float>::infinity());
  BOOST_TEST((std::isnan(values[2]) && std::isnan(values[3])));
  std::vector<uint16_t> back(halves.size());
  kernel::to_fp16_portable(values.data(), values.size(), back.data());
  BOOST_TEST((back == halves));
}

}  // namespace zeroshelf
