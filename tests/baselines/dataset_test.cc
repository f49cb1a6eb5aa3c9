#include "benchmarks/dataset.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>

#include "benchmarks/bar_chart.h"
#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::bench {
namespace {

std::vector<Example> examples(std::initializer_list<size_t> counts) {
  std::vector<Example> result;
  size_t number = 0;
  for (const size_t count : counts) {
    for (size_t i = 0; i < count; ++i) result.push_back({"", number});
    ++number;
  }
  return result;
}

BOOST_AUTO_TEST_SUITE(dataset)

BOOST_AUTO_TEST_CASE(folders_are_classes_and_other_files_are_not) {
  const testing::TemporaryDirectory directory;
  for (const char* name : {"cat/1.jpg", "cat/deep/2.jpg", "dog/3.jpg", "readme.txt"}) {
    testing::write_file(directory / name, "x");
  }
  std::filesystem::create_directory(directory / "empty");
  const Dataset dataset = find_dataset(directory.path());
  BOOST_TEST(dataset.classes == (std::vector<std::string>{"cat", "dog"}),
             boost::test_tools::per_element());
  BOOST_REQUIRE_EQUAL(dataset.examples.size(), 3u);
  BOOST_TEST(dataset.examples[2].class_number == 1u);
}

BOOST_AUTO_TEST_CASE(one_class_is_no_data_set) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "cat/1.jpg", "x");
  BOOST_CHECK_THROW(find_dataset(directory.path()), Error);
  BOOST_CHECK_THROW(find_dataset(directory / "absent"), Error);
}

BOOST_AUTO_TEST_CASE(a_split_is_disjoint_complete_and_the_same_share_of_every_class) {
  const auto all = examples({100, 30, 10});
  const TrainingSplit split = stratified_split(all, 0.7, 1);
  std::set<size_t> places(split.training.begin(), split.training.end());
  for (const size_t place : split.test) BOOST_TEST(places.insert(place).second);
  BOOST_TEST(places.size() == all.size());
  std::vector<size_t> trained(3);
  for (const size_t place : split.training) ++trained[all[place].class_number];
  BOOST_TEST(trained == (std::vector<size_t>{70, 21, 7}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_split_follows_from_its_seed) {
  const auto all = examples({50, 50});
  BOOST_TEST(stratified_split(all, 0.7, 1).test == stratified_split(all, 0.7, 1).test,
             boost::test_tools::per_element());
  BOOST_TEST((stratified_split(all, 0.7, 1).test != stratified_split(all, 0.7, 2).test));
}

BOOST_AUTO_TEST_CASE(small_classes_have_a_picture_on_both_sides) {
  const TrainingSplit split = stratified_split(examples({2, 2}), 0.9, 1);
  BOOST_TEST(split.training.size() == 2u);
  BOOST_TEST(split.test.size() == 2u);
}

BOOST_AUTO_TEST_CASE(a_chart_shows_names_as_text_and_bars_to_scale) {
  const std::string svg = bar_chart("<b>", {{"a & b", 0.5, 0.4, 0.6}, {"c", 1, 1, 1}});
  BOOST_TEST(svg.find("&lt;b&gt;") != std::string::npos);
  BOOST_TEST(svg.find("a &amp; b") != std::string::npos);
  BOOST_TEST(svg.find("width=\"240.0\"") != std::string::npos);  // half of 480
  BOOST_TEST(svg.find("50.0 %") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::bench
