#pragma once

// Names of what is often in pictures: a vocabulary for those who have none.

#include <string>
#include <vector>

namespace zeroshelf {

// Nouns of English, without an article, unique; general ones beside narrower ones ("bird", "owl").
std::vector<std::string> everyday_names();

}  // namespace zeroshelf
