// The same bits by every kernel, here and on other processors (tests/util/portable_test.sh runs it on arm64, too).

#include "lib/ocr/line_kernel.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <vector>

#include "lib/util/random.h"

namespace zeroshelf {
namespace {

// FNV-1a.
void mix(uint64_t& hash, float value) {
  hash = (hash ^ std::bit_cast<uint32_t>(value)) * 0x100000001b3u;
}

}  // namespace

BOOST_AUTO_TEST_CASE(every_processor_gives_the_same_bits) {
  Random random(7);
  std::vector<float> weights(LineNetShape::kWeights);
  for (float& weight : weights) weight = static_cast<float>(random.uniform(-0.2, 0.2));
  uint64_t hash = 0xcbf29ce484222325u;
  for (int columns = 16; columns <= LineNetShape::kMostColumns; columns += 8) {
    std::vector<uint8_t> samples(static_cast<size_t>(LineNetShape::kRows * columns));
    for (uint8_t& sample : samples) sample = static_cast<uint8_t>(random.below(256));
    float features[LineNetShape::kFeatures];
    for (float& feature : features) feature = static_cast<float>(random.uniform(-1, 1));
    const float portable = line_kernel_portable(samples.data(), columns, features, weights.data());
    mix(hash, portable);
    BOOST_TEST(line_kernel()(samples.data(), columns, features, weights.data()) == portable);
  }
  BOOST_TEST(hash == 15690716105090689155u);
}

}  // namespace zeroshelf
