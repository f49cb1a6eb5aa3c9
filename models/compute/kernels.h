#pragma once

// Inside models/: what a transformer computes, vectorised; one set of functions for each
// instruction set and arithmetic. Includes nothing that could carry such code into other files.
//
// Every row's result depends on that row's inputs alone, never on how many rows a call has or on
// what stands in the others. Threads: all of it may run together.

#include <cstddef>
#include <cstdint>

namespace zeroshelf::clip_kernels {

// A matrix that is to be multiplied, [rows, width], in the form that one set of functions writes
// and reads; what it holds is theirs. Whoever makes one asks operand_size for its bytes.
struct Operand {
  void* data = nullptr;  // aligned to 64 bytes
  size_t stride = 0;     // between rows, or between blocks of columns
};

struct OperandSize {
  size_t bytes = 0;
  size_t stride = 0;
};

// (x - mean) / sqrt(variance + epsilon) * weight + bias, of each row. x: [rows, width].
struct Norm {
  const float* weight;  // [width]
  const float* bias;    // [width]
  float epsilon;
};

struct AttentionShape {
  size_t length = 0;  // tokens of the sequence
  size_t heads = 0;
  size_t head_width = 0;   // width = heads * head_width
  size_t first_query = 0;  // only these tokens' results are computed
  size_t end_query = 0;
  bool is_causal = false;  // a token sees itself and those before
};

// What follows a multiplication while its result is in registers or in the first cache.
enum class After { Nothing, QuickGelu, Gelu, GeluTanh, Relu, AddToResult };

// Where it goes: as floats, [rows, out], or to be multiplied again (not with AddToResult).
struct Result {
  float* floats = nullptr;
  Operand operand;  // where floats is null
};

struct Kernels {
  const char* name;

  // The size of an operand of these rows and columns.
  OperandSize (*operand_size)(size_t rows, size_t width);

  // Rows of floats, [rows, width], into an operand from its row first_row on.
  void (*put)(const float* x, size_t rows, size_t width, const Operand& out, size_t first_row);

  // Into an operand, or into floats, which may be x itself.
  void (*layer_norm)(const float* x, size_t rows, size_t width, const Norm& norm,
                     const Operand& out);
  void (*layer_norm_floats)(const float* x, size_t rows, size_t width, const Norm& norm,
                            float* out);

  // Softmax(Q K^T / sqrt(head width)) V of one sequence, whose tokens are rows first_row and
  // following of qkv, [rows, 3 width]: the queries, keys and values of all heads. The results are
  // rows out_row and following of out, [rows, width]. scratch: attention_scratch bytes, aligned to
  // 64.
  void (*attention)(const Operand& qkv, size_t first_row, const AttentionShape& shape,
                    void* scratch, const Operand& out, size_t out_row);
  size_t (*attention_scratch)(size_t longest, size_t head_width);

  // weights: [out, in] -> packed: packed_bytes, aligned to 64. A matrix of several parts below each
  // other may be packed part by part where each but the last has a multiple of kPackedOut outputs.
  void (*pack)(const float* weights, size_t out, size_t in, void* packed);
  size_t (*packed_bytes)(size_t out, size_t in);

  // after(x W^T + bias); every sum runs over the inputs in one order. x: [rows, in]; packed: W as
  // pack made it; bias: [out] or null. With AddToResult the product is added to result.floats.
  void (*multiply)(const Operand& x, size_t rows, size_t in, const void* packed, const float* bias,
                   size_t out, After after, const Result& result);

  // Two steps of attention alone, to be measured and tested. A head's keys and values as they will
  // be multiplied, in scratch.
  void (*arrange)(const Operand& qkv, size_t first_row, const AttentionShape& shape, size_t head,
                  void* scratch);
  // And the softmax: `rows` rows of `count` scores, each row `stride` floats (a multiple of 32, at
  // least count) behind the last, as e^(scale (score - the row's largest)) and 0 from `count` on in
  // out, [rows, stride]; the scores are lost. sums: [rows].
  void (*soften)(float* scores, size_t rows, size_t count, size_t stride, float scale,
                 const Operand& out, float* sums);
};

inline constexpr size_t kPackedOut = 32;

// In fp32.
extern const Kernels kPortable;
extern const Kernels kAvx2;    // AVX2 and FMA
extern const Kernels kAvx512;  // AVX-512 F, BW, DQ, VL

// In bfloat16, imitated: the same numbers, rounded to bfloat16 before they are multiplied in fp32.
extern const Kernels kPortableRounded;
extern const Kernels kAvx2Rounded;
extern const Kernels kAvx512Rounded;

// In bfloat16, with sums in fp32.
extern const Kernels kAvx512Bf16;  // AVX512-BF16
extern const Kernels kAmx;         // AVX512-BF16 and tiles, for which the process must have asked

// The best that this processor has.
const Kernels& fp32_kernels();
const Kernels& bf16_kernels();  // imitated where the processor does not multiply bfloat16

// Whether it does.
bool multiplies_bf16();

}  // namespace zeroshelf::clip_kernels
