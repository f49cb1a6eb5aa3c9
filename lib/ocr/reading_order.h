#pragma once

// The order in which people read lines that were found in any order. Needs no OCR engine.
//
// Rows go from top to bottom and each from left to right, along the slope that the lines have in
// common. Running text in columns is read column by column: a page is cut where nothing crosses a
// gutter, each part in turn (XY-cut, Nagy and Seth 1984). What is short or stands in pairs
// (receipts, tables, chats) stays in rows.

#include <cstddef>
#include <span>
#include <vector>

#include "lib/util/words.h"

namespace zeroshelf {

// lines: the words of each from left to right, at least one. The answer has every number of a line
// once, the first to read first.
std::vector<size_t> reading_order(std::span<const std::vector<Word>> lines);

}  // namespace zeroshelf
