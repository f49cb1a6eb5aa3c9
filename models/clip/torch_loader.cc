// Finds and loads the part with libtorch. Tested by tests/clip and tests/programs.

#include <dlfcn.h>

#include <filesystem>
#include <string>

#include "lib/util/below.h"
#include "lib/util/error.h"
#include "lib/util/program_path.h"
#include "models/clip/torch_part.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// Beside an installed program, in bin/../lib/zeroshelf. Where it was built only for a program that
// lies there, too: anybody might make that folder on another machine.
fs::path place() {
  const fs::path built = ZEROSHELF_TORCH_PART;
  const fs::path build = ZEROSHELF_BUILD_FOLDER;  // empty: knows none
  if (!build.empty() && is_below(program_path(), build)) return built;
  return installation_prefix() / "lib" / "zeroshelf" / built.filename();
}

const TorchPart& load() {
  // Never closed: its objects live as long as the program.
  void* library = ::dlopen(place().c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library != nullptr) {
    const void* table = ::dlsym(library, kTorchPartSymbol);
    if (table != nullptr) return *static_cast<const TorchPart*>(table);
  }
  const char* cause = ::dlerror();
  throw Error(ErrorCode::Unavailable, "libtorch",
              std::string("the part that needs it cannot be loaded: ") +
                  (cause != nullptr ? cause : "no table"),
              "install the package libzeroshelf-torch, or leave --device and --trust-code out");
}

}  // namespace

const TorchPart& torch_part() {
  static const TorchPart& part = load();
  return part;
}

}  // namespace zeroshelf
