#pragma once

// A labelling as it is told to another process of the same program: all of it, to the bit. No format
// that is kept.

#include <string>
#include <string_view>

#include "lib/labelling/classify.h"

namespace zeroshelf {

std::string bytes_of_labelling(const Labelling& labelling);
// Throws Corruption for what is none.
Labelling labelling_of_bytes(std::string_view bytes);

}  // namespace zeroshelf
