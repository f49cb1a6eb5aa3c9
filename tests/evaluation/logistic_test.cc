// The minimiser against functions whose minimum is known, the classifier against data whose best
// answer is known.

#include "lib/evaluation/logistic.h"

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numbers>

#include "lib/evaluation/folds.h"
#include "lib/evaluation/minimise.h"
#include "lib/util/random.h"

namespace zeroshelf {
namespace {

// By Box and Muller.
double normal(Random& random) {
  return std::sqrt(-2 * std::log(1 - random.uniform())) *
         std::cos(2 * std::numbers::pi * random.uniform());
}

// Classes around centres of their own, `spread` apart.
LogisticExamples clouds(size_t per_class, uint32_t classes, size_t features, double spread,
                        uint64_t seed) {
  Random random(seed);
  LogisticExamples examples{Matrix(per_class * classes, features), {}, classes};
  for (size_t i = 0; i < per_class * classes; ++i) {
    const auto of = static_cast<uint32_t>(i % classes);
    examples.classes.push_back(of);
    for (size_t j = 0; j < features; ++j) {
      examples.features.row(i)[j] =
          static_cast<float>(10 + normal(random) + (j == of ? spread : 0.0));
    }
  }
  return examples;
}

Share accuracy_of(const LinearModel& model, const LogisticExamples& examples) {
  Share share;
  for (size_t i = 0; i < examples.classes.size(); ++i)
    share.add(checked_answer(model, examples.features.row(i), examples.classes[i]).is_right());
  return share;
}

BOOST_AUTO_TEST_SUITE(logistic)

// Rosenbrock's valley, whose bottom is at (1, 1).
BOOST_AUTO_TEST_CASE(the_minimiser_finds_the_end_of_a_curved_valley) {
  const auto valley = [](std::span<const double> at, std::span<double> gradient) {
    const double a = 1 - at[0];
    const double b = at[1] - at[0] * at[0];
    gradient[0] = -2 * a - 400 * at[0] * b;
    gradient[1] = 200 * b;
    return a * a + 100 * b * b;
  };
  const Minimum minimum = minimise(valley, {-1.2, 1}, {.gradient_tolerance = 1e-8});
  BOOST_TEST(std::abs(minimum.at[0] - 1) < 1e-6);
  BOOST_TEST(std::abs(minimum.at[1] - 1) < 1e-6);
  BOOST_TEST(minimum.steps < 100u);
}

// 80 of one class, 20 of the other, and a feature that says nothing.
BOOST_AUTO_TEST_CASE(without_features_that_tell_the_bias_is_the_log_odds) {
  LogisticExamples examples{Matrix(100, 1), {}, 2};
  for (size_t i = 0; i < 100; ++i) examples.classes.push_back(i < 80 ? 0 : 1);
  const LinearModel model = fit_logistic(examples, 1e-6);
  BOOST_TEST(std::abs(model.biases[0] - model.biases[1] - std::log(4.0)) < 1e-3);
  BOOST_TEST(std::abs(checked_answer(model, examples.features.row(0), 0).confidence - 0.8f) <
             1e-3f);
}

// Two normal clouds, 2 apart in one of 5 directions: Bayes' rule is right for Phi(1) = 84.1 %, and
// its weights differ by 2 in that direction.
BOOST_AUTO_TEST_CASE(two_clouds_are_parted_as_well_as_can_be) {
  LogisticExamples examples = clouds(4000, 2, 5, std::numbers::sqrt2, 1);
  const LinearModel model = fit_logistic(examples, 1e-5);
  const LogisticExamples unseen = clouds(4000, 2, 5, std::numbers::sqrt2, 2);
  BOOST_TEST(std::abs(accuracy_of(model, unseen).value() - 0.8413) < 0.015);
  const double weight = model.weights.row(0)[0] - model.weights.row(1)[0];
  BOOST_TEST(std::abs(weight - std::numbers::sqrt2) < 0.12);
  BOOST_TEST(std::abs(model.weights.row(0)[3] - model.weights.row(1)[3]) < 0.12);
}

BOOST_AUTO_TEST_CASE(threads_and_repeats_change_nothing) {
  const LogisticExamples examples = clouds(40, 3, 20, 2, 3);
  const LinearModel one = fit_logistic(examples, 1e-3, 1);
  const LinearModel three = fit_logistic(examples, 1e-3, 3);
  for (size_t j = 0; j < 20; ++j) BOOST_REQUIRE(one.weights.row(1)[j] == three.weights.row(1)[j]);
  BOOST_TEST(choose_penalty(examples, 1, 1).log_loss == choose_penalty(examples, 1, 3).log_loss);
}

// The held-out accuracy is what unseen examples will see, also where the fit itself is perfect.
BOOST_AUTO_TEST_CASE(held_out_accuracy_is_honest) {
  const LogisticExamples examples = clouds(40, 3, 200, 2.5, 4);
  const CrossValidation chosen = choose_penalty(examples, 1);
  BOOST_TEST(chosen.folds == 5u);
  BOOST_REQUIRE_EQUAL(chosen.held_out.size(), 120u);
  const Share held_out = accuracy(chosen.held_out);
  const LinearModel model = fit_logistic(examples, chosen.penalty);
  BOOST_TEST(accuracy_of(model, examples).value() > 0.95);
  const double unseen = accuracy_of(model, clouds(500, 3, 200, 2.5, 5)).value();
  BOOST_TEST(held_out.value() < 0.95);
  BOOST_TEST(held_out.low() - 0.05 < unseen);
  BOOST_TEST(held_out.high() + 0.05 > unseen);
}

BOOST_AUTO_TEST_CASE(labels_without_meaning_are_not_learned) {
  LogisticExamples examples = clouds(100, 2, 30, 0, 6);
  const CrossValidation chosen = choose_penalty(examples, 1);
  BOOST_TEST(std::abs(accuracy(chosen.held_out).value() - 0.5) < 0.12);
  BOOST_TEST(chosen.penalty > 1e-3);  // a strong one: it says little
}

BOOST_AUTO_TEST_CASE(folds_have_the_same_share_of_every_class) {
  std::vector<uint32_t> classes;
  for (size_t i = 0; i < 103; ++i) classes.push_back(i < 50 ? 0 : i < 100 ? 1 : 2);
  const std::vector<uint32_t> folds = stratified_folds(classes, 5, 1);
  std::vector<std::vector<int>> counts(3, std::vector<int>(5));
  for (size_t i = 0; i < classes.size(); ++i) ++counts[classes[i]][folds[i]];
  for (int fold = 0; fold < 5; ++fold) {
    BOOST_TEST(counts[0][fold] == 10);
    BOOST_TEST(counts[1][fold] == 10);
    BOOST_TEST(counts[2][fold] <= 1);
  }
  BOOST_TEST((stratified_folds(classes, 5, 1) != stratified_folds(classes, 5, 2)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
