#pragma once

// The style and the script of the page; private to lib/export and its tests. Their SHA-256 is in
// the page's Content-Security-Policy, so both go into the page byte for byte.

#include <string_view>

namespace zeroshelf {

extern const std::string_view kPageStyle;
extern const std::string_view kPageScript;

}  // namespace zeroshelf
