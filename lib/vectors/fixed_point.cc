// Queries in fixed point and the choice among the kernels. Tested by
// tests/vectors/fixed_point_test.cc.

#include "lib/vectors/fixed_point.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <functional>
#include <utility>

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

constexpr size_t whole_multiple(size_t count, size_t of) {
  return (count + of - 1) / of * of;
}

// Where value i lies in the order of kernel::FixedQueries.
size_t place_of(size_t i, size_t register_values) {
  const size_t at = i % register_values;
  const size_t half = register_values / 2;
  return i - at + at % half * 2 + at / half;
}

// See kernel::FixedQueries.
size_t place_in_panels(size_t query, size_t queries, size_t place, size_t stride,
                       size_t register_values) {
  const size_t in_panel = query % kernel::kPanelQueries;
  const size_t first = query - in_panel;
  const size_t panel = std::min(kernel::kPanelQueries, queries - first);
  const size_t at = place % register_values;
  return first * stride + (place - at) * panel + in_panel * register_values + at;
}

// Where the upper byte lies; the lower one lies a tile farther.
size_t place_in_tiles(size_t query, size_t place, size_t stride) {
  const size_t panel = query / kernel::kTileQueries * (stride / kernel::kTileValues);
  const size_t tile = 2 * (panel + place / kernel::kTileValues);
  const size_t at = place % kernel::kTileValues;
  return tile * kernel::kTileBytes +
         4 * (at / 4 * kernel::kTileQueries + query % kernel::kTileQueries) + at % 4;
}

}  // namespace

std::span<const FixedPointKernel> fixed_point_kernels() {
#if defined(__x86_64__)
  static const FixedPointKernel all[] = {{"amx", kernel::fixed_products_amx, 32, /*in_tiles=*/true,
                                          /*fewest_queries=*/kernel::kPanelQueries + 1},
                                         {"avx512", kernel::fixed_products_avx512, 32},
                                         {"avx2", kernel::fixed_products_avx2, 16},
                                         {"portable", kernel::fixed_products_portable, 8}};
  const InstructionSet set = instruction_set();
  if (set == InstructionSet::Portable) return std::span(all).subspan(3);
  if (set != InstructionSet::Avx512 || !__builtin_cpu_supports("avx512vnni"))
    return std::span(all).subspan(2);
  return std::span(all).subspan(has_matrix_tiles() ? 0 : 1);
#else
  static const FixedPointKernel portable[] = {{"portable", kernel::fixed_products_portable, 8}};
  return portable;
#endif
}

const FixedPointKernel& fixed_point_kernel_for(size_t queries, size_t dimension) {
  for (const FixedPointKernel& kernel : fixed_point_kernels()) {
    if (queries >= kernel.fewest_queries &&
        (!kernel.in_tiles || dimension <= kernel::kMostTiledValues))
      return kernel;
  }
  return fixed_point_kernels().back();
}

FixedPointQueries::FixedPointQueries(const Matrix& queries, std::vector<float> offsets)
    : FixedPointQueries(queries, std::move(offsets),
                        fixed_point_kernel_for(queries.rows(), queries.columns())) {}

FixedPointQueries::FixedPointQueries(const Matrix& queries, std::vector<float> offsets,
                                     const FixedPointKernel& kernel)
    : kernel_(kernel),
      queries_(queries),
      units_(queries.rows()),
      offsets_(offsets.empty() ? std::vector<float>(queries.rows()) : std::move(offsets)) {
  assert(offsets_.size() == queries.rows());
  const size_t count = queries.rows();
  const size_t whole = kernel.register_values;
  if (kernel.in_tiles) {
    assert(queries.columns() <= kernel::kMostTiledValues);
    stride_ = whole_multiple(queries.columns(), kernel::kTileValues);
    tiles_.resize(2 * whole_multiple(count, kernel::kTileQueries) * stride_);
  } else {
    stride_ = whole_multiple(queries.columns(), whole);
    values_.resize(count * stride_);
  }
  for (size_t q = 0; q < count; ++q) {
    const auto query = queries.row(q);
    const double scale = scale_of(query);
    if (scale > 0) units_[q] = static_cast<float>(1 / (kRowScale * scale));
    for (size_t i = 0; i < query.size(); ++i) {
      const auto value =
          static_cast<int16_t>(std::nearbyint(static_cast<double>(query[i]) * scale));
      const size_t place = place_of(i, whole);
      if (kernel.in_tiles) {
        const size_t at = place_in_tiles(q, place, stride_);
        tiles_[at] = static_cast<uint8_t>(value >> 8);
        tiles_[at + kernel::kTileBytes] = static_cast<uint8_t>(value);
      } else {
        values_[place_in_panels(q, count, place, stride_, whole)] = value;
      }
    }
  }
}

void FixedPointQueries::inner_products(const VectorRows& vectors, Row first_row, size_t rows,
                                       std::span<float> out) const {
  assert(first_row + rows <= vectors.size());
  assert(queries_.columns() == vectors.dimension());
  assert(out.size() == rows * count());
  const kernel::FixedQueries queries{values_.data(), tiles_.data(),   stride_,
                                     units_.data(),  offsets_.data(), count()};
  bool any_beyond = false;
  for (const VectorRows::Segment& part : vectors.segments(first_row, rows)) {
    any_beyond |= kernel_.run(part.data, part.rows, vectors.dimension(), queries,
                              out.data() + (part.first_row - first_row) * count());
  }
  if (!any_beyond) return;
  for (size_t i = 0; i < rows; ++i) {
    if (has_place(vectors.row(first_row + i))) continue;
    const std::span<float> of_row = out.subspan(i * count(), count());
    zeroshelf::inner_products(vectors, first_row + i, 1, queries_, of_row);
    std::ranges::transform(of_row, offsets_, of_row.begin(), std::plus());
  }
}

}  // namespace zeroshelf
