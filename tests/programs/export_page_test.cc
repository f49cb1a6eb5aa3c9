// export --format html, with the real program: what is on the page, what it says, what it refuses.

#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <span>

#include "lib/collection/collection.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/checks.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::count;
using testing::has;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

constexpr const char* kHostileText = "<script>document.title='x'</script>";

// Eight drawn pictures, one of them with words that no OCR would give.
struct Shelf {
  Shelf() {
    for (uint32_t i = 0; i < 7; ++i) write_picture(fmt::format("{}.png", i), i);
    const ProgramResult result = zeroshelf_index(
        {"add", collection, pictures.string(), "--no-ocr", "--model", bundled_model().string()});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    add_hostile_picture();
  }

  void write_picture(const std::string& name, uint32_t seed) const {
    testing::write_file(pictures / name, testing::png_bytes(testing::shapes_image(320, 240, seed)));
  }

  // As add would, if OCR read this in a picture of this name.
  void add_hostile_picture() const {
    write_picture("<b>\"'&\n.png", 99);
    CollectionWriter writer = CollectionWriter::open_existing(collection);
    NewPicture picture;
    picture.record.file.path = (pictures / "<b>\"'&\n.png").string();
    const std::string bytes = read_file(picture.record.file.path, 1 << 20);
    picture.record.content_hash = content_hash(std::as_bytes(std::span(bytes)));
    picture.record.width_px = 320;
    picture.record.height_px = 240;
    picture.record.word_count = 1;
    picture.words = {{kHostileText, 0.9f, {}}};
    picture.image_vector = std::vector<float>(writer.manifest().dimension);
    picture.image_vector[0] = 1;
    picture.text_vector = picture.image_vector;
    Batch batch;
    batch.added.push_back(std::move(picture));
    writer.commit(batch);
  }

  ProgramResult export_page(std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"export",   collection, "--labels", "red, green, blue",
                                          "--format", "html",     "--to",     page};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_query(arguments);
  }

  std::string html() const { return read_file(page, 1 << 24); }

  testing::TemporaryDirectory directory;
  std::string collection = (directory / "collection").string();
  fs::path pictures = directory / "pictures";
  std::string page = (directory / "page.html").string();
};

// The scores of a page's cards, section by section.
std::vector<std::vector<double>> scores(const std::string& html) {
  std::vector<std::vector<double>> sections;
  const std::string section = "<section ";
  const std::string card = "<li data-score=\"";
  for (size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at + 1)) {
    if (html.compare(at, section.size(), section) == 0) sections.emplace_back();
    if (html.compare(at, card.size(), card) == 0)
      sections.back().push_back(std::stod(html.substr(at + card.size(), 20)));
  }
  return sections;
}

BOOST_FIXTURE_TEST_SUITE(export_page, Shelf)

BOOST_AUTO_TEST_CASE(every_picture_is_on_the_page_best_first_with_what_classify_says) {
  const ProgramResult result = export_page();
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out == "");
  BOOST_TEST(has(result.err, "8 of 8 pictures shown on " + page + "\n"));

  const std::string text = html();
  BOOST_TEST(count(text, "<img src=\"data:image/jpeg;base64,/9j/") == 8u);
  BOOST_TEST(count(text, "<section ") == 3u);
  for (const auto& section : scores(text)) {
    BOOST_TEST(std::is_sorted(section.rbegin(), section.rend()));
  }
  for (const auto& line :
       testing::json_lines(zeroshelf_query({"classify", collection, "--labels", "red, green, blue",
                                            "--format", "jsonl"})
                               .out)) {
    BOOST_TEST(
        has(text, fmt::format("<li data-score=\"{}\" data-by=\"{}\">", line["score"].get<float>(),
                              line["source"].get<std::string>())));
  }
  for (int i = 0; i < 7; ++i) {
    BOOST_TEST(has(text, fmt::format("title=\"{}/{}.png\"", pictures.string(), i)));
  }
}

BOOST_AUTO_TEST_CASE(hostile_names_and_texts_stay_text) {
  BOOST_REQUIRE(export_page().exit_code == 0);
  const std::string text = html();
  BOOST_TEST(count(text, "<script>") == 1u);
  BOOST_TEST(has(
      text, "<bdi class=\"read\">&lt;script&gt;document.title=&#39;x&#39;&lt;/script&gt;</bdi>"));
  BOOST_TEST(has(text, "<bdi>&lt;b&gt;&quot;&#39;&amp;\ufffd.png</bdi>"));
}

BOOST_AUTO_TEST_CASE(files_that_are_gone_changed_or_broken_have_a_box) {
  fs::remove(pictures / "0.png");
  write_picture("1.png", 1000);
  fs::remove(pictures / "2.png");
  fs::create_directory(pictures / "2.png");
  const ProgramResult result = export_page();
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(has(result.err, "8 of 8 pictures shown on " + page + ", 3 without a thumbnail\n"));
  const std::string text = html();
  BOOST_TEST(count(text, "<img ") == 5u);
  BOOST_TEST(count(text, "class=\"gone\">No picture: ") == 3u);
  BOOST_TEST(has(text, "No picture: the file is gone"));
  BOOST_TEST(has(text, "No picture: the file changed since it was indexed"));
  BOOST_TEST(has(text, "No picture: not a regular file"));
}

BOOST_AUTO_TEST_CASE(at_most_so_many_of_a_label_are_shown_and_the_page_says_of_how_many) {
  BOOST_REQUIRE(export_page().exit_code == 0);
  const auto all = scores(html());
  fs::remove(page);
  const ProgramResult result = export_page({"--max-per-label", "1"});
  BOOST_TEST(result.exit_code == 0);
  const std::string text = html();
  const auto best = scores(text);
  size_t shown = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    BOOST_REQUIRE(best[i].size() == std::min<size_t>(1, all[i].size()));
    if (!best[i].empty()) BOOST_TEST(best[i][0] == all[i][0]);
    if (all[i].size() > 1) {
      BOOST_TEST(has(text, fmt::format("<small>the best 1 of {} pictures</small>", all[i].size())));
    }
    shown += best[i].size();
  }
  BOOST_TEST(has(result.err, fmt::format("{} of 8 pictures shown on ", shown)));
}

BOOST_AUTO_TEST_CASE(the_page_does_not_depend_on_the_number_of_threads) {
  BOOST_REQUIRE(export_page({"--threads", "1"}).exit_code == 0);
  const std::string one = html();
  fs::remove(page);
  BOOST_REQUIRE(export_page({"--threads", "4"}).exit_code == 0);
  BOOST_TEST((html() == one));
}

BOOST_AUTO_TEST_CASE(pictures_without_an_answer_are_counted_and_nothing_found_is_told) {
  ProgramResult result = export_page({"--fusion", "text"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(has(result.err, "1 of 1 pictures shown"));
  BOOST_TEST(has(html(), "No answer: 7."));

  fs::remove(page);
  fs::remove_all(pictures);
  fs::create_directory(pictures);
  BOOST_REQUIRE(
      zeroshelf_index({"add", collection, pictures.string(), "--no-ocr", "--confirm-missing"})
          .exit_code == 0);
  result = export_page();
  BOOST_TEST(result.exit_code == 1);
  BOOST_TEST(count(html(), "no pictures</small>") == 3u);
}

BOOST_AUTO_TEST_CASE(what_makes_no_sense_is_refused_and_nothing_is_changed) {
  const auto check_refused = [this](const std::vector<std::string>& more,
                                    const std::string& message) {
    const auto before = testing::files_below(directory.path());
    const ProgramResult result = export_page(more);
    BOOST_TEST_CONTEXT(result.err) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.out == "");
      BOOST_TEST(result.err == "zeroshelf-query: " + message + "\n");
      BOOST_TEST((testing::files_below(directory.path()) == before));
    }
  };
  check_refused({"--mode", "symlink"},
                "--mode: has no effect with --format html; leave it out, or use --format folders, "
                "imagefolder or fiftyone");
  testing::write_file(page, "kept");
  check_refused({}, page + ": it exists already; nothing is ever overwritten: name a new file");
  fs::remove(page);
  fs::create_symlink(directory / "nowhere", page);
  check_refused({}, page + ": it exists already; nothing is ever overwritten: name a new file");
  fs::remove(page);
  page = (directory / "none" / "page.html").string();
  check_refused({}, (directory / "none").string() + ": no such folder; make it first");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
