// Tested by tests/export/export_sinks_test.cc.

#include "lib/export/export_sinks.h"

#include <fmt/format.h>

#include <optional>
#include <utility>

#include "lib/collection/elsewhere.h"
#include "lib/collection/path_order.h"
#include "lib/export/datasets.h"
#include "lib/export/export_page.h"
#include "lib/export/keyword_export.h"
#include "lib/export/open_folder.h"
#include "lib/export/promised.h"
#include "lib/files/new_file.h"
#include "lib/report/messages.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/xmp/keyword_path.h"

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

// What takes picture by picture with its record.
class RecordSink : public ExportSink {
 public:
  RecordSink(ExportFormat format, const fs::path& target, const ExportContext& context)
      : format_(format), target_(target), context_(context) {}

  void add_rows(const std::function<bool(Row)>& chosen) override {
    for_each_record_by_path(context_.collection, [&](Row row, const PictureRecord& record) {
      if (chosen(row)) add(row, record, context_.predictions[row]);
    });
  }

  std::string told(std::string_view what) const override {
    const ExportFormatTraits& traits = traits_of(format_);
    return fmt::format(
        "{} {}pictures exported to {} ({}){}", with_thousands(exported()), what,
        printable(target_.string()), traits.places_pictures ? context_.mode_name : traits.name,
        failed() > 0 ? fmt::format(", {} could not be", with_thousands(failed())) : "");
  }

 protected:
  virtual void add(Row row, const PictureRecord& record, const Prediction& prediction) = 0;

  ExportFormat format_;
  fs::path target_;
  const ExportContext& context_;
};

// folders, imagefolder, fiftyone.
class FolderSink : public RecordSink {
 public:
  FolderSink(ExportFormat format, const fs::path& target, const ExportContext& context)
      : RecordSink(format, target, context), folders_(target, options()) {
    if (format != ExportFormat::FiftyOne) return;
    fifty_one_.emplace(folders_.place("labels.json"), target / "labels.json",
                       names_of(context.labels));
  }

  // Several processes place some of them each: they agree on the names before.
  void add_rows(const std::function<bool(Row)>& chosen) override {
    Ranks* ranks = ranks_of(context_.collection);
    if (ranks == nullptr) return RecordSink::add_rows(chosen);
    ranks->agree_after([&] {
      for_each_record_by_path(context_.collection, [&](Row row, const PictureRecord& record) {
        if (chosen(row)) folders_.announce(item_of(row, record, context_.predictions[row]));
      });
    });
    folders_.agree_on_names();
    ranks->agree_after([&] { RecordSink::add_rows(chosen); });
  }

  void add(Row row, const PictureRecord& record, const Prediction& prediction) override {
    ExportItem item = item_of(row, record, prediction);
    if (const auto label = label_of(prediction)) item.label = context_.labels[*label].name;
    JsonWriter(item.evidence_json)
        .member("mode", context_.mode_name)
        .member("prediction", evidence_message(context_.labels, prediction));
    if (context_.mode == ExportMode::Move) append_collection(item.evidence_json, row);
    if (fifty_one_) {
      item.tag = label_of(prediction).value_or(kNoLabel);
      item.score = prediction.winner ? prediction.answer().score : 0;
    }
    folders_.add(std::move(item));
  }

  void finish() override {
    folders_.place_all();
    if (fifty_one_) fifty_one_->finish();
    folders_.finish();
  }

  uint64_t exported() const override { return folders_.placed(); }
  uint64_t failed() const override { return folders_.failed(); }
  std::string told(std::string_view what) const override {
    if (exported() > 0 || failed() > 0) return RecordSink::told(what);
    return fmt::format("no {}pictures to export: {} stays as it was", what,
                       printable(target_.string()));
  }

 private:
  static constexpr uint32_t kNoLabel = UINT32_MAX;
  static constexpr const char* kUnanswered = "(no answer)";

  FolderExportOptions options() {
    FolderExportOptions options;
    options.mode = context_.mode;
    options.on_failure = context_.on_failure;
    if (format_ == ExportFormat::FiftyOne) options.names_differ = NamesDiffer::InStem;
    if (context_.mode == ExportMode::Move) {
      for (const View::Part& part : context_.collection.parts())
        options.collections.push_back(absolute_path(part.collection.directory()));
    }
    options.ranks = ranks_of(context_.collection);
    options.promise = context_.promise;
    options.on_placed = [this](const ExportItem& item, const fs::path& target) {
      const auto label = item.tag == kNoLabel ? std::nullopt : std::optional(item.tag);
      if (fifty_one_) fifty_one_->add(target, label, item.score);
      if (context_.on_placed)
        context_.on_placed(item.source, absolute_path(folders_.directory() / target));
    };
    return options;
  }

  ExportItem item_of(Row row, const PictureRecord& record, const Prediction& prediction) const {
    ExportItem item;
    item.source = record.file.path;
    item.folders = folders_of(row, prediction);
    item.size_bytes = record.file.size_bytes;
    item.mtime_ns = record.file.mtime_ns;
    item.content = record.content_hash;
    return item;
  }

  // For the undo: which collection is to follow the files.
  void append_collection(std::string& json, Row row) const {
    const std::string path =
        absolute_path(context_.collection.part_of(row).collection.directory()).string();
    json += ",\"collection\":";
    append_json_string(json, path);
    if (!is_utf8(path)) json += ",\"collection_base64\":\"" + base64(path) + '"';
  }

  std::vector<std::string> folders_of(Row row, const Prediction& prediction) const {
    if (format_ == ExportFormat::FiftyOne) return {"data"};
    const auto label = label_of(prediction);
    const std::string name = label ? context_.labels[*label].name : kUnanswered;
    if (format_ == ExportFormat::Folders)
      return label ? levels_of(context_.tree, *label, name) : std::vector{name};
    const bool validation = row < context_.validation.size() && context_.validation[row];
    return {validation ? "validation" : "train", name};
  }

  FolderExport folders_;
  std::optional<FiftyOneLabels> fifty_one_;  // writes into the folder that folders_ holds open
};

// For exports without a manifest: made when the export is there.
class PromiseFile {
 public:
  PromiseFile(const fs::path& target, const std::string& promise) {
    if (promise.empty()) return;
    file_.emplace(promise_file_of(target));
    file_->write("{\"type\":\"promise\"," + promise + "}\n");
  }

  void publish() {
    if (file_) file_->publish();
  }

 private:
  std::optional<NewFile> file_;
};

// jsonl, csv: what classify says of a picture, what was read in it, and what it is.
class LineSink : public RecordSink {
 public:
  LineSink(ExportFormat format, const fs::path& target, const ExportContext& context)
      : RecordSink(format, target, context),
        csv_(prediction_writer(OutputFormat::Csv, context.labels)),
        file_(target),
        promise_(target, context.promise) {
    if (format == ExportFormat::Csv)
      file_.write(without_end(csv_->header()) + ",width,height,sha256\r\n");
  }

  void add(Row row, const PictureRecord& record, const Prediction& prediction) override {
    const std::vector<Word> words =
        record.word_count > 0 ? context_.collection.words(row) : std::vector<Word>();
    const PredictionLine line{record, prediction, words, nullptr};
    file_.write(format_ == ExportFormat::Csv ? csv(line) : json(line));
    ++exported_;
  }

  void finish() override {
    file_.publish();
    promise_.publish();
  }
  uint64_t exported() const override { return exported_; }

 private:
  static std::string without_end(std::string line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.pop_back();
    return line;
  }

  std::string csv(const PredictionLine& line) const {
    std::string text;
    csv_->append(text, line);
    return without_end(std::move(text)) + fmt::format(",{},{},{}\r\n", line.record.width_px,
                                                      line.record.height_px,
                                                      to_hex(line.record.content_hash));
  }

  std::string json(const PredictionLine& line) const {
    message::Prediction prediction = prediction_message(context_.labels, line);
    prediction.file = {line.record.width_px, line.record.height_px,
                       to_hex(line.record.content_hash)};
    return json_line(prediction);
  }

  std::unique_ptr<PredictionWriter> csv_;
  NewFile file_;
  PromiseFile promise_;
  uint64_t exported_ = 0;
};

// labelstudio, coco.
template <class Writer>
class AnnotationSink : public RecordSink {
 public:
  AnnotationSink(ExportFormat format, const fs::path& target, const ExportContext& context)
      : RecordSink(format, target, context),
        writer_(target, names_of(context.labels), "zeroshelf " + context.model, context.root),
        promise_(target, context.promise) {}

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

  // Where no picture could be placed, nothing is made: the corrected command finds its name free.
  void finish() override {
    if (exported_ == 0 && failed_ > 0) return;
    writer_.finish();
    promise_.publish();
  }
  uint64_t exported() const override { return exported_; }
  uint64_t failed() const override { return failed_; }

 private:
  Writer writer_;
  PromiseFile promise_;
  uint64_t exported_ = 0;
  uint64_t failed_ = 0;
};

// xmp. Of every picture it is said what it is, or that ours says nothing of it any more; of those
// that are not chosen only where they are not left alone.
class KeywordSink : public ExportSink {
 public:
  KeywordSink(const fs::path& target, const ExportContext& context)
      : context_(context), keywords_(target, options()), promise_(target, context.promise) {
    for (uint32_t k = 0; k < context.labels.size(); ++k) {
      const std::string& name = context.labels[k].name;
      paths_.push_back(keyword_of_levels(levels_of(context.tree, k, name), "label '" + name + "'"));
    }
  }

  void add_rows(const std::function<bool(Row)>& chosen) override {
    for_each_record_by_path(context_.collection, [&](Row row, const PictureRecord& record) {
      if (context_.only_chosen && !chosen(row)) return;
      KeywordItem item;
      item.picture = {record.file.path, record.file.size_bytes, record.file.mtime_ns,
                      record.content_hash};
      if (chosen(row)) item.keywords = keywords_of(row);
      item.collection = static_cast<size_t>(&context_.collection.part_of(row) -
                                            context_.collection.parts().data());
      keywords_.add(item);
    });
  }

  void finish() override {
    keywords_.finish();
    promise_.publish();
  }
  uint64_t exported() const override { return keywords_.counts().with_keywords; }
  uint64_t failed() const override { return keywords_.counts().failed; }

  std::string told(std::string_view /*what*/) const override {
    const KeywordCounts& counts = keywords_.counts();
    const bool in_pictures = context_.keywords_in == KeywordsIn::Pictures;
    std::string text =
        fmt::format("{} pictures have their keywords {}: ", with_thousands(counts.with_keywords),
                    in_pictures ? "in their files" : "in sidecars");
    if (in_pictures) {
      text += fmt::format("{} files changed", with_thousands(counts.changed));
    } else {
      text += fmt::format("{} sidecars made, {} changed, {} removed", with_thousands(counts.made),
                          with_thousands(counts.changed), with_thousands(counts.removed));
    }
    text += fmt::format(", {} as they were", with_thousands(counts.same));
    if (counts.failed > 0) text += fmt::format(", {} could not be", with_thousands(counts.failed));
    if (counts.touched() == 0) return text;
    return text + fmt::format("; zeroshelf-query undo {} takes that back",
                              printable(keywords_.directory().string()));
  }

 private:
  KeywordExportOptions options() const {
    KeywordExportOptions options;
    options.where = context_.keywords_in;
    options.root = parse_keyword(context_.keyword_root, "--root");
    for (const View::Part& part : context_.collection.parts())
      options.collections.push_back(absolute_path(part.collection.directory()));
    options.on_failure = context_.on_failure;
    if (context_.on_rewritten) {
      options.on_rewritten = [this](size_t collection, std::span<const RewrittenFile> files) {
        context_.on_rewritten(context_.collection.parts()[collection].collection.directory(),
                              files);
      };
    }
    return options;
  }

  std::vector<KeywordPath> keywords_of(Row row) const {
    std::vector<KeywordPath> keywords;
    if (context_.labels_of) {
      for (const uint32_t label : context_.labels_of(row)) keywords.push_back(paths_[label]);
    } else if (const auto label = label_of(context_.predictions[row])) {
      keywords.push_back(paths_[*label]);
    }
    return keywords;
  }

  const ExportContext& context_;
  std::vector<KeywordPath> paths_;  // one a label
  KeywordExport keywords_;
  PromiseFile promise_;
};

// html. The cards are made in finish(), best first.
class PageSink : public ExportSink {
 public:
  PageSink(const fs::path& target, const ExportContext& context)
      : context_(context), promise_(target, context.promise) {
    NewFile::check(target);
    options_.file = target;
    options_.max_per_label = context.max_per_label.value_or(options_.max_per_label);
    options_.threads = context.threads;
    options_.fusion = context.fusion;
  }

  void add_rows(const std::function<bool(Row)>& chosen) override { options_.keep = chosen; }

  void finish() override {
    report_ = export_page(context_.collection, context_.labels, context_.predictions, options_);
    promise_.publish();
  }

  uint64_t exported() const override { return report_.shown; }

  std::string told(std::string_view /*what*/) const override {
    const uint64_t without = report_.without_thumbnail;
    return fmt::format(
        "{} of {} pictures shown on {}{}", with_thousands(report_.shown),
        with_thousands(report_.answered), printable(options_.file.string()),
        without > 0 ? fmt::format(", {} without a thumbnail", with_thousands(without)) : "");
  }

 private:
  const ExportContext& context_;
  PromiseFile promise_;
  PageOptions options_;
  PageReport report_;
};

}  // namespace

void check_target(ExportFormat format, const fs::path& target, Promises promises) {
  if (promises == Promises::One && !traits_of(format).places_pictures)
    NewFile::check(promise_file_of(target));
  if (traits_of(format).makes_folder) {
    check_export_folder(target);
  } else {
    NewFile::check(target);
  }
}

std::unique_ptr<ExportSink> make_sink(ExportFormat format, const fs::path& target,
                                      const ExportContext& context) {
  switch (format) {
    case ExportFormat::Folders:
    case ExportFormat::ImageFolder:
    case ExportFormat::FiftyOne:
      return std::make_unique<FolderSink>(format, target, context);
    case ExportFormat::LabelStudio:
      return std::make_unique<AnnotationSink<LabelStudioTasks>>(format, target, context);
    case ExportFormat::Coco:
      return std::make_unique<AnnotationSink<CocoFile>>(format, target, context);
    case ExportFormat::Html:
      return std::make_unique<PageSink>(target, context);
    case ExportFormat::Xmp:
      return std::make_unique<KeywordSink>(target, context);
    case ExportFormat::Jsonl:
    case ExportFormat::Csv:
      break;
  }
  return std::make_unique<LineSink>(format, target, context);
}

}  // namespace zeroshelf
