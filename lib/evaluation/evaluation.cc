// Reports and comparisons from one set of resamples. Tested by tests/evaluation/evaluation_test.cc.

#include "lib/evaluation/evaluation.h"

#include <cassert>

namespace zeroshelf {
namespace {

enum Of { kAccuracy, kMacroF1, kCalibrationError, kFigures };

// The figures of one way on drawn pictures.
class Tally {
 public:
  Tally(const std::vector<CheckedAnswer>& checked, size_t label_count)
      : checked_(checked), labels_(label_count), bins_(kReliabilityBins) {}

  void add(uint32_t place) {
    const CheckedAnswer& it = checked_[place];
    ++labels_[it.truth].truths;
    if (it.answer) {
      ++labels_[*it.answer].answers;
      bins_[reliability_bin(it.confidence)].add(it);
    }
    if (it.is_right()) {
      ++labels_[it.truth].right;
      ++right_;
    }
  }

  void write(size_t drawn, std::span<double> figures) const {
    figures[kAccuracy] = static_cast<double>(right_) / static_cast<double>(drawn);
    figures[kMacroF1] = macro_f1(labels_);
    figures[kCalibrationError] = expected_calibration_error(bins_);
  }

 private:
  const std::vector<CheckedAnswer>& checked_;
  std::vector<LabelCounts> labels_;
  std::vector<ReliabilityBin> bins_;
  uint64_t right_ = 0;
};

std::vector<Comparison> pairs_of(const std::vector<Answers>& answers) {
  std::vector<Comparison> pairs;
  for (size_t first = 0; first < answers.size(); ++first) {
    for (size_t second = first + 1; second < answers.size(); ++second) {
      Comparison pair;
      pair.first = first;
      pair.second = second;
      for (size_t i = 0; i < answers[first].checked.size(); ++i) {
        const bool first_right = answers[first].checked[i].is_right();
        const bool second_right = answers[second].checked[i].is_right();
        pair.only_first_right += first_right && !second_right;
        pair.only_second_right += second_right && !first_right;
      }
      pair.p_value = mcnemar_p_value(pair.only_first_right, pair.only_second_right);
      pairs.push_back(pair);
    }
  }
  return pairs;
}

Report report_of(const Answers& answers, size_t label_count) {
  const std::vector<CheckedAnswer>& checked = answers.checked;
  Report report;
  report.name = answers.name;
  report.labels = count_labels(checked, label_count);
  report.confusion = confusion(checked);
  report.reliability = reliability(checked);
  report.coverage = coverage_curve(checked);
  report.accuracy.value = accuracy(checked).value();
  report.macro_f1.value = macro_f1(report.labels);
  report.calibration_error.value = expected_calibration_error(report.reliability);
  return report;
}

// The figures of every way, then the difference of every pair.
std::vector<Interval> intervals_of(const std::vector<Answers>& answers,
                                   const std::vector<Comparison>& pairs, size_t label_count,
                                   const ResamplingOptions& options) {
  const auto statistic = [&](std::span<const uint32_t> drawn, std::span<double> figures) {
    for (size_t i = 0; i < answers.size(); ++i) {
      Tally tally(answers[i].checked, label_count);
      for (const uint32_t place : drawn) tally.add(place);
      tally.write(drawn.size(), figures.subspan(i * kFigures, kFigures));
    }
    for (size_t i = 0; i < pairs.size(); ++i) {
      figures[answers.size() * kFigures + i] = figures[pairs[i].second * kFigures + kAccuracy] -
                                               figures[pairs[i].first * kFigures + kAccuracy];
    }
  };
  return bootstrap_intervals(answers.front().checked.size(),
                             answers.size() * kFigures + pairs.size(), statistic, options);
}

}  // namespace

EvaluationResult evaluate_answers(const std::vector<Answers>& answers, size_t label_count,
                                  const ResamplingOptions& options) {
  assert(!answers.empty() && !answers.front().checked.empty());
  EvaluationResult result;
  result.comparisons = pairs_of(answers);
  const std::vector<Interval> intervals =
      intervals_of(answers, result.comparisons, label_count, options);
  for (const Answers& it : answers) {
    const size_t at = result.reports.size() * kFigures;
    Report report = report_of(it, label_count);
    report.accuracy.interval = intervals[at + kAccuracy];
    report.macro_f1.interval = intervals[at + kMacroF1];
    report.calibration_error.interval = intervals[at + kCalibrationError];
    result.reports.push_back(std::move(report));
  }
  size_t at = answers.size() * kFigures;
  for (Comparison& pair : result.comparisons) {
    pair.difference = {
        result.reports[pair.second].accuracy.value - result.reports[pair.first].accuracy.value,
        intervals[at++]};
  }
  return result;
}

}  // namespace zeroshelf
