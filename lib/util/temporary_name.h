#pragma once

// The files that a NewFile writes to which replaces NAME: NAME.<16 hexadecimal digits>.new, with
// digits by chance. Each is made anew, so nothing but NAME itself is ever changed and no link is
// followed; a killed process leaves it behind.

#include <string>
#include <string_view>

namespace zeroshelf {

// What is put behind NAME, by chance. Throws Io.
std::string temporary_suffix();

// NAME, when the name is one that such a file of NAME has; otherwise empty.
std::string_view name_behind_temporary(std::string_view name);

}  // namespace zeroshelf
