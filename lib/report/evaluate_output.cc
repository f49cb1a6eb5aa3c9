// Tested by tests/report/evaluate_output_test.cc.

#include "lib/report/evaluate_output.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>

#include "lib/report/formats.h"
#include "lib/report/svg.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr int kNameWidth = 24;
constexpr size_t kMistakesShown = 5;
constexpr std::array<const char*, 6> kColours = {"#3b6fb6", "#c9822b", "#5a9e4b",
                                                 "#b23a48", "#7b5aa6", "#555"};

// --- table --------------------------------------------------------------------------------------

std::string percent(double share) {
  return fmt::format("{:6.1f} %", 100 * share);
}

std::string accuracy_line(const std::string& rule, const std::string& label, const Share& share) {
  return fmt::format("{:10} {} {}   {:5.1f} to {:5.1f} %   {} of {}\n", rule,
                     table_cell(label, kNameWidth), percent(share.value()), 100 * share.low(),
                     100 * share.high(), with_thousands(share.good), with_thousands(share.trials));
}

Share all_of(const Report& report) {
  Share all;
  for (const LabelCounts& label : report.labels) {
    all.good += label.right;
    all.trials += label.truths;
  }
  return all;
}

std::string figure_cell(const Figure& figure) {
  return fmt::format("{:5.1f} ({:.1f} to {:.1f})", 100 * figure.value, 100 * figure.interval.low,
                     100 * figure.interval.high);
}

std::string figures_table(const EvaluationResult& result) {
  std::string table = fmt::format("\n{:10} {:23} {:23} {}\n", "FUSION", "ACCURACY %", "MACRO F1 %",
                                  "CALIBRATION ERROR %");
  for (const Report& report : result.reports) {
    table += fmt::format("{:10} {:23} {:23} {}\n", report.name, figure_cell(report.accuracy),
                         figure_cell(report.macro_f1), figure_cell(report.calibration_error));
  }
  return table;
}

std::string pairs_table(const EvaluationResult& result) {
  if (result.comparisons.empty()) return "";
  std::string table = fmt::format("\n{:20} {:26} {:15} {}\n", "PAIR", "MORE RIGHT, POINTS",
                                  "ONLY ONE RIGHT", "P (MCNEMAR)");
  for (const Comparison& pair : result.comparisons) {
    const std::string names =
        result.reports[pair.second].name + " - " + result.reports[pair.first].name;
    const std::string difference =
        fmt::format("{:+5.1f} ({:+.1f} to {:+.1f})", 100 * pair.difference.value,
                    100 * pair.difference.interval.low, 100 * pair.difference.interval.high);
    table += fmt::format("{:20} {:26} {:15} {:.3g}\n", names, difference,
                         fmt::format("{} : {}", pair.only_second_right, pair.only_first_right),
                         pair.p_value);
  }
  return table;
}

std::string coverage_table(const EvaluationResult& result) {
  std::string table = fmt::format("\n{:10}", "FUSION");
  for (int share = 20; share <= 100; share += 20) table += fmt::format("  SUREST {:3} %", share);
  table += "\n";
  for (const Report& report : result.reports) {
    table += fmt::format("{:10}", report.name);
    for (int share = 20; share <= 100; share += 20) {
      const auto point = at_coverage(report.coverage, share / 100.0);
      table += fmt::format("  {:>12}", point ? percent(point->accuracy()) : "-");
    }
    table += "\n";
  }
  return table;
}

std::string levels_table(const std::vector<LevelFigures>& levels) {
  if (levels.empty()) return "";
  std::string table = fmt::format("\n{:10} {:>5} {:>8} {:>8} {:>8}\n", "FUSION", "LEVEL", "RIGHT",
                                  "WRONG", "STOPPED");
  for (const LevelFigures& it : levels) {
    const auto share = [&](uint64_t count) {
      return it.pictures == 0 ? std::string("-")
                              : fmt::format("{:.1f} %", 100 * static_cast<double>(count) /
                                                            static_cast<double>(it.pictures));
    };
    table += fmt::format("{:10} {:>5} {:>8} {:>8} {:>8}  of {}\n", it.way, it.level, share(it.right),
                         share(it.pictures - it.right - it.stopped), share(it.stopped),
                         with_thousands(it.pictures));
  }
  return table;
}

std::string answer_name(const std::optional<uint32_t>& answer, const std::vector<Label>& labels) {
  return answer ? labels[*answer].name : "(no answer)";
}

std::string mistakes_table(const Report& report, const std::vector<Label>& labels) {
  std::vector<ConfusionCell> mistakes;
  std::copy_if(report.confusion.begin(), report.confusion.end(), std::back_inserter(mistakes),
               [](const ConfusionCell& cell) { return cell.answer != cell.truth; });
  if (mistakes.empty()) return "";
  std::stable_sort(
      mistakes.begin(), mistakes.end(),
      [](const ConfusionCell& a, const ConfusionCell& b) { return a.pictures > b.pictures; });
  std::string table = fmt::format("\nMOST OFTEN TAKEN FOR ANOTHER, BY {}\n", report.name);
  for (size_t i = 0; i < std::min(kMistakesShown, mistakes.size()); ++i) {
    table += fmt::format("{:>9}  {} was called {}\n", with_thousands(mistakes[i].pictures),
                         table_cell(labels[mistakes[i].truth].name, kNameWidth),
                         printable(answer_name(mistakes[i].answer, labels)));
  }
  return table;
}

// --- JSON Lines ---------------------------------------------------------------------------------

message::Interval interval(const Figure& figure) {
  return {figure.value, figure.interval.low, figure.interval.high};
}

message::Accuracy accuracy_message(const Report& report, const Share& share) {
  message::Accuracy accuracy;
  accuracy.name = report.name;
  accuracy.accuracy = share.value();
  accuracy.low = share.low();
  accuracy.high = share.high();
  accuracy.right = share.good;
  accuracy.pictures = share.trials;
  return accuracy;
}

// The lines about one report.
class JsonReport {
 public:
  JsonReport(std::string& out, const Report& report, const std::vector<Label>& labels)
      : out_(out), report_(report), labels_(labels) {}

  void write() const {
    append_json_line(out_, accuracy_message(report_));
    for (size_t i = 0; i < labels_.size(); ++i) {
      message::Accuracy of_label = accuracy_message(report_, report_.labels[i].recall());
      of_label.label = labels_[i].name;
      append_json_line(out_, of_label);
    }
    metric("accuracy", report_.accuracy);
    metric("macro_f1", report_.macro_f1);
    metric("expected_calibration_error", report_.calibration_error);
    const ReportDetails details = report_details(report_, labels_);
    append_all(details.labels);
    append_all(details.confusion);
    append_all(details.reliability);
    append_all(details.coverage);
  }

 private:
  void metric(const char* name, const Figure& figure) const {
    append_json_line(out_, message::Metric{report_.name, name, interval(figure)});
  }
  template <class Message>
  void append_all(const std::vector<Message>& messages) const {
    for (const Message& message : messages) append_json_line(out_, message);
  }

  std::string& out_;
  const Report& report_;
  const std::vector<Label>& labels_;
};

// --- plot ---------------------------------------------------------------------------------------

// A square in which both axes are shares.
class Panel {
 public:
  static constexpr double kSide = 320;
  static constexpr double kTop = 44;

  Panel(Svg& svg, double left, const std::string& title, const std::string& x_axis)
      : svg_(svg), left_(left) {
    svg_.text({left_, kTop - 18}, title, {.size_px = 15, .bold = true});
    for (int tick = 0; tick <= 100; tick += 20) {
      const double share = tick / 100.0;
      const std::string name = fmt::format("{} %", tick);
      svg_.line(at(share, 0), at(share, 1), "#e4e4e4");
      svg_.line(at(0, share), at(1, share), "#e4e4e4");
      svg_.text({at(share, 0).x, kTop + kSide + 18}, name, {Anchor::Middle, "#555"});
      svg_.text({left_ - 6, at(0, share).y + 4}, name, {Anchor::End, "#555"});
    }
    svg_.text({left_ + kSide / 2, kTop + kSide + 38}, x_axis, {Anchor::Middle, "#222"});
  }

  Point at(double x, double y) const { return {left_ + kSide * x, kTop + kSide * (1 - y)}; }

 private:
  Svg& svg_;
  double left_;
};

// At most 200 points of the curve.
std::vector<Point> coverage_points(const Panel& panel, const Report& report) {
  std::vector<Point> points;
  double next = 0;
  for (const CoveragePoint& point : report.coverage) {
    if (point.coverage < next && &point != &report.coverage.back()) continue;
    next = point.coverage + 0.005;
    points.push_back(panel.at(point.coverage, point.accuracy()));
  }
  return points;
}

void draw_reliability(Svg& svg, const Panel& panel, const Report& report, const char* colour) {
  uint64_t pictures = 0;
  for (const ReliabilityBin& bin : report.reliability) pictures += bin.pictures;
  std::vector<Point> points;
  for (const ReliabilityBin& bin : report.reliability) {
    if (bin.pictures == 0) continue;
    points.push_back(panel.at(bin.confidence(), bin.accuracy()));
    const double share = static_cast<double>(bin.pictures) / static_cast<double>(pictures);
    svg.circle(points.back(), 2 + 10 * std::sqrt(share), colour);
  }
  svg.polyline(points, colour, 1.5);
}

}  // namespace

message::Accuracy accuracy_message(const Report& report) {
  message::Accuracy accuracy = accuracy_message(report, all_of(report));
  accuracy.macro_f1 = report.macro_f1.value;
  return accuracy;
}

ReportDetails report_details(const Report& report, const std::vector<Label>& labels) {
  ReportDetails details;
  for (size_t i = 0; i < labels.size(); ++i) {
    const LabelCounts& counts = report.labels[i];
    details.labels.push_back({report.name, labels[i].name, counts.precision().value(),
                              counts.recall().value(), counts.f1(), counts.truths, counts.answers,
                              counts.right});
  }
  for (const ConfusionCell& cell : report.confusion) {
    message::Confusion confusion;
    confusion.fusion = report.name;
    confusion.truth = labels[cell.truth].name;
    if (cell.answer) confusion.answer = labels[*cell.answer].name;
    confusion.pictures = cell.pictures;
    details.confusion.push_back(confusion);
  }
  for (size_t i = 0; i < report.reliability.size(); ++i) {
    const ReliabilityBin& bin = report.reliability[i];
    if (bin.pictures == 0) continue;
    details.reliability.push_back({report.name, static_cast<double>(i) / kReliabilityBins,
                                   static_cast<double>(i + 1) / kReliabilityBins, bin.confidence(),
                                   bin.accuracy(), bin.pictures});
  }
  for (int share = 5; share <= 100; share += 5) {
    const auto point = at_coverage(report.coverage, share / 100.0);
    if (!point) break;
    details.coverage.push_back(
        {report.name, point->coverage, point->accuracy(), point->confidence, point->answered});
  }
  return details;
}

message::Calibration calibration_message(const Calibration& calibration,
                                         std::string_view settings_json) {
  const CalibrationGain& gain = calibration.gain;
  const Report& before = gain.result.reports[0];
  const Report& after = gain.result.reports[1];
  message::Calibration told;
  told.settings_json = settings_json;
  told.pictures = gain.pictures;
  told.with_text = gain.with_text;
  told.folds = gain.folds;
  told.log_loss_gain = interval(gain.log_loss);
  told.accuracy_gain = interval(gain.result.comparisons[0].difference);
  told.accuracy = after.accuracy.value;
  told.default_accuracy = before.accuracy.value;
  told.calibration_error = after.calibration_error.value;
  told.default_calibration_error = before.calibration_error.value;
  told.beyond_noise = gain.is_real();
  return told;
}

message::Comparison comparison_message(const EvaluationResult& result, const Comparison& pair) {
  return {result.reports[pair.first].name, result.reports[pair.second].name,
          interval(pair.difference),       pair.only_first_right,
          pair.only_second_right,          pair.p_value};
}

namespace {

// The way that is right most often.
const Report& best_report(const EvaluationResult& result) {
  return *std::ranges::max_element(result.reports, {},
                                   [](const Report& report) { return report.accuracy.value; });
}

}  // namespace

std::optional<std::string> near_chance_warning(const EvaluationResult& result, size_t labels,
                                               bool is_bundled) {
  if (labels < 2) return std::nullopt;
  const double best = best_report(result).accuracy.value;
  const double chance = 1.0 / static_cast<double>(labels);
  if (best >= std::min(3 * chance, chance + 0.1 * (1 - chance))) return std::nullopt;
  return fmt::format(
      "right for {:.1f} % at best, where guessing among {} labels is right for {:.1f} %; {}",
      100 * best, labels, 100 * chance,
      is_bundled ? "the bundled model knows drawings: for photographs take a published one "
                   "(zeroshelf-index doctor says how)"
                 : "say what the labels look like (as 'label: prompt | prompt'), train a "
                   "classifier, or take another model");
}

std::string evaluation_table(const Evaluation& evaluation, const std::vector<Label>& labels,
                             LabelLines lines) {
  const bool each = lines == LabelLines::All || labels.size() <= kFewLabels;
  std::string table =
      fmt::format("FUSION     {} ACCURACY   95 % INTERVAL\n", table_cell("LABEL", kNameWidth));
  const std::vector<Report>& reports = evaluation.result.reports;
  for (const Report& report : reports) {
    table += accuracy_line(report.name, "all", all_of(report));
    for (size_t i = 0; each && i < labels.size(); ++i)
      table += accuracy_line("", labels[i].name, report.labels[i].recall());
  }
  table += figures_table(evaluation.result) + levels_table(evaluation.levels) +
           coverage_table(evaluation.result) + pairs_table(evaluation.result);
  return table + mistakes_table(best_report(evaluation.result), labels);
}

std::string evaluation_json(const Evaluation& evaluation, const std::vector<Label>& labels) {
  std::string lines;
  for (const Report& report : evaluation.result.reports) JsonReport(lines, report, labels).write();
  for (const Comparison& pair : evaluation.result.comparisons)
    append_json_line(lines, comparison_message(evaluation.result, pair));
  for (const LevelFigures& it : evaluation.levels)
    append_json_line(lines, message::Level{it.way, it.level, it.pictures, it.right, it.stopped});
  return lines;
}

std::string evaluation_plot(const Evaluation& evaluation) {
  const std::vector<Report>& reports = evaluation.result.reports;
  Svg svg(840, 440 + 18 * static_cast<int>(reports.size()));
  const Panel coverage(svg, 60, "Accuracy of the surest answers", "share of the pictures answered");
  const Panel reliability(svg, 490, "Accuracy by confidence", "confidence of the answer");
  svg.line(reliability.at(0, 0), reliability.at(1, 1), "#999");
  double y = 440;
  for (size_t i = 0; i < reports.size(); ++i, y += 18) {
    const char* colour = kColours[i % kColours.size()];
    svg.polyline(coverage_points(coverage, reports[i]), colour);
    draw_reliability(svg, reliability, reports[i], colour);
    const Report& it = reports[i];
    svg.text({60, y},
             fmt::format("{}: accuracy {} %, expected calibration error {} %", it.name,
                         figure_cell(it.accuracy), figure_cell(it.calibration_error)),
             {Anchor::Start, colour});
  }
  return svg.str();
}

}  // namespace zeroshelf
