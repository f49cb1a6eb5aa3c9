// Keywords of pictures' files that name groups.

#include "lib/labelling/shared_keywords.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <numeric>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "lib/xmp/packet_keywords.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct Grouped : testing::Shelf {
  // A picture of that group with these keywords in a sidecar, as people have written them.
  void picture(uint32_t group, const std::vector<std::string>& keywords) {
    const auto number = static_cast<uint32_t>(batch.added.size());
    const fs::path file = directory / ("picture" + std::to_string(100 + number));
    testing::write_file(file, "bytes");
    batch.added.push_back(testing::picture(file.string(), number));
    groups.push_back(group);
    if (keywords.empty()) return;
    std::string list;
    for (const std::string& keyword : keywords) list += "<rdf:li>" + keyword + "</rdf:li>";
    testing::write_file(
        sidecar(number),
        R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:digiKam="http://www.digikam.org/ns/1.0/"><digiKam:TagsList><rdf:Seq>)" +
            list +
            "</rdf:Seq></digiKam:TagsList></rdf:Description></rdf:RDF></x:xmpmeta>");
  }
  fs::path sidecar(size_t number) const {
    return batch.added.at(number).record.file.path + ".xmp";
  }

  // "Iceland 0.75, trips 0.75" of each group.
  std::vector<std::string> shared() {
    if (!fs::exists(path)) write().commit(batch);
    const View collection = View::open(path);
    std::vector<Row> rows(groups.size());
    std::iota(rows.rbegin(), rows.rend(), Row{0});  // in whatever order
    std::vector<std::string> told;
    for (const auto& of_group : shared_keywords(collection, rows, groups, 2)) {
      std::string& text = told.emplace_back();
      for (const SharedWord& one : of_group)
        text += (text.empty() ? "" : ", ") + one.word + " " + std::to_string(one.share).substr(0, 4);
    }
    return told;
  }

  Batch batch;
  std::vector<uint32_t> groups;
};

using Told = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(keywords_of_groups, Grouped)

BOOST_AUTO_TEST_CASE(what_half_of_a_group_has_and_others_have_not_is_told) {
  picture(0, {"trips/Iceland", "all"});
  picture(0, {"trips/iceland", "all", "once"});
  picture(0, {"Iceland", "all", "2019"});
  picture(0, {"all", "2019"});
  picture(0, {"2019", "all"});
  picture(1, {"Dog", "all"});
  picture(1, {"dog", "all"});
  picture(1, {"dog", "all"});
  picture(1, {"trips/Norway", "all"});
  picture(kNoGroup, {"all"});
  picture(kNoGroup, {"all", "trips/Norway"});
  BOOST_TEST(shared() == (Told{"Iceland 0.60", "dog 0.75"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_parts_of_a_tree_are_keywords_and_the_most_telling_comes_first) {
  for (int i = 0; i < 4; ++i) picture(0, {"animal/bird"});
  for (int i = 0; i < 3; ++i) picture(1, {"people/Anna"});
  for (int i = 0; i < 2; ++i) picture(1, {"animal/cat"});
  BOOST_TEST(shared() == (Told{"bird 1.00, animal 1.00", "Anna 0.60, people 0.60"}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(of_a_few_nothing_is_said) {
  for (int i = 0; i < 2; ++i) picture(0, {"bird"});
  for (int i = 0; i < 6; ++i) picture(1, {});
  BOOST_TEST(shared() == (Told{"", ""}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(files_that_are_not_there_count_nothing) {
  for (int i = 0; i < 3; ++i) picture(0, {"bird"});
  for (int i = 0; i < 9; ++i) picture(0, {"cat"});
  for (int i = 0; i < 3; ++i) picture(1, {"people"});
  for (size_t i = 3; i < 12; ++i) fs::remove(batch.added[i].record.file.path);
  fs::create_directory(batch.added[11].record.file.path);
  BOOST_TEST(shared() == (Told{"bird 1.00", "people 1.00"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_an_export_of_ours_has_written_says_nothing) {
  for (int i = 0; i < 4; ++i) picture(0, {});
  for (int i = 0; i < 4; ++i) picture(1, {"cat"});
  for (size_t i = 0; i < 8; ++i) {
    const std::string before = i < 4 ? "" : read_file(sidecar(i), 1 << 20);
    testing::write_file(sidecar(i), *with_keywords(before, {{"zeroshelf"}, {{"dog"}}},
                                                   PacketForm::Sidecar));
  }
  BOOST_TEST(shared() == (Told{"", "cat 1.00"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(hostile_sidecars_are_no_trouble) {
  const std::string bomb(1 << 20, 'x');
  for (int i = 0; i < 4; ++i) picture(0, {"bird", bomb, "&#9;tab&#9;bed", "***", "5"});
  for (int i = 0; i < 4; ++i) picture(1, {"cat"});
  testing::write_file(sidecar(3), "no XMP");
  testing::write_file(sidecar(7), "");
  BOOST_TEST(shared() == (Told{"bird 0.75", "cat 0.75"}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
