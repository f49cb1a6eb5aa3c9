// The kernels that run here in fp32 and the portable ones against plain loops, without libtorch: that is the oracle of all
// kernels in network_test.cc, and no other processor's is at hand where tests/util/portable_test.sh runs this file.

#include "models/compute/kernels.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <random>
#include <vector>

#include "models/compute/packed_linear.h"

namespace zeroshelf {
namespace {

using Floats = std::vector<float>;

Floats random_floats(std::mt19937& random, size_t count, float scale) {
  std::normal_distribution<float> normal(0, scale);
  Floats values(count);
  for (float& value : values) value = normal(random);
  return values;
}

std::vector<const Kernels*> kernels_here() {
  return {&clip_kernels::kPortable, &clip_kernels::fp32_kernels()};
}

double applied(After after, double x, double before) {
  switch (after) {
    case After::Nothing:
      return x;
    case After::QuickGelu:
      return x / (1 + std::exp(-1.702 * x));
    case After::Gelu:
      return x * (1 + std::erf(x / std::sqrt(2.0))) / 2;
    case After::GeluTanh:
      return x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x))) / 2;
    case After::Relu:
      return std::max(x, 0.0);
    case After::AddToResult:
      return x + before;
  }
  return NAN;
}

BOOST_AUTO_TEST_SUITE(kernels)

BOOST_AUTO_TEST_CASE(a_multiplication_and_what_follows_it_are_those_of_a_plain_loop) {
  constexpr size_t kRows = 37, kIn = 75, kOut = 43;
  std::mt19937 random(1);
  const Floats weights = random_floats(random, kOut * kIn, 0.25f);
  const Floats bias = random_floats(random, kOut, 1);
  const Floats x = random_floats(random, kRows * kIn, 1);
  const Floats before = random_floats(random, kRows * kOut, 1);
  for (const Kernels* kernels : kernels_here()) {
    for (const After after : {After::Nothing, After::QuickGelu, After::Gelu, After::GeluTanh,
                              After::Relu, After::AddToResult}) {
      const std::span<const float> whole(weights);
      const PackedLinear linear(*kernels, {.in = kIn, .out = kOut, .after = after}, {&whole, 1},
                                bias);
      OperandBuffer memory;
      const Operand operand = memory.make(*kernels, kRows, kIn);
      kernels->put(x.data(), kRows, kIn, operand, 0);
      Floats got = before;
      linear.run(operand, kRows, got.data());
      double worst = 0;
      for (size_t i = 0; i < got.size(); ++i) {
        double product = bias[i % kOut];
        for (size_t j = 0; j < kIn; ++j)
          product += double{x[i / kOut * kIn + j]} * weights[i % kOut * kIn + j];
        worst = std::max(worst, std::abs(got[i] - applied(after, product, before[i])));
      }
      BOOST_TEST_CONTEXT(kernels->name << ", " << static_cast<int>(after))
      BOOST_TEST(worst < 1e-4);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_row_is_normalised) {
  constexpr size_t kRows = 5, kWidth = 83;
  std::mt19937 random(2);
  const Floats x = random_floats(random, kRows * kWidth, 3);
  const Floats weight = random_floats(random, kWidth, 1);
  const Floats bias = random_floats(random, kWidth, 1);
  for (const Kernels* kernels : kernels_here()) {
    Floats got(x.size());
    kernels->layer_norm_floats(x.data(), kRows, kWidth, {weight.data(), bias.data(), 1e-5f},
                               got.data());
    double worst = 0;
    for (size_t row = 0; row < kRows; ++row) {
      const float* const values = x.data() + row * kWidth;
      double mean = 0, variance = 0;
      for (size_t j = 0; j < kWidth; ++j) mean += values[j] / double{kWidth};
      for (size_t j = 0; j < kWidth; ++j)
        variance += (values[j] - mean) * (values[j] - mean) / double{kWidth};
      for (size_t j = 0; j < kWidth; ++j) {
        const double expected = (values[j] - mean) / std::sqrt(variance + 1e-5) * weight[j] + bias[j];
        worst = std::max(worst, std::abs(got[row * kWidth + j] - expected));
      }
    }
    BOOST_TEST_CONTEXT(kernels->name) BOOST_TEST(worst < 1e-4);
  }
}

BOOST_AUTO_TEST_CASE(attention_is_that_of_a_plain_loop) {
  constexpr size_t kLength = 21, kHeads = 2, kHeadWidth = 12, kWidth = kHeads * kHeadWidth;
  std::mt19937 random(3);
  const Floats qkv = random_floats(random, kLength * 3 * kWidth, 1);
  const auto value = [&](size_t token, size_t part, size_t head, size_t i) {
    return double{qkv[(token * 3 + part) * kWidth + head * kHeadWidth + i]};
  };
  for (const bool is_causal : {false, true}) {
    Floats expected(kLength * kWidth);
    for (size_t query = 0; query < kLength; ++query) {
      for (size_t head = 0; head < kHeads; ++head) {
        std::vector<double> shares(is_causal ? query + 1 : kLength);
        double sum = 0;
        for (size_t key = 0; key < shares.size(); ++key) {
          double score = 0;
          for (size_t i = 0; i < kHeadWidth; ++i)
            score += value(query, 0, head, i) * value(key, 1, head, i);
          sum += shares[key] = std::exp(score / std::sqrt(double{kHeadWidth}));
        }
        for (size_t i = 0; i < kHeadWidth; ++i) {
          double mixed = 0;
          for (size_t key = 0; key < shares.size(); ++key)
            mixed += shares[key] / sum * value(key, 2, head, i);
          expected[query * kWidth + head * kHeadWidth + i] = static_cast<float>(mixed);
        }
      }
    }
    for (const Kernels* kernels : kernels_here()) {
      OperandBuffer parts_memory, mixed_memory;
      AlignedBuffer scratch;
      const Operand parts = parts_memory.make(*kernels, kLength, 3 * kWidth);
      kernels->put(qkv.data(), kLength, 3 * kWidth, parts, 0);
      const Operand mixed = mixed_memory.make(*kernels, kLength, kWidth);
      kernels->attention(parts, 0, {kLength, kHeads, kHeadWidth, 0, kLength, is_causal},
                         scratch.bytes(kernels->attention_scratch(kLength, kHeadWidth)), mixed, 0);
      // An operand of these kernels is floats, row by row.
      double worst = 0;
      for (size_t i = 0; i < expected.size(); ++i) {
        const float got = static_cast<const float*>(mixed.data)[i / kWidth * mixed.stride + i % kWidth];
        worst = std::max(worst, double{std::abs(got - expected[i])});
      }
      BOOST_TEST_CONTEXT(kernels->name << (is_causal ? ", causal" : "")) BOOST_TEST(worst < 1e-5);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
