// What holds for the page's own style and script, whatever is shown in it.

#include "lib/export/page_assets.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

namespace zeroshelf {
namespace {

bool has(std::string_view text, std::string_view part) {
  return text.find(part) != std::string_view::npos;
}

BOOST_AUTO_TEST_SUITE(page_assets)

BOOST_AUTO_TEST_CASE(neither_ends_the_element_that_it_stands_in) {
  for (const std::string_view text : {kPageStyle, kPageScript}) {
    BOOST_TEST(!has(text, "</"));
    BOOST_TEST(!has(text, "<!--"));
    BOOST_TEST(
        std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c < 127); }));
  }
}

BOOST_AUTO_TEST_CASE(nothing_is_loaded_from_anywhere) {
  for (const char* word : {"http:", "https:", "//cdn", "url(", "@import"}) {
    BOOST_TEST(!has(kPageStyle, word), word);
    BOOST_TEST(!has(kPageScript, word), word);
  }
  for (const char* word : {"fetch(", "XMLHttpRequest", "WebSocket", "import(", "sendBeacon"})
    BOOST_TEST(!has(kPageScript, word), word);
}

BOOST_AUTO_TEST_CASE(text_never_becomes_markup_or_code) {
  for (const char* word :
       {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function",
        "setTimeout(\"", "DOMParser", "createContextualFragment"})
    BOOST_TEST(!has(kPageScript, word), word);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
