// PIL's antialiased resampling, bit for bit.
// Tested by tests/image/preprocess_test.cc.
//
// Each pass is a weighted sum of 8-bit samples with weights of 22 fractional bits, rounded and
// clipped to 8 bits. Integer sums have no order, so they may be vectorised freely. The horizontal
// pass works on blocks of rows turned so that equal columns of all rows lie side by side: then both
// passes are the same long multiply-and-add over neighbouring bytes.

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <vector>

#include "lib/image/resample.h"

namespace zeroshelf {
namespace {

constexpr int kPrecisionBits = 32 - 8 - 2;
constexpr int kBlockRows = 16;
constexpr int kChannels = 3;
constexpr int kLanes = kBlockRows * kChannels;  // the samples of a column in a block of rows

double bicubic(double x) {
  constexpr double a = -0.5;
  x = std::fabs(x);
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

double bilinear(double x) {
  return std::max(1.0 - std::fabs(x), 0.0);
}

// As far from its centre as a filter is not 0, in samples.
double support_of(Filter filter) {
  return filter == Filter::Bicubic ? 2.0 : 1.0;
}

// The source samples that one result sample is made of.
struct Taps {
  int first = 0;
  int count = 0;
  const int32_t* weights = nullptr;
};

// The taps for the results first .. first + count - 1 of an axis resized from source to target.
class Weights {
 public:
  Weights(Filter filter, int source, int64_t target, int64_t first, int count) {
    const double scale = static_cast<double>(source) / static_cast<double>(target);
    const double filter_scale = std::max(scale, 1.0);
    const double support = support_of(filter) * filter_scale;
    // What no longer source can need: the support may be far wider than the source.
    stride_ = static_cast<int>(std::min<double>(std::ceil(support) * 2 + 1, source));
    fixed_.resize(static_cast<size_t>(count) * stride_);
    taps_.resize(count);
    std::vector<double> exact(stride_);
    for (int i = 0; i < count; ++i) {
      const double centre = (static_cast<double>(first + i) + 0.5) * scale;
      const int low = std::max(static_cast<int>(centre - support + 0.5), 0);
      const int high = std::min(static_cast<int>(centre + support + 0.5), source);
      taps_[i] = {low, high - low, nullptr};
      fill(filter, exact, taps_[i], centre, 1.0 / filter_scale);
      quantise(exact, taps_[i].count, fixed_.data() + static_cast<size_t>(i) * stride_);
    }
    for (int i = 0; i < count; ++i) {
      taps_[i].weights = fixed_.data() + static_cast<size_t>(i) * stride_;
    }
  }

  const std::vector<Taps>& taps() const { return taps_; }

 private:
  static void fill(Filter filter, std::vector<double>& exact, const Taps& taps, double centre,
                   double step) {
    const auto weight = filter == Filter::Bicubic ? bicubic : bilinear;
    double sum = 0.0;
    for (int k = 0; k < taps.count; ++k) {
      exact[k] = weight((k + taps.first - centre + 0.5) * step);
      sum += exact[k];
    }
    for (int k = 0; sum != 0.0 && k < taps.count; ++k) exact[k] /= sum;
  }

  static void quantise(const std::vector<double>& exact, int count, int32_t* fixed) {
    for (int k = 0; k < count; ++k) {
      const double scaled = exact[k] * (1 << kPrecisionBits);
      fixed[k] = static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
    }
  }

  int stride_ = 0;
  std::vector<int32_t> fixed_;
  std::vector<Taps> taps_;
};

// out[lane] = the sum over the taps of weight x source[tap x stride + lane], for Width lanes.
template <int Width>
[[gnu::always_inline]] inline void weigh(const uint8_t* source, ptrdiff_t stride, const Taps& taps,
                                         uint8_t* out) {
  int32_t sums[Width];
  for (int lane = 0; lane < Width; ++lane) sums[lane] = 1 << (kPrecisionBits - 1);
  for (int k = 0; k < taps.count; ++k) {
    const uint8_t* samples = source + k * stride;
    const int32_t weight = taps.weights[k];
    for (int lane = 0; lane < Width; ++lane) sums[lane] += samples[lane] * weight;
  }
  for (int lane = 0; lane < Width; ++lane) {
    out[lane] = static_cast<uint8_t>(std::clamp(sums[lane] >> kPrecisionBits, 0, 255));
  }
}

// One row of a vertical pass: bytes samples, rows stride bytes apart, source at the first tap.
[[gnu::always_inline]] inline void weigh_rows_body(const uint8_t* source, ptrdiff_t stride,
                                                   const Taps& taps, int bytes, uint8_t* out) {
  int x = 0;
  for (; x + kLanes <= bytes; x += kLanes) weigh<kLanes>(source + x, stride, taps, out + x);
  for (; x < bytes; ++x) weigh<1>(source + x, stride, taps, out + x);
}

// A horizontal pass over a block of turned rows: a column is kLanes samples.
[[gnu::always_inline]] inline void weigh_columns_body(const uint8_t* turned,
                                                      const std::vector<Taps>& taps, uint8_t* out) {
  for (size_t i = 0; i < taps.size(); ++i) {
    weigh<kLanes>(turned + static_cast<ptrdiff_t>(taps[i].first) * kLanes, kLanes, taps[i],
                  out + i * kLanes);
  }
}

struct Kernels {
  void (*weigh_rows)(const uint8_t*, ptrdiff_t, const Taps&, int, uint8_t*);
  void (*weigh_columns)(const uint8_t*, const std::vector<Taps>&, uint8_t*);
};

void weigh_rows_plain(const uint8_t* source, ptrdiff_t stride, const Taps& taps, int bytes,
                      uint8_t* out) {
  weigh_rows_body(source, stride, taps, bytes, out);
}

void weigh_columns_plain(const uint8_t* turned, const std::vector<Taps>& taps, uint8_t* out) {
  weigh_columns_body(turned, taps, out);
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] void weigh_rows_avx2(const uint8_t* source, ptrdiff_t stride,
                                             const Taps& taps, int bytes, uint8_t* out) {
  weigh_rows_body(source, stride, taps, bytes, out);
}

[[gnu::target("avx2")]] void weigh_columns_avx2(const uint8_t* turned,
                                                const std::vector<Taps>& taps, uint8_t* out) {
  weigh_columns_body(turned, taps, out);
}
#endif

const Kernels& kernels() {
#if defined(__x86_64__)
  static const Kernels chosen = __builtin_cpu_supports("avx2")
                                    ? Kernels{weigh_rows_avx2, weigh_columns_avx2}
                                    : Kernels{weigh_rows_plain, weigh_columns_plain};
#else
  static const Kernels chosen{weigh_rows_plain, weigh_columns_plain};
#endif
  return chosen;
}

// Rows of RGB, row_bytes apart -> columns of kLanes samples: R, G, B of the first row, then of the
// second, ... Rows beyond count are left as they are.
void turn(const uint8_t* rows, size_t row_bytes, int count, int width, uint8_t* turned) {
  for (int r = 0; r < count; ++r) {
    const uint8_t* row = rows + r * row_bytes;
    uint8_t* out = turned + r * kChannels;
    for (int x = 0; x < width; ++x) {
      std::memcpy(out + static_cast<size_t>(x) * kLanes, row + static_cast<size_t>(x) * kChannels,
                  kChannels);
    }
  }
}

void turn_back(const uint8_t* turned, int count, int width, uint8_t* rows, size_t row_bytes) {
  for (int r = 0; r < count; ++r) {
    uint8_t* row = rows + r * row_bytes;
    const uint8_t* in = turned + r * kChannels;
    for (int x = 0; x < width; ++x) {
      std::memcpy(row + static_cast<size_t>(x) * kChannels, in + static_cast<size_t>(x) * kLanes,
                  kChannels);
    }
  }
}

struct Range {
  int first = 0;
  int count = 0;
};

Range covered(const std::vector<Taps>& taps) {
  const int end = taps.back().first + taps.back().count;
  return {taps.front().first, end - taps.front().first};
}

// The rows of the picture with only the columns that the taps make.
Image horizontal_pass(const Image& image, Range rows, const std::vector<Taps>& all_taps) {
  // Only the columns that are used are turned.
  const Range columns = covered(all_taps);
  std::vector<Taps> taps = all_taps;
  for (Taps& tap : taps) tap.first -= columns.first;

  const int width = static_cast<int>(taps.size());
  Image result{width, rows.count,
               std::vector<uint8_t>(static_cast<size_t>(width) * rows.count * kChannels)};
  std::vector<uint8_t> turned(static_cast<size_t>(columns.count) * kLanes);
  std::vector<uint8_t> weighed(static_cast<size_t>(width) * kLanes);
  const size_t source_row = static_cast<size_t>(image.width_px) * kChannels;
  const size_t result_row = static_cast<size_t>(width) * kChannels;
  for (int y = 0; y < rows.count; y += kBlockRows) {
    const int count = std::min(kBlockRows, rows.count - y);
    const uint8_t* source =
        image.rgb.data() + (rows.first + y) * source_row + size_t{3} * columns.first;
    turn(source, source_row, count, columns.count, turned.data());
    kernels().weigh_columns(turned.data(), taps, weighed.data());
    turn_back(weighed.data(), count, width, result.rgb.data() + y * result_row, result_row);
  }
  return result;
}

// first_row: the row of the unresized picture that is the image's top row.
Image vertical_pass(const Image& image, int first_row, const std::vector<Taps>& taps) {
  const size_t row_bytes = static_cast<size_t>(image.width_px) * kChannels;
  Image result{image.width_px, static_cast<int>(taps.size()),
               std::vector<uint8_t>(row_bytes * taps.size())};
  for (size_t y = 0; y < taps.size(); ++y) {
    kernels().weigh_rows(image.rgb.data() + (taps[y].first - first_row) * row_bytes,
                         static_cast<ptrdiff_t>(row_bytes), taps[y], static_cast<int>(row_bytes),
                         result.rgb.data() + y * row_bytes);
  }
  return result;
}

Image cropped(const Image& image, int x, int y, int width, int height) {
  Image result{width, height, {}};
  result.rgb.reserve(static_cast<size_t>(width) * height * kChannels);
  for (int row = 0; row < height; ++row) {
    const auto part = image.row(y + row).subspan(size_t{3} * x, size_t{3} * width);
    result.rgb.insert(result.rgb.end(), part.begin(), part.end());
  }
  return result;
}

}  // namespace

Image resample(const Image& image, Filter filter, int64_t width, int64_t height,
               const Window& window) {
  assert(window.width > 0 && window.x + window.width <= width);
  assert(window.height > 0 && window.y + window.height <= height);
  const bool same_width = width == image.width_px;
  const bool same_height = height == image.height_px;
  const int window_x = static_cast<int>(same_width ? window.x : 0);
  const int window_y = static_cast<int>(same_height ? window.y : 0);
  if (same_width && same_height) {
    return cropped(image, window_x, window_y, window.width, window.height);
  }
  const Weights vertical(filter, image.height_px, height, window.y, window.height);
  const Range rows = same_height ? Range{window_y, window.height} : covered(vertical.taps());
  const Image narrow =
      same_width ? cropped(image, window_x, rows.first, window.width, rows.count)
                 : horizontal_pass(image, rows,
                                   Weights(filter, image.width_px, width, window.x, window.width)
                                       .taps());
  return same_height ? narrow : vertical_pass(narrow, rows.first, vertical.taps());
}

}  // namespace zeroshelf
