#pragma once

// A picture's identity as people and files write it.

#include <optional>
#include <string_view>

#include "lib/util/hash.h"

namespace zeroshelf {

// What to_hex() gives for some content; nothing for any other text.
std::optional<ContentHash> hash_from_hex(std::string_view hex);

}  // namespace zeroshelf
