// zeroshelf-fuzz-coverage: one target of targets.h under libFuzzer, which sees what parts of the
// code an input reaches and builds on those that reach more. Built by clang, preset "coverage";
// `./dev fuzz --coverage` runs it with the seeds and the dictionary of `zeroshelf-fuzz seeds`.
//
//   ZEROSHELF_FUZZ_TARGET=labels zeroshelf-fuzz-coverage CORPUS [libFuzzer's flags]
//
// A finding is libFuzzer's: a crash, a sanitizer's report, too much time or memory, and any
// exception that leaves a target's read, such as a promise that does not hold.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "lib/util/error.h"
#include "tests/fuzz/targets.h"

namespace {

using zeroshelf::testing::Target;

Target chosen_target() {
  const char* name = std::getenv("ZEROSHELF_FUZZ_TARGET");
  try {
    return zeroshelf::testing::make_target(name == nullptr ? "" : name);
  } catch (const zeroshelf::Error& error) {
    std::fprintf(stderr, "ZEROSHELF_FUZZ_TARGET: %s\n", error.what());
    std::exit(2);
  }
}

const Target& target() {
  static const Target the_target = chosen_target();
  return the_target;
}

}  // namespace

extern "C" size_t LLVMFuzzerMutate(uint8_t* data, size_t size, size_t max_size);

extern "C" int LLVMFuzzerInitialize(int*, char***) {
  target();
  return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  target().read(std::string(reinterpret_cast<const char*>(data), size));
  return 0;
}

// libFuzzer's mutations, mostly with the checksums made to fit again.
extern "C" size_t LLVMFuzzerCustomMutator(uint8_t* data, size_t size, size_t max_size,
                                          unsigned seed) {
  size = LLVMFuzzerMutate(data, size, max_size);
  if (!target().seal || seed % 8 == 0) return size;
  std::string sealed(reinterpret_cast<const char*>(data), size);
  target().seal(sealed);
  if (sealed.size() > max_size) return size;
  std::copy(sealed.begin(), sealed.end(), data);
  return sealed.size();
}
