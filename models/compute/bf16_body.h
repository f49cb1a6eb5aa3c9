#pragma once

// Inside models/compute: the kernels in bfloat16, for a unit that multiplies it with sums in fp32.
//
// An operand is blocks of 32 columns, one after the other; a block has a row's 32 numbers, which
// are 64 bytes, beside those of the next row. So any 16 rows of a block are a tile, and what a
// layer norm, an attention or a multiplication writes is multiplied where it lies. The last block
// is filled up with 0. Behind the last row there is room to read as many rows as a unit takes at
// once; what is computed of them is thrown away.
//
// What it is multiplied with (weights, keys, values) is panels of 32 columns, in which the numbers
// of inputs 2i and 2i + 1 stand side by side: block after block of 32 inputs, each 16 rows of 32
// pairs. A tile is 16 pairs of each row.
//
// Unit:
//   kRows: rows that it multiplies at once;
//   kDepth: blocks of inputs for which what it reads of a panel stays in the first cache;
//   begin(), end(): around all use in a thread;
//   products(x, x_step, rows, panel, depth, is_first, sums, sums_step): adds to the sums, or is
//     first to set them, the products of `rows` rows (1 to kRows) with a panel over `depth` blocks.
//     x_step: numbers between blocks of x; sums: [rows, 32], sums_step floats between rows; rows of
//     x and of sums up to kRows may be read and written;
//   to_bf16(floats): rounded to nearest, ties to even.
// Everything here has internal linkage.

#define ZEROSHELF_LANES 16

#include <cmath>    // NOLINT: for the declaration of sqrtf alone
#include <utility>  // for index_sequence, which is a type alone

#include "models/compute/kernels_vectors.h"

namespace zeroshelf::clip_kernels {
namespace {

constexpr size_t kBlock = 32;                        // columns of a block, and of a panel
constexpr size_t kPairs = kBlock / 2;                // of inputs in a block
constexpr size_t kPanelBlock = 2 * kPairs * kBlock;  // numbers of a panel for a block of inputs

typedef uint16_t Row __attribute__((vector_size(64), aligned(2), may_alias));  // of a block

inline size_t blocks_of(size_t columns) {
  return (columns + kBlock - 1) / kBlock;
}
inline size_t whole_blocks(size_t columns) {
  return blocks_of(columns) * kBlock;
}
inline uint16_t* place(const Operand& operand, size_t row, size_t column) {
  return static_cast<uint16_t*>(operand.data) + (column / kBlock * operand.stride + row) * kBlock +
         column % kBlock;
}
inline Row load_row(const uint16_t* from) {
  return *reinterpret_cast<const Row*>(from);
}
inline void put_row(uint16_t* to, Row row) {
  *reinterpret_cast<Row*>(to) = row;
}
inline void put_halves(uint16_t* to, Halves halves) {
  *reinterpret_cast<Halves*>(to) = halves;
}
inline Row joined(Halves a, Halves b) {
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17,
                                 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
}

template <size_t... L>
using LaneList = std::index_sequence<L...>;
using Lanes16 = std::make_index_sequence<16>;
using Lanes32 = std::make_index_sequence<32>;

// Vectors that lie Distance apart exchange every other group of Distance lanes.
template <size_t Distance, size_t... L>
inline void exchange(Words& a, Words& b, LaneList<L...>) {
  const Words first = __builtin_shufflevector(a, b, ((L & Distance) ? 16 + L - Distance : L)...);
  b = __builtin_shufflevector(a, b, ((L & Distance) ? 16 + L : L + Distance)...);
  a = first;
}

template <size_t Distance>
inline void exchange_all(Words (&v)[16]) {
#pragma GCC unroll 16
  for (size_t i = 0; i < 16; ++i) {
    if ((i & Distance) == 0) exchange<Distance>(v[i], v[i + Distance], Lanes16());
  }
}

// Lane j of vector i becomes lane i of vector j.
inline void transpose(Words (&v)[16]) {
  exchange_all<8>(v);
  exchange_all<4>(v);
  exchange_all<2>(v);
  exchange_all<1>(v);
}

template <size_t... L>
inline Row interleaved(Row a, Row b, size_t half, LaneList<L...>) {
  return half == 0 ? __builtin_shufflevector(a, b, (L / 2 + L % 2 * 32)...)
                   : __builtin_shufflevector(a, b, (16 + L / 2 + L % 2 * 32)...);
}

template <size_t... L>
inline float fast_total(Floats v, LaneList<L...>) {
  v += __builtin_shufflevector(v, v, (L ^ 8)...);
  v += __builtin_shufflevector(v, v, (L ^ 4)...);
  v += __builtin_shufflevector(v, v, (L ^ 2)...);
  v += __builtin_shufflevector(v, v, (L ^ 1)...);
  return v[0];
}
inline float fast_total(Floats v) {
  return fast_total(v, Lanes16());
}

template <size_t... L>
inline float largest_of(Floats v, LaneList<L...>) {
  const auto larger = [](Floats a, Floats b) { return a > b ? a : b; };
  v = larger(v, __builtin_shufflevector(v, v, (L ^ 8)...));
  v = larger(v, __builtin_shufflevector(v, v, (L ^ 4)...));
  v = larger(v, __builtin_shufflevector(v, v, (L ^ 2)...));
  v = larger(v, __builtin_shufflevector(v, v, (L ^ 1)...));
  return v[0];
}

// The first `count` (below kLanes) of the floats, and 0.
inline Floats load_some(const float* from, size_t count) {
  float values[kLanes] = {};
  for (size_t i = 0; i < count; ++i) values[i] = from[i];
  return load(values);
}

// Columns [width, whole_blocks(width)) of a row. Writes 16 at a time, so after what is before them.
inline void clear_behind(const Operand& operand, size_t row, size_t width) {
  for (size_t i = width; i < whole_blocks(width); ++i) *place(operand, row, i) = 0;
}

// Numbers between the blocks of an operand: such that those of kRows rows fall on other cache sets
// from block to block, and a unit may read beyond the last row.
template <class Unit>
size_t operand_stride(size_t rows) {
  constexpr size_t kSets = 64;  // of the first cache; a row of a block is a line
  const size_t least = rows + (Unit::kRows < kLanes ? kLanes : Unit::kRows);
  return least + (kSets + Unit::kRows - least % kSets) % kSets;
}

template <class Unit>
OperandSize operand_size(size_t rows, size_t width) {
  const size_t stride = operand_stride<Unit>(rows);
  return {stride * whole_blocks(width) * sizeof(uint16_t), stride};
}

template <class Unit>
void put_rows(const float* x, size_t rows, size_t width, const Operand& out, size_t first_row) {
  for (size_t row = first_row; row < first_row + rows; ++row, x += width) {
    size_t i = 0;
    for (; i + kLanes <= width; i += kLanes) {
      put_halves(place(out, row, i), Unit::to_bf16(load(x + i)));
    }
    if (i < width) {
      put_halves(place(out, row, i), Unit::to_bf16(load_some(x + i, width - i)));
      i += kLanes;
    }
    if (i % kBlock != 0) put_halves(place(out, row, i), Halves{});
  }
}

struct Moments {
  float mean;
  float scale;  // 1 / deviation
};

inline Moments moments_of(const float* x, size_t width, float epsilon) {
  constexpr size_t kSums = 4;
  Floats sums[kSums] = {};
  size_t i = 0;
  for (; i + kSums * kLanes <= width; i += kSums * kLanes) {
    for (size_t j = 0; j < kSums; ++j) sums[j] += load(x + i + j * kLanes);
  }
  for (; i + kLanes <= width; i += kLanes) sums[0] += load(x + i);
  sums[1] += load_some(x + i, width - i);
  const float count = static_cast<float>(width);
  const float mean = fast_total((sums[0] + sums[1]) + (sums[2] + sums[3])) / count;

  Floats squares[kSums] = {};
  const auto add = [&](Floats& sum, Floats v) { sum += (v - mean) * (v - mean); };
  for (i = 0; i + kSums * kLanes <= width; i += kSums * kLanes) {
    for (size_t j = 0; j < kSums; ++j) add(squares[j], load(x + i + j * kLanes));
  }
  for (; i + kLanes <= width; i += kLanes) add(squares[0], load(x + i));
  for (; i < width; ++i) squares[0][0] += (x[i] - mean) * (x[i] - mean);
  const float square = fast_total((squares[0] + squares[1]) + (squares[2] + squares[3]));
  return {mean, 1.0f / sqrtf(square / count + epsilon)};
}

// put(i, v): columns i to i + kLanes of the row. The last v may be only in part of the row.
template <class Put>
inline void normalise(const float* x, size_t width, const Norm& norm, Put put_at) {
  const Moments moments = moments_of(x, width, norm.epsilon);
  size_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    put_at(i, (load(x + i) - moments.mean) * moments.scale * load(norm.weight + i) +
                  load(norm.bias + i));
  }
  if (i == width) return;
  const size_t rest = width - i;
  put_at(i, (load_some(x + i, rest) - moments.mean) * moments.scale *
                    load_some(norm.weight + i, rest) +
                load_some(norm.bias + i, rest));
}

template <class Unit>
void layer_norm(const float* x, size_t rows, size_t width, const Norm& norm, const Operand& out) {
  for (size_t row = 0; row < rows; ++row, x += width) {
    normalise(x, width, norm,
              [&](size_t i, Floats v) { put_halves(place(out, row, i), Unit::to_bf16(v)); });
    clear_behind(out, row, width);
  }
}

inline void layer_norm_floats(const float* x, size_t rows, size_t width, const Norm& norm,
                              float* out) {
  for (size_t row = 0; row < rows; ++row, x += width, out += width) {
    normalise(x, width, norm, [&](size_t i, Floats v) {
      if (i + kLanes <= width) return put(out + i, v);
      for (size_t j = 0; i + j < width; ++j) out[i + j] = v[j];
    });
  }
}

// --- multiplication -----------------------------------------------------------------------------

inline size_t packed_bytes(size_t out, size_t in) {
  return whole_blocks(out) * whole_blocks(in) * sizeof(uint16_t);
}

// Sixteen outputs' numbers for a block of inputs, as pairs.
template <class Unit>
inline void pack_square(const float* weights, size_t outputs, size_t in, size_t first_in,
                        uint16_t* to) {
  Words v[16] = {};
  const size_t inputs = in - first_in < kBlock ? in - first_in : kBlock;
  const float* from = weights + first_in;
  for (size_t j = 0; j < outputs; ++j, from += in) {
    const auto part = [&](size_t i) {
      if (inputs >= i + kLanes) return load(from + i);
      return inputs <= i ? Floats{} : load_some(from + i, inputs - i);
    };
    v[j] = reinterpret_cast<Words>(joined(Unit::to_bf16(part(0)), Unit::to_bf16(part(kLanes))));
  }
  transpose(v);
  for (size_t pair = 0; pair < kPairs; ++pair) {
    __builtin_memcpy(to + 2 * kBlock * pair, &v[pair], sizeof v[pair]);
  }
}

template <class Unit>
void pack(const float* weights, size_t out, size_t in, void* packed) {
  constexpr size_t kHalf = kBlock / 2;
  auto* to = static_cast<uint16_t*>(packed);
  for (size_t first = 0; first < out; first += kBlock) {
    for (size_t i = 0; i < in; i += kBlock, to += kPanelBlock) {
      for (size_t half = 0; half < kBlock; half += kHalf) {
        const size_t at = first + half;
        const size_t outputs = at >= out ? 0 : out - at < kHalf ? out - at : kHalf;
        pack_square<Unit>(weights + at * in, outputs, in, i, to + 2 * half);
      }
    }
  }
}

struct Product {
  const float* bias;
  size_t out;
  const Result* result;
};

// A panel's sums, [rows, 32], into their places: columns from `column` on.
template <class Unit, After kAfter, bool IsOperand>
void finish(const float* sums, size_t rows, size_t row, size_t column, const Product& product) {
  const bool is_whole = column + kBlock <= product.out;
  alignas(64) float bias[kBlock] = {};
  if (product.bias != nullptr) {
    const size_t count = is_whole ? kBlock : product.out - column;
    for (size_t j = 0; j < count; ++j) bias[j] = product.bias[column + j];
  }
  const Floats bias_lower = load(bias), bias_upper = load(bias + kLanes);
  for (size_t i = 0; i < rows; ++i, sums += kBlock) {
    Floats lower = load(sums) + bias_lower;
    Floats upper = load(sums + kLanes) + bias_upper;
    if constexpr (IsOperand) {
      uint16_t* to = place(product.result->operand, row + i, column);
      put_row(to, joined(Unit::to_bf16(finished(lower, kAfter, Floats{})),
                         Unit::to_bf16(finished(upper, kAfter, Floats{}))));
    } else {
      float* to = product.result->floats + (row + i) * product.out + column;
      constexpr bool kAdds = kAfter == After::AddToResult;
      if (is_whole) {
        put(to, finished(lower, kAfter, kAdds ? load(to) : Floats{}));
        put(to + kLanes, finished(upper, kAfter, kAdds ? load(to + kLanes) : Floats{}));
        continue;
      }
      alignas(64) float last[kBlock] = {};
      const size_t count = product.out - column;
      if (kAdds) __builtin_memcpy(last, to, count * sizeof(float));
      put(last, finished(lower, kAfter, load(last)));
      put(last + kLanes, finished(upper, kAfter, load(last + kLanes)));
      __builtin_memcpy(to, last, count * sizeof(float));
    }
  }
}

using Finish = void (*)(const float*, size_t, size_t, size_t, const Product&);

template <class Unit, bool IsOperand>
Finish finish_for(After after) {
  switch (after) {
    case After::Nothing:
      break;
    case After::QuickGelu:
      return finish<Unit, After::QuickGelu, IsOperand>;
    case After::Gelu:
      return finish<Unit, After::Gelu, IsOperand>;
    case After::GeluTanh:
      return finish<Unit, After::GeluTanh, IsOperand>;
    case After::Relu:
      return finish<Unit, After::Relu, IsOperand>;
    case After::AddToResult:
      return finish<Unit, After::AddToResult, IsOperand>;
  }
  return finish<Unit, After::Nothing, IsOperand>;
}

// Rows that are multiplied with panel after panel stay in the second cache, or near it.
constexpr size_t kRowsBytes = 1280 << 10;
constexpr size_t kMostRows = 1024;

template <class Unit>
size_t rows_at_once(size_t blocks) {
  const size_t fit = kRowsBytes / (blocks * kBlock * sizeof(uint16_t));
  const size_t rows = fit < kMostRows ? fit : kMostRows;
  return rows < Unit::kRows ? Unit::kRows : rows / Unit::kRows * Unit::kRows;
}

// Asks for bytes that will be read soon, into the second cache.
inline void ask_for(const uint16_t* from, size_t bytes) {
  for (size_t i = 0; i < bytes; i += 64) {
    __builtin_prefetch(reinterpret_cast<const char*>(from) + i, 0, 2);
  }
}

template <class Unit>
void multiply(const Operand& x, size_t rows, size_t in, const void* packed, const float* bias,
              size_t out, After after, const Result& result) {
  const Product product{bias, out, &result};
  const Finish finish_rows =
      result.floats == nullptr ? finish_for<Unit, true>(after) : finish_for<Unit, false>(after);
  const size_t blocks = blocks_of(in);
  const size_t at_once = rows_at_once<Unit>(blocks);
  alignas(64) static thread_local float sums[(kMostRows + Unit::kRows) * kBlock];
  Unit::begin();
  for (size_t first = 0; first < rows; first += at_once) {
    const size_t end = first + at_once < rows ? first + at_once : rows;
    const auto* panel = static_cast<const uint16_t*>(packed);
    for (size_t column = 0; column < out; column += kBlock) {
      for (size_t k = 0; k < blocks; k += Unit::kDepth) {
        const size_t depth = k + Unit::kDepth < blocks ? Unit::kDepth : blocks - k;
        // What follows in memory is multiplied next.
        const size_t steps = (end - first + Unit::kRows - 1) / Unit::kRows;
        const size_t share = depth * kPanelBlock / steps / kBlock * kBlock;
        const uint16_t* next = panel + depth * kPanelBlock;
        for (size_t row = first; row < end; row += Unit::kRows, next += share) {
          ask_for(next, share * sizeof(uint16_t));
          const size_t count = row + Unit::kRows < end ? Unit::kRows : end - row;
          float* of_rows = sums + (row - first) * kBlock;
          Unit::products(static_cast<const uint16_t*>(x.data) + (k * x.stride + row) * kBlock,
                         x.stride * kBlock, count, panel, depth, k == 0, of_rows, kBlock);
          if (k + depth == blocks) finish_rows(of_rows, count, row, column, product);
        }
        panel += depth * kPanelBlock;
      }
    }
  }
  Unit::end();
}

// --- attention ----------------------------------------------------------------------------------

// e^(scale (score - largest)) of the first `count`, rounded, as an operand's row: its blocks lie
// `step` numbers apart and end at `padded`, filled up with 0. Gives the sum before rounding.
template <class Unit>
inline float soften_row(const float* scores, size_t count, size_t padded, float scale,
                        uint16_t* out, size_t step) {
  const size_t whole = count / kLanes * kLanes;
  Floats largest = all(-INFINITY);
  for (size_t j = 0; j < whole; j += kLanes) {
    const Floats v = load(scores + j);
    largest = v > largest ? v : largest;
  }
  float most = largest_of(largest, Lanes16());
  for (size_t j = whole; j < count; ++j) most = scores[j] > most ? scores[j] : most;
  Floats sums{};
  size_t j = 0;
  const auto put_at = [&](Halves halves) {
    put_halves(out + j / kBlock * step + j % kBlock, halves);
  };
  for (; j < whole; j += kLanes) {
    const Floats e = exponential((load(scores + j) - most) * scale);
    sums += e;
    put_at(Unit::to_bf16(e));
  }
  if (j < count) {
    alignas(64) float last[kLanes];
    for (size_t lane = 0; lane < kLanes; ++lane) {
      last[lane] = j + lane < count ? scores[j + lane] : -INFINITY;
    }
    const Floats e = exponential((load(last) - most) * scale);
    sums += e;
    put_at(Unit::to_bf16(e));
    j += kLanes;
  }
  for (; j < padded; j += kLanes) put_at(Halves{});
  return fast_total(sums);
}

template <class Unit>
void soften(float* scores, size_t rows, size_t count, size_t stride, float scale,
            const Operand& out, float* sums) {
  for (size_t i = 0; i < rows; ++i) {
    sums[i] = soften_row<Unit>(scores + i * stride, count, stride, scale, place(out, i, 0),
                               out.stride * kBlock);
  }
}

// What attention computes with, for one sequence. Without memory only its size is told.
struct Scratch {
  Scratch(void* memory, size_t length, size_t head_width, size_t unit_rows)
      : padded_length(whole_blocks(length)),
        padded_width(whole_blocks(head_width)),
        head_rows(padded_length + unit_rows) {
    const auto take = [&]<class T>(T*& part, size_t count) {
      if (memory != nullptr) part = reinterpret_cast<T*>(static_cast<std::byte*>(memory) + bytes);
      bytes += (count * sizeof(T) + 63) / 64 * 64;
    };
    take(keys, padded_length * padded_width);
    take(values, padded_length * padded_width);
    take(weights, unit_rows * padded_length);
    take(scores, unit_rows * padded_length);
    take(mixed, unit_rows * padded_width);
    for (uint16_t*& part : parts) take(part, head_rows * padded_width);
  }

  size_t padded_length;
  size_t padded_width;
  size_t head_rows;             // of the parts below
  uint16_t* keys = nullptr;     // in panels: columns are tokens, inputs the head's width
  uint16_t* values = nullptr;   // in panels: columns are the head's width, inputs tokens
  uint16_t* weights = nullptr;  // an operand's rows: softmax, not divided by its sum yet
  float* scores = nullptr;      // [unit rows, padded length]
  float* mixed = nullptr;       // [unit rows, padded width]
  uint16_t* parts[3] =
      {};  // a head's queries, keys and values, where they do not begin with a block
  size_t bytes = 0;
};

template <class Unit>
size_t attention_scratch(size_t longest, size_t head_width) {
  return Scratch(nullptr, longest, head_width, Unit::kRows).bytes;
}

// A head's columns of the tokens' rows: blocks that lie `step` numbers apart.
struct Part {
  const uint16_t* data;
  size_t step;
};

// `width` columns from `column` on. Where they do not begin with a block they are copied.
inline Part part_of(const Operand& qkv, size_t first_row, size_t rows, size_t column, size_t width,
                    size_t copied_rows, uint16_t* copy) {
  if (column % kBlock == 0 && width % kBlock == 0) {
    return {place(qkv, first_row, column), qkv.stride * kBlock};
  }
  const size_t step = copied_rows * kBlock;
  for (size_t row = 0; row < rows; ++row) {
    for (size_t at = 0; at < whole_blocks(width); at += kBlock) {
      uint16_t numbers[kBlock] = {};
      for (size_t i = 0; i < kBlock && at + i < width;) {
        const size_t in_block = kBlock - (column + at + i) % kBlock;
        const size_t wanted = (width - at < kBlock ? width - at : kBlock) - i;
        const size_t count = in_block < wanted ? in_block : wanted;
        __builtin_memcpy(numbers + i, place(qkv, first_row + row, column + at + i),
                         count * sizeof(uint16_t));
        i += count;
      }
      __builtin_memcpy(copy + at / kBlock * step + row * kBlock, numbers, sizeof numbers);
    }
  }
  return {copy, step};
}

// Keys as what queries are multiplied with. Columns beyond the last token hold anything.
inline void pack_keys(const Part& keys, size_t length, size_t head_width, uint16_t* packed) {
  for (size_t token = 0; token < whole_blocks(length); token += kBlock) {
    for (size_t block = 0; block < blocks_of(head_width); ++block, packed += kPanelBlock) {
      for (size_t half = 0; half < 2; ++half) {
        const size_t first = token + half * kLanes;
        if (first >= length) continue;
        Words v[16];
        const uint16_t* from = keys.data + block * keys.step + first * kBlock;
        for (size_t i = 0; i < 16; ++i) __builtin_memcpy(&v[i], from + i * kBlock, sizeof v[i]);
        transpose(v);
        for (size_t pair = 0; pair < kPairs; ++pair) {
          __builtin_memcpy(packed + 2 * kBlock * pair + half * kBlock, &v[pair], sizeof v[pair]);
        }
      }
    }
  }
}

// Values as what the softmax is multiplied with; 0 beyond the last token.
inline void pack_values(const Part& values, size_t length, size_t head_width, uint16_t* packed) {
  for (size_t block = 0; block < blocks_of(head_width); ++block) {
    const uint16_t* from = values.data + block * values.step;
    for (size_t token = 0; token < whole_blocks(length); token += 2, packed += 2 * kBlock) {
      const Row a = token < length ? load_row(from + token * kBlock) : Row{};
      const Row b = token + 1 < length ? load_row(from + (token + 1) * kBlock) : Row{};
      put_row(packed, interleaved(a, b, 0, Lanes32()));
      put_row(packed + kBlock, interleaved(a, b, 1, Lanes32()));
    }
  }
}

// A row of a head's results into columns from `column` on.
template <class Unit>
inline void put_mixed(const float* mixed, float scale, size_t width, const Operand& out, size_t row,
                      size_t column) {
  if (column % kLanes == 0 && width % kLanes == 0) {
    for (size_t j = 0; j < width; j += kLanes) {
      put_halves(place(out, row, column + j), Unit::to_bf16(load(mixed + j) * scale));
    }
    return;
  }
  for (size_t j = 0; j < width; j += kLanes) {
    const Halves halves = Unit::to_bf16(load(mixed + j) * scale);
    for (size_t i = 0; i < kLanes && j + i < width; ++i) {
      *place(out, row, column + j + i) = halves[i];
    }
  }
}

// Some of a head's queries, at most Unit::kRows of them.
template <class Unit>
void attend(const Part& queries, size_t first, size_t rows, const AttentionShape& shape,
            const Scratch& scratch, size_t head, const Operand& out, size_t out_row) {
  const size_t width_blocks = scratch.padded_width / kBlock;
  const size_t length_blocks = scratch.padded_length / kBlock;
  const size_t seen_blocks = shape.is_causal ? blocks_of(first + rows) : length_blocks;
  const uint16_t* x = queries.data + first * kBlock;
  for (size_t b = 0; b < seen_blocks; ++b) {
    Unit::products(x, queries.step, rows, scratch.keys + b * width_blocks * kPanelBlock,
                   width_blocks, true, scratch.scores + b * kBlock, scratch.padded_length);
  }
  const float scale = 1.0f / sqrtf(static_cast<float>(shape.head_width));
  float sums[Unit::kRows];
  for (size_t i = 0; i < rows; ++i) {
    const size_t seen = shape.is_causal ? first + i + 1 : shape.length;
    sums[i] =
        soften_row<Unit>(scratch.scores + i * scratch.padded_length, seen, scratch.padded_length,
                         scale, scratch.weights + i * kBlock, Unit::kRows * kBlock);
  }
  for (size_t b = 0; b < width_blocks; ++b) {
    Unit::products(scratch.weights, Unit::kRows * kBlock, rows,
                   scratch.values + b * length_blocks * kPanelBlock, length_blocks, true,
                   scratch.mixed + b * kBlock, scratch.padded_width);
  }
  for (size_t i = 0; i < rows; ++i) {
    put_mixed<Unit>(scratch.mixed + i * scratch.padded_width, 1.0f / sums[i], shape.head_width, out,
                    out_row + i, head * shape.head_width);
  }
}

// A head's keys and values into scratch. Gives its queries.
inline Part arrange_head(const Operand& qkv, size_t first_row, const AttentionShape& shape,
                         size_t head, const Scratch& scratch) {
  const size_t width = shape.heads * shape.head_width;
  const auto part = [&](size_t which) {
    return part_of(qkv, first_row, shape.length, which * width + head * shape.head_width,
                   shape.head_width, scratch.head_rows, scratch.parts[which]);
  };
  pack_keys(part(1), shape.length, shape.head_width, scratch.keys);
  pack_values(part(2), shape.length, shape.head_width, scratch.values);
  return part(0);
}

template <class Unit>
void arrange(const Operand& qkv, size_t first_row, const AttentionShape& shape, size_t head,
             void* memory) {
  arrange_head(qkv, first_row, shape, head,
               Scratch(memory, shape.length, shape.head_width, Unit::kRows));
}

template <class Unit>
void attention(const Operand& qkv, size_t first_row, const AttentionShape& shape, void* memory,
               const Operand& out, size_t out_row) {
  const Scratch scratch(memory, shape.length, shape.head_width, Unit::kRows);
  Unit::begin();
  for (size_t head = 0; head < shape.heads; ++head) {
    const Part queries = arrange_head(qkv, first_row, shape, head, scratch);
    for (size_t row = shape.first_query; row < shape.end_query; row += Unit::kRows) {
      const size_t rows = row + Unit::kRows < shape.end_query ? Unit::kRows : shape.end_query - row;
      attend<Unit>(queries, row, rows, shape, scratch, head, out,
                   out_row + row - shape.first_query);
    }
  }
  Unit::end();
  for (size_t row = out_row; row < out_row + shape.end_query - shape.first_query; ++row) {
    clear_behind(out, row, shape.heads * shape.head_width);
  }
}

template <class Unit>
constexpr Kernels make_bf16_kernels(const char* name) {
  return {name,
          operand_size<Unit>,
          put_rows<Unit>,
          layer_norm<Unit>,
          layer_norm_floats,
          attention<Unit>,
          attention_scratch<Unit>,
          pack<Unit>,
          packed_bytes,
          multiply<Unit>,
          arrange<Unit>,
          soften<Unit>};
}

}  // namespace
}  // namespace zeroshelf::clip_kernels
