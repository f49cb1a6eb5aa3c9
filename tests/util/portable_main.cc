// The main of what portable_test.sh runs for another processor: no code for x86 is chosen there.

#define BOOST_TEST_MODULE portable
#include <boost/test/included/unit_test.hpp>

#include <string_view>

#include "lib/util/cpu.h"
#include "lib/vectors/fixed_point.h"
#include "lib/vectors/scan.h"
#include "models/compute/kernels.h"

namespace zeroshelf {

BOOST_AUTO_TEST_CASE(the_portable_kernels_are_chosen) {
  BOOST_TEST((instruction_set() == InstructionSet::Portable));
  BOOST_TEST(!has_matrix_tiles());
  BOOST_TEST(clip_kernels::fp32_kernels().name == std::string_view("portable"));
  BOOST_TEST(!clip_kernels::multiplies_bf16());
  BOOST_TEST(scan_kernel_name() == "portable");
  BOOST_TEST(fixed_point_kernels().size() == 1);
}

}  // namespace zeroshelf
