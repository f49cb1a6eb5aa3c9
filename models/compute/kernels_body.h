// The kernels in fp32, for a width of vector that the including file chooses: it defines
// ZEROSHELF_LANES (floats a register), ZEROSHELF_ROWS and ZEROSHELF_COLUMNS (registers of a tile of
// a product). GCC's vectors, so all sets are one text. With IsRounded they are those that imitate
// bfloat16: what is multiplied is rounded to it.
//
// An operand is plain floats, row by row. No guard: private to kernels_*.cc, each of which includes
// it once.

#include <cmath>  // NOLINT: for the declaration of sqrtf alone

#include "models/compute/kernels_vectors.h"

namespace zeroshelf::clip_kernels {
namespace {

constexpr size_t kRows = ZEROSHELF_ROWS;
constexpr size_t kTile = ZEROSHELF_COLUMNS * kLanes;  // columns

inline size_t padded(size_t count) {
  return (count + kTile - 1) / kTile * kTile;
}

inline float* row_of(const Operand& operand, size_t row) {
  return static_cast<float*>(operand.data) + row * operand.stride;
}

template <bool IsRounded, class Value>
inline Value stored(Value value) {
  if constexpr (IsRounded) return rounded(value);
  return value;
}

OperandSize operand_size(size_t rows, size_t width) {
  return {rows * width * sizeof(float), width};
}

template <bool IsRounded>
void put_rows(const float* x, size_t rows, size_t width, const Operand& out, size_t first_row) {
  for (size_t row = 0; row < rows; ++row, x += width) {
    float* to = row_of(out, first_row + row);
    size_t i = 0;
    for (; i + kLanes <= width; i += kLanes) put(to + i, stored<IsRounded>(load(x + i)));
    for (; i < width; ++i) to[i] = stored<IsRounded>(x[i]);
  }
}

template <bool IsRounded>
void layer_norm_row(const float* x, size_t width, const Norm& norm, float* out) {
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
  const float scale = 1.0f / sqrtf(square / static_cast<float>(width) + norm.epsilon);

  for (size_t i = 0; i < whole; i += kLanes) {
    put(out + i, stored<IsRounded>((load(x + i) - mean) * scale * load(norm.weight + i) +
                                   load(norm.bias + i)));
  }
  for (size_t i = whole; i < width; ++i) {
    out[i] = stored<IsRounded>((x[i] - mean) * scale * norm.weight[i] + norm.bias[i]);
  }
}

template <bool IsRounded>
void layer_norm(const float* x, size_t rows, size_t width, const Norm& norm, const Operand& out) {
  for (size_t row = 0; row < rows; ++row) {
    layer_norm_row<IsRounded>(x + row * width, width, norm, row_of(out, row));
  }
}

void layer_norm_floats(const float* x, size_t rows, size_t width, const Norm& norm, float* out) {
  for (size_t row = 0; row < rows; ++row) {
    layer_norm_row<false>(x + row * width, width, norm, out + row * width);
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
template <bool IsRounded>
float soften_row(float* scores, size_t count, size_t padded_count, float scale) {
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
    put(scores + j, stored<IsRounded>(e));
    sums += e;
  }
  return total(sums);
}

template <bool IsRounded>
void soften(float* scores, size_t rows, size_t count, size_t stride, float scale,
            const Operand& out, float* sums) {
  for (size_t i = 0; i < rows; ++i) {
    sums[i] = soften_row<IsRounded>(scores + i * stride, count, stride, scale);
    __builtin_memcpy(row_of(out, i), scores + i * stride, stride * sizeof(float));
  }
}

struct Head {
  const float* queries;  // of the sequence's first token; stride between tokens
  const float* keys;
  const float* values;
  size_t stride;
};

template <bool IsRounded, size_t Rows>
void attend(const Head& head, const AttentionShape& shape, size_t first, const float* keys,
            const float* values, float* scores, float* mixed, float* out, size_t out_stride) {
  const size_t padded_length = padded(shape.length);
  const size_t padded_width = padded(shape.head_width);
  multiply<Rows>(head.queries + first * head.stride, head.stride, keys, padded_length,
                 shape.head_width, padded_length, scores, padded_length);
  const float scale = 1.0f / sqrtf(static_cast<float>(shape.head_width));
  float sums[Rows];
  for (size_t i = 0; i < Rows; ++i) {
    const size_t seen = shape.is_causal ? first + i + 1 : shape.length;
    sums[i] = soften_row<IsRounded>(scores + i * padded_length, seen, padded_length, scale);
  }
  multiply<Rows>(scores, padded_length, values, padded_width, shape.length, padded_width, mixed,
                 padded_width);
  for (size_t i = 0; i < Rows; ++i, out += out_stride) {
    const float* row = mixed + i * padded_width;
    const size_t whole = shape.head_width / kLanes * kLanes;
    for (size_t j = 0; j < whole; j += kLanes) {
      put(out + j, stored<IsRounded>(load(row + j) / sums[i]));
    }
    for (size_t j = whole; j < shape.head_width; ++j) out[j] = stored<IsRounded>(row[j] / sums[i]);
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

Head head_of(const Operand& qkv, size_t first_row, const AttentionShape& shape, size_t number) {
  const size_t width = shape.heads * shape.head_width;
  const float* queries = row_of(qkv, first_row) + number * shape.head_width;
  return {queries, queries + width, queries + 2 * width, qkv.stride};
}

void arrange_head(const Operand& qkv, size_t first_row, const AttentionShape& shape, size_t number,
                  void* scratch) {
  float* keys = static_cast<float*>(scratch);
  arrange(head_of(qkv, first_row, shape, number), shape, keys,
          keys + shape.head_width * padded(shape.length));
}

template <bool IsRounded>
void attention(const Operand& qkv, size_t first_row, const AttentionShape& shape, void* scratch,
               const Operand& out, size_t out_row) {
  const size_t padded_length = padded(shape.length);
  const size_t padded_width = padded(shape.head_width);
  float* keys = static_cast<float*>(scratch);
  float* values = keys + shape.head_width * padded_length;
  float* scores = values + shape.length * padded_width;
  float* mixed = scores + kRows * padded_length;
  for (size_t h = 0; h < shape.heads; ++h) {
    const Head head = head_of(qkv, first_row, shape, h);
    arrange(head, shape, keys, values);
    size_t row = shape.first_query;
    const auto place = [&](size_t query) {
      return row_of(out, out_row + query - shape.first_query) + h * shape.head_width;
    };
    for (; row + kRows <= shape.end_query; row += kRows) {
      attend<IsRounded, kRows>(head, shape, row, keys, values, scores, mixed, place(row),
                               out.stride);
    }
    for (; row < shape.end_query; ++row) {
      attend<IsRounded, 1>(head, shape, row, keys, values, scores, mixed, place(row), out.stride);
    }
  }
}

size_t attention_scratch(size_t longest, size_t head_width) {
  const size_t padded_length = padded(longest);
  const size_t padded_width = padded(head_width);
  return sizeof(float) * (head_width * padded_length + longest * padded_width +
                          kRows * padded_length + kRows * padded_width);
}

// Columns of the result are computed kTile at a time from a panel of the weights, kDepth inputs at
// a time, so that the piece of the panel stays in the first cache over all rows.
constexpr size_t kDepth = 256;

size_t packed_bytes(size_t out, size_t in) {
  return sizeof(float) * padded(out) * in;
}

// Panels of kTile outputs, each [in, kTile]; the last one is filled up with 0.
template <bool IsRounded>
void pack(const float* weights, size_t out, size_t in, void* to) {
  auto* packed = static_cast<float*>(to);
  for (size_t panel = 0; panel < padded(out); panel += kTile, packed += kTile * in) {
    const size_t count = out - panel < kTile ? out - panel : kTile;
    // In squares, so that what is read together is written together.
    constexpr size_t kSquare = 16;
    for (size_t first = 0; first < in; first += kSquare) {
      const size_t end = first + kSquare < in ? first + kSquare : in;
      for (size_t j = 0; j < count; ++j) {
        const float* from = weights + (panel + j) * in;
        for (size_t k = first; k < end; ++k) packed[k * kTile + j] = stored<IsRounded>(from[k]);
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
  bool is_rounded;
  float* y;
  size_t y_stride;
};

// A tile of the result: its sums over `depth` more inputs. Between them they lie in `sums`
// ([Rows, kTile]); the last time they are finished into the result.
template <size_t Rows>
void multiply_tile(const float* x, size_t x_stride, const float* panel, size_t depth, bool is_first,
                   bool is_last, float* partial, const Product& product, size_t row, size_t column) {
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
      float* place = product.y + (row + i) * product.y_stride + at;
      Floats sum = load(partial + i * kTile + j * kLanes);
      if (at + kLanes <= product.out) {
        if (product.bias != nullptr) sum += load(product.bias + at);
        const Floats before = product.after == After::AddToResult ? load(place) : Floats{};
        const Floats result = finished(sum, product.after, before);
        put(place, product.is_rounded ? rounded(result) : result);
      } else {
        for (size_t lane = 0; at + lane < product.out; ++lane) {
          const float whole = sum[lane] + (product.bias != nullptr ? product.bias[at + lane] : 0);
          const float result = finished(all(whole), product.after, all(place[lane]))[0];
          place[lane] = product.is_rounded ? rounded(result) : result;
        }
      }
    }
  }
}

using TileKernel = void (*)(const float*, size_t, const float*, size_t, bool, bool, float*,
                            const Product&, size_t, size_t);

template <size_t Rows>
void choose_tile(size_t rows, TileKernel& kernel) {
  if (rows == Rows) kernel = multiply_tile<Rows>;
  if constexpr (Rows > 1) choose_tile<Rows - 1>(rows, kernel);
}

constexpr size_t kBlockRows = kRows * 64;  // sums of a panel that are kept between two depths

template <bool IsRounded>
void multiply_packed(const Operand& operand, size_t rows, size_t in, const void* weights,
                     const float* bias, size_t out, After after, const Result& result) {
  const auto* x = static_cast<const float*>(operand.data);
  const auto* packed = static_cast<const float*>(weights);
  const bool is_operand = result.floats == nullptr;
  const Product product{bias,
                        out,
                        after,
                        IsRounded && is_operand,
                        is_operand ? static_cast<float*>(result.operand.data) : result.floats,
                        is_operand ? result.operand.stride : out};
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
          kernel(x + row * operand.stride + k, operand.stride, panel + k * kTile, depth, k == 0,
                 k + depth == in, partial + (row - block) * kTile, product, row, column);
        }
      }
    }
  }
}

template <bool IsRounded>
constexpr Kernels make_kernels(const char* name) {
  return {name,
          operand_size,
          put_rows<IsRounded>,
          layer_norm<IsRounded>,
          layer_norm_floats,
          attention<IsRounded>,
          attention_scratch,
          pack<IsRounded>,
          packed_bytes,
          multiply_packed<IsRounded>,
          arrange_head,
          soften<IsRounded>};
}

}  // namespace
}  // namespace zeroshelf::clip_kernels
