// A suggestion as a table, lines, and a label file that is read again.

#include "lib/report/suggestion_writer.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "lib/labels/labels.h"
#include "lib/util/file.h"
#include "tests/support/random_collection.h"

namespace zeroshelf {
namespace {

struct Suggested {
  Suggested() {
    vocabulary.names = {{"cat", {"cat"}},
                        {"ship: a boat", {"a ship | of wood"}},
                        {"#tag", {"#tag"}},
                        {"tabby", {"tabby"}}};
    suggestion.pictures = 600;
    suggestion.alone = 40;
    suggestion.alone_rows = {8};
    suggestion.groups = {{"cat", 0, {3}, {{"meow", 0.5}}, 300, {1, 2}, {{"Pets", 0.75}}},
                         {"ship: a boat", 1, {}, {}, 200, {3}},
                         {"#tag", 2, {}, {}, 40, {4}},
                         {"", {}, {}, {}, 20, {5}}};
    suggestion.overlaps = {{0, 1, 0.25}};
  }

  testing::RandomCollection drawn;
  View collection = drawn.open();
  NameVocabulary vocabulary;
  Suggestion suggestion;
};

BOOST_FIXTURE_TEST_SUITE(suggestion_writer, Suggested)

BOOST_AUTO_TEST_CASE(a_label_file_has_every_name_and_nothing_else) {
  const SuggestionWriter writer(collection, vocabulary, suggestion);
  const auto path = drawn.directory / "labels.txt";
  testing::write_file(path, writer.label_file());
  const std::vector<Label> labels = read_label_file(path, {"{}"});
  BOOST_REQUIRE(labels.size() == 3u);
  BOOST_TEST((labels[0] == Label{"cat", {"cat"}}));
  BOOST_TEST((labels[1] == Label{"ship  a boat", {"a ship   of wood"}}));
  BOOST_TEST(labels[2].name == "tag");
  BOOST_TEST(writer.label_file().find("# overlap: cat and ship: a boat, 25 %") != std::string::npos);
  BOOST_TEST(writer.label_file().find("also: tabby; words: meow (50 %); keywords: Pets (75 %)\n") != std::string::npos);
  BOOST_TEST(writer.label_file().find("in no group: 40 pictures") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(lines_and_tables_have_the_same) {
  const SuggestionWriter writer(collection, vocabulary, suggestion);
  std::vector<nlohmann::json> lines;
  std::istringstream text(writer.json());
  for (std::string line; std::getline(text, line);) lines.push_back(nlohmann::json::parse(line));
  BOOST_REQUIRE(lines.size() == 7u);
  BOOST_TEST(lines[0]["label"] == "cat");
  BOOST_TEST(lines[0]["share"] == 0.5);
  BOOST_TEST(lines[0]["also"][0] == "tabby");
  BOOST_TEST(lines[0]["words"][0]["word"] == "meow");
  BOOST_TEST(lines[0]["keywords"][0]["keyword"] == "Pets");
  BOOST_TEST(lines[0]["keywords"][0]["share"] == 0.75);
  BOOST_TEST(lines[1]["keywords"].empty());
  BOOST_TEST(lines[0]["examples"].size() == 2u);
  BOOST_TEST(lines[3]["label"].is_null());
  BOOST_TEST(lines[4]["second"] == "ship: a boat");
  BOOST_TEST(lines[5]["pictures"] == 40);
  BOOST_TEST(lines[6]["groups"] == 4);
  BOOST_TEST(writer.csv().find("cat,300,0.5,tabby,meow (50 %),Pets (75 %)\r\n") != std::string::npos);
  const std::string table = writer.table(0);
  BOOST_TEST(table.find("group 4") != std::string::npos);
  BOOST_TEST(table.find("meow (50 %); keywords: Pets (75 %)\n") != std::string::npos);
  BOOST_TEST(table.find("in no group") != std::string::npos);
  BOOST_TEST(table.find("overlap: cat") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
