#pragma once

// A picture with what was read in it, for people who want to see why a word is missing or wrong.

#include <vector>

#include "lib/image/image.h"
#include "lib/util/words.h"

namespace zeroshelf {

// A frame around each word, green for sure words to red for doubtful ones, with the word above it.
// Characters beyond ASCII are shown as '?'.
Image with_words_drawn(const Image& image, const std::vector<Word>& words);

}  // namespace zeroshelf
