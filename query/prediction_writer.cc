// Tested through the program by tests/programs.

#include "query/prediction_writer.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "lib/output/formats.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

void append_side(std::string& out, const std::vector<Label>& labels, const SideAnswer& side) {
  out += "{\"label\":";
  append_json_string(out, labels[side.label].name);
  fmt::format_to(std::back_inserter(out), ",\"score\":{}}}", side.score);
}

class JsonPredictions : public PredictionWriter {
 public:
  explicit JsonPredictions(const std::vector<Label>& labels) : labels_(labels) {}

  std::string line(const std::string& path, const Prediction& prediction) const override {
    std::string line = "{\"type\":\"prediction\",";
    append_json_path(line, path);
    line += ',';
    append_evidence(line, labels_, prediction);
    return line + "}\n";
  }

 private:
  const std::vector<Label>& labels_;
};

class CsvPredictions : public PredictionWriter {
 public:
  explicit CsvPredictions(const std::vector<Label>& labels) : labels_(labels) {}

  std::string header() const override {
    return "path,label,score,source,image_label,image_score,text_label,text_score\r\n";
  }

  std::string line(const std::string& path, const Prediction& prediction) const override {
    std::string line;
    append_csv_cell(line, path);
    if (prediction.winner) {
      append_answer(line, prediction.answer());
      (line += ',') += source_name(*prediction.winner);
    } else {
      line += ",,,";
    }
    append_answer(line, prediction.image);
    if (prediction.text) {
      append_answer(line, *prediction.text);
    } else {
      line += ",,";
    }
    return line + "\r\n";
  }

 private:
  void append_answer(std::string& out, const Scored& side) const {
    out += ',';
    append_csv_cell(out, labels_[side.label].name);
    fmt::format_to(std::back_inserter(out), ",{}", side.score);
  }

  const std::vector<Label>& labels_;
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

  std::string line(const std::string& path, const Prediction& prediction) const override {
    const bool answered = prediction.winner.has_value();
    return fmt::format("{} {:6} {:6} {} {} {}\n",
                       table_cell(answered ? labels_[prediction.answer().label].name : "-", width_),
                       answered ? fmt::format("{:.3f}", prediction.answer().score) : "-",
                       answered ? source_name(*prediction.winner) : "-", side(prediction.image),
                       prediction.text ? side(*prediction.text) : table_cell("-", width_ + 7),
                       printable(path));
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
  return std::make_unique<TablePredictions>(labels);
}

void append_evidence(std::string& out, const std::vector<Label>& labels,
                     const Prediction& prediction) {
  out += "\"label\":";
  if (prediction.winner) {
    append_json_string(out, labels[prediction.answer().label].name);
    fmt::format_to(std::back_inserter(out), ",\"score\":{},\"source\":\"{}\"",
                   prediction.answer().score, source_name(*prediction.winner));
  } else {
    out += "null,\"score\":null,\"source\":null";
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

}  // namespace zeroshelf
