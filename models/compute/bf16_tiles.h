#pragma once

// Inside models/compute: the unit of bf16_body.h for tiles of 16 rows of 64 bytes. Tiles are the
// processor's (AMX), or for tests imitated:
//   begin(), end(): around all use in a thread;
//   zero<T>(), load<T>(from, bytes), store<T>(to, bytes): tile T; bytes between its rows;
//   add<C, A, B>(): C += A B: of bfloat16, with sums in fp32. B's rows are pairs of inputs.
// Everything here has internal linkage.

#include "models/compute/bf16_body.h"

namespace zeroshelf::clip_kernels {
namespace {

// Two by two tiles of sums, 0 to 3: each tile of x and of the panel is used twice, and a sum waits
// for its last product four products ago, which is about how long one takes. Tiles 4 and 5 are of
// x, 6 and 7 of the panel.
template <class Tiles, class Rounding>
struct TileUnit : Rounding {
  static constexpr size_t kTileRows = 16;
  static constexpr size_t kRows = 2 * kTileRows;
  static constexpr size_t kDepth = 12;

  static void begin() { Tiles::begin(); }
  static void end() { Tiles::end(); }

  static void products(const uint16_t* x, size_t x_step, size_t rows, const uint16_t* panel,
                       size_t depth, bool is_first, float* sums, size_t sums_step) {
    if (rows > kTileRows) {
      both(x, x_step, panel, depth, is_first, sums, sums_step);
    } else {
      upper(x, x_step, panel, depth, is_first, sums, sums_step);
    }
  }

 private:
  static constexpr size_t kRowBytes = kBlock * sizeof(uint16_t);
  static constexpr size_t kPanelRowBytes = 2 * kRowBytes;

  static void both(const uint16_t* x, size_t x_step, const uint16_t* panel, size_t depth,
                   bool is_first, float* sums, size_t sums_step) {
    const size_t sums_bytes = sums_step * sizeof(float);
    float* lower_sums = sums + kTileRows * sums_step;
    if (is_first) {
      Tiles::template zero<0>();
      Tiles::template zero<1>();
      Tiles::template zero<2>();
      Tiles::template zero<3>();
    } else {
      Tiles::template load<0>(sums, sums_bytes);
      Tiles::template load<1>(sums + kLanes, sums_bytes);
      Tiles::template load<2>(lower_sums, sums_bytes);
      Tiles::template load<3>(lower_sums + kLanes, sums_bytes);
    }
    for (size_t block = 0; block < depth; ++block, x += x_step, panel += kPanelBlock) {
      Tiles::template load<6>(panel, kPanelRowBytes);
      Tiles::template load<4>(x, kRowBytes);
      Tiles::template add<0, 4, 6>();
      Tiles::template load<7>(panel + kBlock, kPanelRowBytes);
      Tiles::template add<1, 4, 7>();
      Tiles::template load<5>(x + kTileRows * kBlock, kRowBytes);
      Tiles::template add<2, 5, 6>();
      Tiles::template add<3, 5, 7>();
    }
    Tiles::template store<0>(sums, sums_bytes);
    Tiles::template store<1>(sums + kLanes, sums_bytes);
    Tiles::template store<2>(lower_sums, sums_bytes);
    Tiles::template store<3>(lower_sums + kLanes, sums_bytes);
  }

  // The upper 16 rows alone.
  static void upper(const uint16_t* x, size_t x_step, const uint16_t* panel, size_t depth,
                    bool is_first, float* sums, size_t sums_step) {
    const size_t sums_bytes = sums_step * sizeof(float);
    if (is_first) {
      Tiles::template zero<0>();
      Tiles::template zero<1>();
    } else {
      Tiles::template load<0>(sums, sums_bytes);
      Tiles::template load<1>(sums + kLanes, sums_bytes);
    }
    for (size_t block = 0; block < depth; ++block, x += x_step, panel += kPanelBlock) {
      Tiles::template load<4>(x, kRowBytes);
      Tiles::template load<6>(panel, kPanelRowBytes);
      Tiles::template add<0, 4, 6>();
      Tiles::template load<7>(panel + kBlock, kPanelRowBytes);
      Tiles::template add<1, 4, 7>();
    }
    Tiles::template store<0>(sums, sums_bytes);
    Tiles::template store<1>(sums + kLanes, sums_bytes);
  }
};

}  // namespace
}  // namespace zeroshelf::clip_kernels
