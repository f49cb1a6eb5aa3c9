#pragma once

// Texts that are the same to people, although their bytes differ. Threads: any.

#include <string>
#include <string_view>

namespace zeroshelf {

// Composed (Unicode's form C): letters with accents have the same bytes, however they were typed or
// a disk keeps them. What is not UTF-8 stays as it is.
std::string nfc(std::string_view text);

// Without regard to case (Unicode's full case folding), and composed. What is not UTF-8 stays as it
// is.
std::string folded(std::string_view text);

// Whether it has nothing but blanks and punctuation: no letter, digit or sign that stands for
// something, as emoji and currencies do. What is not UTF-8 counts as a sign.
bool is_punctuation(std::string_view text);

}  // namespace zeroshelf
