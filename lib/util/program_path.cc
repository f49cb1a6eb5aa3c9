// Tested by tests/programs/installed_test.sh.

#include "lib/util/program_path.h"

#include <system_error>

namespace zeroshelf {

std::filesystem::path program_path() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path() : program;
}

std::filesystem::path installation_prefix() {
  return program_path().parent_path().parent_path();
}

}  // namespace zeroshelf
