#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <numeric>
#include <random>

#include "lib/util/fp16_kernel.h"
#include "lib/vectors/kernel.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

struct NamedKernel {
  const char* name;
  kernel::InnerProducts run;
  kernel::ScatteredProducts run_scattered;
};

// Every kernel that this processor can run.
std::vector<NamedKernel> kernels() {
  using namespace kernel;
  std::vector<NamedKernel> result = {
      {"portable", inner_products_portable, scattered_products_portable}};
#if defined(__x86_64__)
  if (scan_kernel_name() != "portable")
    result.push_back({"avx2", inner_products_avx2, scattered_products_avx2});
  if (scan_kernel_name() == "avx512")
    result.push_back({"avx512", inner_products_avx512, scattered_products_avx512});
#endif
  return result;
}

std::vector<float> random_unit_rows(std::mt19937& random, size_t rows, size_t dimension) {
  std::normal_distribution<float> normal;
  std::vector<float> values(rows * dimension);
  for (size_t i = 0; i < rows; ++i) {
    const std::span<float> row(values.data() + i * dimension, dimension);
    for (float& value : row) value = normal(random);
    normalise(row);
  }
  return values;
}

// The oracle.
double exact(const uint16_t* row, const float* query, size_t dimension) {
  std::vector<float> values(dimension);
  kernel::from_fp16_portable(row, dimension, values.data());
  double sum = 0;
  for (size_t i = 0; i < dimension; ++i) sum += static_cast<double>(values[i]) * query[i];
  return sum;
}

BOOST_AUTO_TEST_SUITE(scan)

BOOST_AUTO_TEST_CASE(every_kernel_equals_a_plain_double_loop) {
  std::mt19937 random(5);
  for (const size_t dimension : {1, 2, 7, 8, 15, 16, 31, 32, 48, 96, 512, 513, 768, 1152}) {
    for (const size_t rows : {1, 3, 4, 5, 17}) {
      for (const size_t queries : {1, 2, 4, 7, 10, 12, 13, 33}) {
        const std::vector<float> row_values = random_unit_rows(random, rows, dimension);
        const std::vector<float> query_values = random_unit_rows(random, queries, dimension);
        // At an odd address, as in a FAISS file.
        std::vector<std::byte> storage(rows * dimension * 2 + 1);
        std::vector<uint16_t> halves(rows * dimension);
        to_fp16(row_values, halves);
        std::memcpy(storage.data() + 1, halves.data(), halves.size() * 2);
        const auto* data = reinterpret_cast<const uint16_t*>(storage.data() + 1);
        for (const NamedKernel& kernel : kernels()) {
          std::vector<float> got(rows * queries, NAN);
          kernel.run(data, rows, dimension, query_values.data(), queries, got.data());
          double worst = 0;
          for (size_t i = 0; i < got.size(); ++i) {
            const double expected = exact(halves.data() + i / queries * dimension,
                                          query_values.data() + i % queries * dimension, dimension);
            worst = std::max(worst, std::isnan(got[i]) ? 1e9 : std::abs(got[i] - expected));
          }
          BOOST_TEST_CONTEXT(kernel.name << " dimension " << dimension << " rows " << rows
                                         << " queries " << queries) {
            BOOST_TEST(worst <= 2e-6 * std::sqrt(static_cast<double>(dimension)));
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(scattered_rows_give_the_bits_of_consecutive_ones) {
  std::mt19937 random(6);
  for (const size_t dimension : {1, 8, 31, 512, 513, 1152}) {
    for (const size_t rows : {0, 1, 3, 16, 20, 21, 57}) {
      std::vector<uint16_t> halves(rows * dimension);
      to_fp16(random_unit_rows(random, rows, dimension), halves);
      const std::vector<float> query = random_unit_rows(random, 1, dimension);
      std::vector<size_t> order(rows);
      std::iota(order.begin(), order.end(), size_t{0});
      std::ranges::shuffle(order, random);
      std::vector<const uint16_t*> places;
      for (const size_t row : order) places.push_back(halves.data() + row * dimension);
      for (const NamedKernel& kernel : kernels()) {
        std::vector<float> consecutive(rows);
        std::vector<float> scattered(rows);
        kernel.run(halves.data(), rows, dimension, query.data(), 1, consecutive.data());
        kernel.run_scattered(places.data(), rows, dimension, query.data(), scattered.data());
        BOOST_TEST_CONTEXT(kernel.name << " " << rows << " x " << dimension) {
          for (size_t i = 0; i < rows; ++i) BOOST_TEST(scattered[i] == consecutive[order[i]]);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(top_rows_is_the_front_of_a_full_sort_with_ties_in_row_order) {
  constexpr size_t kDimension = 16;
  std::mt19937 random(6);
  VectorRows vectors(kDimension);
  std::vector<float> values = random_unit_rows(random, 3000, kDimension);
  std::vector<uint16_t> halves(kDimension);
  for (size_t i = 0; i < 3000; ++i) {
    if (i % 3 == 1)
      std::copy_n(values.begin(), kDimension,
                  values.begin() + static_cast<ptrdiff_t>(i * kDimension));
    to_fp16(std::span(values).subspan(i * kDimension, kDimension), halves);
    vectors.append(halves);
  }
  const std::vector<float> query = random_unit_rows(random, 1, kDimension);
  const auto keep = [](Row row) { return row % 5 != 0; };
  Matrix queries(1, kDimension);
  std::copy(query.begin(), query.end(), queries.row(0).begin());
  std::vector<ScoredRow> expected;
  for (Row row = 0; row < 3000; ++row) {
    float score = 0;
    inner_products(vectors, row, 1, queries, std::span(&score, 1));
    if (keep(row)) expected.push_back({row, score});
  }
  std::stable_sort(expected.begin(), expected.end(),
                   [](const auto& a, const auto& b) { return a.score > b.score; });
  for (const size_t k : {1u, 10u, 1500u, 5000u}) {
    for (const unsigned threads : {1u, 4u}) {
      const std::vector<ScoredRow> got = top_rows(vectors, query, k, keep, threads);
      BOOST_REQUIRE(got.size() == std::min(k, expected.size()));
      for (size_t i = 0; i < got.size(); ++i) BOOST_REQUIRE(got[i].row == expected[i].row);
    }
  }
  BOOST_TEST(top_rows(vectors, query, 0, keep).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
