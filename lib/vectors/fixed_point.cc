// Queries in fixed point and the choice among the kernels. Tested by
// tests/vectors/fixed_point_test.cc.

#include "lib/vectors/fixed_point.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "lib/util/cpu.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

// Rows are unit vectors but for the rounding of fp16: no sum of products, however far it has come,
// is beyond 2^15 * 64,000 and the rounding of either side, which 32 bits hold.
constexpr double kRowScale = 0x1p15;
constexpr double kLongestQuery = 64'000;
constexpr double kLargestValue = 32'767;

// What a query is multiplied with; 0 for one of zeros.
double scale_of(std::span<const float> query) {
  double largest = 0;
  double squares = 0;
  for (const float value : query) {
    largest = std::max(largest, std::abs(static_cast<double>(value)));
    squares += static_cast<double>(value) * static_cast<double>(value);
  }
  return largest == 0 ? 0 : std::min(kLargestValue / largest, kLongestQuery / std::sqrt(squares));
}

// A row whose values are all within (-1, 1).
bool has_place(std::span<const uint16_t> row) {
  return std::ranges::all_of(row, [](uint16_t half) { return (half & 0x7fff) < 0x3c00; });
}

}  // namespace

std::span<const FixedPointKernel> fixed_point_kernels() {
  static const FixedPointKernel all[] = {{"avx512", kernel::fixed_products_avx512, 32},
                                         {"avx2", kernel::fixed_products_avx2, 16},
                                         {"portable", kernel::fixed_products_portable, 8}};
  const InstructionSet set = instruction_set();
  if (set == InstructionSet::Portable) return std::span(all).subspan(2);
  const bool vnni = set == InstructionSet::Avx512 && __builtin_cpu_supports("avx512vnni");
  return std::span(all).subspan(vnni ? 0 : 1);
}

FixedPointQueries::FixedPointQueries(const Matrix& queries, const FixedPointKernel& kernel)
    : kernel_(kernel), queries_(queries), units_(queries.rows()) {
  const size_t whole = kernel.register_values;
  stride_ = (queries.columns() + whole - 1) / whole * whole;
  values_.resize(queries.rows() * stride_);
  for (size_t q = 0; q < queries.rows(); ++q) {
    const auto query = queries.row(q);
    const double scale = scale_of(query);
    if (scale > 0) units_[q] = static_cast<float>(1 / (kRowScale * scale));
    // See kernel::FixedQueries.
    const size_t in_panel = q % kernel::kPanelQueries;
    const size_t panel = std::min(kernel::kPanelQueries, queries.rows() - (q - in_panel));
    int16_t* const values = values_.data() + (q - in_panel) * stride_ + in_panel * whole;
    for (size_t i = 0; i < query.size(); ++i) {
      const size_t at = i % whole;
      const size_t place = at % (whole / 2) * 2 + at / (whole / 2);
      values[(i - at) * panel + place] =
          static_cast<int16_t>(std::nearbyint(static_cast<double>(query[i]) * scale));
    }
  }
}

void FixedPointQueries::inner_products(const VectorRows& vectors, Row first_row, size_t rows,
                                       std::span<float> out) const {
  assert(first_row + rows <= vectors.size());
  assert(queries_.columns() == vectors.dimension());
  assert(out.size() == rows * count());
  const kernel::FixedQueries queries{values_.data(), stride_, units_.data(), count()};
  bool any_beyond = false;
  for (const VectorRows::Segment& part : vectors.segments(first_row, rows)) {
    any_beyond |= kernel_.run(part.data, part.rows, vectors.dimension(), queries,
                              out.data() + (part.first_row - first_row) * count());
  }
  if (!any_beyond) return;
  for (size_t i = 0; i < rows; ++i) {
    if (!has_place(vectors.row(first_row + i)))
      zeroshelf::inner_products(vectors, first_row + i, 1, queries_,
                                out.subspan(i * count(), count()));
  }
}

}  // namespace zeroshelf
