#pragma once

// The shape of the processor's matrix tiles (AMX), for code that has_matrix_tiles() of
// lib/util/cpu.h let in. One place for it, because it is easily got wrong: GCC 12's
// _tile_loadconfig tells the compiler that 8 bytes are read, so the rest of a configuration on the
// stack may never be stored. Tested by tests/clip/tile_configuration_test.cc, which looks at
// what the compiled code hands to the instruction.

#include <cstdint>

namespace zeroshelf {
namespace {

// Intel's manual, volume 1, "Intel AMX tile configuration".
struct alignas(64) TileConfiguration {
  uint8_t palette;
  uint8_t start_row;
  uint8_t reserved[14];
  uint16_t row_bytes[16];
  uint8_t rows[16];
};
static_assert(sizeof(TileConfiguration) == 64);

// All eight tiles: 16 rows of 64 bytes, contents 0. They are the calling thread's until
// release_tiles().
inline void configure_whole_tiles() {
  const TileConfiguration whole = {.palette = 1,
                                   .start_row = 0,
                                   .reserved = {},
                                   .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64},
                                   .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
  asm volatile("ldtilecfg %0" : : "m"(whole));  // all of it is an operand
}

inline void release_tiles() {
  asm volatile("tilerelease");
}

}  // namespace
}  // namespace zeroshelf
