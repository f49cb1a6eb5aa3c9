// Counting right and wrong answers. Tested by tests/evaluation/metrics_test.cc.

#include "lib/evaluation/metrics.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace zeroshelf {
namespace {

double ratio(double part, double whole) {
  return whole > 0 ? part / whole : 0;
}

}  // namespace

Share accuracy(std::span<const CheckedAnswer> checked) {
  Share share;
  for (const CheckedAnswer& it : checked) share.add(it.is_right());
  return share;
}

double LabelCounts::f1() const {
  return ratio(2 * static_cast<double>(right), static_cast<double>(truths + answers));
}

std::vector<LabelCounts> count_labels(std::span<const CheckedAnswer> checked, size_t label_count) {
  std::vector<LabelCounts> labels(label_count);
  for (const CheckedAnswer& it : checked) {
    ++labels[it.truth].truths;
    if (it.answer) ++labels[*it.answer].answers;
    if (it.is_right()) ++labels[it.truth].right;
  }
  return labels;
}

double macro_f1(std::span<const LabelCounts> labels) {
  double sum = 0;
  size_t occurring = 0;
  for (const LabelCounts& label : labels) {
    sum += label.f1();
    occurring += label.occurs();
  }
  return ratio(sum, static_cast<double>(occurring));
}

std::vector<ConfusionCell> confusion(std::span<const CheckedAnswer> checked) {
  std::map<std::pair<uint32_t, std::optional<uint32_t>>, uint64_t> counts;
  for (const CheckedAnswer& it : checked) ++counts[{it.truth, it.answer}];
  std::vector<ConfusionCell> cells;
  for (const auto& [key, pictures] : counts) cells.push_back({key.first, key.second, pictures});
  return cells;
}

void ReliabilityBin::add(const CheckedAnswer& it) {
  ++pictures;
  right += it.is_right();
  confidence_sum += std::clamp(it.confidence, 0.0f, 1.0f);
}

double ReliabilityBin::confidence() const {
  return ratio(confidence_sum, static_cast<double>(pictures));
}

double ReliabilityBin::accuracy() const {
  return ratio(static_cast<double>(right), static_cast<double>(pictures));
}

size_t reliability_bin(float confidence) {
  const double scaled = std::clamp(confidence, 0.0f, 1.0f) * static_cast<double>(kReliabilityBins);
  return std::min(static_cast<size_t>(scaled), kReliabilityBins - 1);
}

std::vector<ReliabilityBin> reliability(std::span<const CheckedAnswer> checked) {
  std::vector<ReliabilityBin> bins(kReliabilityBins);
  for (const CheckedAnswer& it : checked) {
    if (it.answer) bins[reliability_bin(it.confidence)].add(it);
  }
  return bins;
}

double expected_calibration_error(std::span<const ReliabilityBin> bins) {
  double gap = 0;
  uint64_t pictures = 0;
  for (const ReliabilityBin& bin : bins) {
    gap += std::abs(static_cast<double>(bin.right) - bin.confidence_sum);
    pictures += bin.pictures;
  }
  return ratio(gap, static_cast<double>(pictures));
}

std::vector<CoveragePoint> coverage_curve(std::span<const CheckedAnswer> checked) {
  std::vector<std::pair<float, bool>> answers;
  for (const CheckedAnswer& it : checked) {
    if (it.answer) answers.emplace_back(it.confidence, it.is_right());
  }
  std::sort(answers.begin(), answers.end(), std::greater<>());
  std::vector<CoveragePoint> curve;
  CoveragePoint point;
  for (size_t i = 0; i < answers.size(); ++i) {
    ++point.answered;
    point.right += answers[i].second;
    if (i + 1 < answers.size() && answers[i + 1].first == answers[i].first) continue;
    point.confidence = answers[i].first;
    point.coverage =
        ratio(static_cast<double>(point.answered), static_cast<double>(checked.size()));
    curve.push_back(point);
  }
  return curve;
}

std::optional<CoveragePoint> at_coverage(std::span<const CoveragePoint> curve, double coverage) {
  const auto found = std::find_if(curve.begin(), curve.end(), [&](const CoveragePoint& point) {
    return point.coverage >= coverage - 1e-9;
  });
  return found == curve.end() ? std::nullopt : std::optional(*found);
}

}  // namespace zeroshelf
