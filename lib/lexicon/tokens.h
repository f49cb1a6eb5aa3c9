#pragma once

// Text -> the terms by which it is found.
//
// A term is a run of letters and digits, compatibility forms made plain, case folded, without
// diacritics: "Façade" -> "facade", "ﬁre" -> "fire". Apostrophes inside a word vanish ("don't" ->
// "dont"), everything else separates. Scripts that write no spaces (Han, kana, Thai, Lao, Khmer,
// Burmese) give a term a character, so that phrases of them are found by position.

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

// Longer terms are cut: nobody writes them, and it bounds the work of comparing.
inline constexpr size_t kMaxTermLength = 64;  // code points

// Bytes that are not UTF-8 separate.
std::vector<std::string> terms_of(std::string_view text);

// How many edits of a word still count as the word: none up to 3 letters, whose neighbours are
// words of their own (2 where characters are syllables or ideographs), 1 up to 5, and 2 from 6 on.
int allowed_edits(std::u32string_view word);

}  // namespace zeroshelf
