#include "lib/util/fp16.h"

#include <boost/test/unit_test.hpp>
#include <cstring>
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

}  // namespace zeroshelf
