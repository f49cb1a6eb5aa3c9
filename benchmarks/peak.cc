#include "benchmarks/peak.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include <cstdint>
#include <thread>
#include <vector>

#include "benchmarks/measure.h"
#include "lib/util/cpu.h"
#include "lib/util/matrix_tiles.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

using Products = double (*)();

#if defined(__x86_64__)
// As many sums as hide the latency of two units, and still fit the registers with their factors.
constexpr int kSums = 12;
constexpr long kRounds = 1 << 20;

// The compiler must not know that all sums are the same. Each function returns how many
// multiply-adds it made.
constexpr double kInstructions = double{kSums} * kRounds;

__attribute__((target("amx-tile,amx-bf16"))) double products_amx_bf16() {
  constexpr long kTileRounds = kRounds / 16;
  configure_whole_tiles();
  _tile_zero(0);
  _tile_zero(1);
  _tile_zero(2);
  _tile_zero(3);
  _tile_zero(4);
  _tile_zero(5);
  _tile_zero(6);
  _tile_zero(7);
  for (long i = 0; i < kTileRounds; ++i) {
    _tile_dpbf16ps(0, 4, 6);
    _tile_dpbf16ps(1, 4, 7);
    _tile_dpbf16ps(2, 5, 6);
    _tile_dpbf16ps(3, 5, 7);
  }
  release_tiles();
  return 4.0 * kTileRounds * 16 * 16 * 32;
}

__attribute__((target("avx512f,avx512bf16"))) double products_avx512_bf16() {
  __m512 sums[kSums] = {};
  auto x = (__m512bh)_mm512_set1_epi16(1);
  auto y = (__m512bh)_mm512_set1_epi16(2);
  asm volatile("" : "+v"(x), "+v"(y));
  for (__m512& sum : sums) asm volatile("" : "+v"(sum));
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, x, y);
  }
  for (__m512& sum : sums) asm volatile("" : : "v"(sum));
  return 32 * kInstructions;
}

__attribute__((target("avx512f"))) double products_avx512() {
  __m512 sums[kSums] = {};
  __m512 x = _mm512_set1_ps(0.5f);
  asm volatile("" : "+v"(x));
  for (__m512& sum : sums) asm volatile("" : "+v"(sum));
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(x, x, sum);
  }
  for (__m512& sum : sums) asm volatile("" : : "v"(sum));
  return 16 * kInstructions;
}

__attribute__((target("avx2,fma"))) double products_avx2() {
  __m256 sums[kSums] = {};
  __m256 x = _mm256_set1_ps(0.5f);
  asm volatile("" : "+x"(x));
  for (__m256& sum : sums) asm volatile("" : "+x"(sum));
  for (long i = 0; i < kRounds; ++i) {
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(x, x, sum);
  }
  for (__m256& sum : sums) asm volatile("" : : "x"(sum));
  return 8 * kInstructions;
}

Products best_products(bool in_bf16) {
  if (in_bf16 && has_matrix_tiles()) return products_amx_bf16;
  if (in_bf16) return __builtin_cpu_supports("avx512bf16") ? products_avx512_bf16 : nullptr;
  if (__builtin_cpu_supports("avx512f")) return products_avx512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? products_avx2 : nullptr;
}
#else
Products best_products(bool) {
  return nullptr;
}
#endif

}  // namespace

std::optional<double> peak_multiply_adds(bool in_bf16) {
  constexpr int kCalls = 40;
  const Products products = best_products(in_bf16);
  if (products == nullptr) return std::nullopt;
  const double each = products();
  const unsigned threads = available_cores();
  const double seconds = seconds_of([&] {
    std::vector<std::jthread> workers;
    for (unsigned i = 0; i < threads; ++i) {
      workers.emplace_back([&] {
        for (int call = 0; call < kCalls; ++call) products();
      });
    }
  });
  return each * kCalls * threads / seconds;
}

std::optional<double> peak_multiply_adds_of_one_thread(bool in_bf16) {
  constexpr int kCalls = 10;
  const Products products = best_products(in_bf16);
  if (products == nullptr) return std::nullopt;
  double made = products();
  const double seconds = processor_seconds_of([&] {
    made = 0;
    for (int call = 0; call < kCalls; ++call) made += products();
  });
  return made / seconds;
}

}  // namespace zeroshelf
