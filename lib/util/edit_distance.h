#pragma once

// How far two words are apart.

#include <string_view>

namespace zeroshelf {

// The least number of letters inserted, deleted, replaced, or exchanged with their neighbour that
// turns one into the other, no part being edited twice (Damerau's distance in its restricted form,
// optimal string alignment); limit + 1 when it is more than limit. Time: the product of the
// lengths, less with a low limit.
int edit_distance(std::u32string_view a, std::u32string_view b, int limit);

}  // namespace zeroshelf
