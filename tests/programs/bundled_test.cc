// The bundled model through the real programs, on memes that the generator draws.

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>

#include "tests/programs/memes.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::json_lines;
using testing::zeroshelf_query;

using testing::memes;

constexpr const char* kLabels = "Doom, Animal Crossing";

BOOST_AUTO_TEST_SUITE(bundled)

BOOST_AUTO_TEST_CASE(without_a_model_the_programs_use_the_bundled_one_and_say_so) {
  const std::string notice = "using the bundled model mini";
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
    if (!line.at("label").is_null()) continue;
    ++rules;
    BOOST_TEST(line.at("pictures") == 60);
    // One in eleven pictures shows the other world, and one in seven has no text.
    const double wanted = line.at("fusion") == "text" ? 0.5 : 0.75;
    BOOST_TEST(line.at("accuracy").get<double>() > wanted, line.dump());
  }
  BOOST_TEST(rules == 3u);
}

BOOST_AUTO_TEST_CASE(searching_a_thing_finds_pictures_of_its_world) {
  const auto found = zeroshelf_query(
      {"search", memes().collection, "skull and fire", "-k", "5", "--format", "paths"});
  BOOST_TEST(found.exit_code == 0);
  size_t of_doom = 0;
  for (size_t at = found.out.find("/Doom/"); at != std::string::npos;
       at = found.out.find("/Doom/", at + 1)) {
    ++of_doom;
  }
  BOOST_TEST(of_doom >= 4u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
