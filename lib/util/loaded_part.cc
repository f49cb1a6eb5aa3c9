// Tested by tests/clip/network_test.cc, tests/programs/ranks_test.cc and
// tests/programs/installed_test.sh.

#include "lib/util/loaded_part.h"

#include <dlfcn.h>

#include "lib/util/below.h"
#include "lib/util/error.h"
#include "lib/util/program_path.h"

namespace zeroshelf {
namespace {

std::filesystem::path place_of(const LoadedPart& part) {
  if (!part.build_folder.empty() && is_below(program_path(), part.build_folder)) return part.file;
  return installation_prefix() / "lib" / "zeroshelf" / part.file.filename();
}

}  // namespace

const void* load_part(const LoadedPart& part) {
  void* library =
      ::dlopen(place_of(part).c_str(), RTLD_NOW | (part.is_global ? RTLD_GLOBAL : RTLD_LOCAL));
  if (library != nullptr) {
    const void* table = ::dlsym(library, part.symbol);
    if (table != nullptr) return table;
  }
  const char* cause = ::dlerror();
  throw Error(ErrorCode::Unavailable, part.name,
              std::string("the part that needs it cannot be loaded: ") +
                  (cause != nullptr ? cause : "no table"),
              part.cure);
}

}  // namespace zeroshelf
