// classify: labels -> one prediction a picture, or the number of pictures a label. Tested by
// tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/labelling/run.h"
#include "lib/program/message.h"
#include "lib/report/formats.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/output_stream.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "query/flags.h"
#include "query/labelling.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

// Of --multi, where --threshold is not given.
constexpr float kMultiThreshold = 0.1f;

struct ClassifyOptions {
  std::filesystem::path collection;
  LabelOptions labels;
  std::string save;
  std::vector<std::string> only;
  bool summary = false;
  bool multi = false;
  std::string format = "table";
  ModelOptions model;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// The labels above the threshold, best first; equal scores in the order of the labels.
std::vector<Scored> labels_above(std::span<const float> scores, float threshold) {
  std::vector<Scored> above;
  for (size_t k = 0; k < scores.size(); ++k) {
    if (scores[k] >= threshold) above.push_back({static_cast<uint32_t>(k), scores[k]});
  }
  std::ranges::stable_sort(above,
                           [](const Scored& a, const Scored& b) { return a.score > b.score; });
  return above;
}

// The answers of --multi: none where the rule gives no answer.
std::vector<Scored> several_answers(const PredictionBlock& block, size_t i, float threshold) {
  if (!block.predictions[i].winner) return {};
  return labels_above(block.scores_of(i), threshold);
}

// --- lines --------------------------------------------------------------------------------------

// A stretch of rows as text.
struct Lines {
  std::string text;
  PictureCounts counts{0};
  bool any = false;  // an answer
};

// Rows -> lines. Scores, records and words of a stretch are read and written by one thread, the
// stretches by as many as there are; what is in memory does not grow with the collection.
class LineWriter {
 public:
  LineWriter(const Labelling& labelling, const ClassifyOptions& options)
      : labelling_(labelling),
        options_(options),
        only_(find_labels("--only", options.only, labelling.labels)),
        writer_(prediction_writer(options.format, labelling.labels)) {}

  // Returns what was counted.
  Lines write(OutputStream& out) const {
    constexpr Row kStretch = 4096;
    const Row rows = labelling_.collection.image_vectors().size();
    const unsigned threads =
        options_.model.threads == 0 ? available_cores() : options_.model.threads;
    using Workers = OrderedWorkers<Row, Lines>;
    Workers workers(std::vector<Workers::Work>(
                        threads, [this](Row first) { return lines(first, first + kStretch); }),
                    2 * size_t{threads} + 2);
    Lines all;
    all.counts = PictureCounts(labelling_.labels.size());
    const auto take = [&] {
      const Lines lines = workers.pop();
      out.write(lines.text);
      all.counts.add(lines.counts);
      all.any = all.any || lines.any;
    };
    out.write(writer_->header());
    for (Row first = 0; first < rows; first += kStretch) {
      if (workers.full()) take();
      workers.push(first);
    }
    while (!workers.empty()) take();
    out.flush();
    return all;
  }

 private:
  Lines lines(Row first, Row end) const {
    std::vector<Prediction> predictions;
    std::vector<std::vector<Scored>> above;
    score(first, end, predictions, above);
    std::vector<std::vector<Word>> words(predictions.size());
    labelling_.collection.for_each_words(first, end, [&](Row row, const std::vector<Word>& of_row) {
      if (row - first < words.size()) words[row - first] = of_row;
    });
    Lines result;
    result.counts = PictureCounts(labelling_.labels.size());
    labelling_.collection.for_each_record(first, end, [&](Row row, const PictureRecord& record) {
      const size_t i = row - first;
      if (i >= predictions.size()) return;
      const std::vector<Scored>* all = options_.multi ? &above[i] : nullptr;
      if (!is_wanted(predictions[i], all)) return;
      writer_->append(result.text, {record, predictions[i], words[i], all});
      result.counts.count(predictions[i]);
      result.any =
          result.any || (all != nullptr ? !all->empty() : predictions[i].winner.has_value());
    });
    return result;
  }

  // Whether it gets a label of --only.
  bool is_wanted(const Prediction& prediction, const std::vector<Scored>* all) const {
    if (only_.empty()) return true;
    const auto wanted = [&](uint32_t label) {
      return std::ranges::find(only_, label) != only_.end();
    };
    if (all == nullptr) return prediction.winner && wanted(prediction.answer().label);
    return std::ranges::any_of(*all, wanted, &Scored::label);
  }

  void score(Row first, Row end, std::vector<Prediction>& predictions,
             std::vector<std::vector<Scored>>& above) const {
    ScanOptions scan_options;
    scan_options.threads = 1;
    scan_options.all_scores = options_.multi;
    scan_options.first_row = first;
    scan_options.end_row = end;
    const float threshold = labelling_.threshold.value_or(kMultiThreshold);
    scan(labelling_.collection, labelling_.vectors, labelling_.fusion, scan_options,
         [&](const PredictionBlock& block) {
           for (size_t i = 0; i < block.predictions.size(); ++i) {
             predictions.push_back(block.predictions[i]);
             labelling_.settle(predictions.back());
             if (!options_.multi) continue;
             above.push_back(several_answers(block, i, threshold));
           }
         });
  }

  const Labelling& labelling_;
  const ClassifyOptions& options_;
  std::vector<uint32_t> only_;
  std::unique_ptr<PredictionWriter> writer_;
};

// --- counts -------------------------------------------------------------------------------------

// Nothing is kept of a picture but that it is counted.
PictureCounts count_pictures(const Labelling& labelling, const ClassifyOptions& options) {
  PictureCounts counts(labelling.labels.size());
  std::mutex mutex;
  ScanOptions scan_options;
  scan_options.threads = options.model.threads;
  scan_options.all_scores = options.multi;
  const float threshold = labelling.threshold.value_or(kMultiThreshold);
  scan(labelling.collection, labelling.vectors, labelling.fusion, scan_options,
       [&](const PredictionBlock& block) {
         PictureCounts of_block(labelling.labels.size());
         for (size_t i = 0; i < block.predictions.size(); ++i) {
           if (!labelling.collection.is_live(block.first_row + i)) continue;
           Prediction prediction = block.predictions[i];
           if (!options.multi) {
             labelling.settle(prediction);
             of_block.count(prediction);
             continue;
           }
           const std::vector<Scored> above = several_answers(block, i, threshold);
           for (const Scored& one : above) ++of_block.of_label[one.label];
           if (above.empty()) ++of_block.unanswered;
         }
         const std::lock_guard lock(mutex);
         counts.add(of_block);
       });
  return counts;
}

std::string count_line(const std::string& format, const std::string* label, uint64_t count,
                       uint64_t pictures) {
  const double share =
      pictures == 0 ? 0 : static_cast<double>(count) / static_cast<double>(pictures);
  std::string line;
  if (format == "jsonl") {
    line = "{\"type\":\"count\",\"label\":";
    label != nullptr ? append_json_string(line, *label) : void(line += "null");
    return line + fmt::format(",\"pictures\":{},\"share\":{:.6g}}}\n", count, share);
  }
  if (format == "csv") {
    if (label != nullptr) append_csv_cell(line, *label);
    return line + fmt::format(",{},{:.6g}\r\n", count, share);
  }
  return fmt::format("{} {:>12} {:7.2f} %\n", table_cell(label != nullptr ? *label : "-", 32),
                     with_thousands(count), 100 * share);
}

int write_summary(const Labelling& labelling, const ClassifyOptions& options) {
  const auto start = Clock::now();
  const PictureCounts counts = count_pictures(labelling, options);
  const double spent = milliseconds_since(start);
  const uint64_t pictures = labelling.collection.counts().pictures;
  OutputStream out(stdout, "standard output");
  if (options.format == "csv") out.write("label,pictures,share\r\n");
  if (options.format == "table")
    out.write(fmt::format("{} {:>12} {:>9}\n", table_cell("LABEL", 32), "PICTURES", "SHARE"));
  for (size_t k = 0; k < labelling.labels.size(); ++k)
    out.write(count_line(options.format, &labelling.labels[k].name, counts.of_label[k], pictures));
  if (counts.unanswered > 0)
    out.write(count_line(options.format, nullptr, counts.unanswered, pictures));
  out.flush();
  say("{} pictures x {} labels scored in {:.3g} ms\n", with_thousands(pictures),
      labelling.labels.size(), spent);
  return counts.unanswered < pictures ? kDone : kNothingFound;
}

void save_answers(const Labelling& labelling, const ClassifyOptions& options) {
  std::vector<Prediction> predictions =
      classify(labelling.collection, labelling.vectors, labelling.fusion, options.model.threads);
  for (Prediction& prediction : predictions) labelling.settle(prediction);
  save_run(labelling.collection, options.save,
           make_run(labelling.collection, labelling.labels, labelling.fusion, predictions));
}

int run_classify(const ClassifyOptions& options) {
  if (!options.save.empty()) Attachments::check_name("--save", options.save);
  const Labelling labelling = prepare_labelling(options.collection, options.labels, options.model);
  if (!options.save.empty()) save_answers(labelling, options);
  if (options.summary) return write_summary(labelling, options);
  const auto start = Clock::now();
  OutputStream out(stdout, "standard output");
  const Lines all = LineWriter(labelling, options).write(out);
  say("{} pictures x {} labels scored in {:.3g} ms, written lines included\n{}\n",
      with_thousands(all.counts.pictures()), labelling.labels.size(), milliseconds_since(start),
      all.counts.summary(labelling.labels));
  return all.any ? kDone : kNothingFound;
}

}  // namespace

void add_classify(Program& program) {
  const auto shared = std::make_shared<ClassifyOptions>();
  ClassifyOptions& options = *shared;
  CLI::App* command =
      program.add_command("classify", "Label every picture with the classes you name",
                          [shared] { return run_classify(*shared); });
  add_collection(command, options.collection);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  command
      ->add_option("--save", options.save,
                   "Keep the answers under this name, for diff and review; see runs")
      ->type_name("NAME");
  add_none_flags(command, options.labels);
  command->add_flag("--multi", options.multi,
                    fmt::format("Also every label with a score of --threshold (default {}) or more",
                                kMultiThreshold));
  CLI::Option* only =
      command
          ->add_option(
              "--only", options.only,
              "Only pictures that get this label, of all that are asked for; may be repeated")
          ->type_name("LABEL")
          ->allow_extra_args(false);
  CLI::Option* summary =
      command
          ->add_flag("--summary", options.summary,
                     "Only how many pictures have which label, with --multi how many have it too")
          ->excludes(only);
  CLI::Option* format = add_format(command, options.format, {"table", "jsonl", "csv"});
  add_null_flag(command, options.format, format,
                "Only the paths of pictures with an answer, each ended by NUL");
  command->get_option("--null")->excludes(summary);
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
