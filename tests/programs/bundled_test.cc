// The bundled model through the real programs, on memes that the generator draws.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "tests/programs/memes.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::json_lines;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

using testing::memes;

constexpr const char* kLabels = "Doom, Animal Crossing";

BOOST_AUTO_TEST_SUITE(bundled)

BOOST_AUTO_TEST_CASE(without_a_model_the_programs_use_the_bundled_one_and_say_so) {
  const std::string notice = "the bundled model mini knows drawings";
  BOOST_TEST(memes().added.err.find(notice) != std::string::npos);
  const auto classified = zeroshelf_query({"classify", memes().collection, "--labels", kLabels});
  BOOST_TEST(classified.exit_code == 0);
  BOOST_TEST(classified.err.find(notice) != std::string::npos);
  const auto embedded = zeroshelf_query({"embed", "--text", "a skull"});
  BOOST_TEST(embedded.exit_code == 0);
  BOOST_TEST(embedded.err.find(notice) != std::string::npos);
  BOOST_TEST(json_lines(embedded.out).at(0).at("embedding").size() == 256u);
}

BOOST_AUTO_TEST_CASE(a_folder_called_mini_here_does_not_take_its_place) {
  std::filesystem::create_directories(memes().directory / "elsewhere/mini");
  const auto here = std::filesystem::current_path();
  std::filesystem::current_path(memes().directory / "elsewhere");
  const auto embedded = zeroshelf_query({"embed", "--text", "a skull"});
  std::filesystem::current_path(here);
  BOOST_TEST(embedded.exit_code == 0);
}

BOOST_AUTO_TEST_CASE(memes_are_told_apart_by_picture_and_by_text) {
  const auto evaluated = zeroshelf_query({"evaluate", memes().collection, "--labels", kLabels,
                                          "--truth", memes().folder + ".csv", "--format", "jsonl"});
  BOOST_REQUIRE_EQUAL(evaluated.exit_code, 0);
  size_t rules = 0;
  for (const auto& line : json_lines(evaluated.out)) {
    if (line.at("type") != "accuracy" || !line.at("label").is_null()) continue;
    ++rules;
    BOOST_TEST(line.at("pictures") == 60);
    // One in eleven pictures shows the other world, and one in seven has no text.
    const double wanted = line.at("fusion") == "text" ? 0.5 : 0.75;
    BOOST_TEST(line.at("accuracy").get<double>() > wanted, line.dump());
  }
  BOOST_TEST(rules == 4u);
}

BOOST_AUTO_TEST_CASE(searching_a_thing_finds_pictures_of_its_world) {
  const auto found = zeroshelf_query(
      {"search", memes().collection, "skull and fire", "--all", "-k", "5", "--format", "paths"});
  BOOST_TEST(found.exit_code == 0);
  size_t of_doom = 0;
  for (size_t at = found.out.find("/Doom/"); at != std::string::npos;
       at = found.out.find("/Doom/", at + 1)) {
    ++of_doom;
  }
  BOOST_TEST(of_doom >= 4u);
}

// The words of some picture, as OCR read them.
struct ReadText {
  std::string path;
  std::string text;
};
ReadText some_text() {
  const auto found = zeroshelf_query({"search", memes().collection, "the", "--in", "text", "--all",
                                      "--has-text", "-k", "60", "--format", "jsonl"});
  for (const auto& line : json_lines(found.out)) {
    const std::string text = line.at("ocr_text");
    if (std::count(text.begin(), text.end(), ' ') >= 3 && text.find('"') == std::string::npos)
      return {line.at("path"), text};
  }
  BOOST_FAIL("no picture has four words");
  return {};
}

BOOST_AUTO_TEST_CASE(a_text_in_quotes_finds_the_picture_that_it_stands_in_with_its_words) {
  const ReadText wanted = some_text();
  const auto found = zeroshelf_query(
      {"search", memes().collection, "\"" + wanted.text + "\"", "--format", "jsonl"});
  BOOST_REQUIRE_EQUAL(found.exit_code, 0);
  const auto lines = json_lines(found.out);
  // Another picture may have the same words; those that have them come first.
  const auto others = std::ranges::find_if(
      lines, [&](const auto& line) { return line.at("ocr_text") != wanted.text; });
  BOOST_TEST(std::any_of(lines.begin(), others,
                         [&](const auto& line) { return line.at("path") == wanted.path; }));
  BOOST_TEST(lines[0].at("letter_nats").get<double>() > 0);
  BOOST_TEST(lines[0].at("words").size() >= 4u);
  BOOST_TEST(lines[0].at("words")[0].at("edits") == 0);
  BOOST_TEST(lines[0].at("words")[0].at("box")[2].get<int>() > 0);
  for (const auto& line : lines) {
    const double sum = line.at("image_nats").get<double>() + line.at("text_nats").get<double>() +
                       line.at("letter_nats").get<double>();
    BOOST_TEST(std::abs(sum - line.at("score").get<double>()) < 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(what_is_not_there_is_not_found_unless_all_is_asked_for) {
  const std::vector<std::string> absent = {"search", memes().collection, "\"zyxwvut qponmlk\""};
  const auto nothing = zeroshelf_query(absent);
  BOOST_TEST(nothing.exit_code == 1);
  BOOST_TEST(nothing.out == "");
  BOOST_TEST(nothing.err.find("no picture has these words in its text") != std::string::npos);
  const auto all = zeroshelf_query(
      {"search", memes().collection, "zyxwvut", "--all", "-k", "60", "--format", "paths"});
  BOOST_TEST(std::count(all.out.begin(), all.out.end(), '\n') == 60);
}

BOOST_AUTO_TEST_CASE(weak_matches_come_behind_a_border_after_all_that_fit) {
  const auto search = [](std::vector<std::string> flags) {
    flags.insert(flags.begin(), {"search", memes().collection, "skull and fire", "-k", "60"});
    return zeroshelf_query(flags).out;
  };
  for (const std::vector<std::string>& flags :
       std::vector<std::vector<std::string>>{{}, {"--group"}, {"--in", "text"}}) {
    const auto with = [&](std::vector<std::string> more) {
      more.insert(more.end(), flags.begin(), flags.end());
      return search(more);
    };
    const auto good = json_lines(with({"--format", "jsonl"}));
    const auto all = json_lines(with({"--all", "--format", "jsonl"}));
    BOOST_TEST_REQUIRE(!good.empty());
    BOOST_TEST_REQUIRE(good.size() < all.size());
    bool is_out_of_order = false;  // by score alone
    for (size_t i = 0; i < all.size(); ++i) {
      BOOST_TEST(all[i].at("fits") == (i < good.size()));
      if (i < good.size()) BOOST_TEST(all[i].at("path") == good[i].at("path"));
      is_out_of_order = is_out_of_order || (i > 0 && all[i].at("score") > all[i - 1].at("score"));
    }
    BOOST_TEST(is_out_of_order);
    const std::string table = with({"--all"});
    const size_t border = table.find("\nweak matches:\n");
    BOOST_TEST_REQUIRE(border != std::string::npos);
    const auto above =
        std::count(table.begin(), table.begin() + static_cast<ptrdiff_t>(border), '\n');
    BOOST_TEST(static_cast<size_t>(above) == good.size());
    BOOST_TEST(with({}).find("weak matches") == std::string::npos);
  }
  const std::string none = zeroshelf_query({"search", memes().collection, "zyxwvut", "--all"}).out;
  BOOST_TEST(none.find("PATH\nweak matches:\n   1") != std::string::npos, none);
  const auto like = json_lines(
      zeroshelf_query({"search", memes().collection, "--like", "00003.jpg", "--format", "jsonl"})
          .out);
  BOOST_TEST(!like.empty());
  for (const auto& line : like) BOOST_TEST(line.at("fits").is_null());
}

BOOST_AUTO_TEST_CASE(no_good_match_is_told_among_the_pictures_that_are_there) {
  testing::TemporaryDirectory directory;
  const std::string copy = (directory / "copy").string();
  std::filesystem::copy(memes().collection, copy, std::filesystem::copy_options::recursive);
  const auto paths = json_lines(
      zeroshelf_query({"search", copy, "the", "--all", "-k", "7", "--format", "jsonl"}).out);
  std::vector<std::string> forget = {"forget", copy};
  for (const auto& line : paths) forget.push_back(line.at("path"));
  BOOST_TEST(zeroshelf_index(forget).exit_code == 0);
  for (const std::vector<std::string>& flags : std::vector<std::vector<std::string>>{
           {"zyxwvut", "--in", "text"}, {"zyxwvut", "--in", "text", "--min-width", "1"}}) {
    std::vector<std::string> query = {"search", copy};
    query.insert(query.end(), flags.begin(), flags.end());
    const auto nothing = zeroshelf_query(query);
    BOOST_TEST(nothing.exit_code == 1);
    BOOST_TEST(nothing.err.find("among 53 pictures") != std::string::npos, nothing.err);
  }
}

BOOST_AUTO_TEST_CASE(like_plus_minus_and_filters_narrow_a_search) {
  const ReadText wanted = some_text();
  const auto like = zeroshelf_query(
      {"search", memes().collection, "--like", wanted.path, "-k", "60", "--format", "paths"});
  BOOST_TEST(like.exit_code == 0);
  BOOST_TEST(like.out.find(wanted.path) == std::string::npos);
  BOOST_TEST(std::count(like.out.begin(), like.out.end(), '\n') == 59);
  const auto file = zeroshelf_query({"search", memes().collection, "--plus", "@" + wanted.path,
                                     "--in", "picture", "-k", "1", "--format", "paths"});
  BOOST_TEST(file.out == wanted.path + "\n");
  const auto away = zeroshelf_query({"search", memes().collection, "--like", wanted.path, "--minus",
                                     "@" + wanted.path, "--weight", "5", "--in", "picture", "-k",
                                     "60", "--format", "paths"});
  BOOST_TEST(away.out != like.out);
  const auto doom = zeroshelf_query({"search", memes().collection, "skull", "--all", "-k", "60",
                                     "--path", "Doom/*", "--format", "paths"});
  BOOST_TEST(std::count(doom.out.begin(), doom.out.end(), '\n') == 30);
  BOOST_TEST(doom.out.find("Animal Crossing") == std::string::npos);
  BOOST_TEST(
      zeroshelf_query({"search", memes().collection, "skull", "--until", "1999-01-01"}).exit_code ==
      1);
  BOOST_TEST(
      zeroshelf_query({"search", memes().collection, "\"skull\"", "--in", "picture"}).exit_code ==
      2);
  BOOST_TEST(zeroshelf_query({"search", memes().collection, "skull", "--plus", "fire", "--weight",
                              "1", "--weight", "2"})
                 .exit_code == 2);
  BOOST_TEST(
      zeroshelf_query({"search", memes().collection, "--like", "/not/there.jpg"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(
    every_picture_is_the_best_hit_of_a_search_for_itself_with_its_text_or_without) {
  const auto all = zeroshelf_query(
      {"search", memes().collection, "skull", "--all", "-k", "60", "--format", "jsonl"});
  size_t without_text = 0;
  for (const auto& line : json_lines(all.out)) {
    const std::string path = line.at("path");
    const bool has_text = !line.at("text_score").is_null();
    without_text += has_text ? 0 : 1;
    const auto found = zeroshelf_query(
        {"search", memes().collection, "--image", path, "-k", "1", "--format", "jsonl"});
    const auto best = json_lines(found.out).at(0);
    BOOST_TEST(best.at("path") == path);
    // What has no text says nothing of texts.
    BOOST_TEST(best.at("text_score").is_null() == !has_text);
  }
  BOOST_TEST(without_text > 0u);
}

BOOST_AUTO_TEST_CASE(a_copied_file_is_a_duplicate_and_one_hit_of_a_group) {
  const ReadText wanted = some_text();
  const std::string copy = memes().folder + "/copy.jpg";
  std::filesystem::copy_file(wanted.path, copy);
  BOOST_REQUIRE_EQUAL(zeroshelf_index({"add", memes().collection, memes().folder}).exit_code, 0);
  const auto twice = zeroshelf_query(
      {"duplicates", memes().collection, "--kind", "same_picture", "--format", "jsonl"});
  BOOST_REQUIRE_EQUAL(twice.exit_code, 0);
  BOOST_TEST(twice.out.find(copy) != std::string::npos);
  BOOST_TEST(twice.out.find(wanted.path) != std::string::npos);
  const auto grouped = zeroshelf_query(
      {"search", memes().collection, "--image", copy, "--group", "-k", "2", "--format", "jsonl"});
  BOOST_TEST(json_lines(grouped.out).at(0).at("similar").size() >= 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
