// Names that several processes give, with threads in their place, beside those that one gives.

#include "lib/export/shared_names.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "tests/support/thread_ranks.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct Picture {
  std::string source;
  std::vector<std::string> folders;
  size_t rank = 0;
};

// In the order of their paths.
std::vector<Picture> some_pictures(size_t ranks, size_t count, uint32_t seed) {
  std::mt19937 random(seed);
  const std::vector<std::string> names = {"a.jpg",         "a (2).jpg", "A.jpg", "b.jpg",   "b.png",
                                          "a (2) (2).jpg", "c",         "c (2)", "\xff.jpg"};
  std::vector<Picture> pictures;
  for (size_t i = 0; i < count; ++i) {
    Picture picture;
    picture.source =
        "/p/" + std::to_string(random() % count) + "/" + names[random() % names.size()];
    picture.folders = {random() % 3 == 0 ? "validation" : "train",
                       std::vector<std::string>{"cat", "Cat", "dog"}[random() % 3]};
    picture.rank = random() % ranks;
    pictures.push_back(picture);
  }
  std::ranges::sort(pictures, {}, [](const Picture& it) { return std::pair(it.source, it.rank); });
  return pictures;
}

std::vector<std::string> names_of_one(const std::vector<Picture>& pictures, const DiskNames& disk) {
  ExportNames names(disk);
  std::vector<std::string> given;
  for (const Picture& it : pictures) {
    const fs::path folder = names.folder_of(it.folders);
    given.push_back(
        names.place_of(folder, it.source, names.free_number(folder, it.source)).string());
  }
  return given;
}

BOOST_AUTO_TEST_SUITE(shared_names)

BOOST_AUTO_TEST_CASE(they_are_those_that_one_process_gives) {
  for (const bool tell_case : {true, false}) {
    for (const size_t size : {1, 2, 3, 7}) {
      DiskNames disk;
      disk.tell_case = tell_case;
      const std::vector<Picture> pictures = some_pictures(size, 300, static_cast<uint32_t>(size));
      std::vector<std::string> given(pictures.size());
      testing::run_ranks(size, [&](Ranks& ranks) {
        SharedNames names(ranks, disk);
        const auto for_own = [&](const auto& visit) {
          for (size_t i = 0; i < pictures.size(); ++i) {
            if (pictures[i].rank == ranks.rank()) visit(i);
          }
        };
        for_own([&](size_t i) { names.want(pictures[i].source, pictures[i].folders); });
        names.give();
        for_own([&](size_t i) {
          given[i] = names.next(pictures[i].source, pictures[i].folders).place.string();
        });
      });
      BOOST_TEST(given == names_of_one(pictures, disk), boost::test_tools::per_element());
    }
  }
}

BOOST_AUTO_TEST_CASE(a_path_that_several_have_is_told_where_the_first_of_them_goes) {
  std::vector<std::string> told(3);
  testing::run_ranks(3, [&](Ranks& ranks) {
    SharedNames names(ranks, {});
    const std::string label = ranks.rank() == 2 ? "dog" : "cat";
    names.want("/p/a.jpg", {label});
    names.give();
    const GivenName name = names.next("/p/a.jpg", {label});
    told[ranks.rank()] =
        name.place.string() + (name.earlier ? " after " + name.earlier->string() : "");
  });
  BOOST_TEST(told[0] == "cat/a.jpg");
  BOOST_TEST(told[1] == "cat/a (2).jpg after cat/a.jpg");
  BOOST_TEST(told[2] == "dog/a.jpg after cat/a.jpg");
}

BOOST_AUTO_TEST_CASE(what_is_wanted_later_gets_the_next_names) {
  std::vector<std::string> given(2);
  testing::run_ranks(2, [&](Ranks& ranks) {
    SharedNames names(ranks, {});
    const std::string source = "/p" + std::to_string(ranks.rank()) + "/a.jpg";
    names.want(source, {"cat"});
    names.give();
    names.next(source, {"cat"});
    if (ranks.rank() == 0) names.want(source, {"cat"});
    names.give();
    if (ranks.rank() == 0) given[0] = names.next(source, {"cat"}).place.string();
  });
  BOOST_TEST(given[0] == "cat/a (3).jpg");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
