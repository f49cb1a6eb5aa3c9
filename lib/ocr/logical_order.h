#pragma once

// Inside lib/ocr: the words of a line in the order in which they are read. Needs no OCR engine.

#include <vector>

#include "lib/util/words.h"

namespace zeroshelf {

// line: from left to right. Where most letters are written from right to left (Arabic, Hebrew) the
// answer begins at the right; words of the other direction and numbers keep their order among
// themselves.
std::vector<Word> in_logical_order(std::vector<Word> line);

}  // namespace zeroshelf
