// search, classify and export: open the collection, make the query's vectors, read the answer off
// the index, print it. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <functional>

#include "lib/labels/label_vectors.h"
#include "lib/output/folder_export.h"
#include "lib/output/formats.h"
#include "lib/output/new_file.h"
#include "lib/output/output_stream.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "query/classify.h"
#include "query/evaluate.h"
#include "query/export_page.h"
#include "query/read_crop.h"
#include "query/search.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kProgram = "zeroshelf-query";

std::vector<Label> read_labels(const LabelOptions& options) {
  return options.file.empty() ? parse_label_list(options.list, options.templates)
                              : read_label_file(options.file, options.templates);
}

// --- search -------------------------------------------------------------------------------------

std::vector<float> query_vector(const SearchOptions& options, const Manifest& manifest) {
  const bool by_text = !options.text.empty();
  const bool by_image = !options.image.empty();
  const EncoderSide side = by_text && by_image ? EncoderSide::Both
                           : by_text           ? EncoderSide::TextOnly
                                               : EncoderSide::ImageOnly;
  const auto encoder = load_model_of(manifest, options.model, side);
  std::vector<float> query(manifest.dimension);
  const auto add = [&](const Matrix& vectors) {
    std::transform(query.begin(), query.end(), vectors.row(0).begin(), query.begin(),
                   std::plus<>());
  };
  if (by_text) add(encoder->encode_texts(std::span(&options.text, 1), LongText::Truncate));
  if (by_image) {
    const Image crop = read_crop(options.image, encoder->info().preprocessing);
    add(encoder->encode_images(std::span(&crop, 1)));
  }
  normalise(query);
  return query;
}

std::string hit_json(size_t rank, const SearchHit& hit, float score, const std::string& path,
                     const std::string& text) {
  std::string line = fmt::format("{{\"type\":\"hit\",\"rank\":{},", rank);
  append_json_path(line, path);
  fmt::format_to(std::back_inserter(line),
                 ",\"score\":{},\"image_score\":{},\"text_score\":{},\"ocr_text\":", score,
                 hit.image_score, hit.text_score ? fmt::to_string(*hit.text_score) : "null");
  append_json_string(line, text);
  return line + "}\n";
}

// --- classify -----------------------------------------------------------------------------------

// Everything that classify and export share: the labels, the collection and its predictions.
struct Classified {
  std::vector<Label> labels;
  Collection collection;
  std::vector<Prediction> predictions;
};

Classified classify_for(const std::filesystem::path& directory, const LabelOptions& label_options,
                        const ModelOptions& model) {
  const FusionRule rule = parse_fusion_rule(label_options.fusion);
  std::vector<Label> labels = read_labels(label_options);
  Collection collection = Collection::open(directory);
  const auto encoder = load_model_of(collection.manifest(), model, EncoderSide::TextOnly);
  const Matrix vectors = encode_labels(*encoder, labels);

  const auto start = Clock::now();
  std::vector<Prediction> predictions = classify(collection, vectors, rule, model.threads);
  const std::chrono::duration<double, std::milli> spent = Clock::now() - start;
  fmt::print(stderr, "{} pictures x {} labels scored in {:.3g} ms\n",
             with_thousands(collection.counts().pictures), labels.size(), spent.count());
  return {std::move(labels), std::move(collection), std::move(predictions)};
}

// Writes one prediction in one format.
class PredictionWriter {
 public:
  virtual ~PredictionWriter() = default;
  virtual std::string header() const { return ""; }
  virtual std::string line(const std::string& path, const Prediction& prediction) const = 0;
};

class JsonPredictions : public PredictionWriter {
 public:
  explicit JsonPredictions(const std::vector<Label>& labels) : labels_(labels) {}

  std::string line(const std::string& path, const Prediction& prediction) const override {
    std::string line = "{\"type\":\"prediction\",";
    append_json_path(line, path);
    line += ',';
    append_evidence(line, prediction);
    return line + "}\n";
  }

  // label, score, source, image and text: the members that export's manifest has too.
  void append_evidence(std::string& out, const Prediction& prediction) const {
    out += "\"label\":";
    if (prediction.winner) {
      append_json_string(out, labels_[prediction.answer().label].name);
      fmt::format_to(std::back_inserter(out), ",\"score\":{},\"source\":\"{}\"",
                     prediction.answer().score, source_name(*prediction.winner));
    } else {
      out += "null,\"score\":null,\"source\":null";
    }
    out += ",\"image\":";
    append_side(out, prediction.image);
    out += ",\"text\":";
    if (prediction.text) {
      append_side(out, *prediction.text);
    } else {
      out += "null";
    }
  }

 private:
  void append_side(std::string& out, const SideAnswer& side) const {
    out += "{\"label\":";
    append_json_string(out, labels_[side.label].name);
    fmt::format_to(std::back_inserter(out), ",\"score\":{}}}", side.score);
  }

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
  void append_answer(std::string& out, const SideAnswer& side) const {
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

std::unique_ptr<PredictionWriter> prediction_writer(const std::string& format,
                                                    const std::vector<Label>& labels) {
  if (format == "jsonl") return std::make_unique<JsonPredictions>(labels);
  if (format == "csv") return std::make_unique<CsvPredictions>(labels);
  return std::make_unique<TablePredictions>(labels);
}

// "cat 12, dog 3, no answer 1" in the order of the labels; labels without pictures are left out.
std::string count_summary(const Classified& classified) {
  std::vector<uint64_t> counts(classified.labels.size());
  uint64_t unanswered = 0;
  for (Row row = 0; row < classified.predictions.size(); ++row) {
    if (!classified.collection.is_live(row)) continue;
    const Prediction& prediction = classified.predictions[row];
    ++(prediction.winner ? counts[prediction.answer().label] : unanswered);
  }
  std::string summary;
  const auto add = [&](const std::string& name, uint64_t count) {
    if (count == 0) return;
    if (!summary.empty()) summary += ", ";
    summary += fmt::format("{} {}", printable(name), with_thousands(count));
  };
  for (size_t i = 0; i < counts.size(); ++i) add(classified.labels[i].name, counts[i]);
  add("no answer", unanswered);
  return summary.empty() ? "no pictures" : summary;
}

// --- export -------------------------------------------------------------------------------------

// A flag that only the other format knows.
void refuse_if(bool given, const char* flag, const std::string& cause, const char* format) {
  if (!given) return;
  throw Error(ErrorCode::InvalidArgument, flag, cause,
              fmt::format("leave it out, or use --format {}", format));
}

int export_as_page(const ExportOptions& options) {
  refuse_if(options.mode.has_value(), "--mode", "a page has no folders", "folders");
  NewFile::check(options.target);
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  fmt::print(stderr, "{}\n", count_summary(classified));

  PageOptions page;
  page.file = options.target;
  page.max_per_label = options.max_per_label.value_or(page.max_per_label);
  page.threads = options.model.threads;
  page.fusion = options.labels.fusion;
  const PageReport report =
      export_page(classified.collection, classified.labels, classified.predictions, page);
  fmt::print(stderr, "{} of {} pictures shown on {}{}\n", with_thousands(report.shown),
             with_thousands(report.answered), printable(options.target.string()),
             report.without_thumbnail > 0
                 ? fmt::format(", {} without a thumbnail", with_thousands(report.without_thumbnail))
                 : "");
  return report.shown > 0 ? kDone : kNothingFound;
}

int export_as_folders(const ExportOptions& options) {
  refuse_if(options.max_per_label.has_value(), "--max-per-label", "folders take every picture",
            "html");
  const std::string mode_name = options.mode.value_or("symlink");
  const ExportMode mode = parse_export_mode(mode_name);
  FolderExport::check(options.target);
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  const JsonPredictions evidence(classified.labels);
  FolderExport folders(options.target, mode);
  uint64_t placed = 0;
  uint64_t failed = 0;
  classified.collection.for_each_record([&](Row row, const PictureRecord& record) {
    const Prediction& prediction = classified.predictions[row];
    if (!prediction.winner) return;
    std::string members = fmt::format("\"mode\":\"{}\",\"prediction\":{{", mode_name);
    evidence.append_evidence(members, prediction);
    try {
      folders.add(record.file.path, classified.labels[prediction.answer().label].name,
                  members + "}");
      ++placed;
    } catch (const Error& error) {
      warn(kProgram, error.what());
      ++failed;
    }
  });
  folders.finish();
  fmt::print(stderr, "{}\n{} pictures exported to {} ({}){}\n", count_summary(classified),
             with_thousands(placed), printable(folders.directory().string()), mode_name,
             failed > 0 ? fmt::format(", {} could not be", with_thousands(failed)) : "");
  if (failed > 0) return kFailed;
  return placed > 0 ? kDone : kNothingFound;
}

// --- evaluate -----------------------------------------------------------------------------------

std::string accuracy_json(const RuleAccuracy& accuracy, const std::string& label,
                          const Share& share) {
  std::string line =
      fmt::format("{{\"type\":\"accuracy\",\"fusion\":\"{}\",\"label\":", accuracy.rule);
  label.empty() ? void(line += "null") : append_json_string(line, label);
  return line +
         fmt::format(",\"accuracy\":{},\"low\":{},\"high\":{},\"right\":{},\"pictures\":{}}}\n",
                     share.value(), share.low(), share.high(), share.good, share.trials);
}

std::string accuracy_line(const std::string& rule, const std::string& label, const Share& share) {
  return fmt::format("{:7} {} {:6.1f} %   {:5.1f} to {:5.1f} %   {} of {}\n", rule,
                     table_cell(label, 24), 100 * share.value(), 100 * share.low(),
                     100 * share.high(), with_thousands(share.good), with_thousands(share.trials));
}

}  // namespace

int run_search(const SearchOptions& options) {
  if (options.text.empty() && options.image.empty()) {
    throw Error(ErrorCode::InvalidArgument, "search", "nothing to search for",
                "give a text, or a picture with --image FILE");
  }
  const SearchSpace space = options.space == "text" ? SearchSpace::Text : SearchSpace::Picture;
  const Collection collection = Collection::open(options.collection);
  const std::vector<float> query = query_vector(options, collection.manifest());
  const std::vector<SearchHit> hits =
      search(collection, query, options.count, space, options.model.threads);

  OutputStream out(stdout, "standard output");
  if (options.format == "table") out.write("RANK SCORE  PICTURE TEXT   PATH\n");
  for (size_t i = 0; i < hits.size(); ++i) {
    const SearchHit& hit = hits[i];
    const float score = hit.score(space);
    const std::string path = collection.record(hit.row).file.path;
    if (options.format == "paths") {
      out.write(path + "\n");
    } else if (options.format == "jsonl") {
      out.write(hit_json(i + 1, hit, score, path, joined_text(collection.words(hit.row))));
    } else {
      out.write(fmt::format("{:4} {:6.3f} {:6.3f}  {:6} {}\n", i + 1, score, hit.image_score,
                            hit.text_score ? fmt::format("{:.3f}", *hit.text_score) : "-",
                            printable(path)));
    }
  }
  out.flush();
  return hits.empty() ? kNothingFound : kDone;
}

int run_classify(const ClassifyOptions& options) {
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  const auto writer = prediction_writer(options.format, classified.labels);
  OutputStream out(stdout, "standard output");
  out.write(writer->header());
  bool any = false;
  classified.collection.for_each_record([&](Row row, const PictureRecord& record) {
    const Prediction& prediction = classified.predictions[row];
    out.write(writer->line(record.file.path, prediction));
    any = any || prediction.winner.has_value();
  });
  out.flush();
  fmt::print(stderr, "{}\n", count_summary(classified));
  return any ? kDone : kNothingFound;
}

int run_evaluate(const EvaluateOptions& options) {
  const Truth truth = read_truth(options.truth);
  const std::vector<Label> labels = read_labels(options.labels);
  const Collection collection = Collection::open(options.collection);
  const auto encoder = load_model_of(collection.manifest(), options.model, EncoderSide::TextOnly);
  const Evaluation evaluation =
      evaluate(collection, labels, encode_labels(*encoder, labels), truth, options.model.threads);
  OutputStream out(stdout, "standard output");
  const bool table = options.format == "table";
  if (table)
    out.write(fmt::format("FUSION  {} ACCURACY   95 % INTERVAL\n", table_cell("LABEL", 24)));
  for (const RuleAccuracy& accuracy : evaluation.rules) {
    out.write(table ? accuracy_line(accuracy.rule, "all", accuracy.all)
                    : accuracy_json(accuracy, "", accuracy.all));
    for (size_t i = 0; i < labels.size(); ++i) {
      const Share& share = accuracy.of_label[i];
      out.write(table ? accuracy_line("", labels[i].name, share)
                      : accuracy_json(accuracy, labels[i].name, share));
    }
  }
  out.flush();
  const auto tell = [](uint64_t count, const char* what) {
    if (count > 0) fmt::print(stderr, "{} {}\n", with_thousands(count), what);
  };
  tell(evaluation.not_in_collection, "pictures of the truth are not in the collection");
  tell(evaluation.without_truth, "pictures of the collection are not in the truth");
  return kDone;
}

int run_export(const ExportOptions& options) {
  return options.format == "html" ? export_as_page(options) : export_as_folders(options);
}

}  // namespace zeroshelf
