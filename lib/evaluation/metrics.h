#pragma once

// What is said of answers whose truth is known. Plain counting; labels are numbers below some
// count.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "lib/util/share.h"

namespace zeroshelf {

// One picture.
struct CheckedAnswer {
  uint32_t truth = 0;
  std::optional<uint32_t> answer;  // absent: there was none, which is never right
  float confidence = 0;            // of the answer; meant as a probability, but not always one

  bool is_right() const { return answer == truth; }
};

Share accuracy(std::span<const CheckedAnswer> checked);

// One label: pictures that have it, that were given it, and both.
struct LabelCounts {
  uint64_t truths = 0;
  uint64_t answers = 0;
  uint64_t right = 0;

  Share recall() const { return {right, truths}; }
  Share precision() const { return {right, answers}; }
  // The harmonic mean of both, 2 right / (truths + answers); 0 when the label never occurs.
  double f1() const;
  bool occurs() const { return truths + answers > 0; }
};

// One a label. Answers and truths are below label_count.
std::vector<LabelCounts> count_labels(std::span<const CheckedAnswer> checked, size_t label_count);

// The mean of F1 over the labels that occur, as a truth or as an answer; 0 without any.
double macro_f1(std::span<const LabelCounts> labels);

// How often pictures of one label got another, or the right one, or none.
struct ConfusionCell {
  uint32_t truth = 0;
  std::optional<uint32_t> answer;
  uint64_t pictures = 0;  // at least 1
};

// The cells of the confusion matrix that are not 0, by truth, then by answer, no answer first.
std::vector<ConfusionCell> confusion(std::span<const CheckedAnswer> checked);

// Confidences between two bounds, and how often the answers there are right.
struct ReliabilityBin {
  uint64_t pictures = 0;
  uint64_t right = 0;
  double confidence_sum = 0;

  void add(const CheckedAnswer& it);
  double confidence() const;  // the mean; 0 when empty
  double accuracy() const;    // 0 when empty
};

inline constexpr size_t kReliabilityBins = 15;

// The bin of a confidence: 15 of equal width, [i / 15, (i + 1) / 15), the last one with 1; what is
// below 0 or above 1 counts as 0 or 1.
size_t reliability_bin(float confidence);

// kReliabilityBins bins. Pictures without an answer are left out.
std::vector<ReliabilityBin> reliability(std::span<const CheckedAnswer> checked);

// Guo et al. 2017: the mean over pictures of |accuracy - mean confidence| of their bin; 0 to 1, and
// 0 without answers.
double expected_calibration_error(std::span<const ReliabilityBin> bins);

// If only answers of at least that confidence are taken, this share of all pictures has one, and
// this many of those are right.
struct CoveragePoint {
  float confidence = 0;
  uint64_t answered = 0;
  uint64_t right = 0;
  double coverage = 0;  // answered of all pictures
  double accuracy() const { return static_cast<double>(right) / static_cast<double>(answered); }
};

// One point for each confidence that occurs, the highest first; empty without answers.
std::vector<CoveragePoint> coverage_curve(std::span<const CheckedAnswer> checked);

// The point of that curve that covers at least this share with the fewest answers; nothing when the
// rule answers for fewer pictures.
std::optional<CoveragePoint> at_coverage(std::span<const CoveragePoint> curve, double coverage);

}  // namespace zeroshelf
