// Inner products in fixed point with AMX. Tested by tests/vectors/fixed_point_test.cc where the
// processor has it, and without it with a unit that is imitated there.

#include "lib/util/matrix_tiles.h"
#include "lib/vectors/fixed_matrix.h"
#include "lib/vectors/fixed_register_avx512.h"

namespace zeroshelf::kernel {
namespace {

// Tiles 0 to 3 are the sums, 4 and 5 the rows, 6 and 7 the queries. Each sum waits for nothing but
// its last product four products ago, which is about how long a product takes.
struct Amx {
  static void begin() { configure_whole_tiles(); }
  static void end() { release_tiles(); }
  static void clear() {
    _tile_zero(0);
    _tile_zero(1);
    _tile_zero(2);
    _tile_zero(3);
    // The intrinsics do not tell GCC 12 that they read memory.
    asm volatile("" : : : "memory");
  }
  static void add(const uint8_t* rows, const uint8_t* queries) {
    _tile_loadd(4, rows, 64);
    _tile_loadd(6, queries, 64);
    _tile_dpbssd(0, 4, 6);
    _tile_loadd(7, queries + kTileBytes, 64);
    _tile_dpbsud(1, 4, 7);
    _tile_loadd(5, rows + kTileBytes, 64);
    _tile_dpbusd(2, 5, 6);
    _tile_dpbuud(3, 5, 7);
  }
  static void store(uint32_t* sums) {
    _tile_stored(0, sums, 64);
    _tile_stored(1, sums + kSums, 64);
    _tile_stored(2, sums + 2 * kSums, 64);
    _tile_stored(3, sums + 3 * kSums, 64);
    asm volatile("" : : : "memory");
  }
};

}  // namespace

bool fixed_products_amx(const uint16_t* rows, size_t row_count, size_t dimension,
                        const FixedQueries& queries, float* out) {
  return matrix_products<Avx512, Amx>(rows, row_count, dimension, queries, out);
}

}  // namespace zeroshelf::kernel
