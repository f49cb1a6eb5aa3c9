#pragma once

// Several ways of answering the same pictures, evaluated side by side.

#include <cstdint>
#include <string>
#include <vector>

#include "lib/evaluation/metrics.h"
#include "lib/evaluation/resampling.h"

namespace zeroshelf {

// What one way answered.
struct Answers {
  std::string name;
  std::vector<CheckedAnswer> checked;
};

// A figure with its 95 % bootstrap interval.
struct Figure {
  double value = 0;
  Interval interval;
};

struct Report {
  std::string name;
  Figure accuracy;
  Figure macro_f1;
  Figure calibration_error;  // expected_calibration_error
  std::vector<LabelCounts> labels;
  std::vector<ConfusionCell> confusion;
  std::vector<ReliabilityBin> reliability;
  std::vector<CoveragePoint> coverage;
};

// Two ways by their places in the list. The difference is the second one's accuracy minus the
// first one's; its interval is the paired bootstrap's, the p-value McNemar's exact one. Neither is
// corrected for the number of pairs.
struct Comparison {
  size_t first = 0;
  size_t second = 0;
  Figure difference;
  uint64_t only_first_right = 0;
  uint64_t only_second_right = 0;
  double p_value = 1;
};

struct EvaluationResult {
  std::vector<Report> reports;          // in the order of the answers
  std::vector<Comparison> comparisons;  // every pair, (0, 1), (0, 2), ... (1, 2), ...
};

// All answers are of the same pictures in the same order, at least one; labels are below
// label_count. Cost: resamples x pictures x ways.
EvaluationResult evaluate_answers(const std::vector<Answers>& answers, size_t label_count,
                                  const ResamplingOptions& options);

}  // namespace zeroshelf
