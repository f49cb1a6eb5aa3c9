#include "benchmarks/peak.h"

#include <immintrin.h>

#include <thread>
#include <vector>

#include "benchmarks/measure.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

// As many sums as hide the latency of two units, and still fit the registers with their factors.
constexpr int kSums = 12;
constexpr long kRounds = 1 << 20;

// The compiler must not know that all sums are the same. Each does kRounds times kSums instructions
// and returns the multiply-adds of one instruction.
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
  return 32;
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
  return 16;
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
  return 8;
}

using Products = double (*)();

Products best_products(bool in_bf16) {
  if (in_bf16) return __builtin_cpu_supports("avx512bf16") ? products_avx512_bf16 : nullptr;
  if (__builtin_cpu_supports("avx512f")) return products_avx512;
  return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? products_avx2 : nullptr;
}

bool has_amx() {
  unsigned a = 7, b = 0, c = 0, d = 0;
  asm volatile("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
  constexpr unsigned kAmxBf16 = 1u << 22;
  return (d & kAmxBf16) != 0;
}

}  // namespace

std::optional<double> peak_multiply_adds(bool in_bf16) {
  constexpr int kCalls = 40;
  const Products products = best_products(in_bf16);
  if (products == nullptr || (in_bf16 && has_amx())) return std::nullopt;
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
  return each * kSums * kRounds * kCalls * threads / seconds;
}

}  // namespace zeroshelf
