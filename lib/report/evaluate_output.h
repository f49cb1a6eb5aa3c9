#pragma once

// An evaluation as a table, as JSON Lines, and as a plot.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/labelling/calibrate.h"
#include "lib/labelling/evaluate.h"
#include "lib/labels/labels.h"
#include "lib/report/messages.h"

namespace zeroshelf {

// Which labels a table has a line for, under each rule.
enum class LabelLines {
  Few,  // all of them, where there are no more than kFewLabels
  All,
};
inline constexpr size_t kFewLabels = 12;

// For people: accuracy of each rule and label (Wilson's intervals), the figures of each rule
// (bootstrap intervals), the pairs of rules, and the mistakes that were made most often.
std::string evaluation_table(const Evaluation& evaluation, const std::vector<Label>& labels,
                             LabelLines lines = LabelLines::Few);

// What a person should know where the best way is hardly better than guessing among so many labels;
// nothing where it is. is_bundled: the model is the bundled one.
std::optional<std::string> near_chance_warning(const EvaluationResult& result, size_t labels,
                                               bool is_bundled);

// One object a line, with a type: accuracy, metric, label, confusion, reliability, coverage,
// comparison, level. docs/evaluation.md lists their members.
std::string evaluation_json(const Evaluation& evaluation, const std::vector<Label>& labels);

// One report, about all labels together; two that are compared. The reports must outlive it.
message::Accuracy accuracy_message(const Report& report);
message::Comparison comparison_message(const EvaluationResult& result, const Comparison& pair);

// The same report label by label and mistake by mistake; of reliability and coverage what JSON Lines
// show. The report and the labels must outlive it.
struct ReportDetails {
  std::vector<message::LabelFigures> labels;
  std::vector<message::Confusion> confusion;
  std::vector<message::Reliability> reliability;
  std::vector<message::Coverage> coverage;
};
ReportDetails report_details(const Report& report, const std::vector<Label>& labels);

// settings_json: of the fitted settings, see settings_json().
message::Calibration calibration_message(const Calibration& calibration,
                                         std::string_view settings_json);

// SVG: coverage against accuracy, and the reliability diagram, one colour a rule.
std::string evaluation_plot(const Evaluation& evaluation);

}  // namespace zeroshelf
