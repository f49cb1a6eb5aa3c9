#pragma once

// Inside models/clip: what a transformer does between its multiplications, vectorised; one set for
// each instruction set. Includes nothing that could carry such code into other files.
//
// Every row's result depends on that row's inputs alone, never on how many rows a call has.
// Threads: all of it may run together.

#include <cstddef>
#include <cstdint>

namespace zeroshelf::clip_kernels {

// The form in which a result is stored.
enum class Store {
  Float,
  Bf16,         // bfloat16, rounded to nearest, ties to even
  RoundedFloat  // float that holds what Bf16 would: the same numbers without the hardware
};

// (x - mean) / sqrt(variance + epsilon) * weight + bias, of each row. x: [rows, width]; out: the
// same shape, float or bfloat16, may be x itself.
using LayerNormKernel = void (*)(const float* x, size_t rows, size_t width, const float* weight,
                                 const float* bias, float epsilon, Store store, void* out);

struct AttentionShape {
  size_t length = 0;  // tokens of the sequence
  size_t heads = 0;
  size_t head_width = 0;   // width = heads * head_width
  size_t first_query = 0;  // only these tokens' results are computed
  size_t end_query = 0;
  bool is_causal = false;  // a token sees itself and those before
};

// Softmax(Q K^T / sqrt(head width)) V of one sequence. qkv: [length, 3 width], each row the
// queries, keys and values of all heads. out: [end_query - first_query, width]. scratch: as many
// floats as attention_scratch says, aligned to 64 bytes.
using AttentionKernel = void (*)(const float* qkv, const AttentionShape& shape, float* scratch,
                                 Store store, void* out);

// What follows a multiplication while its result is in registers.
enum class After { Nothing, QuickGelu, Gelu, AddToResult };

// y = after(x W^T + bias), all in fp32: every sum runs over the inputs in their order. x: [rows,
// in]; packed: W as pack made it; bias: [out] or null; y: [rows, out], as Float or RoundedFloat.
using MultiplyKernel = void (*)(const float* x, size_t rows, size_t in, const float* packed,
                                const float* bias, size_t out, After after, Store store, float* y);

// weights: [out, in] -> packed: packed_size floats.
using PackKernel = void (*)(const float* weights, size_t out, size_t in, float* packed);
using PackedSize = size_t (*)(size_t out, size_t in);

// Rounds to what bfloat16 can hold, in place.
using RoundKernel = void (*)(float* values, size_t count);

struct Kernels {
  const char* name;
  LayerNormKernel layer_norm;
  AttentionKernel attention;
  RoundKernel round_to_bf16;
  PackedSize packed_size;
  PackKernel pack;
  MultiplyKernel multiply;
};

// Enough for every instruction set.
size_t attention_scratch(size_t longest, size_t head_width);

extern const Kernels kPortable;
extern const Kernels kAvx2;    // AVX2 and FMA
extern const Kernels kAvx512;  // AVX-512 F, BW, DQ, VL

// The best that this processor has.
const Kernels& best();

}  // namespace zeroshelf::clip_kernels
