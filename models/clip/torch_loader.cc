// Loads the part with libtorch. Tested by tests/clip and tests/programs.

#include "lib/util/loaded_part.h"
#include "models/clip/torch_part.h"

namespace zeroshelf {
namespace {

const TorchPart& load() {
  return *static_cast<const TorchPart*>(load_part(
      {.name = "libtorch",
       .file = ZEROSHELF_PART,
       .build_folder = ZEROSHELF_BUILD_FOLDER,
       .symbol = kTorchPartSymbol,
       .cure = "install the package libzeroshelf-torch, or leave --device and --trust-code "
               "out"}));
}

}  // namespace

const TorchPart& torch_part() {
  static const TorchPart& part = load();
  return part;
}

}  // namespace zeroshelf
