// OpenBLAS's kernels, chosen wrongly by the environment, in programs that this test starts.

#include "lib/util/openblas.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/run_program.h"

namespace zeroshelf {
namespace {

using testing::run_program;

std::string core_of_program_told(const std::string& core) {
  const auto result = run_program(
      {"/usr/bin/env", core.empty() ? "--unset=OPENBLAS_CORETYPE" : "OPENBLAS_CORETYPE=" + core,
       ZEROSHELF_OPENBLAS_PROGRAM, "two", "words"});
  BOOST_TEST(result.exit_code == 0);
  return result.out;
}

BOOST_AUTO_TEST_SUITE(openblas)

BOOST_AUTO_TEST_CASE(a_program_multiplies_with_the_processors_vectors_whatever_it_was_told) {
  // Debian's can be another BLAS.
  const std::string first = core_of_program_told("");
  BOOST_TEST_MESSAGE("without being told: " << first);
  if (first == "none: two words") return;
  for (const std::string told : {"", "Prescott", "Haswell", "SkylakeX", "nonsense"}) {
    if (told == "SkylakeX" && instruction_set() != InstructionSet::Avx512) continue;
    const std::string got = core_of_program_told(told);
    BOOST_TEST_CONTEXT(told << " -> " << got) {
      BOOST_TEST(got.ends_with(": two words"));  // its arguments are still its own
      BOOST_TEST(uses_vectors_of(got.substr(0, got.find(':')), instruction_set()));
    }
  }
}

BOOST_AUTO_TEST_CASE(kernels_are_chosen_by_their_vectors) {
  for (const InstructionSet set : {InstructionSet::Avx2, InstructionSet::Avx512}) {
    BOOST_TEST(uses_vectors_of(best_openblas_core(set), set));
    BOOST_TEST(!uses_vectors_of("Prescott", set));
    BOOST_TEST(!uses_vectors_of("Nehalem", set));
    BOOST_TEST(!uses_vectors_of("Sandybridge", set));
  }
  BOOST_TEST(!uses_vectors_of("Haswell", InstructionSet::Avx512));
  BOOST_TEST(uses_vectors_of("SkylakeX", InstructionSet::Avx2));
  BOOST_TEST(uses_vectors_of("Prescott", InstructionSet::Portable));
  BOOST_TEST(best_openblas_core(InstructionSet::Portable).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
