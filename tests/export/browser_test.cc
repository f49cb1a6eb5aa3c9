// The page in a real browser: pictures are shown, filters work, and hostile names do no harm. Exits
// with 77, which CTest reports as skipped, where there is no chromium.

#define BOOST_TEST_NO_MAIN
#define BOOST_TEST_ALTERNATIVE_INIT_API
#include <boost/test/unit_test.hpp>

#include <array>
#include <cstdio>
#include <span>

#include "lib/export/page.h"
#include "lib/image/decode.h"
#include "lib/image/thumbnail.h"
#include "lib/util/file.h"
#include "tests/support/checks.h"
#include "tests/support/draw.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::count;
using testing::has;
using testing::run_program;

constexpr const char* kAttack =
    "<script>document.title='harmed'</script><img src=x onerror=\"document.title='harmed'\">";

PagePicture picture(uint32_t label, float score, const std::string& path, const std::string& text,
                    testing::Colour colour) {
  Prediction prediction;
  prediction.image = {{label, score}, score};
  prediction.winner = Source::Image;
  prediction.fused = {label, score};
  return {path, prediction, text, make_thumbnail(testing::plain_image(160, 120, colour))};
}

struct Browser {
  Browser() {
    HtmlPage page(directory / "page.html",
                  {"shelf", kAttack, {{"cat", 2, 2}, {kAttack, 1, 1}, {"none", 0, 0}}});
    page.add(picture(0, 0.95f, "/pictures/red.jpg", "some words", {255, 0, 0}));
    page.add(picture(0, 0.40f, std::string("/pictures/") + kAttack + ".jpg", kAttack, {0, 255, 0}));
    page.add(picture(1, 0.80f, "/pictures/\" onload=\"document.title='harmed'.jpg", "</bdi></li>",
                     {0, 0, 255}));
    page.finish();
  }

  std::string run(const std::string& fragment, const std::vector<std::string>& more) const {
    std::vector<std::string> arguments = {"/usr/bin/env",
                                          "chromium",
                                          "--headless",
                                          "--no-sandbox",
                                          "--disable-gpu",
                                          "--disable-quic",
                                          "--no-first-run",
                                          "--disable-background-networking",
                                          "--disable-component-update",
                                          "--disable-sync",
                                          "--hide-scrollbars",
                                          "--window-size=900,1400",
                                          "--virtual-time-budget=3000",
                                          "--user-data-dir=" + (directory / "profile").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    arguments.push_back("file://" + (directory / "page.html").string() + fragment);
    const testing::ProgramResult result = run_program(arguments, std::chrono::seconds(120));
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return result.out;
  }
  std::string document(const std::string& fragment) const { return run(fragment, {"--dump-dom"}); }

  // How many of the three pictures' colours are seen.
  std::array<size_t, 3> colours_seen(const std::string& fragment) const {
    const auto shot = directory / "shot.png";
    run(fragment, {"--screenshot=" + shot.string()});
    const std::string bytes = read_file(shot, 1 << 28);
    const auto image = decode_image(std::as_bytes(std::span(bytes)), {});
    const Image& seen = std::get<Image>(image);
    std::array<size_t, 3> pixels{};
    for (size_t i = 0; i + 2 < seen.rgb.size(); i += 3) {
      for (size_t c = 0; c < 3; ++c) {
        const bool is_it = seen.rgb[i + c] > 240 && seen.rgb[i + (c + 1) % 3] < 16 &&
                           seen.rgb[i + (c + 2) % 3] < 16;
        pixels[c] += is_it ? 1 : 0;
      }
    }
    return pixels;
  }

  testing::TemporaryDirectory directory;
};

BOOST_FIXTURE_TEST_SUITE(browser, Browser)

BOOST_AUTO_TEST_CASE(pictures_are_shown_and_filters_hide_them) {
  constexpr size_t kMost = 160 * 120 / 2;
  const auto all = colours_seen("");
  for (const size_t pixels : all) BOOST_TEST(pixels > kMost);
  const auto sure = colours_seen("#min=0.6");
  BOOST_TEST(sure[0] > kMost);
  BOOST_TEST(sure[1] == 0u);
  BOOST_TEST(sure[2] > kMost);
  const auto second = colours_seen("#label=label-1");
  BOOST_TEST(second[0] == 0u);
  BOOST_TEST(second[2] > kMost);
}

BOOST_AUTO_TEST_CASE(the_page_says_what_matches) {
  BOOST_TEST(has(document(""), "All 3 pictures on this page"));
  BOOST_TEST(has(document("#find=some%20words"), "Matching the filters: 1 of 3 pictures"));
  BOOST_TEST(has(document("#find=nowhere"), "No picture matches the filters"));
}

BOOST_AUTO_TEST_CASE(hostile_names_labels_and_texts_stay_text) {
  const std::string dom = document("");
  BOOST_TEST(has(dom, "<title>shelf</title>"));
  // The browser wrote them as text again, and made no element of them.
  BOOST_TEST(!has(dom, "<script>document"));
  BOOST_TEST(!has(dom, "<img src=\"x\""));
  BOOST_TEST(count(dom, "<script") == 1u);
  BOOST_TEST(count(dom, "<img") == 3u);
  BOOST_TEST(count(dom, "<li") == 3u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  if (zeroshelf::testing::run_program({"/bin/sh", "-c", "command -v chromium"}).exit_code != 0) {
    std::puts("skipped: no chromium");
    return 77;
  }
  return boost::unit_test::unit_test_main([] { return true; }, argc, argv);
}
