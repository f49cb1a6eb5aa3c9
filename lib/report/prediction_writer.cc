// Tested through the program by tests/programs.

#include "lib/report/prediction_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/report/formats.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

void append_scored(std::string& out, const std::vector<Label>& labels, const Scored& scored) {
  out += "{\"label\":";
  append_json_string(out, labels[scored.label].name);
  fmt::format_to(std::back_inserter(out), ",\"score\":{}", scored.score);
}

void append_side(std::string& out, const std::vector<Label>& labels, const SideAnswer& side) {
  append_scored(out, labels, side);
  fmt::format_to(std::back_inserter(out), ",\"margin\":{}}}", side.margin);
}

class JsonPredictions : public PredictionWriter {
 public:
  explicit JsonPredictions(const std::vector<Label>& labels) : labels_(labels) {}

  void append(std::string& out, const PredictionLine& line) const override {
    out += "{\"type\":\"prediction\",";
    append_json_path(out, line.record.file.path);
    out += ',';
    append_evidence(out, labels_, line.prediction);
    append_ocr(out, line);
    if (line.all_above != nullptr) append_all(out, *line.all_above);
    out += "}\n";
  }

 private:
  static void append_ocr(std::string& out, const PredictionLine& line) {
    if (line.words.empty()) {
      out += ",\"ocr\":null";
      return;
    }
    out += ",\"ocr\":{\"text\":";
    append_json_string(out, joined_text(line.words));
    fmt::format_to(std::back_inserter(out), ",\"words\":{},\"confidence\":{}}}", line.words.size(),
                   line.record.text_confidence);
  }

  void append_all(std::string& out, const std::vector<Scored>& all) const {
    out += ",\"labels\":[";
    for (size_t i = 0; i < all.size(); ++i) {
      if (i > 0) out += ',';
      append_scored(out, labels_, all[i]);
      out += '}';
    }
    out += ']';
  }

  const std::vector<Label>& labels_;
};

class CsvPredictions : public PredictionWriter {
 public:
  explicit CsvPredictions(const std::vector<Label>& labels) : labels_(labels) {}

  std::string header() const override {
    return "path,label,score,source,image_label,image_score,text_label,text_score,margin,"
           "runner_up,runner_up_score,ocr_text,labels\r\n";
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
    out += "\r\n";
  }

 private:
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
};

class NulPaths : public PredictionWriter {
 public:
  void append(std::string& out, const PredictionLine& line) const override {
    const bool answered =
        line.all_above != nullptr ? !line.all_above->empty() : line.prediction.winner.has_value();
    if (answered) out += line.record.file.path + '\0';
  }
};

class TablePredictions : public PredictionWriter {
 public:
  explicit TablePredictions(const std::vector<Label>& labels) : labels_(labels) {
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
    fmt::format_to(std::back_inserter(out), "{} {:6} {:6} {} {} {}{}\n",
                   table_cell(answered ? labels_[prediction.answer().label].name : "-", width_),
                   answered ? fmt::format("{:.3f}", prediction.answer().score) : "-",
                   answered ? source_name(*prediction.winner) : "-", side(prediction.image),
                   prediction.text ? side(*prediction.text) : table_cell("-", width_ + 7),
                   printable(line.record.file.path), names);
  }

 private:
  static constexpr int kMaxWidth = 24;

  std::string side(const SideAnswer& answer) const {
    return fmt::format("{} {:6.3f}", table_cell(labels_[answer.label].name, width_), answer.score);
  }

  const std::vector<Label>& labels_;
  int width_ = 5;
};

}  // namespace

std::unique_ptr<PredictionWriter> prediction_writer(const std::string& format,
                                                    const std::vector<Label>& labels) {
  if (format == "jsonl") return std::make_unique<JsonPredictions>(labels);
  if (format == "csv") return std::make_unique<CsvPredictions>(labels);
  if (format == kNulPaths) return std::make_unique<NulPaths>();
  return std::make_unique<TablePredictions>(labels);
}

void append_evidence(std::string& out, const std::vector<Label>& labels,
                     const Prediction& prediction) {
  out += "\"label\":";
  if (prediction.winner) {
    append_json_string(out, labels[prediction.answer().label].name);
    fmt::format_to(std::back_inserter(out), ",\"score\":{},\"source\":\"{}\",\"margin\":{}",
                   prediction.answer().score, source_name(*prediction.winner), prediction.margin());
  } else {
    out += "null,\"score\":null,\"source\":null,\"margin\":null";
  }
  out += ",\"runner_up\":";
  if (prediction.winner && prediction.runner_up) {
    append_scored(out, labels, *prediction.runner_up);
    out += '}';
  } else {
    out += "null";
  }
  out += ",\"image\":";
  append_side(out, labels, prediction.image);
  out += ",\"text\":";
  if (prediction.text) {
    append_side(out, labels, *prediction.text);
  } else {
    out += "null";
  }
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
