// A promise holds as often as it says, and gives away nearly all that it could.

#include "lib/evaluation/promise.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <vector>

#include "lib/util/random.h"

namespace zeroshelf {
namespace {

// Answers whose scores are how likely they are right.
struct Drawn {
  Drawn(uint64_t seed, size_t count, double lowest_share) {
    Random random(seed);
    for (size_t i = 0; i < count; ++i) {
      const double x = random.uniform();
      scores.push_back(static_cast<float>(1 - lowest_share * x * x * x * x));
    }
    std::ranges::sort(scores, std::greater());
    for (const float score : scores) wrong.push_back(!random.chance(static_cast<double>(score)));
  }

  // So many are judged, drawn by chance.
  void judge(uint64_t seed, size_t count) {
    Random random(seed);
    judgements.assign(scores.size(), Judgement::None);
    for (size_t taken = 0; taken < count;) {
      const size_t i = random.below(scores.size());
      if (judgements[i] != Judgement::None) continue;
      judgements[i] = wrong[i] ? Judgement::Wrong : Judgement::Right;
      ++taken;
    }
  }

  JudgedAnswers answers() const { return {scores, judgements}; }
  size_t wrong_of_first(size_t first) const {
    return static_cast<size_t>(
        std::count(wrong.begin(), wrong.begin() + static_cast<ptrdiff_t>(first), true));
  }
  size_t oracle(double most_wrong) const {
    size_t best = 0;
    size_t so_far = 0;
    for (size_t i = 0; i < wrong.size(); ++i) {
      so_far += wrong[i];
      if (static_cast<double>(so_far) <= most_wrong * static_cast<double>(i + 1)) best = i + 1;
    }
    return best;
  }

  std::vector<float> scores;
  std::vector<bool> wrong;
  std::vector<Judgement> judgements;
};

double choose(unsigned n, unsigned k) {
  return k > n ? 0 : k == 0 ? 1 : choose(n - 1, k - 1) * n / k;
}

BOOST_AUTO_TEST_SUITE(promises)

BOOST_AUTO_TEST_CASE(the_tail_is_that_of_counting_all_draws) {
  for (const unsigned all : {1u, 7u, 20u}) {
    for (unsigned marked = 0; marked <= all; ++marked) {
      for (unsigned drawn = 0; drawn <= all; ++drawn) {
        double sum = 0;
        for (unsigned k = 0; k <= drawn; ++k) {
          sum += choose(marked, k) * choose(all - marked, drawn - k) / choose(all, drawn);
          BOOST_TEST(std::abs(hypergeometric_tail(all, marked, drawn, k) - sum) < 1e-9);
        }
      }
    }
  }
  // Where single terms are too small for a double.
  BOOST_TEST(hypergeometric_tail(1'000'000, 500'000, 10'000, 5'000) > 0.49);
  BOOST_TEST(hypergeometric_tail(1'000'000, 500'000, 10'000, 5'500) > 0.999999);
  BOOST_TEST(hypergeometric_tail(1'000'000, 500'000, 10'000, 2'500) < 1e-300);
}

BOOST_AUTO_TEST_CASE(the_promise_holds_in_ninety_five_of_a_hundred_draws) {
  constexpr int kDraws = 400;
  for (const double most_wrong : {0.02, 0.05}) {
    for (const size_t judged : {150u, 400u, 1000u}) {
      int held = 0;
      for (int draw = 0; draw < kDraws; ++draw) {
        Drawn drawn(static_cast<uint64_t>(draw), 2000, 0.9);
        drawn.judge(static_cast<uint64_t>(1000 + draw), judged);
        const size_t first = keep_promise(drawn.answers(), {most_wrong}).first;
        held += static_cast<double>(drawn.wrong_of_first(first)) <=
                most_wrong * static_cast<double>(first);
      }
      BOOST_TEST_CONTEXT(most_wrong << ", " << judged << " judged")
      BOOST_TEST(held >= kDraws * 95 / 100);
    }
  }
}

// The hardest case for what is tested again and again: the share is just above the promise everywhere.
BOOST_AUTO_TEST_CASE(where_all_scores_mean_the_same_it_holds_too) {
  constexpr int kDraws = 400;
  int held = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    Random random(static_cast<uint64_t>(draw));
    Drawn drawn(0, 1000, 0.5);
    // One in nineteen, at random places.
    for (size_t i = 0; i < 1000; ++i) drawn.wrong[i] = i % 19 == 0;
    for (size_t i = 999; i > 0; --i) {
      const size_t j = random.below(i + 1);
      const bool swapped = drawn.wrong[i];
      drawn.wrong[i] = drawn.wrong[j];
      drawn.wrong[j] = swapped;
    }
    drawn.judge(static_cast<uint64_t>(5000 + draw), 300);
    const size_t first = keep_promise(drawn.answers(), {0.05}).first;
    held += static_cast<double>(drawn.wrong_of_first(first)) <= 0.05 * static_cast<double>(first);
  }
  BOOST_TEST(held >= kDraws * 95 / 100);
}

BOOST_AUTO_TEST_CASE(with_enough_judged_nine_tenths_of_what_an_oracle_could_are_given_away) {
  double share = 0;
  for (uint64_t draw = 0; draw < 50; ++draw) {
    Drawn drawn(draw, 5000, 0.9);
    drawn.judge(700 + draw, 1500);
    share += static_cast<double>(keep_promise(drawn.answers(), {0.05}).first) /
             static_cast<double>(drawn.oracle(0.05)) / 50;
  }
  BOOST_TEST(share >= 0.9);
}

BOOST_AUTO_TEST_CASE(all_judged_is_what_an_oracle_knows) {
  Drawn drawn(3, 400, 0.9);
  drawn.judge(4, 400);
  const Promise promise = keep_promise(drawn.answers(), {0.05});
  BOOST_TEST(promise.first + 400 / 20 >= drawn.oracle(0.05));
  BOOST_TEST(promise.judged == promise.first);
  BOOST_TEST(promise.most_wrong == promise.wrong);
  BOOST_TEST(promise.wrong == drawn.wrong_of_first(promise.first));
}

BOOST_AUTO_TEST_CASE(nothing_judged_promises_nothing_and_too_few_say_how_many_are_needed) {
  Drawn drawn(5, 1000, 0.0);
  drawn.judge(6, 0);
  BOOST_TEST(keep_promise(drawn.answers(), {0.05}).first == 0u);
  BOOST_TEST(forecast(drawn.answers(), {0.05}).empty());
  const uint64_t needed = fewest_judged(1000, {0.05});
  BOOST_TEST(needed > 40u);
  BOOST_TEST(needed < 120u);
  drawn.judge(6, needed - 1);
  BOOST_TEST(keep_promise(drawn.answers(), {0.05}).first < 1000u);
  drawn.judge(6, needed + 20);
  BOOST_TEST(keep_promise(drawn.answers(), {0.05}).first > 0u);
}

BOOST_AUTO_TEST_CASE(equal_scores_are_given_away_together) {
  Drawn drawn(7, 1000, 0.0);
  for (size_t i = 0; i < 1000; ++i) drawn.scores[i] = i < 300 ? 0.9f : 0.8f;
  drawn.judge(8, 500);
  const size_t first = keep_promise(drawn.answers(), {0.05}).first;
  BOOST_TEST((first == 0 || first == 300 || first == 1000));
}

BOOST_AUTO_TEST_CASE(a_forecast_says_what_more_would_bring) {
  Drawn drawn(9, 5000, 0.9);
  drawn.judge(10, 200);
  const size_t now = keep_promise(drawn.answers(), {0.05}).first;
  const std::vector<Forecast> more = forecast(drawn.answers(), {0.05});
  BOOST_REQUIRE(!more.empty());
  size_t before = now;
  for (const Forecast& one : more) {
    BOOST_TEST(one.more_judged % 10 == 0u);
    BOOST_TEST(one.first > before);
    before = one.first;
  }
}

BOOST_AUTO_TEST_CASE(samples_that_lean_are_noticed) {
  Drawn drawn(11, 2000, 0.9);
  int unfair = 0;
  for (uint64_t draw = 0; draw < 200; ++draw) {
    drawn.judge(draw, 300);
    const Leaning fair = leaning_of(drawn.answers());
    unfair += fair.to_sure < 0.001 || fair.to_unsure < 0.001;
  }
  BOOST_TEST(unfair <= 4);
  drawn.judgements.assign(2000, Judgement::None);
  for (size_t i = 0; i < 300; ++i) drawn.judgements[i] = Judgement::Right;
  BOOST_TEST(leaning_of(drawn.answers()).to_sure < 1e-6);
  BOOST_TEST(leaning_of(drawn.answers()).to_unsure > 0.5);
  drawn.judgements.assign(2000, Judgement::None);
  for (size_t i = 1500; i < 1800; ++i) drawn.judgements[i] = Judgement::Right;
  BOOST_TEST(leaning_of(drawn.answers()).to_unsure < 1e-6);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
