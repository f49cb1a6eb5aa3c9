#pragma once

// Words that hold a sentence together and are in nearly any text: "the", "is", "and". That a text
// has one says nothing of what it is about.
//
// Threads: any.

#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

// Whether the term (see terms_of) is one in any of these languages: Tesseract's codes joined by
// '+', as a manifest has them. Languages that there is no list for have none.
bool is_function_word(std::string_view term, std::string_view languages);

// The codes that there is a list for.
std::vector<std::string> languages_with_function_words();

}  // namespace zeroshelf
