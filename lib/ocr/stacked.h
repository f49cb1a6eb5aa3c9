#pragma once

// Inside lib/ocr: letters that consist of parts above each other: Hangul, Arabic with its dots.

#include "lib/ocr/glyphs.h"

namespace zeroshelf {

// The layer with glyphs that stand closely above each other as one; what is too small or too flat
// to be a glyph of its own belongs to one, too. Each joined glyph has a region of its own, behind
// those of its parts.
Layer with_stacked_glyphs(const Layer& layer);

}  // namespace zeroshelf
