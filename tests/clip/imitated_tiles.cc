#include "tests/clip/imitated_tiles.h"

#include <bit>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "models/compute/bf16_tiles.h"

namespace zeroshelf::clip_kernels {
namespace {

// What the processor's tiles do (Intel's manual, volume 2, TILELOADD and TDPBF16PS): the products
// of the pairs' first numbers and those of their second are summed apart, then added to each other
// and to the sum. Numbers too small to be normal, which it takes as 0, are not looked for.
struct ImitatedTiles {
  static void begin() { is_ready_ = true; }
  static void end() { is_ready_ = false; }

  template <int T>
  static void zero() {
    std::memset(row(T, 0), 0, kRows * kRowBytes);
  }
  template <int T>
  static void load(const void* from, size_t bytes) {
    for (size_t i = 0; i < kRows; ++i) {
      std::memcpy(row(T, i), static_cast<const std::byte*>(from) + i * bytes, kRowBytes);
    }
  }
  template <int T>
  static void store(void* to, size_t bytes) {
    for (size_t i = 0; i < kRows; ++i) {
      std::memcpy(static_cast<std::byte*>(to) + i * bytes, row(T, i), kRowBytes);
    }
  }
  template <int C, int A, int B>
  static void add() {
    for (size_t i = 0; i < kRows; ++i) {
      float first[kRows] = {}, second[kRows] = {};
      for (size_t k = 0; k < kRows; ++k) {
        const float x = number(A, i, 2 * k), y = number(A, i, 2 * k + 1);
        for (size_t j = 0; j < kRows; ++j) {
          first[j] += x * number(B, k, 2 * j);
          second[j] += y * number(B, k, 2 * j + 1);
        }
      }
      float sums[kRows];
      std::memcpy(sums, row(C, i), sizeof sums);
      for (size_t j = 0; j < kRows; ++j) sums[j] += first[j] + second[j];
      std::memcpy(row(C, i), sums, sizeof sums);
    }
  }

 private:
  static constexpr size_t kRows = 16;
  static constexpr size_t kRowBytes = 64;

  // Without a configuration the processor refuses every use.
  static std::byte* row(int tile, size_t i) {
    if (!is_ready_) std::abort();
    return tiles_[tile][i];
  }
  static float number(int tile, size_t i, size_t at) {
    uint16_t bits;
    std::memcpy(&bits, tiles_[tile][i] + 2 * at, sizeof bits);
    return std::bit_cast<float>(uint32_t{bits} << 16);
  }

  static inline thread_local std::byte tiles_[8][kRows][kRowBytes];
  static inline thread_local bool is_ready_ = false;
};

struct ImitatedRounding {
  static Halves to_bf16(Floats v) {
    Halves halves;
    for (size_t i = 0; i < kLanes; ++i) {
      const auto bits = std::bit_cast<uint32_t>(float{v[i]});
      const uint32_t nearest = bits + 0x7fffu + (bits >> 16 & 1u);
      const bool is_number = (bits & 0x7fffffffu) <= 0x7f800000u;
      halves[i] = static_cast<uint16_t>(is_number ? nearest >> 16 : bits >> 16 | 0x40u);
    }
    return halves;
  }
};

}  // namespace
}  // namespace zeroshelf::clip_kernels

namespace zeroshelf::testing {

const clip_kernels::Kernels kImitatedTiles =
    clip_kernels::make_bf16_kernels<clip_kernels::TileUnit<clip_kernels::ImitatedTiles,
                                                           clip_kernels::ImitatedRounding>>(
        "imitated tiles");

}  // namespace zeroshelf::testing
