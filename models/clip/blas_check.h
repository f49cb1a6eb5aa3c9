#pragma once

// libtorch multiplies with whatever BLAS library the system has chosen, and the reference BLAS of
// Debian makes it some 40 times slower.

#include <optional>
#include <string>

namespace zeroshelf {

// A sentence for the user with the cure, when the BLAS in this process is the reference one.
std::optional<std::string> slow_blas_warning();

}  // namespace zeroshelf
