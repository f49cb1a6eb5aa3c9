#include "lib/export/page.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <span>

#include "lib/export/page_assets.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "tests/support/checks.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::count;
using testing::has;

constexpr const char* kMark = "\ufffd";

PagePicture by_picture(const std::string& path, uint32_t label, float score) {
  Prediction prediction;
  prediction.image = {{label, score}, score};
  prediction.winner = Source::Image;
  prediction.fused = {label, score};
  return {path, prediction, "", Thumbnail{160, 120, "jpeg"}};
}

PagePicture by_text(const std::string& path, uint32_t label, float score, const std::string& text) {
  Prediction prediction;
  prediction.image = {{0, 0.25f}, 0.25f};
  prediction.text = {{label, score}, score};
  prediction.winner = Source::Text;
  prediction.fused = {label, score};
  return {path, prediction, text, Thumbnail{9, 8, "j"}};
}

std::string page(const PageHead& head, const std::vector<PagePicture>& pictures) {
  const testing::TemporaryDirectory directory;
  HtmlPage writer(directory / "page.html", head);
  for (const PagePicture& picture : pictures) writer.add(picture);
  writer.finish();
  return read_file(directory / "page.html", 1 << 20);
}

// A page with one picture whose label, path and text are these.
std::string page_of(const std::string& label, const std::string& path, const std::string& text) {
  return page({path, label, {{label, 1, 1}}}, {by_text(path, 0, 0.5f, text)});
}

std::string between(const std::string& text, const std::string& from, const std::string& to) {
  const size_t begin = text.find(from) + from.size();
  return text.substr(begin, text.find(to, begin) - begin);
}

std::string policy_hash(const std::string& content) {
  const ContentHash hash = content_hash(std::as_bytes(std::span(content)));
  return "'sha256-" + base64({reinterpret_cast<const char*>(hash.data()), hash.size()}) + "'";
}

BOOST_AUTO_TEST_SUITE(html_page)

BOOST_AUTO_TEST_CASE(labels_are_sections_with_their_pictures_in_order) {
  const std::string html =
      page({"shelf", "", {{"empty", 0, 0}, {"cat", 1234, 2}, {"dog", 1, 1}, {"last", 0, 0}}},
           {by_picture("/p/a.jpg", 1, 0.75f), by_picture("/p/b.jpg", 1, 0.5f),
            by_text("/q/c.png", 2, 0.625f, "good dog")});
  BOOST_TEST(count(html, "<section ") == 4u);
  BOOST_TEST(count(html, "</section>") == 4u);
  BOOST_TEST(count(html, "<li ") == 3u);
  BOOST_TEST(has(html, "<bdi>empty</bdi> <small>no pictures</small>"));
  BOOST_TEST(has(html, "<bdi>cat</bdi> <small>the best 2 of 1,234 pictures</small>"));
  BOOST_TEST(has(html, "<bdi>dog</bdi> <small>1 picture</small>"));
  const std::string cats = between(html, "<section id=\"label-1\"", "</section>");
  BOOST_TEST(cats.find("a.jpg") < cats.find("b.jpg"));
  BOOST_TEST(!has(cats, "c.png"));
  BOOST_TEST(has(html, "<option value=\"label-1\">cat (1,234)</option>"));
}

BOOST_AUTO_TEST_CASE(a_card_has_the_evidence_of_both_sides) {
  const std::string html = page({"shelf", "", {{"cat", 0, 0}, {"dog", 1, 1}}},
                                {by_text("/q/c.png", 1, 0.625f, "good dog")});
  const std::string card = between(html, "<li ", "</li>");
  BOOST_TEST(card.starts_with("data-score=\"0.625\" data-by=\"text\">"));
  BOOST_TEST(has(card, "title=\"/q/c.png\"><bdi>c.png</bdi>"));
  BOOST_TEST(has(card, "<dt>Picture</dt><dd><bdi>cat</bdi></dd><dd class=\"number\">0.250</dd>"));
  BOOST_TEST(has(card,
                 "<div class=\"won\"><dt>Text</dt><dd><bdi>dog</bdi></dd>"
                 "<dd class=\"number\">0.625</dd>"));
  BOOST_TEST(has(card, "<bdi>dog</bdi> <b>0.625</b> <small>by its text</small>"));
  BOOST_TEST(has(card, "<bdi class=\"read\">good dog</bdi>"));
  BOOST_TEST(has(card, "<img src=\"data:image/jpeg;base64,ag==\" width=\"9\" height=\"8\""));
  BOOST_TEST(has(card, "alt=\"c.png, labelled dog\""));
}

BOOST_AUTO_TEST_CASE(a_picture_without_text_says_so) {
  const std::string html = page({"", "", {{"cat", 1, 1}}}, {by_picture("/a.jpg", 0, 0.5f)});
  BOOST_TEST(has(html, "<small>by the picture</small>"));
  BOOST_TEST(has(html, "<dt>Text</dt><dd>none was read</dd>"));
  BOOST_TEST(!has(html, "class=\"read\""));
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_gone_has_a_box_that_says_why) {
  PagePicture gone = by_picture("/gone.jpg", 0, 0.5f);
  gone.thumbnail = Skip{SkipReason::Vanished, "the file is <gone>"};
  const std::string html = page({"", "", {{"cat", 1, 1}}}, {gone});
  BOOST_TEST(has(html, "<p class=\"gone\">No picture: the file is &lt;gone&gt;</p>"));
  BOOST_TEST(!has(html, "<img"));
  BOOST_TEST(has(html, "title=\"/gone.jpg\""));
}

BOOST_AUTO_TEST_CASE(nothing_from_outside_becomes_markup) {
  const size_t tags = count(page_of("a", "/b", "c"), "<");
  for (const std::string hostile :
       {"</script><script>document.title='x'</script>", "\"><img src=x onerror=alert(1)>",
        "' onclick='x()", "<!--", "]]>", "&lt;b&gt;", "</title></style></main>", "{0} {} %s"}) {
    const std::string html = page_of(hostile, hostile, hostile);
    BOOST_TEST_CONTEXT(hostile) {
      BOOST_TEST(count(html, "<") == tags);
      BOOST_TEST(count(html, "<script>") == 1u);
      BOOST_TEST(count(html, "</script>") == 1u);
      BOOST_TEST(!has(html, "onerror=alert(1)>"));
      BOOST_TEST(!has(html, "' onclick='"));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_cannot_be_seen_is_made_visible) {
  const std::string html =
      page_of("a\x01z", "/x\xff\n.jpg", "\u202egpj.exe \x1b[2J \u2066" + std::string("\0", 1));
  BOOST_TEST(is_utf8(html));
  BOOST_TEST(has(html, std::string("<bdi>a") + kMark + "z</bdi>"));
  BOOST_TEST(has(html, std::string("title=\"/x") + kMark + kMark + ".jpg\""));
  BOOST_TEST(has(html, std::string("<bdi class=\"read\">") + kMark + "gpj.exe " + kMark + "[2J " +
                           kMark + kMark + "</bdi>"));
  BOOST_TEST(!has(html, "\u202e"));
  BOOST_TEST(!has(html, "\x1b"));
}

BOOST_AUTO_TEST_CASE(only_our_script_and_style_may_run) {
  const std::string html = page_of("a", "/b", "c");
  const std::string policy = between(html, "Content-Security-Policy\" content=\"", "\">");
  BOOST_TEST(policy.starts_with("default-src 'none'; img-src data:; "));
  BOOST_TEST(
      has(policy, "script-src " + policy_hash(between(html, "<script>", "</script>")) + ";"));
  BOOST_TEST(has(policy, "style-src " + policy_hash(between(html, "<style>", "</style>")) + ";"));
  BOOST_TEST(!has(policy, "unsafe"));
  BOOST_TEST(!has(html, " style="));  // would not be let through
  BOOST_TEST(html.find("Content-Security-Policy") < html.find("<style>"));
}

BOOST_AUTO_TEST_CASE(the_page_asks_for_nothing_and_makes_no_markup_from_text) {
  for (const std::string_view asset : {kPageStyle, kPageScript}) {
    for (const char* word : {"http", "url(", "@import", "innerHTML", "outerHTML", "insertAdjacent",
                             "document.write", "eval", "fetch(", "</", "\r"}) {
      BOOST_TEST(asset.find(word) == std::string_view::npos, word);
    }
  }
  BOOST_TEST(!has(page_of("a", "/b", "c"), "://"));
}

BOOST_AUTO_TEST_CASE(a_long_text_is_folded_away) {
  BOOST_TEST(!has(page_of("a", "/b", "short"), "<details "));
  BOOST_TEST(has(page_of("a", "/b", std::string(500, 'x')), "<details "));
}

BOOST_AUTO_TEST_CASE(an_abandoned_page_leaves_nothing) {
  const testing::TemporaryDirectory directory;
  { HtmlPage(directory / "page.html", {"", "", {{"cat", 1, 1}}}).add(by_picture("/a", 0, 0.5f)); }
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
