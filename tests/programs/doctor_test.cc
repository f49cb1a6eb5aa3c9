// doctor, through the program.

#include <boost/test/unit_test.hpp>

#include <cstdlib>
#include <filesystem>

#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::json_lines;
using testing::zeroshelf_index;

bool has(const nlohmann::json& array, const char* member, const std::string& value) {
  return std::ranges::any_of(array, [&](const auto& one) { return one.at(member) == value; });
}

BOOST_AUTO_TEST_SUITE(doctor)

BOOST_AUTO_TEST_CASE(it_shows_the_processor_the_kernels_and_the_models) {
  const auto lines = json_lines(zeroshelf_index({"doctor", "--json"}).out);
  BOOST_REQUIRE_EQUAL(lines.size(), 1u);
  const nlohmann::json& found = lines[0];
  BOOST_TEST(found.at("type") == "doctor");
  BOOST_TEST(found.at("cores").get<int>() >= 1);
  BOOST_TEST(found.at("scan_kernels").back() == "portable");
  BOOST_TEST(!found.at("fp32_kernel").get<std::string>().empty());
  BOOST_TEST(!found.at("libraries").get<std::string>().empty());
  BOOST_TEST(has(found.at("models"), "path", bundled_model().string()));
}

BOOST_AUTO_TEST_CASE(a_fetched_model_is_found_and_no_longer_missing) {
  const testing::TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "mine");
  testing::write_file(folder / "mine/config.json", "{}");
  testing::write_file(folder / "other.pt", "");
  testing::write_file(folder / "notes.txt", "");
  ::setenv("ZEROSHELF_MODELS", folder.path().c_str(), 1);
  const auto with = json_lines(zeroshelf_index({"doctor", "--json"}).out).at(0);
  ::unsetenv("ZEROSHELF_MODELS");
  BOOST_TEST(has(with.at("models"), "name", "mine"));
  BOOST_TEST(has(with.at("models"), "name", "other"));
  BOOST_TEST(!has(with.at("models"), "name", "notes"));
  BOOST_TEST(!has(with.at("missing"), "what", "a model that knows photographs"));
}

BOOST_AUTO_TEST_CASE(without_language_data_it_says_what_to_install_and_fails) {
  const testing::TemporaryDirectory empty;
  ::setenv("TESSDATA_PREFIX", empty.path().c_str(), 1);
  const auto result = zeroshelf_index({"doctor"});
  ::unsetenv("TESSDATA_PREFIX");
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(result.out.find("apt-get install tesseract-ocr-eng") != std::string::npos, result.out);
  BOOST_TEST(result.out.find("apt-get install tesseract-ocr-osd") != std::string::npos);
  BOOST_TEST(result.out.find("unset TESSDATA_PREFIX") != std::string::npos, result.out);
}

BOOST_AUTO_TEST_CASE(a_folder_that_the_environment_names_in_vain_is_told) {
  const testing::TemporaryDirectory folder;
  for (const std::string variable : {"ZEROSHELF_MODELS", "TESSDATA_PREFIX"}) {
    ::setenv(variable.c_str(), (folder / "lost").c_str(), 1);
    const auto result = zeroshelf_index({"doctor"});
    ::unsetenv(variable.c_str());
    BOOST_TEST(result.out.find("correct or unset " + variable) != std::string::npos, result.out);
  }
}

BOOST_AUTO_TEST_CASE(only_the_models_of_the_environment_are_a_list_of_folders) {
  const testing::TemporaryDirectory folder;
  std::filesystem::create_directory(folder / "data:v2");
  const auto missing = [&](const char* variable) {
    ::setenv(variable, (folder / "data:v2").c_str(), 1);
    const auto found = json_lines(zeroshelf_index({"doctor", "--json"}).out).at(0);
    ::unsetenv(variable);
    return has(found.at("missing"), "what",
               "the folder " + (folder / "data").string() + ", which " + variable + " names");
  };
  BOOST_TEST(missing("ZEROSHELF_MODELS"));
  BOOST_TEST(!missing("TESSDATA_PREFIX"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
