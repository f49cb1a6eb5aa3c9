// What the compiled code gives to the instruction that configures the processor's tiles. Where
// there are none the instruction is illegal: then the signal's handler finds its operand in memory
// and reads it. So every processor tests that all of the configuration is there, as the compiler
// left it.

#include <signal.h>
#include <ucontext.h>

#include <boost/test/unit_test.hpp>
#include <csetjmp>
#include <cstring>
#include <functional>
#include <optional>
#include <vector>

#include "lib/util/cpu.h"
#include "lib/vectors/kernel.h"
#include "models/compute/packed_linear.h"

namespace zeroshelf {
namespace {

constexpr size_t kBytes = 64;

sigjmp_buf after_signal;
uint8_t configuration[kBytes];
bool is_found = false;

// The general register of this number in the processor's order.
uintptr_t register_of(const ucontext_t& context, unsigned number) {
  static constexpr int kNames[] = {REG_RAX, REG_RCX, REG_RDX, REG_RBX, REG_RSP, REG_RBP,
                                   REG_RSI, REG_RDI, REG_R8,  REG_R9,  REG_R10, REG_R11,
                                   REG_R12, REG_R13, REG_R14, REG_R15};
  return static_cast<uintptr_t>(context.uc_mcontext.gregs[kNames[number]]);
}

// Where the operand of an LDTILECFG is (VEX.128.NP.0F38.W0 49 !(11):000:bbb); nothing for any other
// instruction.
std::optional<uintptr_t> operand_of(const ucontext_t& context) {
  const auto start = static_cast<uintptr_t>(context.uc_mcontext.gregs[REG_RIP]);
  const auto* at = reinterpret_cast<const uint8_t*>(start);
  if (at[0] != 0xc4 || (at[1] & 0x1f) != 2 || at[2] != 0x78 || at[3] != 0x49) return {};
  const unsigned index_bit = at[1] & 0x40 ? 0 : 8;
  const unsigned base_bit = at[1] & 0x20 ? 0 : 8;
  const unsigned mode = at[4] >> 6;
  const unsigned rest = at[4] & 7;
  if (mode == 3 || (at[4] >> 3 & 7) != 0) return {};
  at += 5;
  uintptr_t address = 0;
  bool has_displacement = mode != 0;
  bool is_relative = false;
  if (rest == 4) {
    const unsigned sib = *at++;
    const unsigned index = (sib >> 3 & 7) | index_bit;
    if (index != 4) address += register_of(context, index) << (sib >> 6);
    if (mode == 0 && (sib & 7) == 5) {
      has_displacement = true;
    } else {
      address += register_of(context, (sib & 7) | base_bit);
    }
  } else if (mode == 0 && rest == 5) {
    has_displacement = is_relative = true;
  } else {
    address += register_of(context, rest | base_bit);
  }
  if (has_displacement && mode == 1) {
    address += static_cast<uintptr_t>(static_cast<intptr_t>(static_cast<int8_t>(*at++)));
  } else if (has_displacement) {
    int32_t displacement;
    std::memcpy(&displacement, at, sizeof displacement);
    at += sizeof displacement;
    address += static_cast<uintptr_t>(static_cast<intptr_t>(displacement));
  }
  return is_relative ? address + reinterpret_cast<uintptr_t>(at) : address;
}

void on_illegal(int, siginfo_t*, void* context) {
  if (const auto address = operand_of(*static_cast<const ucontext_t*>(context))) {
    std::memcpy(configuration, reinterpret_cast<const void*>(*address), kBytes);
    is_found = true;
  }
  siglongjmp(after_signal, 1);
}

// Runs what uses tiles as far as it goes.
void check(const char* name, const std::function<void()>& use) {
  BOOST_TEST_CONTEXT(name) {
    if (has_matrix_tiles()) {
      use();  // or it ends in a signal
      return;
    }
    is_found = false;
    std::memset(configuration, 0xee, kBytes);
    struct sigaction action {
    }, before{};
    action.sa_sigaction = on_illegal;
    action.sa_flags = SA_SIGINFO;
    sigaction(SIGILL, &action, &before);
    if (sigsetjmp(after_signal, 1) == 0) use();
    sigaction(SIGILL, &before, nullptr);
    // Before it the code uses AVX-512.
    if (!is_found && instruction_set() != InstructionSet::Avx512) return;
    BOOST_REQUIRE(is_found);
    uint8_t expected[kBytes] = {1};
    for (size_t tile = 0; tile < 8; ++tile) {
      expected[16 + 2 * tile] = 64;
      expected[48 + tile] = 16;
    }
    BOOST_TEST(std::vector<uint8_t>(configuration, configuration + kBytes) ==
                   std::vector<uint8_t>(expected, expected + kBytes),
               boost::test_tools::per_element());
  }
}

// Leaves something in the stack's memory where the next call has its variables.
void soil_the_stack() {
  volatile uint8_t memory[1 << 20];
  for (volatile uint8_t& byte : memory) byte = 0xaa;
}

BOOST_AUTO_TEST_SUITE(tile_configuration)

BOOST_AUTO_TEST_CASE(the_processor_gets_all_of_it) {
  std::vector<uint8_t> tiles(2 * kernel::kTileBytes);
  std::vector<uint16_t> row(kernel::kTileValues);
  const float unit = 1;
  const float offset = 0;
  const kernel::FixedQueries queries{nullptr, tiles.data(), kernel::kTileValues, &unit, &offset, 1};
  float product = 0;
  soil_the_stack();
  check("inner products",
        [&] { kernel::fixed_products_amx(row.data(), 1, kernel::kTileValues, queries, &product); });

  // Not asked for their sizes, since that is code of the same instruction set.
  constexpr size_t kPlenty = 1 << 20;
  const clip_kernels::Kernels& kernels = clip_kernels::kAmx;
  AlignedBuffer x_memory, mixed_memory, packed, scratch;
  const Operand x{x_memory.bytes(kPlenty), 96};
  const Operand mixed{mixed_memory.bytes(kPlenty), 96};
  packed.bytes(kPlenty);
  scratch.bytes(kPlenty);
  std::vector<float> y(32 * 32);
  soil_the_stack();
  check("a multiplication", [&] {
    kernels.multiply(x, 32, 32, packed.data(), nullptr, 32, After::Nothing, {y.data(), {}});
  });
  clip_kernels::AttentionShape shape;
  shape.length = shape.end_query = 32;
  shape.heads = 1;
  shape.head_width = 32;
  soil_the_stack();
  check("attention", [&] { kernels.attention(x, 0, shape, scratch.bytes(0), mixed, 0); });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
