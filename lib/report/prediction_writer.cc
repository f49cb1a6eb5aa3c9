// Tested by tests/report/prediction_writer_test.cc.

#include "lib/report/prediction_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/labels/prompt.h"
#include "lib/report/formats.h"
#include "lib/report/terminal_table.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

message::SideAnswer side_message(const std::vector<Label>& labels, const SideAnswer& side) {
  return {labels[side.label].name, side.score, side.margin};
}

message::Veto veto_message(const std::vector<Label>& labels, const Vetoed& veto) {
  const Label& label = labels[veto.label];
  return {label.name, without_veto_sign(label.prompts[veto.prompt]), veto.score, veto.taken};
}

message::ScoredLabel scored_message(const std::vector<Label>& labels, const Scored& scored) {
  return {labels[scored.label].name, scored.score};
}

bool is_answered(const PredictionLine& line) {
  return line.all_above != nullptr ? !line.all_above->empty() : line.prediction.winner.has_value();
}

class JsonPredictions : public PredictionWriter {
 public:
  explicit JsonPredictions(const std::vector<Label>& labels) : labels_(labels) {}

  void append(std::string& out, const PredictionLine& line) const override {
    append_json_line(out, prediction_message(labels_, line));
  }

 private:
  const std::vector<Label>& labels_;
};

class CsvPredictions : public PredictionWriter {
 public:
  explicit CsvPredictions(const std::vector<Label>& labels)
      : labels_(labels), has_vetoes_(std::ranges::any_of(labels, has_veto)) {}

  std::string header() const override {
    return std::string("path,label,score,source,image_label,image_score,text_label,text_score,"
                       "margin,runner_up,runner_up_score,ocr_text,labels,path_base64") +
           (has_vetoes_ ? ",veto_label,veto,veto_score,veto_taken" : "") + "\r\n";
  }

  void append(std::string& out, const PredictionLine& line) const override {
    const Prediction& prediction = line.prediction;
    append_csv_cell(out, line.record.file.path);
    if (prediction.winner) {
      append_answer(out, prediction.answer());
      (out += ',') += source_name(*prediction.winner);
    } else {
      out += ",,,";
    }
    append_answer(out, prediction.image);
    prediction.text ? append_answer(out, *prediction.text) : void(out += ",,");
    if (prediction.winner) {
      fmt::format_to(std::back_inserter(out), ",{}", prediction.margin());
    } else {
      out += ',';
    }
    prediction.winner&& prediction.runner_up ? append_answer(out, *prediction.runner_up)
                                             : void(out += ",,");
    out += ',';
    append_csv_cell(out, joined_text(line.words));
    out += ',';
    if (line.all_above != nullptr) append_csv_cell(out, joined_names(*line.all_above));
    out += ',';
    append_csv_path_base64(out, line.record.file.path);
    if (has_vetoes_) append_veto(out, prediction.veto);
    out += "\r\n";
  }

 private:
  static bool has_veto(const Label& label) { return std::ranges::any_of(label.prompts, is_veto); }

  void append_veto(std::string& out, const std::optional<Vetoed>& vetoed) const {
    if (!vetoed) {
      out += ",,,,";
      return;
    }
    const message::Veto veto = veto_message(labels_, *vetoed);
    append_csv_cell(out += ',', veto.label);
    append_csv_cell(out += ',', veto.prompt);
    fmt::format_to(std::back_inserter(out), ",{},{}", veto.score, veto.taken);
  }

  void append_answer(std::string& out, const Scored& side) const {
    out += ',';
    append_csv_cell(out, labels_[side.label].name);
    fmt::format_to(std::back_inserter(out), ",{}", side.score);
  }

  std::string joined_names(const std::vector<Scored>& all) const {
    std::string names;
    for (const Scored& one : all) {
      if (!names.empty()) names += "; ";
      names += labels_[one.label].name;
    }
    return names;
  }

  const std::vector<Label>& labels_;
  bool has_vetoes_;
};

// The paths of pictures with an answer.
class PathPredictions : public PredictionWriter {
 public:
  explicit PathPredictions(char end) : end_(end) {}

  void append(std::string& out, const PredictionLine& line) const override {
    if (is_answered(line)) (out += line.record.file.path) += end_;
  }

 private:
  char end_;
};

class TablePredictions : public PredictionWriter {
 public:
  TablePredictions(const std::vector<Label>& labels, int columns)
      : labels_(labels), columns_(columns) {
    for (const Label& label : labels)
      width_ = std::max(width_, display_width(printable(label.name)));
    width_ = std::min(width_, kMaxWidth);
  }

  std::string header() const override {
    return fmt::format("{} SCORE  BY     PICTURE SAYS{:{}} TEXT SAYS{:{}} PATH\n",
                       table_cell("LABEL", width_), "", width_ - 5, "", width_ - 2);
  }

  void append(std::string& out, const PredictionLine& line) const override {
    const Prediction& prediction = line.prediction;
    const bool answered = prediction.winner.has_value();
    std::string names;
    if (line.all_above != nullptr) {
      for (const Scored& one : *line.all_above)
        names += fmt::format("{}{} {:.3f}", names.empty() ? "" : ", ",
                             printable(labels_[one.label].name), one.score);
      names = " [" + names + "]";
    }
    if (prediction.veto) names += " (" + printable(veto_words(labels_, prediction)) + ")";
    const std::string evidence = fmt::format(
        "{} {:6} {:6} {} {} ",
        table_cell(answered ? labels_[prediction.answer().label].name : "-", width_),
        answered ? fmt::format("{:.3f}", prediction.answer().score) : "-",
        answered ? source_name(*prediction.winner) : "-", side(prediction.image),
        prediction.text ? side(*prediction.text) : table_cell("-", width_ + 7));
    out += line_with_path(evidence, line.record.file.path, names, columns_);
  }

 private:
  static constexpr int kMaxWidth = 24;

  std::string side(const SideAnswer& answer) const {
    return fmt::format("{} {:6.3f}", table_cell(labels_[answer.label].name, width_), answer.score);
  }

  const std::vector<Label>& labels_;
  int columns_;
  int width_ = 5;
};

}  // namespace

std::unique_ptr<PredictionWriter> prediction_writer(OutputFormat format,
                                                    const std::vector<Label>& labels,
                                                    int columns) {
  switch (format) {
    case OutputFormat::Jsonl:
      return std::make_unique<JsonPredictions>(labels);
    case OutputFormat::Csv:
      return std::make_unique<CsvPredictions>(labels);
    case OutputFormat::Paths:
      return std::make_unique<PathPredictions>('\n');
    case OutputFormat::NulPaths:
      return std::make_unique<PathPredictions>('\0');
    case OutputFormat::Table:
      break;
  }
  return std::make_unique<TablePredictions>(labels, columns);
}

message::Evidence evidence_message(const std::vector<Label>& labels, const Prediction& prediction) {
  message::Evidence evidence;
  if (prediction.winner) {
    const Scored& answer = prediction.answer();
    evidence.answer = {labels[answer.label].name, answer.score, source_name(*prediction.winner),
                       prediction.margin()};
    if (prediction.runner_up) evidence.runner_up = scored_message(labels, *prediction.runner_up);
  }
  evidence.image = side_message(labels, prediction.image);
  if (prediction.text) evidence.text = side_message(labels, *prediction.text);
  if (prediction.veto) evidence.veto = veto_message(labels, *prediction.veto);
  return evidence;
}

message::Prediction prediction_message(const std::vector<Label>& labels,
                                       const PredictionLine& line) {
  message::Prediction prediction;
  prediction.path = line.record.file.path;
  prediction.evidence = evidence_message(labels, line.prediction);
  if (!line.words.empty())
    prediction.ocr = {joined_text(line.words), line.words.size(), line.record.text_confidence};
  if (line.all_above == nullptr) return prediction;
  std::vector<message::ScoredLabel>& all = prediction.labels.emplace();
  for (const Scored& one : *line.all_above) all.push_back(scored_message(labels, one));
  return prediction;
}

std::string veto_words(const std::vector<Label>& labels, const Prediction& prediction) {
  if (!prediction.veto) return "";
  const message::Veto veto = veto_message(labels, *prediction.veto);
  return fmt::format("{}{}: {} {:.3f}", veto.taken ? "not " : "", veto.label, veto.prompt,
                     veto.score);
}

std::string count_summary(const std::vector<Label>& labels, const PictureCounts& counts) {
  std::string summary;
  const auto add_part = [&](const std::string& name, uint64_t count) {
    if (count == 0) return;
    if (!summary.empty()) summary += ", ";
    summary += fmt::format("{} {}", printable(name), with_thousands(count));
  };
  for (size_t i = 0; i < labels.size(); ++i) add_part(labels[i].name, counts.of_label[i]);
  add_part("no answer", counts.unanswered);
  return summary.empty() ? "no pictures" : summary;
}

}  // namespace zeroshelf
