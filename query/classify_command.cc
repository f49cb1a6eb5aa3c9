// classify: labels -> one prediction a picture, or the number of pictures a label. Tested by
// tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/collection/open_view.h"
#include "lib/collection/path_order.h"
#include "lib/files/new_file.h"
#include "lib/labelling/kept_request.h"
#include "lib/labelling/label_lock.h"
#include "lib/labelling/labelling.h"
#include "lib/labelling/run.h"
#include "lib/program/message.h"
#include "lib/program/version.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/report/prediction_writer.h"
#include "lib/report/terminal_table.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/output_stream.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

struct ClassifyOptions {
  std::vector<std::filesystem::path> collections;
  LabelOptions labels;
  std::string save;
  std::filesystem::path lock;  // empty: none
  std::vector<std::string> only;
  bool summary = false;
  bool all_labels = false;
  bool list = false;
  bool multi = false;
  OutputFormat format = OutputFormat::Table;
  ModelOptions model;
};

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// --- lines --------------------------------------------------------------------------------------

// A stretch of rows as text.
struct Lines {
  std::string text;
  PictureCounts counts{0};
  bool any = false;  // an answer
};

// Rows -> lines, in the order of their paths. Scores, records and words of some thousand rows are
// read and written by one thread, the others by as many as there are; in memory are 8 bytes a row.
class LineWriter {
 public:
  // answers: of every row, where they are known; else empty.
  LineWriter(const View& collection, const Labelling& labelling, const ClassifyOptions& options,
             std::span<const Prediction> answers)
      : collection_(collection),
        labelling_(labelling),
        options_(options),
        answers_(answers),
        rows_(rows_by_path(collection)),
        only_(find_labels("--only", options.only, labelling.labels)),
        writer_(prediction_writer(options.format, labelling.labels, terminal_columns(stdout))) {}

  // Returns what was counted.
  Lines write(OutputStream& out) const {
    const unsigned threads =
        options_.model.threads == 0 ? available_cores() : options_.model.threads;
    using Workers = OrderedWorkers<std::span<const Row>, Lines>;
    Workers workers(std::vector<Workers::Work>(
                        threads, [this](std::span<const Row> rows) { return lines(rows); }),
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
    for (std::span<const Row> rest(rows_); !rest.empty();) {
      constexpr size_t kAtOnce = 4096;
      const std::span<const Row> some = rest.first(std::min(kAtOnce, rest.size()));
      if (workers.full()) take();
      workers.push(some);
      rest = rest.subspan(some.size());
    }
    while (!workers.empty()) take();
    out.flush();
    return all;
  }

 private:
  Lines lines(std::span<const Row> rows) const {
    const RowAnswers answers = answers_of(rows);
    const std::vector<PictureRecord> records = records_of(collection_, rows);
    const std::vector<std::vector<Word>> words = words_of(collection_, rows);
    const float threshold = labelling_.threshold.value_or(kMultiThreshold);
    Lines result;
    result.counts = PictureCounts(labelling_.labels.size());
    std::vector<Scored> above;
    for (size_t i = 0; i < rows.size(); ++i) {
      const Prediction& prediction = answers.predictions[i];
      if (options_.multi) above = labels_above(answers.as_block(), i, threshold);
      const std::vector<Scored>* all = options_.multi ? &above : nullptr;
      if (!is_wanted(prediction, all)) continue;
      writer_->append(result.text, {records[i], prediction, words[i], all});
      result.counts.count(prediction);
      result.any = result.any || (all != nullptr ? !all->empty() : prediction.winner.has_value());
    }
    return result;
  }

  RowAnswers answers_of(std::span<const Row> rows) const {
    if (options_.multi) return classify_rows(collection_, labelling_, rows, Scores::All);
    if (answers_.empty()) return classify_rows(collection_, labelling_, rows);
    RowAnswers answers;
    for (const Row row : rows) answers.predictions.push_back(answers_[row]);
    return answers;
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

  const View& collection_;
  const Labelling& labelling_;
  const ClassifyOptions& options_;
  std::span<const Prediction> answers_;
  std::vector<Row> rows_;
  std::vector<uint32_t> only_;
  std::unique_ptr<PredictionWriter> writer_;
};

// --- counts -------------------------------------------------------------------------------------

// label: null for no answer.
std::string count_line(OutputFormat format, const std::string* label, uint64_t pictures,
                       uint64_t all) {
  message::Count count;
  if (label != nullptr) count.label = *label;
  count.pictures = pictures;
  count.share = all == 0 ? 0 : static_cast<double>(pictures) / static_cast<double>(all);
  if (format == OutputFormat::Jsonl) return json_line(count);
  if (format == OutputFormat::Csv) {
    std::string line;
    append_csv_cell(line, count.label.value_or(""));
    return line + fmt::format(",{},{:.6g}\r\n", pictures, count.share);
  }
  return fmt::format("{} {:>12} {:7.2f} %\n", table_cell(count.label.value_or("-"), 32),
                     with_thousands(pictures), 100 * count.share);
}

void write_counts(OutputStream& out, const View& collection, const Labelling& labelling,
                  const PictureCounts& counts, const ClassifyOptions& options) {
  const uint64_t pictures = collection.pictures();
  if (options.format == OutputFormat::Csv) out.write("label,pictures,share\r\n");
  if (options.format == OutputFormat::Table)
    out.write(fmt::format("{} {:>12} {:>9}\n", table_cell("LABEL", 32), "PICTURES", "SHARE"));
  size_t without = 0;
  for (size_t k = 0; k < labelling.labels.size(); ++k) {
    if (counts.of_label[k] == 0 && !options.all_labels) {
      ++without;
      continue;
    }
    out.write(count_line(options.format, &labelling.labels[k].name, counts.of_label[k], pictures));
  }
  if (counts.unanswered > 0)
    out.write(count_line(options.format, nullptr, counts.unanswered, pictures));
  out.flush();
  if (without > 0)
    say("{} labels have no pictures; --all-labels shows them\n", with_thousands(without));
}

int write_summary(const View& collection, const Labelling& labelling,
                  const ClassifyOptions& options, std::span<const Prediction> answers,
                  Clock::time_point start) {
  const auto multi =
      options.multi ? std::optional(labelling.threshold.value_or(kMultiThreshold)) : std::nullopt;
  const PictureCounts counts =
      answers.empty() || multi ? count_pictures(collection, labelling, multi, options.model.threads)
                               : count_pictures(collection, labelling, answers);
  const double spent = milliseconds_since(start);
  const uint64_t pictures = collection.pictures();
  OutputStream out(stdout, "standard output");
  write_counts(out, collection, labelling, counts, options);
  say("{} pictures labelled with {} labels in {:.3g} ms\n", with_thousands(pictures),
      labelling.labels.size(), spent);
  return counts.unanswered < pictures ? kDone : kNothingFound;
}

// --- on a terminal -------------------------------------------------------------------------------

// The surest pictures of each label, best first, equal ones by path.
std::vector<std::vector<Row>> surest(const View& collection,
                                     const std::vector<Prediction>& predictions, size_t labels,
                                     size_t count) {
  std::vector<std::vector<Row>> of_label(labels);
  const PathOrder by_path(collection);
  const auto better = [&](Row a, Row b) {
    const float score_a = predictions[a].answer().score;
    const float score_b = predictions[b].answer().score;
    return score_a != score_b ? score_a > score_b : by_path(a, b);
  };
  for (Row row = 0; row < predictions.size(); ++row) {
    if (!collection.is_live(row) || !predictions[row].winner) continue;
    std::vector<Row>& best = of_label[predictions[row].answer().label];
    best.insert(std::ranges::upper_bound(best, row, better), row);
    if (best.size() > count) best.pop_back();
  }
  return of_label;
}

// How many pictures have which label, a few of each, and what to type next.
int write_overview(const View& collection, const Labelling& labelling,
                   const ClassifyOptions& options, std::vector<Prediction> predictions) {
  constexpr size_t kExamples = 3;
  if (predictions.empty()) predictions = classify(collection, labelling, options.model.threads);
  const PictureCounts counts = count_pictures(collection, labelling, predictions);
  OutputStream out(stdout, "standard output");
  write_counts(out, collection, labelling, counts, options);
  const auto best = surest(collection, predictions, labelling.labels.size(), kExamples);
  for (size_t k = 0; k < best.size(); ++k) {
    if (best[k].empty()) continue;
    out.write(fmt::format("\nsurest of {}:\n", printable(labelling.labels[k].name)));
    for (const Row row : best[k]) {
      out.write(line_with_path(fmt::format("  {:.3f}  ", predictions[row].answer().score),
                               collection.record(row).file.path, "", terminal_columns(stdout)));
    }
  }
  out.flush();
  say("\n--list prints one line per picture, --format csv or jsonl all evidence; "
      "zeroshelf-query export puts pictures into folders, review shows the least sure\n");
  return counts.unanswered < collection.pictures() ? kDone : kNothingFound;
}

bool wants_overview(const ClassifyOptions& options) {
  return options.format == OutputFormat::Table && !options.list && !options.multi &&
         options.only.empty() && ::isatty(STDOUT_FILENO) == 1;
}

int run_classify(const ClassifyOptions& options) {
  if (!options.save.empty()) Attachments::check_name("--save", options.save);
  if (!options.lock.empty()) NewFile::check(options.lock);
  LabellingRequest request = labelling_request(options.labels);
  request.several = options.multi;
  const View collection = open_view(options.collections).view;
  ModelSource encoders(collection, options.model);
  const Labelling labelling = make_labelling(collection, request, encoders);
  const auto start = Clock::now();
  std::vector<Prediction> answers;  // of every row, where they are kept
  if (!options.save.empty()) {
    const auto kept = collection.attachments().names(kRunKind);
    if (std::ranges::find(kept, options.save) != kept.end())
      say("the run {} that was kept before is replaced\n", options.save);
    answers = classify(collection, labelling, options.model.threads);
    Run run = make_run(collection, labelling, answers);
    run.fusion = way_name(options.labels);
    save_run(collection, options.save, run);
    save_request(collection, options.save, request);
  }
  if (!options.lock.empty()) {
    write_lock(options.lock, make_lock(collection, request, labelling, encoders, version(), 0,
                                       options.model.threads));
  }
  warn_of_labels(labelling, encoders);
  if (options.summary) return write_summary(collection, labelling, options, answers, start);
  if (wants_overview(options))
    return write_overview(collection, labelling, options, std::move(answers));
  OutputStream out(stdout, "standard output");
  const Lines all = LineWriter(collection, labelling, options, answers).write(out);
  say("{} pictures labelled with {} labels in {:.3g} ms\n{}\n",
      with_thousands(all.counts.pictures()), labelling.labels.size(), milliseconds_since(start),
      count_summary(labelling.labels, all.counts));
  return all.any ? kDone : kNothingFound;
}

}  // namespace

void add_classify(Program& program) {
  const auto shared = std::make_shared<ClassifyOptions>();
  ClassifyOptions& options = *shared;
  CLI::App* command =
      program.add_command("classify", "Label every picture with the classes you name",
                          [shared] { return run_classify(*shared); });
  add_collections(command, options.collections);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  command
      ->add_option("--save", options.save,
                   "Keep the answers under this name, for diff and review; see runs")
      ->type_name("NAME");
  command
      ->add_option("--lock", options.lock,
                   "Make a file that says what was asked, with what, and a digest of the answers; "
                   "see verify")
      ->type_name("FILE");
  add_none_flags(command, options.labels);
  command->add_flag(
      "--multi", options.multi,
      fmt::format("Also list every label with a score of at least --threshold (default {})",
                  kMultiThreshold));
  command->get_option("--multi")->excludes("--depth");
  CLI::Option* only =
      command
          ->add_option("--only", options.only,
                       "Only pictures that get this one of the labels; may be repeated")
          ->type_name("LABEL")
          ->allow_extra_args(false);
  CLI::Option* summary =
      command
          ->add_flag(
              "--summary", options.summary,
              "Only count the pictures of each label; with --multi also those that have it too")
          ->excludes(only);
  command
      ->add_flag("--all-labels", options.all_labels, "With --summary: also labels without pictures")
      ->needs(summary);
  command
      ->add_flag("--list", options.list,
                 "One line per picture, as for pipes, instead of the overview on a terminal")
      ->excludes(summary);
  CLI::Option* format = add_format(command, options.format,
                                   {OutputFormat::Table, OutputFormat::Jsonl, OutputFormat::Csv});
  add_null_flag(command, options.format, format,
                "Only the paths of labelled pictures, each ended by NUL");
  command->get_option("--null")->excludes(summary);
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
