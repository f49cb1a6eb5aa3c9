// Exact tests in a fixed order. Tested by tests/evaluation/promise_test.cc, and on true vectors by
// tests/export/true_promise_test.cc.

#include "lib/evaluation/promise.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace zeroshelf {
namespace {

constexpr size_t kSteps = 40;
// The first step has as many judged answers as it needs when none of them is wrong, unless fewer
// than expected are by more than this number of standard deviations.
constexpr double kDeviations = 2;

double log_choose(uint64_t n, uint64_t k) {
  const auto log_factorial = [](uint64_t i) { return std::lgamma(static_cast<double>(i) + 1); };
  return log_factorial(n) - log_factorial(k) - log_factorial(n - k);
}

// How many of a number of answers must be wrong to break the promise. (A share such as 0.29 is a
// little less in binary.)
uint64_t fewest_broken(uint64_t answers, double most_wrong) {
  return static_cast<uint64_t>(std::floor(most_wrong * static_cast<double>(answers) + 1e-9)) + 1;
}

struct Seen {
  uint64_t judged = 0;
  uint64_t wrong = 0;
};

// How likely so few wrong ones are where the promise is broken.
double p_value(uint64_t answers, const Seen& seen, double most_wrong) {
  const uint64_t broken = fewest_broken(answers, most_wrong);
  return broken > answers ? 0 : hypergeometric_tail(answers, broken, seen.judged, seen.wrong);
}

// The first number of answers of which enough are expected to be judged, and none wrong, that the
// promise can be kept at the level; nothing above `answers`.
std::vector<size_t> steps_of(size_t answers, uint64_t judged, const PromiseOptions& options) {
  const auto can_keep = [&](size_t first) {
    const double share = static_cast<double>(first) / static_cast<double>(answers);
    const double expected = static_cast<double>(judged) * share;
    const double variance = expected * (1 - share) * static_cast<double>(answers - judged) /
                            std::max(1.0, static_cast<double>(answers) - 1);
    const double least = expected - kDeviations * std::sqrt(variance);
    const Seen seen{std::min<uint64_t>(first, static_cast<uint64_t>(std::max(0.0, least + 1e-9))), 0};
    return p_value(first, seen, options.most_wrong) <= 1 - options.confidence;
  };
  std::vector<size_t> steps;
  for (size_t step = 1; step <= kSteps; ++step) {
    const size_t end = (answers * step + kSteps - 1) / kSteps;
    if ((steps.empty() || end > steps.back()) && (!steps.empty() || can_keep(end) || step == kSteps))
      steps.push_back(end);
  }
  return steps;
}

// seen_of: what is judged of the first answers, by their number.
template <class SeenOf>
size_t first_kept(const std::vector<size_t>& steps, const SeenOf& seen_of,
                  const PromiseOptions& options) {
  size_t kept = 0;
  for (const size_t step : steps) {
    if (p_value(step, seen_of(step), options.most_wrong) > 1 - options.confidence) break;
    kept = step;
  }
  return kept;
}

// What is judged of the first 0, 1, 2 ... answers.
std::vector<Seen> running(std::span<const Judgement> judgements) {
  std::vector<Seen> seen(judgements.size() + 1);
  for (size_t i = 0; i < judgements.size(); ++i) {
    seen[i + 1] = {seen[i].judged + (judgements[i] != Judgement::None),
                   seen[i].wrong + (judgements[i] == Judgement::Wrong)};
  }
  return seen;
}

// No step parts equal scores.
void move_to_ends_of_ties(std::span<const float> scores, std::vector<size_t>& steps) {
  for (size_t& step : steps) {
    while (step < scores.size() && scores[step] == scores[step - 1]) ++step;
  }
  steps.erase(std::unique(steps.begin(), steps.end()), steps.end());
}

// A number that people say: 37 -> 40, 1,234 -> 1,200.
uint64_t round_number(double number) {
  double unit = 10;
  while (number >= unit * 100) unit *= 10;
  return static_cast<uint64_t>(std::max(unit, std::round(number / unit) * unit));
}

}  // namespace

double hypergeometric_tail(uint64_t all, uint64_t marked, uint64_t drawn, uint64_t k) {
  assert(marked <= all && drawn <= all);
  const uint64_t least = marked + drawn > all ? marked + drawn - all : 0;
  const uint64_t most = std::min(marked, drawn);
  if (k >= most) return 1;
  if (k < least) return 0;
  const auto probability = [&](uint64_t x) {
    return std::exp(log_choose(marked, x) + log_choose(all - marked, drawn - x) -
                    log_choose(all, drawn));
  };
  // p(x + 1) / p(x)
  const auto growth = [&](uint64_t x) {
    return static_cast<double>(marked - x) * static_cast<double>(drawn - x) /
           (static_cast<double>(x + 1) * static_cast<double>(all + x + 1 - marked - drawn));
  };
  // From k away from the middle, where terms only shrink.
  constexpr double kNegligible = 1e-17;
  double sum = 0;
  if (growth(k) >= 1) {
    double term = probability(k);
    for (uint64_t x = k;; --x) {
      sum += term;
      if (x == least || term <= sum * kNegligible) break;
      term /= growth(x - 1);
    }
    return std::min(sum, 1.0);
  }
  double term = probability(k + 1);
  for (uint64_t x = k + 1;; ++x) {
    sum += term;
    if (x == most || term <= sum * kNegligible) break;
    term *= growth(x);
  }
  return std::max(0.0, 1 - sum);
}

Promise keep_promise(const JudgedAnswers& answers, const PromiseOptions& options) {
  const std::vector<Seen> seen = running(answers.judgements);
  Promise promise;
  if (seen.back().judged == 0) return promise;
  std::vector<size_t> steps = steps_of(answers.scores.size(), seen.back().judged, options);
  move_to_ends_of_ties(answers.scores, steps);
  promise.first =
      first_kept(steps, [&](size_t first) { return seen[first]; }, options);
  promise.judged = seen[promise.first].judged;
  promise.wrong = seen[promise.first].wrong;
  uint64_t low = promise.wrong;  // as many are wrong
  uint64_t high = promise.first - (promise.judged - promise.wrong);
  while (low < high) {
    const uint64_t middle = low + (high - low + 1) / 2;
    const double likely = hypergeometric_tail(promise.first, middle, promise.judged, promise.wrong);
    if (likely > 1 - options.confidence) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  promise.most_wrong = low;
  return promise;
}

uint64_t fewest_judged(uint64_t answers, const PromiseOptions& options) {
  uint64_t low = 1;
  uint64_t high = answers;
  while (low < high) {
    const uint64_t middle = (low + high) / 2;
    const std::vector<size_t> steps = steps_of(answers, middle, options);
    const auto all_right = [&](size_t first) {
      return Seen{middle * first / answers, 0};
    };
    if (first_kept(steps, all_right, options) > 0) {
      high = middle;
    } else {
      low = middle + 1;
    }
  }
  return low;
}

std::vector<Forecast> forecast(const JudgedAnswers& answers, const PromiseOptions& options) {
  constexpr double kClearly = 0.05;  // of all answers
  const size_t all = answers.scores.size();
  const std::vector<Seen> seen = running(answers.judgements);
  const uint64_t judged = seen.back().judged;
  std::vector<Forecast> found;
  if (judged == 0) return found;
  const auto expected = [&](uint64_t then_judged) {
    const std::vector<size_t> steps = steps_of(all, then_judged, options);
    return first_kept(
        steps,
        [&](size_t first) {
          const double of_first = static_cast<double>(then_judged) * static_cast<double>(first) /
                                  static_cast<double>(all);
          const double share = static_cast<double>(seen[first].wrong) /
                               static_cast<double>(std::max<uint64_t>(1, seen[first].judged));
          const auto drawn = std::min<uint64_t>(first, static_cast<uint64_t>(of_first));
          return Seen{drawn, std::min(drawn, static_cast<uint64_t>(std::lround(of_first * share)))};
        },
        options);
  };
  size_t best = keep_promise(answers, options).first;
  for (const double times : {0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0}) {
    const uint64_t more = round_number(static_cast<double>(judged) * times);
    if (judged + more > all || found.size() == 3) break;
    const size_t first = expected(judged + more);
    if (static_cast<double>(first) < static_cast<double>(best) + kClearly * static_cast<double>(all))
      continue;
    found.push_back({more, first});
    best = first;
  }
  return found;
}

Leaning leaning_of(const JudgedAnswers& answers) {
  const std::vector<Seen> seen = running(answers.judgements);
  const size_t all = answers.scores.size();
  const auto judged = static_cast<double>(seen.back().judged);
  const auto others = static_cast<double>(all) - judged;
  if (judged == 0 || others == 0) return {};
  double to_sure = 0;
  double to_unsure = 0;
  for (size_t i = 1; i < all; ++i) {
    if (answers.scores[i] == answers.scores[i - 1]) continue;
    const auto above = static_cast<double>(seen[i].judged);
    const double difference = above / judged - (static_cast<double>(i) - above) / others;
    to_sure = std::max(to_sure, difference);
    to_unsure = std::max(to_unsure, -difference);
  }
  const double pairs = judged * others / (judged + others);
  return {std::exp(-2 * pairs * to_sure * to_sure), std::exp(-2 * pairs * to_unsure * to_unsure)};
}

}  // namespace zeroshelf
