// The values are in a header that cmake/Version.cmake writes at every build. Tested by
// tests/programs/refusals_test.cc.

#include "lib/program/version.h"

#include <fmt/format.h>

#include "zeroshelf_version.h"

namespace zeroshelf {

std::string_view version() {
  return ZEROSHELF_BUILT_VERSION;
}

std::string_view commit() {
  return ZEROSHELF_BUILT_COMMIT;
}

std::string_view libraries() {
  return ZEROSHELF_BUILT_LIBRARIES;
}

std::string_view compiler() {
#ifdef __clang__
  constexpr std::string_view name = "clang " __clang_version__;  // Debian's ends with a space
  return name.substr(0, name.find_last_not_of(' ') + 1);
#else
  return "g++ " __VERSION__;
#endif
}

std::string version_text(std::string_view program) {
  return fmt::format("{} {}{}\nbuilt by {} with {}", program, version(),
                     commit().empty() ? "" : fmt::format(" ({})", commit()), compiler(),
                     libraries());
}

}  // namespace zeroshelf
