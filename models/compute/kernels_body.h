// The kernels themselves, for a width of vector that the including file chooses: it defines
// ZEROSHELF_LANES (floats a register), ZEROSHELF_ROWS and ZEROSHELF_COLUMNS (registers of a tile of
// a product) and ZEROSHELF_KERNELS (the table's name). GCC's vectors, so all sets are one text.
//
// No guard: private to kernels_*.cc, each of which includes it once.

#include <cmath>  // NOLINT: for the declaration of sqrtf alone

#include "models/compute/kernels.h"

namespace zeroshelf::clip_kernels {
namespace {

constexpr size_t kLanes = ZEROSHELF_LANES;
constexpr size_t kRows = ZEROSHELF_ROWS;
constexpr size_t kTile = ZEROSHELF_COLUMNS * kLanes;  // columns

// Unaligned, and allowed to alias.
typedef float Floats __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef int32_t Ints __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint32_t Words __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
typedef uint16_t Halves __attribute__((vector_size(kLanes * 2), aligned(2), may_alias));

inline Floats load(const float* values) {
  return *reinterpret_cast<const Floats*>(values);
}
inline void put(float* values, Floats v) {
  *reinterpret_cast<Floats*>(values) = v;
}
inline Floats all(float value) {
  return value - Floats{};  // x - 0 is x, whatever its sign
}

inline float total(Floats v) {
  float sum = 0;
  for (size_t i = 0; i < kLanes; ++i) sum += v[i];
  return sum;
}

inline size_t padded(size_t count) {
  return (count + kTile - 1) / kTile * kTile;
}

// The upper halves hold bfloat16.
inline Words rounded_bits(Floats v) {
  const Words bits = reinterpret_cast<Words>(v);
  return bits + 0x7fffu + ((bits >> 16) & 1u);
}

inline float rounded(float value) {
  uint32_t bits;
  __builtin_memcpy(&bits, &value, sizeof bits);
  bits = (bits + 0x7fffu + ((bits >> 16) & 1u)) & 0xffff0000u;
  __builtin_memcpy(&value, &bits, sizeof value);
  return value;
}

inline void store(Floats v, Store form, void* out, size_t at) {
  switch (form) {
    case Store::Float:
      put(static_cast<float*>(out) + at, v);
      break;
    case Store::RoundedFloat:
      put(static_cast<float*>(out) + at, reinterpret_cast<Floats>(rounded_bits(v) & 0xffff0000u));
      break;
    case Store::Bf16:
      *reinterpret_cast<Halves*>(static_cast<uint16_t*>(out) + at) =
          __builtin_convertvector(rounded_bits(v) >> 16, Halves);
      break;
  }
}

inline void store_one(float value, Store form, void* out, size_t at) {
  switch (form) {
    case Store::Float:
      static_cast<float*>(out)[at] = value;
      break;
    case Store::RoundedFloat:
      static_cast<float*>(out)[at] = rounded(value);
      break;
    case Store::Bf16: {
      const float nearest = rounded(value);
      uint32_t bits;
      __builtin_memcpy(&bits, &nearest, sizeof bits);
      static_cast<uint16_t*>(out)[at] = static_cast<uint16_t>(bits >> 16);
      break;
    }
  }
}

// e^x for x <= 0, relative error below 2e-7; 0 below the smallest normal number. Cephes' expf
// (S. Moshier): x = n ln 2 + r, a polynomial of degree 6 in r, and 2^n from its bits.
inline Floats exponential(Floats x) {
  const Floats lowest = all(-87.0f);
  const Ints is_tiny = x < lowest;
  x = is_tiny ? lowest : x;
  const Floats magic = all(12582912.0f);  // 1.5 * 2^23: adding it rounds to whole numbers
  const Floats n = (x * 1.44269504088896341f + magic) - magic;
  const Floats r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  Floats p = all(1.9875691500e-4f);
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * (r * r) + r + 1.0f;
  const Ints exponent = (__builtin_convertvector(n, Ints) + 127) << 23;
  const Floats result = p * reinterpret_cast<Floats>(exponent);
  return is_tiny ? Floats{} : result;
}

void layer_norm_row(const float* x, size_t width, const float* weight, const float* bias,
                    float epsilon, Store form, void* out, size_t at) {
  const size_t whole = width / kLanes * kLanes;
  Floats sums{};
  for (size_t i = 0; i < whole; i += kLanes) sums += load(x + i);
  float sum = total(sums);
  for (size_t i = whole; i < width; ++i) sum += x[i];
  const float mean = sum / static_cast<float>(width);

  Floats squares{};
  for (size_t i = 0; i < whole; i += kLanes) {
    const Floats d = load(x + i) - mean;
    squares += d * d;
  }
  float square = total(squares);
  for (size_t i = whole; i < width; ++i) square += (x[i] - mean) * (x[i] - mean);
  const float scale = 1.0f / sqrtf(square / static_cast<float>(width) + epsilon);

  for (size_t i = 0; i < whole; i += kLanes) {
    store((load(x + i) - mean) * scale * load(weight + i) + load(bias + i), form, out, at + i);
  }
  for (size_t i = whole; i < width; ++i) {
    store_one((x[i] - mean) * scale * weight[i] + bias[i], form, out, at + i);
  }
}

void layer_norm(const float* x, size_t rows, size_t width, const float* weight, const float* bias,
                float epsilon, Store form, void* out) {
  for (size_t row = 0; row < rows; ++row) {
    layer_norm_row(x + row * width, width, weight, bias, epsilon, form, out, row * width);
  }
}

// c[Rows, columns] = a[Rows, depth] * b[depth, columns]; columns is a multiple of kTile.
template <size_t Rows>
void multiply(const float* a, size_t a_stride, const float* b, size_t b_stride, size_t depth,
              size_t columns, float* c, size_t c_stride) {
  constexpr size_t kColumns = ZEROSHELF_COLUMNS;
  for (size_t column = 0; column < columns; column += kTile) {
    Floats sums[Rows][kColumns] = {};
    for (size_t k = 0; k < depth; ++k) {
      const float* from = b + k * b_stride + column;
      Floats right[kColumns];
#pragma GCC unroll 8
      for (size_t j = 0; j < kColumns; ++j) right[j] = load(from + j * kLanes);
#pragma GCC unroll 16
      for (size_t i = 0; i < Rows; ++i) {
        const Floats left = all(a[i * a_stride + k]);
#pragma GCC unroll 8
        for (size_t j = 0; j < kColumns; ++j) sums[i][j] += left * right[j];
      }
    }
#pragma GCC unroll 16
    for (size_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
      for (size_t j = 0; j < kColumns; ++j) put(c + i * c_stride + column + j * kLanes, sums[i][j]);
    }
  }
}

// Scores -> e^(scale (score - largest)), with 0 from `count` on. Gives the sum.
float soften(float* scores, size_t count, size_t padded_count, float scale) {
  for (size_t j = count; j < padded_count; ++j) scores[j] = -INFINITY;
  Floats largest_of = load(scores);
  for (size_t j = kLanes; j < padded_count; j += kLanes) {
    const Floats v = load(scores + j);
    largest_of = v > largest_of ? v : largest_of;
  }
  float largest = largest_of[0];
  for (size_t i = 1; i < kLanes; ++i) largest = largest_of[i] > largest ? largest_of[i] : largest;
  Floats sums{};
  for (size_t j = 0; j < padded_count; j += kLanes) {
    const Floats e = exponential((load(scores + j) - largest) * scale);
    put(scores + j, e);
    sums += e;
  }
  return total(sums);
}

struct Head {
  const float* queries;  // of the sequence's first token; stride between tokens
  const float* keys;
  const float* values;
  size_t stride;
};

template <size_t Rows>
void attend(const Head& head, const AttentionShape& shape, size_t first, const float* keys,
            const float* values, float* scores, float* mixed, Store form, void* out, size_t at,
            size_t width) {
  const size_t padded_length = padded(shape.length);
  const size_t padded_width = padded(shape.head_width);
  multiply<Rows>(head.queries + first * head.stride, head.stride, keys, padded_length,
                 shape.head_width, padded_length, scores, padded_length);
  const float scale = 1.0f / sqrtf(static_cast<float>(shape.head_width));
  float sums[Rows];
  for (size_t i = 0; i < Rows; ++i) {
    const size_t seen = shape.is_causal ? first + i + 1 : shape.length;
    sums[i] = soften(scores + i * padded_length, seen, padded_length, scale);
  }
  multiply<Rows>(scores, padded_length, values, padded_width, shape.length, padded_width, mixed,
                 padded_width);
  for (size_t i = 0; i < Rows; ++i) {
    const float* row = mixed + i * padded_width;
    const size_t whole = shape.head_width / kLanes * kLanes;
    for (size_t j = 0; j < whole; j += kLanes) {
      store(load(row + j) / sums[i], form, out, at + i * width + j);
    }
    for (size_t j = whole; j < shape.head_width; ++j) {
      store_one(row[j] / sums[i], form, out, at + i * width + j);
    }
  }
}

// Keys as [head width, padded length], values as [length, padded width]; padding is 0.
void arrange(const Head& head, const AttentionShape& shape, float* keys, float* values) {
  const size_t padded_length = padded(shape.length);
  const size_t padded_width = padded(shape.head_width);
  for (size_t k = 0; k < shape.head_width; ++k) {
    for (size_t j = shape.length; j < padded_length; ++j) keys[k * padded_length + j] = 0;
  }
  for (size_t j = 0; j < shape.length; ++j) {
    const float* key = head.keys + j * head.stride;
    const float* value = head.values + j * head.stride;
    for (size_t k = 0; k < shape.head_width; ++k) keys[k * padded_length + j] = key[k];
    float* to = values + j * padded_width;
    for (size_t k = 0; k < shape.head_width; ++k) to[k] = value[k];
    for (size_t k = shape.head_width; k < padded_width; ++k) to[k] = 0;
  }
}

void attention(const float* qkv, const AttentionShape& shape, float* scratch, Store form,
               void* out) {
  const size_t width = shape.heads * shape.head_width;
  const size_t padded_length = padded(shape.length);
  const size_t padded_width = padded(shape.head_width);
  float* keys = scratch;
  float* values = keys + shape.head_width * padded_length;
  float* scores = values + shape.length * padded_width;
  float* mixed = scores + kRows * padded_length;
  for (size_t h = 0; h < shape.heads; ++h) {
    const float* queries = qkv + h * shape.head_width;
    const Head head{queries, queries + width, queries + 2 * width, 3 * width};
    arrange(head, shape, keys, values);
    size_t row = shape.first_query;
    const auto place = [&](size_t query) {
      return (query - shape.first_query) * width + h * shape.head_width;
    };
    for (; row + kRows <= shape.end_query; row += kRows) {
      attend<kRows>(head, shape, row, keys, values, scores, mixed, form, out, place(row), width);
    }
    for (; row < shape.end_query; ++row) {
      attend<1>(head, shape, row, keys, values, scores, mixed, form, out, place(row), width);
    }
  }
}

// x * sigmoid(1.702 x).
inline Floats quick_gelu(Floats x) {
  const Floats z = x * 1.702f;
  const Ints is_negative = z < Floats{};
  const Floats e = exponential(is_negative ? z : -z);
  return x * (is_negative ? e : all(1.0f)) / (e + 1.0f);
}

// x * (1 + erf(x / sqrt 2)) / 2, erf to 1.5e-7 (Abramowitz and Stegun 1964, 7.1.26).
inline Floats gelu(Floats x) {
  const Ints is_negative = x < Floats{};
  const Floats a = (is_negative ? -x : x) * 0.70710678118654752f;
  const Floats t = 1.0f / (a * 0.3275911f + 1.0f);
  Floats p = all(1.061405429f);
  p = p * t - 1.453152027f;
  p = p * t + 1.421413741f;
  p = p * t - 0.284496736f;
  p = p * t + 0.254829592f;
  const Floats rest = p * t * exponential(-(a * a));  // 1 - erf(a)
  return x * 0.5f * (is_negative ? rest : 2.0f - rest);
}

// Columns of the result are computed kTile at a time from a panel of the weights, kDepth inputs at
// a time, so that the piece of the panel stays in the first cache over all rows.
constexpr size_t kDepth = 256;

size_t packed_size(size_t out, size_t in) {
  return padded(out) * in;
}

// Panels of kTile outputs, each [in, kTile]; the last one is filled up with 0.
void pack(const float* weights, size_t out, size_t in, float* packed) {
  for (size_t panel = 0; panel < padded(out); panel += kTile, packed += kTile * in) {
    const size_t count = out - panel < kTile ? out - panel : kTile;
    // In squares, so that what is read together is written together.
    constexpr size_t kSquare = 16;
    for (size_t first = 0; first < in; first += kSquare) {
      const size_t end = first + kSquare < in ? first + kSquare : in;
      for (size_t j = 0; j < count; ++j) {
        const float* from = weights + (panel + j) * in;
        for (size_t k = first; k < end; ++k) packed[k * kTile + j] = from[k];
      }
      for (size_t k = first; k < end; ++k) {
        for (size_t j = count; j < kTile; ++j) packed[k * kTile + j] = 0;
      }
    }
  }
}

struct Product {
  const float* bias;
  size_t out;
  After after;
  Store store;
};

inline Floats finished(Floats sum, After after, Floats before) {
  switch (after) {
    case After::Nothing:
      break;
    case After::QuickGelu:
      return quick_gelu(sum);
    case After::Gelu:
      return gelu(sum);
    case After::AddToResult:
      return sum + before;
  }
  return sum;
}

// A tile of the result: its sums over `depth` more inputs. Between them they lie in `sums`
// ([Rows, kTile]); the last time they are finished into y.
template <size_t Rows>
void multiply_tile(const float* x, size_t x_stride, const float* panel, size_t depth, bool is_first,
                   bool is_last, float* partial, const Product& product, size_t column, float* y) {
  constexpr size_t kColumns = ZEROSHELF_COLUMNS;
  Floats sums[Rows][kColumns];
  for (size_t i = 0; i < Rows; ++i) {
    for (size_t j = 0; j < kColumns; ++j) {
      sums[i][j] = is_first ? Floats{} : load(partial + i * kTile + j * kLanes);
    }
  }
  for (size_t k = 0; k < depth; ++k) {
    Floats right[kColumns];
#pragma GCC unroll 8
    for (size_t j = 0; j < kColumns; ++j) right[j] = load(panel + k * kTile + j * kLanes);
#pragma GCC unroll 16
    for (size_t i = 0; i < Rows; ++i) {
      const Floats left = all(x[i * x_stride + k]);
#pragma GCC unroll 8
      for (size_t j = 0; j < kColumns; ++j) sums[i][j] += left * right[j];
    }
  }
#pragma GCC unroll 16
  for (size_t i = 0; i < Rows; ++i) {
#pragma GCC unroll 8
    for (size_t j = 0; j < kColumns; ++j) put(partial + i * kTile + j * kLanes, sums[i][j]);
  }
  if (!is_last) return;
  for (size_t i = 0; i < Rows; ++i) {
    for (size_t j = 0; j < kColumns; ++j) {
      const size_t at = column + j * kLanes;
      float* place = y + i * product.out + at;
      Floats sum = load(partial + i * kTile + j * kLanes);
      if (at + kLanes <= product.out) {
        if (product.bias != nullptr) sum += load(product.bias + at);
        const Floats before = product.after == After::AddToResult ? load(place) : Floats{};
        store(finished(sum, product.after, before), product.store, place, 0);
      } else {
        for (size_t lane = 0; at + lane < product.out; ++lane) {
          const float whole = sum[lane] + (product.bias != nullptr ? product.bias[at + lane] : 0);
          const Floats result = finished(all(whole), product.after, all(place[lane]));
          store_one(result[0], product.store, place, lane);
        }
      }
    }
  }
}

using TileKernel = void (*)(const float*, size_t, const float*, size_t, bool, bool, float*,
                            const Product&, size_t, float*);

template <size_t Rows>
void choose_tile(size_t rows, TileKernel& kernel) {
  if (rows == Rows) kernel = multiply_tile<Rows>;
  if constexpr (Rows > 1) choose_tile<Rows - 1>(rows, kernel);
}

constexpr size_t kBlockRows = kRows * 64;  // sums of a panel that are kept between two depths

void multiply_packed(const float* x, size_t rows, size_t in, const float* packed, const float* bias,
                     size_t out, After after, Store form, float* y) {
  const Product product{bias, out, after, form};
  alignas(64) static thread_local float partial[kBlockRows * kTile];
  for (size_t block = 0; block < rows; block += kBlockRows) {
    const size_t end = block + kBlockRows < rows ? block + kBlockRows : rows;
    for (size_t column = 0; column < padded(out); column += kTile) {
      const float* panel = packed + column * in;
      for (size_t k = 0; k < in; k += kDepth) {
        const size_t depth = k + kDepth < in ? kDepth : in - k;
        for (size_t row = block; row < end; row += kRows) {
          TileKernel kernel = multiply_tile<kRows>;
          if (end - row < kRows) choose_tile<kRows>(end - row, kernel);
          kernel(x + row * in + k, in, panel + k * kTile, depth, k == 0, k + depth == in,
                 partial + (row - block) * kTile, product, column, y + row * out);
        }
      }
    }
  }
}

void round_to_bf16(float* values, size_t count) {
  size_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    store(load(values + i), Store::RoundedFloat, values, i);
  }
  for (; i < count; ++i) values[i] = rounded(values[i]);
}

}  // namespace
}  // namespace zeroshelf::clip_kernels
