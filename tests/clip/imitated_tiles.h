#pragma once

// The kernels for AMX on tiles that are imitated, so that every processor tests them.

#include "models/compute/kernels.h"

namespace zeroshelf::testing {

extern const clip_kernels::Kernels kImitatedTiles;

}  // namespace zeroshelf::testing
