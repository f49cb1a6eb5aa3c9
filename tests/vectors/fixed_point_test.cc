#include "lib/vectors/fixed_point.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <tuple>

#include "lib/vectors/fixed_matrix.h"
#include "lib/vectors/fixed_register_portable.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

// What a unit for matrices of bytes does, for processors without one (Intel's manual, volume 2,
// TDPBSSD and its like).
class ImitatedUnit {
 public:
  static void begin() {}
  static void end() {}
  static void clear() { std::ranges::fill(sums_, 0u); }
  static void add(const uint8_t* rows, const uint8_t* queries) {
    const auto with_sign = [](uint8_t byte) { return int{static_cast<int8_t>(byte)}; };
    const auto without = [](uint8_t byte) { return int{byte}; };
    const uint8_t* const lower_rows = rows + kernel::kTileBytes;
    const uint8_t* const lower_queries = queries + kernel::kTileBytes;
    multiply(0, rows, with_sign, queries, with_sign);
    multiply(1, rows, with_sign, lower_queries, without);
    multiply(2, lower_rows, without, queries, with_sign);
    multiply(3, lower_rows, without, lower_queries, without);
  }
  static void store(uint32_t* sums) { std::ranges::copy(sums_, sums); }

 private:
  static void multiply(size_t tile, const uint8_t* a, const auto& value_a, const uint8_t* b,
                       const auto& value_b) {
    for (size_t row = 0; row < 16; ++row) {
      for (size_t column = 0; column < 16; ++column) {
        uint32_t& sum = sums_[256 * tile + 16 * row + column];
        for (size_t i = 0; i < 64; ++i)
          sum += static_cast<uint32_t>(value_a(a[64 * row + i]) *
                                       value_b(b[64 * (i / 4) + 4 * column + i % 4]));
      }
    }
  }

  static inline uint32_t sums_[4 * 256];
};

// All that this processor can run, and the one for a matrix unit on the imitated one.
std::vector<FixedPointKernel> kernels() {
  const auto all = fixed_point_kernels();
  std::vector<FixedPointKernel> result(all.begin(), all.end());
  result.push_back({"imitated unit", kernel::matrix_products<kernel::Portable, ImitatedUnit>, 8,
                    /*in_tiles=*/true});
  return result;
}

using Values = std::vector<float>;

Values random_unit_vector(std::mt19937& random, size_t dimension) {
  std::normal_distribution<float> normal;
  Values values(dimension);
  for (float& value : values) value = normal(random);
  normalise(values);
  return values;
}

Values one_hot(size_t dimension, size_t at, float value) {
  Values values(dimension);
  values[at] = value;
  return values;
}

// All of the same size, with signs that leave no cancellation.
Values flat(size_t dimension) {
  return Values(dimension, static_cast<float>(1 / std::sqrt(static_cast<double>(dimension))));
}

VectorRows rows_of(const std::vector<Values>& values) {
  VectorRows rows(static_cast<uint32_t>(values[0].size()));
  std::vector<uint16_t> halves(values[0].size());
  for (const Values& row : values) {
    to_fp16(row, halves);
    rows.append(halves);
  }
  return rows;
}

Matrix matrix_of(const std::vector<Values>& values) {
  Matrix matrix(values.size(), values[0].size());
  for (size_t i = 0; i < values.size(); ++i) std::ranges::copy(values[i], matrix.row(i).begin());
  return matrix;
}

// The oracle and the bound of fixed_point.h.
struct Exact {
  double product = 0;
  double bound = 0;
};

Exact exact(std::span<const uint16_t> row, std::span<const float> query) {
  Values x(row.size());
  from_fp16(row, x);
  double product = 0, sum_x = 0, sum_q = 0, squares = 0, largest = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double q = query[i];
    product += double{x[i]} * q;
    sum_x += std::abs(x[i]);
    sum_q += std::abs(q);
    squares += q * q;
    largest = std::max(largest, std::abs(q));
  }
  const double length = std::sqrt(squares);
  return {product, 0x1p-16 * sum_q + sum_x * std::max(largest / 32'767, length / 64'000) / 2 +
                       1e-6 * length};
}

std::vector<float> products(const FixedPointQueries& queries, const VectorRows& rows) {
  std::vector<float> out(rows.size() * queries.count(), NAN);
  queries.inner_products(rows, 0, rows.size(), out);
  return out;
}

// Every kernel within the bound, and all the same, also with offsets, which are added to the product
// as a float.
void check(const std::vector<Values>& row_values, const std::vector<Values>& query_values) {
  const VectorRows rows = rows_of(row_values);
  const Matrix queries = matrix_of(query_values);
  std::vector<float> first;
  for (const FixedPointKernel& kernel : kernels()) {
    const std::vector<float> got = products(FixedPointQueries(queries, {}, kernel), rows);
    BOOST_TEST_CONTEXT(kernel.name << ", " << rows.size() << " rows of " << rows.dimension() << ", "
                                   << queries.rows() << " queries") {
      for (size_t i = 0; i < got.size(); ++i) {
        const Exact expected = exact(rows.row(i / queries.rows()), queries.row(i % queries.rows()));
        BOOST_REQUIRE(std::abs(got[i] - expected.product) <= expected.bound);
      }
      if (first.empty()) first = got;
      BOOST_TEST((got == first));
      std::vector<float> offsets;
      for (size_t q = 0; q < queries.rows(); ++q)
        offsets.push_back(0.1f * static_cast<float>(q) - 0.3f);
      const std::vector<float> moved = products(FixedPointQueries(queries, offsets, kernel), rows);
      for (size_t i = 0; i < got.size(); ++i)
        BOOST_REQUIRE(moved[i] == got[i] + offsets[i % queries.rows()]);
    }
  }
}

BOOST_AUTO_TEST_SUITE(fixed_point)

BOOST_AUTO_TEST_CASE(every_kernel_is_within_the_bound_of_a_double_loop_and_all_are_the_same) {
  std::mt19937 random(5);
  for (const size_t dimension : {1, 2, 7, 8, 15, 16, 31, 32, 33, 48, 96, 512, 513, 768, 1152}) {
    for (const size_t row_count : {1, 2, 3, 5, 70}) {
      for (const size_t query_count : {1, 2, 3, 7, 10, 12, 13, 33}) {
        std::vector<Values> rows, queries;
        for (size_t i = 0; i < row_count; ++i)
          rows.push_back(random_unit_vector(random, dimension));
        for (size_t i = 0; i < query_count; ++i)
          queries.push_back(random_unit_vector(random, dimension));
        check(rows, queries);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(what_adds_up_to_the_most_does_not_overflow) {
  for (const size_t dimension : {2, 3, 32, 100, 512, 4096}) {
    std::vector<Values> rows = {flat(dimension), one_hot(dimension, 0, 0.9995f),
                                one_hot(dimension, dimension - 1, -0.9995f), Values(dimension)};
    Values opposite = flat(dimension);
    for (float& value : opposite) value = -value;
    Values two(dimension);
    two[0] = two[1] = std::sqrt(0.5f);
    rows.push_back(opposite);
    rows.push_back(two);
    std::vector<Values> queries = rows;
    for (const float scale : {1e-20f, 1e-3f, 37.5f, 1e20f}) {
      queries.push_back(flat(dimension));
      for (float& value : queries.back()) value *= scale;
    }
    check(rows, queries);
  }
}

BOOST_AUTO_TEST_CASE(rows_that_have_no_place_in_fixed_point_are_multiplied_in_floats) {
  constexpr size_t kDimension = 40;
  std::mt19937 random(6);
  std::vector<Values> values;
  for (size_t i = 0; i < 9; ++i) values.push_back(random_unit_vector(random, kDimension));
  const float infinity = std::numeric_limits<float>::infinity();
  const float out_of_range[] = {1, -1, 1.5f, NAN, infinity, -infinity};
  for (size_t place : {size_t{0}, size_t{31}, size_t{32}, kDimension - 1}) {
    for (const float value : out_of_range) {
      std::vector<Values> rows = values;
      rows[4] = one_hot(kDimension, place, value);
      const VectorRows stored = rows_of(rows);
      for (const size_t count : {2u, 20u}) {
        const Matrix queries = matrix_of(std::vector<Values>(count, flat(kDimension)));
        for (const FixedPointKernel& kernel : kernels()) {
          const FixedPointQueries fixed(queries, std::vector<float>(count, 0.25f), kernel);
          const std::vector<float> got = products(fixed, stored);
          const std::vector<float> without = products(fixed, rows_of(values));
          for (size_t i = 0; i < got.size(); ++i) {
            if (i / count != 4) {
              BOOST_TEST(got[i] == without[i]);
            } else if (std::isfinite(value)) {
              BOOST_TEST(std::abs(got[i] - 0.25f - value * queries.row(0)[place]) < 1e-6f);
            } else {
              BOOST_TEST(!std::isfinite(got[i]));
            }
          }
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_result_does_not_depend_on_the_rows_and_queries_beside_it) {
  constexpr size_t kDimension = 96;
  std::mt19937 random(7);
  std::vector<Values> rows, queries;
  for (size_t i = 0; i < 30; ++i) rows.push_back(random_unit_vector(random, kDimension));
  for (size_t i = 0; i < 30; ++i) queries.push_back(random_unit_vector(random, kDimension));
  const VectorRows stored = rows_of(rows);
  const std::vector<float> all = products(FixedPointQueries(matrix_of(queries)), stored);
  for (size_t q = 0; q < queries.size(); ++q) {
    const FixedPointQueries one(matrix_of({queries[q]}));
    for (Row row = 0; row < stored.size(); ++row) {
      float product = NAN;
      one.inner_products(stored, row, 1, std::span(&product, 1));
      BOOST_TEST(product == all[row * queries.size() + q]);
    }
  }
}

BOOST_AUTO_TEST_CASE(more_rows_than_are_converted_at_once_and_more_queries_than_a_tile_has) {
  std::mt19937 random(8);
  for (const auto& [dimension, row_count, query_count] :
       {std::tuple{4096, 35, 40}, std::tuple{512, 300, 100}, std::tuple{70, 2000, 31}}) {
    std::vector<Values> rows, queries;
    for (int i = 0; i < row_count; ++i)
      rows.push_back(random_unit_vector(random, static_cast<size_t>(dimension)));
    for (int i = 0; i < query_count; ++i)
      queries.push_back(random_unit_vector(random, static_cast<size_t>(dimension)));
    check(rows, queries);
  }
}

BOOST_AUTO_TEST_CASE(a_kernel_is_chosen_for_any_number_of_queries_and_dimensions) {
  for (const size_t queries : {1, 10, 16, 17, 1000}) {
    for (const size_t dimension : {1, 512, 4096, 4097, 100'000}) {
      const FixedPointKernel& chosen = fixed_point_kernel_for(queries, dimension);
      BOOST_TEST(chosen.fewest_queries <= queries);
      BOOST_TEST((!chosen.in_tiles || dimension <= kernel::kMostTiledValues));
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
