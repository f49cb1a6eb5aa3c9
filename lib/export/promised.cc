// Tested by tests/export/promised_test.cc, and on true vectors by
// tests/export/true_promise_test.cc.

#include "lib/export/promised.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "lib/labelling/classifier.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// A fair sample is taken for an unfair one so often.
constexpr double kUnfair = 0.001;

// The labels, and behind them those that only the truth names.
std::vector<Label> with_others(const std::vector<Label>& labels,
                               const std::vector<std::string>& of_truth) {
  std::vector<Label> all = labels;
  for (const std::string& name : of_truth) {
    if (std::ranges::find(labels, name, &Label::name) == labels.end())
      all.push_back({name, {name}});
  }
  return all;
}

JudgedPictures judged_of(std::vector<KnownPicture> pictures, const std::vector<Label>& all,
                         size_t labels) {
  JudgedPictures judged;
  for (const KnownPicture& picture : pictures) {
    if (picture.label >= labels) ++judged.other_labels[all[picture.label].name];
  }
  judged.pictures = std::move(pictures);
  return judged;
}

// The sure answers, best first, and what is known of them.
struct Candidates {
  std::vector<Row> rows;
  std::vector<float> scores;
  std::vector<Judgement> judgements;

  JudgedAnswers answers() const { return {scores, judgements}; }
};

Candidates candidates_of(const std::vector<Prediction>& predictions, const JudgedPictures& judged,
                         const Bands& bands) {
  Candidates candidates;
  for (Row row = 0; row < bands.of_row.size(); ++row) {
    if (bands.of_row[row] == Band::Sure) candidates.rows.push_back(row);
  }
  const auto score = [&](Row row) { return predictions[row].answer().score; };
  std::ranges::sort(candidates.rows, [&](Row a, Row b) { return score(a) > score(b); });
  std::vector<Judgement> of_row(bands.of_row.size(), Judgement::None);
  for (const KnownPicture& picture : judged.pictures) {
    const Prediction& prediction = predictions[picture.row];
    of_row[picture.row] = prediction.winner && prediction.answer().label == picture.label
                              ? Judgement::Right
                              : Judgement::Wrong;
  }
  for (const Row row : candidates.rows) {
    candidates.scores.push_back(score(row));
    candidates.judgements.push_back(of_row[row]);
  }
  return candidates;
}

void expect_fair(const Candidates& candidates, const Leaning& leaning) {
  if (leaning.to_sure >= kUnfair) return;
  const float median = candidates.scores[candidates.scores.size() / 2];
  uint64_t judged = 0;
  uint64_t among_sure = 0;
  for (size_t i = 0; i < candidates.rows.size(); ++i) {
    if (candidates.judgements[i] == Judgement::None) continue;
    ++judged;
    among_sure += candidates.scores[i] > median;
  }
  throw Error(
      ErrorCode::InvalidArgument, "the judged pictures",
      fmt::format("{} of {} are among the surer half of the answers, so they tell too little "
                  "of how often the others are wrong",
                  with_thousands(among_sure), with_thousands(judged)),
      "judge pictures that were drawn by chance: review --by chance lists some");
}

// What would be exported: of the first ones what was not judged wrong, of the others what was
// judged right, as often as now.
std::vector<Forecast> forecast_exports(const JudgedAnswers& answers, const PromiseOptions& options,
                                       uint64_t exported) {
  const auto count = [&](size_t from, size_t to, Judgement judgement) {
    return static_cast<double>(std::count(answers.judgements.begin() + static_cast<ptrdiff_t>(from),
                                          answers.judgements.begin() + static_cast<ptrdiff_t>(to),
                                          judgement));
  };
  const size_t all = answers.judgements.size();
  const double judged = static_cast<double>(all) - count(0, all, Judgement::None);
  std::vector<Forecast> exports;
  for (const Forecast& one : forecast(answers, options)) {
    const double times = (judged + static_cast<double>(one.more_judged)) / judged;
    const double then = static_cast<double>(one.first) -
                        times * count(0, one.first, Judgement::Wrong) +
                        times * count(one.first, all, Judgement::Right);
    const auto pictures = static_cast<size_t>(std::clamp(then, 0.0, static_cast<double>(all)));
    if (pictures > exported) exports.push_back({one.more_judged, pictures});
  }
  return exports;
}

std::string percent(double share) {
  return fmt::format("{:.3g} %", 100 * share);
}

}  // namespace

JudgedPictures judged_pictures(const View& collection, const std::vector<Label>& labels,
                               const Truth& truth) {
  if (truth.empty())
    throw Error(ErrorCode::InvalidArgument, "the truth", "no picture has a label",
                "judge some pictures: review --by chance lists some");
  const std::vector<Label> all = with_others(labels, labels_of(truth));
  return judged_of(known_pictures(collection, all, truth).pictures, all, labels.size());
}

JudgedPictures judged_pictures(const View& collection, const std::vector<Label>& labels,
                               const KeptTruth& truth) {
  const std::vector<Label> all = with_others(labels, truth.labels());
  JudgedPictures judged =
      judged_of(known_contents(collection, all, truth).pictures, all, labels.size());
  if (judged.pictures.empty())
    throw Error(ErrorCode::InvalidArgument, "the truth",
                "no picture of the collection was judged yet", "judge some");
  return judged;
}

uint64_t leave_out_learned(const View& collection, const std::vector<uint64_t>& learned_from,
                           JudgedPictures& judged) {
  return std::erase_if(judged.pictures, [&](const KnownPicture& picture) {
    return std::ranges::binary_search(learned_from,
                                      learned_mark(collection.record(picture.row).content_hash));
  });
}

Promised keep_promise(const std::vector<Prediction>& predictions, const JudgedPictures& judged,
                      const PromiseOptions& options, Bands& bands) {
  const Candidates candidates = candidates_of(predictions, judged, bands);
  const JudgedAnswers answers = candidates.answers();
  const Leaning leaning = leaning_of(answers);
  expect_fair(candidates, leaning);
  const Promise promise = keep_promise(answers, options);
  Promised promised;
  promised.at_most_wrong = options.most_wrong;
  promised.confidence = options.confidence;
  promised.candidates = candidates.rows.size();
  promised.leans_to_unsure = leaning.to_unsure < kUnfair;
  promised.above = promise.first;
  promised.judged_above = promise.judged;
  promised.wrong_above = promise.wrong;
  if (promise.first > 0) promised.threshold = candidates.scores[promise.first - 1];
  for (size_t i = 0; i < candidates.rows.size(); ++i) {
    const Judgement judgement = candidates.judgements[i];
    promised.judged += judgement != Judgement::None;
    promised.wrong += judgement == Judgement::Wrong;
    if (judgement == Judgement::Right) {
      promised.right_below += i >= promise.first;
    } else if (judgement == Judgement::Wrong || i >= promise.first) {
      bands.of_row[candidates.rows[i]] = Band::Unsure;
      --bands.sure;
      ++bands.unsure;
    }
  }
  promised.exported = bands.sure;
  if (promised.exported > 0)
    promised.bound = static_cast<double>(promise.most_wrong - promise.wrong) /
                     static_cast<double>(promised.exported);
  if (!promised.threshold && promised.candidates > 0)
    promised.needed = fewest_judged(promised.candidates, options);
  promised.more = forecast_exports(answers, options, promised.exported);
  return promised;
}

void Promised::write(JsonWriter& json) const {
  json.member("at_most_wrong", at_most_wrong)
      .member("confidence", confidence)
      .member("threshold", threshold)
      .member("exported", exported)
      .member("bound", Rounded{bound})
      .member("candidates", candidates)
      .member("judged", judged)
      .member("wrong", wrong)
      .member("above", above)
      .member("judged_above", judged_above)
      .member("wrong_above", wrong_above)
      .member("right_below", right_below)
      .member("leans_to_unsure", leans_to_unsure);
}

std::string Promised::members() const {
  std::string text;
  JsonWriter json(text);
  write(json);
  return text;
}

std::vector<std::string> told_promise(const Promised& promised) {
  std::vector<std::string> lines;
  const std::string most = percent(promised.at_most_wrong);
  if (promised.threshold) {
    const std::string right_below = promised.right_below == 0
                                        ? ""
                                        : fmt::format(" and {} below it that were judged right",
                                                      with_thousands(promised.right_below));
    lines.push_back(
        fmt::format("at most {} wrong, with {} confidence: {} of {} pictures, those with a score "
                    "of {:.4g} or more{}; "
                    "of {} with that score that were judged {} were wrong{}, so at most {} of what "
                    "is exported is",
                    most, percent(promised.confidence), with_thousands(promised.exported),
                    with_thousands(promised.candidates), *promised.threshold, right_below,
                    with_thousands(promised.judged_above), with_thousands(promised.wrong_above),
                    promised.wrong_above > 0 ? " and are left out" : "", percent(promised.bound)));
  } else {
    lines.push_back(
        fmt::format("at most {} wrong, with {} confidence: no score keeps that as far as {} judged "
                    "pictures say, "
                    "of which {} were wrong; it takes at least {}, all of them right",
                    most, percent(promised.confidence), with_thousands(promised.judged),
                    with_thousands(promised.wrong), with_thousands(promised.needed)));
  }
  std::string more;
  for (const Forecast& one : promised.more) {
    more += fmt::format("{} {} more judged about {}", more.empty() ? "with" : ", with",
                        with_thousands(one.more_judged), with_thousands(one.first));
  }
  if (!more.empty()) lines.push_back(more + " could be exported");
  if (promised.leans_to_unsure) {
    lines.push_back(
        "the judged pictures are less sure than the others; the promise holds as long as surer "
        "answers are not more often wrong, and a sample by chance would let more be exported");
  }
  return lines;
}

std::filesystem::path promise_file_of(const std::filesystem::path& target) {
  std::filesystem::path file = target;
  if (!file.has_filename()) file = file.parent_path();
  file += ".promise.json";
  return file;
}

}  // namespace zeroshelf
