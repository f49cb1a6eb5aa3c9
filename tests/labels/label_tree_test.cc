#include "lib/labels/label_tree.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

using Names = std::vector<std::string>;

std::vector<int> parents(const LabelTree& tree) {
  std::vector<int> result;
  for (const LabelTree::Place& place : tree.places)
    result.push_back(place.parent ? static_cast<int>(*place.parent) : -1);
  return result;
}

BOOST_AUTO_TEST_SUITE(label_tree)

BOOST_AUTO_TEST_CASE(levels_above_labels_are_nodes_in_the_order_in_which_they_appear) {
  const Names names = {"animal/bird/petrel", "animal/cat", "animal/bird/gull", "car"};
  const LabelTree tree = tree_of(names);
  BOOST_TEST(tree.nodes == (Names{"animal", "animal/bird"}));
  BOOST_TEST(parents(tree) == (std::vector<int>{5, 4, 5, -1, -1, 4}));
  BOOST_TEST(tree.depth() == 3u);
  BOOST_TEST(tree.places[0].depth == 3u);
  BOOST_TEST(tree.places[4].depth == 1u);
  BOOST_TEST(levels_of(tree, 0, names[0]) == (Names{"animal", "bird", "petrel"}));
  BOOST_TEST(levels_of(tree, 3, names[3]) == (Names{"car"}));
}

BOOST_AUTO_TEST_CASE(a_label_may_be_a_level_of_others) {
  const Names names = {"animal/bird", "animal/bird/petrel", "animal"};
  const LabelTree tree = tree_of(names);
  BOOST_TEST(tree.nodes.empty());
  BOOST_TEST(parents(tree) == (std::vector<int>{2, 0, -1}));
}

BOOST_AUTO_TEST_CASE(labels_with_their_nodes_are_the_same_tree) {
  Names names = {"car", "animal/bird/petrel", "animal/cat", "plant/rose", "plant/tree/oak"};
  const LabelTree tree = tree_of(names);
  names.insert(names.end(), tree.nodes.begin(), tree.nodes.end());
  const LabelTree again = tree_of(names);
  BOOST_TEST(again.nodes.empty());
  BOOST_TEST(parents(again) == parents(tree));
}

BOOST_AUTO_TEST_CASE(a_slash_that_parts_nothing_is_a_letter) {
  BOOST_TEST(tree_of(Names{"AC/DC", "Motörhead", "either/or"}).empty());
  BOOST_TEST(tree_of(Names{"cat", "dog"}).empty());
  const Names odd = {"a//b", "a/", "/a", "/", "a/../b", "./a", "a/ /b", "..", "a/."};
  BOOST_TEST(tree_of(odd).empty());
  // Beside a tree they stay what they are.
  const Names mixed = {"a//b", "animal/cat", "animal/dog", "animal/../dog"};
  const LabelTree tree = tree_of(mixed);
  BOOST_TEST(parents(tree) == (std::vector<int>{-1, 4, 4, -1, -1}));
  BOOST_TEST(levels_of(tree, 0, mixed[0]) == (Names{"a//b"}));
  BOOST_TEST(levels_of(tree, 3, mixed[3]) == (Names{"animal/../dog"}));
}

BOOST_AUTO_TEST_CASE(beside_a_tree_an_only_child_has_levels_too) {
  const Names names = {"animal/cat", "animal/dog", "vehicle/car"};
  BOOST_TEST(tree_of(names).nodes == (Names{"animal", "vehicle"}));
  BOOST_TEST(parents(tree_of(names)) == (std::vector<int>{3, 3, 4, -1, -1}));
}

BOOST_AUTO_TEST_CASE(very_deep_names_have_no_levels) {
  std::string deep = "a";
  for (int i = 0; i < 100'000; ++i) deep += "/a";
  BOOST_TEST(tree_of(Names{deep, "a"}).empty());
  BOOST_TEST(tree_of(Names{"a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", "a"}).depth() == 16u);
  BOOST_TEST(tree_of(Names{"a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q", "a"}).empty());
}

BOOST_AUTO_TEST_CASE(prompts_speak_of_the_last_level) {
  const Names names = {"animal/bat", "animal/cat", "sport/bat", "sport/ball", "car"};
  BOOST_TEST(spoken_names(names) == (Names{"bat, animal", "cat", "bat, sport", "ball", "car"}));
  BOOST_TEST(spoken_names(Names{"AC/DC", "cat"}) == (Names{"AC/DC", "cat"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
