// Tested by tests/util/user_folders_test.cc.

#include "lib/util/user_folders.h"

#include <cstdlib>

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// A path that is not absolute is to be ignored.
fs::path absolute_variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr && value[0] == '/' ? fs::path(value) : fs::path();
}

fs::path folder_of(const char* variable, const char* below_home, std::string_view name) {
  if (const fs::path base = absolute_variable(variable); !base.empty())
    return base / "zeroshelf" / name;
  const fs::path home = absolute_variable("HOME");
  return home.empty() ? home : home / below_home / "zeroshelf" / name;
}

}  // namespace

fs::path user_cache_folder(std::string_view name) {
  return folder_of("XDG_CACHE_HOME", ".cache", name);
}

fs::path user_state_folder(std::string_view name) {
  return folder_of("XDG_STATE_HOME", ".local/state", name);
}

}  // namespace zeroshelf
