#include "lib/labelling/tree_answer.h"

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>
#include <vector>

namespace zeroshelf {
namespace {

// 0 to 4; the nodes animal (5) and animal/bird (6).
const std::vector<std::string> kNames = {"animal/bird/petrel", "animal/bird/gull", "animal/cat",
                                         "car", "none"};

struct Answer {
  int label = -1;
  float score = 0;
  int next = -1;
  std::vector<float> places;
};

Answer answer(const std::vector<float>& scores, const TreeAnswers::Options& options = {},
              const std::vector<std::string>& names = kNames) {
  const TreeAnswers tree(tree_of(names), options);
  Prediction prediction;
  prediction.winner = Source::Image;
  Answer result;
  result.places.resize(tree.places());
  tree(scores, result.places, prediction);
  if (!prediction.winner) return result;
  result.label = static_cast<int>(prediction.answer().label);
  result.score = prediction.answer().score;
  if (prediction.runner_up) result.next = static_cast<int>(prediction.runner_up->label);
  return result;
}

constexpr float kNear = 1e-6f;

BOOST_AUTO_TEST_SUITE(tree_answer)

BOOST_AUTO_TEST_CASE(it_goes_down_as_long_as_it_is_sure) {
  const Answer sure = answer({0.6f, 0.1f, 0.1f, 0.15f, 0.05f});
  BOOST_TEST(sure.label == 0);
  BOOST_TEST(sure.next == 1);
  BOOST_TEST(std::abs(sure.places[6] - 0.7f) < kNear);
  BOOST_TEST(std::abs(sure.places[5] - 0.8f) < kNear);
  // Which bird is not known, and no single label is the best.
  const Answer bird = answer({0.3f, 0.25f, 0.05f, 0.35f, 0.05f});
  BOOST_TEST(bird.label == 6);
  BOOST_TEST(std::abs(bird.score - 0.55f) < kNear);
  BOOST_TEST(bird.next == 2);
  const Answer animal = answer({0.2f, 0.2f, 0.2f, 0.35f, 0.05f});
  BOOST_TEST(animal.label == 5);
  BOOST_TEST(animal.next == 3);
  // At the top the best is the answer, however unsure: a threshold takes it away.
  const Answer unsure = answer({0.1f, 0.1f, 0.1f, 0.3f, 0.4f});
  BOOST_TEST(unsure.label == 4);
}

BOOST_AUTO_TEST_CASE(depth_and_least_score_say_where_it_stops) {
  const std::vector<float> scores = {0.6f, 0.1f, 0.1f, 0.15f, 0.05f};
  BOOST_TEST(answer(scores, {true, 0.5f, 1}).label == 5);
  BOOST_TEST(answer(scores, {true, 0.5f, 2}).label == 6);
  BOOST_TEST(answer(scores, {true, 0.5f, 3}).label == 0);
  BOOST_TEST(answer(scores, {true, 0.65f}).label == 6);
  BOOST_TEST(answer(scores, {true, 0.75f}).label == 5);
  BOOST_TEST(answer(scores, {true, 0.9f}).label == 5);
  BOOST_TEST(answer({0.2f, 0.2f, 0.2f, 0.35f, 0.05f}, {true, 0.0f}).label == 0);
}

BOOST_AUTO_TEST_CASE(a_level_that_is_a_label_too_stays_where_it_is_better_itself) {
  const std::vector<std::string> names = {"animal", "animal/cat", "animal/dog", "car"};
  BOOST_TEST(answer({0.4f, 0.3f, 0.2f, 0.1f}, {true, 0.0f}, names).label == 0);
  BOOST_TEST(std::abs(answer({0.4f, 0.3f, 0.2f, 0.1f}, {true, 0.0f}, names).score - 0.9f) < kNear);
  BOOST_TEST(answer({0.1f, 0.6f, 0.2f, 0.1f}, {}, names).label == 1);
}

BOOST_AUTO_TEST_CASE(scores_that_are_no_shares_of_one_are_not_added) {
  const TreeAnswers::Options each{false, -1};
  const Answer got = answer({0.7f, 0.8f, 0.6f, 0.75f, 0.1f}, each);
  BOOST_TEST(got.label == 1);
  BOOST_TEST(got.places[5] == 0.8f);
  BOOST_TEST(answer({-0.5f, -0.2f, -0.6f, -0.3f, -0.9f}, each).label == 1);
  BOOST_TEST(answer({0.7f, 0.8f, 0.6f, 0.75f, 0.1f}, {false, -1, 1}).label == 5);
}

BOOST_AUTO_TEST_CASE(what_was_taken_counts_for_nothing) {
  const Answer got = answer({-INFINITY, 0.1f, 0.2f, 0.15f, 0.05f});
  BOOST_TEST(got.label == 5);
  BOOST_TEST(std::abs(got.places[6] - 0.1f) < kNear);
  const Answer none = answer({-INFINITY, -INFINITY, -INFINITY, -INFINITY, -INFINITY});
  BOOST_TEST(none.label == -1);
  BOOST_TEST(std::isinf(none.places[5]));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
