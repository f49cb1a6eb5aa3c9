#pragma once

// How many of the surest answers may be given away when at most a share of these may be wrong, from
// some answers that were judged.
//
// Answers are given away best first, so what is chosen is how many of the first ones. Each number on
// a fixed list is a hypothesis: "of the first M answers more than the share are wrong". Were it so,
// and were the judged ones drawn by chance, the wrong among them would follow a hypergeometric
// distribution, which gives an exact p-value. The hypotheses are tested in the order of the list, the
// surest first, until one cannot be rejected: each is tested only if all before it were rejected, so
// that with the confidence asked for none is rejected falsely, however many there are. docs/export.md
// says what else was tried.
//
// Plain counting. Threads: calls may run together.

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace zeroshelf {

enum class Judgement : uint8_t { None, Right, Wrong };

// Answers, best first: scores descend, and of equal scores all are given away or none. Judgements
// are as many.
struct JudgedAnswers {
  std::span<const float> scores;
  std::span<const Judgement> judgements;
};

struct PromiseOptions {
  double most_wrong = 0;     // a share, 0 to 1
  double confidence = 0.95;  // below 1
};

struct Promise {
  size_t first = 0;     // how many of the first answers keep the promise; 0: none do
  uint64_t judged = 0;  // of these
  uint64_t wrong = 0;   // of the judged ones
  // How many of the first ones are wrong at most, with the confidence, if one looked at them alone.
  uint64_t most_wrong = 0;
};

// The promise holds for the judged ones left as they are. It holds all the more when what was judged
// to be wrong is not given away, and what was judged to be right is.
Promise keep_promise(const JudgedAnswers& answers, const PromiseOptions& options);

// How many judged answers it takes to let the first of `answers` be given away; fewer cannot, even
// if all of them are right. answers: at least 1.
uint64_t fewest_judged(uint64_t answers, const PromiseOptions& options);

// What could be given away if more were judged, as far as those say that there are.
struct Forecast {
  uint64_t more_judged = 0;
  size_t first = 0;
};

// A few of them, the fewest judged first, each with clearly more than the one before; none where
// more would hardly help or nothing was judged.
std::vector<Forecast> forecast(const JudgedAnswers& answers, const PromiseOptions& options);

// Whether the judged answers are a fair sample by their scores, one side at a time: how likely it
// is that as many more of fairly drawn ones lie among the surest (or the least sure) than of the
// others. The test of Smirnov; 1 where none or all are judged.
struct Leaning {
  double to_sure = 1;
  double to_unsure = 1;
};
Leaning leaning_of(const JudgedAnswers& answers);

// P(X <= k) where `drawn` are drawn from `all`, of which `marked` are counted by X. All at most
// `all`.
double hypergeometric_tail(uint64_t all, uint64_t marked, uint64_t drawn, uint64_t k);

}  // namespace zeroshelf
