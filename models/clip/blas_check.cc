#include "models/clip/blas_check.h"

#include <dlfcn.h>

#include <climits>
#include <cstdlib>

namespace zeroshelf {

std::optional<std::string> slow_blas_warning() {
  // The library that libtorch's calls reach, by the name that it has in the end: the alternatives
  // of Debian are symbolic links.
  const void* function = ::dlsym(RTLD_DEFAULT, "sgemm_");
  Dl_info info{};
  if (function == nullptr || ::dladdr(function, &info) == 0 || info.dli_fname == nullptr)
    return std::nullopt;
  char resolved[PATH_MAX];
  const std::string path =
      ::realpath(info.dli_fname, resolved) != nullptr ? resolved : info.dli_fname;
  if (path.find("/blas/libblas") == std::string::npos) return std::nullopt;
  return "the reference BLAS library is in use (" + path +
         "), which makes encoding many times slower; run: apt-get install libopenblas0-pthread";
}

}  // namespace zeroshelf
