// Tested through the program by tests/programs/export_test.cc.

#include "lib/export/export_sinks.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "lib/export/datasets.h"
#include "lib/export/open_folder.h"
#include "lib/files/new_file.h"
#include "lib/report/formats.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

std::optional<uint32_t> label_of(const Prediction& prediction) {
  if (!prediction.winner) return std::nullopt;
  return prediction.answer().label;
}

std::vector<std::string> names_of(const std::vector<Label>& labels) {
  std::vector<std::string> names;
  for (const Label& label : labels) names.push_back(label.name);
  return names;
}

// folders, imagefolder, fiftyone.
class FolderSink : public ExportSink {
 public:
  FolderSink(const std::string& format, const fs::path& target, const ExportContext& context)
      : format_(format), context_(context), folders_(target, options()) {
    if (format != "fiftyone") return;
    fifty_one_.emplace(folders_.place("labels.json"), target / "labels.json",
                       names_of(context.labels));
  }

  void add(Row row, const PictureRecord& record, const Prediction& prediction) override {
    ExportItem item;
    item.source = record.file.path;
    item.folders = folders_of(row, prediction);
    if (const auto label = label_of(prediction)) item.label = context_.labels[*label].name;
    item.evidence_json = fmt::format("\"mode\":\"{}\",\"prediction\":{{", context_.mode_name);
    append_evidence(item.evidence_json, context_.labels, prediction);
    item.evidence_json += "}";
    item.size_bytes = record.file.size_bytes;
    item.mtime_ns = record.file.mtime_ns;
    item.content = record.content_hash;
    if (fifty_one_) {
      item.tag = label_of(prediction).value_or(kNoLabel);
      item.score = prediction.winner ? prediction.answer().score : 0;
    }
    folders_.add(std::move(item));
  }

  void finish() override {
    folders_.finish();
    if (fifty_one_) fifty_one_->finish();
  }

  uint64_t exported() const override { return folders_.placed(); }
  uint64_t failed() const override { return folders_.failed(); }

 private:
  static constexpr uint32_t kNoLabel = UINT32_MAX;
  static constexpr const char* kUnanswered = "(no answer)";

  FolderExportOptions options() {
    FolderExportOptions options;
    options.mode = context_.mode;
    options.on_failure = context_.on_failure;
    if (format_ == "fiftyone") {
      options.unique_stems = true;
      options.on_placed = [this](const ExportItem& item, const fs::path& target) {
        const auto label = item.tag == kNoLabel ? std::nullopt : std::optional(item.tag);
        fifty_one_->add(target, label, item.score);
      };
    }
    return options;
  }

  std::vector<std::string> folders_of(Row row, const Prediction& prediction) const {
    if (format_ == "fiftyone") return {"data"};
    const auto label = label_of(prediction);
    const std::string name = label ? context_.labels[*label].name : kUnanswered;
    if (format_ == "folders") return {name};
    const bool validation = row < context_.validation.size() && context_.validation[row];
    return {validation ? "validation" : "train", name};
  }

  std::string format_;
  const ExportContext& context_;
  FolderExport folders_;
  std::optional<FiftyOneLabels> fifty_one_;  // writes into the folder that folders_ holds open
};

// jsonl, csv: what classify says of a picture, what was read in it, and what it is.
class LineSink : public ExportSink {
 public:
  LineSink(const std::string& format, const fs::path& target, const ExportContext& context)
      : context_(context),
        is_csv_(format == "csv"),
        writer_(prediction_writer(format, context.labels)),
        file_(target) {
    if (is_csv_) file_.write(without_end(writer_->header()) + ",width,height,sha256\r\n");
  }

  void add(Row row, const PictureRecord& record, const Prediction& prediction) override {
    const std::vector<Word> words =
        record.word_count > 0 ? context_.collection.words(row) : std::vector<Word>();
    std::string line;
    writer_->append(line, {record, prediction, words, nullptr});
    line = without_end(std::move(line));
    const std::string hash = to_hex(record.content_hash);
    if (is_csv_) {
      fmt::format_to(std::back_inserter(line), ",{},{},{}\r\n", record.width_px, record.height_px,
                     hash);
    } else {
      line.pop_back();  // the object's end
      fmt::format_to(std::back_inserter(line),
                     ",\"width\":{},\"height\":{},\"sha256\":\"{}\",\"ocr_text\":", record.width_px,
                     record.height_px, hash);
      append_json_string(line, joined_text(words));
      line += "}\n";
    }
    file_.write(line);
    ++exported_;
  }

  void finish() override { file_.publish(); }
  uint64_t exported() const override { return exported_; }

 private:
  static std::string without_end(std::string line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    return line;
  }

  const ExportContext& context_;
  bool is_csv_;
  std::unique_ptr<PredictionWriter> writer_;
  NewFile file_;
  uint64_t exported_ = 0;
};

// labelstudio, coco.
template <class Writer>
class AnnotationSink : public ExportSink {
 public:
  AnnotationSink(const fs::path& target, const ExportContext& context)
      : context_(context),
        writer_(target, names_of(context.labels), "zeroshelf " + context.model, context.root) {}

  void add(Row row, const PictureRecord& record, const Prediction& prediction) override {
    const float score = prediction.winner ? prediction.answer().score : 0;
    try {
      writer_.add({record.file.path, record.width_px, record.height_px, label_of(prediction), score,
                   record.word_count > 0 ? joined_text(context_.collection.words(row)) : ""});
      ++exported_;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::InvalidArgument) throw;
      context_.on_failure(error);
      ++failed_;
    }
  }

  void finish() override { writer_.finish(); }
  uint64_t exported() const override { return exported_; }
  uint64_t failed() const override { return failed_; }

 private:
  const ExportContext& context_;
  Writer writer_;
  uint64_t exported_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace

std::vector<std::string> sink_formats() {
  return {"folders", "imagefolder", "jsonl", "csv", "labelstudio", "coco", "fiftyone"};
}

bool places_pictures(const std::string& format) {
  return format == "folders" || format == "imagefolder" || format == "fiftyone";
}

bool makes_folder(const std::string& format) {
  return places_pictures(format) || format == "labelstudio";
}

void check_target(const std::string& format, const fs::path& target) {
  if (makes_folder(format)) {
    check_export_folder(target);
  } else {
    NewFile::check(target);
  }
}

std::unique_ptr<ExportSink> make_sink(const std::string& format, const fs::path& target,
                                      const ExportContext& context) {
  if (places_pictures(format)) return std::make_unique<FolderSink>(format, target, context);
  if (format == "labelstudio")
    return std::make_unique<AnnotationSink<LabelStudioTasks>>(target, context);
  if (format == "coco") return std::make_unique<AnnotationSink<CocoFile>>(target, context);
  return std::make_unique<LineSink>(format, target, context);
}

}  // namespace zeroshelf
