// Finds and loads the part with libtorch. Tested by tests/clip and tests/programs.

#include <dlfcn.h>

#include <string>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/program_path.h"
#include "models/clip/torch_part.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// Where it was built, or beside an installed program: bin/../lib/zeroshelf.
std::vector<fs::path> places() {
  const fs::path built = ZEROSHELF_TORCH_PART;
  return {installation_prefix() / "lib" / "zeroshelf" / built.filename(), built};
}

const TorchPart& load() {
  std::string causes;
  for (const fs::path& path : places()) {
    // Never closed: its objects live as long as the program.
    void* library = ::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library != nullptr) {
      const void* table = ::dlsym(library, kTorchPartSymbol);
      if (table != nullptr) return *static_cast<const TorchPart*>(table);
    }
    const char* cause = ::dlerror();
    causes += (causes.empty() ? "" : "; ") + std::string(cause != nullptr ? cause : "no table");
  }
  throw Error(ErrorCode::Unavailable, "libtorch",
              "the part that needs it cannot be loaded: " + causes,
              "install libtorch, or leave --device out");
}

}  // namespace

const TorchPart& torch_part() {
  static const TorchPart& part = load();
  return part;
}

}  // namespace zeroshelf
