#include "lib/export/export_names.h"

#include <boost/test/unit_test.hpp>

#include <map>
#include <random>
#include <string>
#include <vector>

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

std::string given(ExportNames& names, const fs::path& source, const fs::path& folder = "cat") {
  return names.place_of(folder, source, names.free_number(folder, source)).string();
}

BOOST_AUTO_TEST_SUITE(export_names)

BOOST_AUTO_TEST_CASE(a_name_is_given_once_in_a_folder) {
  ExportNames names({});
  BOOST_TEST(given(names, "/x/a (2).jpg") == "cat/a (2).jpg");
  BOOST_TEST(given(names, "/x/a.jpg") == "cat/a.jpg");
  BOOST_TEST(given(names, "/y/a.jpg") == "cat/a (3).jpg");
  BOOST_TEST(given(names, "/y/a.jpg", "dog") == "dog/a.jpg");
  BOOST_TEST(given(names, "/y/a.png") == "cat/a.png");
}

BOOST_AUTO_TEST_CASE(stems_may_have_to_differ_and_a_disk_may_tell_no_case_apart) {
  ExportNames stems({}, NamesDiffer::InStem);
  BOOST_TEST(given(stems, "/x/a.jpg") == "cat/a.jpg");
  BOOST_TEST(given(stems, "/x/a.png") == "cat/a (2).png");
  DiskNames disk;
  disk.tell_case = false;
  ExportNames names(disk);
  BOOST_TEST(given(names, "/x/a.jpg") == "cat/a.jpg");
  BOOST_TEST(given(names, "/x/A.JPG") == "cat/A (2).JPG");
  BOOST_TEST(names.folder_name(0, "Cat") == "Cat");
  BOOST_TEST(names.folder_name(0, "cat") == "cat (2)");
  BOOST_TEST(names.folder_name(0, "Cat") == "Cat");
  BOOST_TEST(names.folder_name(1, "cat") == "cat");
}

BOOST_AUTO_TEST_CASE(no_folder_gets_a_name_of_our_own) {
  ExportNames names({});
  for (const std::string ours :
       {"manifest.jsonl", "moves.journal", "labels.json", "moves-00003-of-00016.journal",
        "manifest-00003-of-00016.jsonl.unfinished"}) {
    BOOST_TEST(names.folder_name(0, ours).starts_with("%"));
  }
  BOOST_TEST(names.folder_name(0, "moves-of-my-life") == "moves-of-my-life");
}

// What names are given by is the base: whoever gives those of some bases need not know the others.
BOOST_AUTO_TEST_CASE(names_of_different_bases_never_meet) {
  BOOST_TEST(base_of_names("/x/a.jpg", {}) == "a");
  BOOST_TEST(base_of_names("/x/A (2) (31).png", {}) == "a");
  for (const std::string whole : {"a(2)", "a ()", "a (x)", "(2)", "a (2)b", "()", ")"})
    BOOST_TEST(base_of_names("/x/" + whole + ".jpg", {}) == whole);
  std::mt19937 random(7);
  const std::vector<std::string> pieces = {"a", "B",      "b",       " (2)", " (3)",
                                           ".", "\u00e9", "e\u0301", ")"};
  const auto some_name = [&] {
    std::string name = "n";
    for (int i = 0; i < 4; ++i) name += pieces[random() % pieces.size()];
    return name + (random() % 2 == 0 ? ".jpg" : ".JPG");
  };
  for (const bool tell_case : {true, false}) {
    DiskNames disk;
    disk.tell_case = tell_case;
    ExportNames all(disk);
    std::map<std::string, ExportNames> by_base;
    for (int i = 0; i < 3000; ++i) {
      const std::string source = "/x/" + some_name();
      ExportNames& own = by_base.try_emplace(base_of_names(source, disk), disk).first->second;
      BOOST_REQUIRE_EQUAL(given(own, source), given(all, source));
    }
    BOOST_TEST(by_base.size() > 50u);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
