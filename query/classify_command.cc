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
#include "lib/collection/foreign.h"
#include "lib/collection/open_view.h"
#include "lib/collection/path_order.h"
#include "lib/files/new_file.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labelling/kept_request.h"
#include "lib/labelling/label_lock.h"
#include "lib/labelling/labelling.h"
#include "lib/labelling/run.h"
#include "lib/program/message.h"
#include "lib/program/version.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
#include "lib/report/ordered_lines.h"
#include "lib/report/prediction_writer.h"
#include "lib/report/terminal_table.h"
#include "lib/util/error.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/output_stream.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

struct ClassifyOptions {
  std::vector<std::filesystem::path> collections;
  LabelOptions labels;
  std::string save;
  std::filesystem::path lock;     // empty: none
  std::filesystem::path answers;  // a folder for them; empty: standard output
  std::optional<double> deadline_s;
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

// What is counted of lines.
struct Counted {
  PictureCounts counts{0};
  bool any = false;  // an answer

  void add(const Counted& other) {
    counts.add(other.counts);
    any = any || other.any;
  }
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
        writer_(prediction_writer(options.format, labelling.labels,
                                  options.answers.empty() ? terminal_columns(stdout) : 0)),
        rest_(rows_),
        workers_(std::vector<Workers::Work>(
                     threads(), [this](std::span<const Row> rows) { return lines(rows); }),
                 2 * size_t{threads()} + 2) {
    counted_.counts = PictureCounts(labelling.labels.size());
  }

  std::string header() const { return writer_->header(); }

  // Some more of them; nothing: that was all.
  std::optional<OrderedLines> next() {
    constexpr size_t kAtOnce = 4096;
    while (!rest_.empty() && !workers_.full()) {
      const std::span<const Row> some = rest_.first(std::min(kAtOnce, rest_.size()));
      workers_.push(some);
      rest_ = rest_.subspan(some.size());
    }
    if (workers_.empty()) return std::nullopt;
    Lines lines = workers_.pop();
    counted_.add(lines.counted);
    return std::move(lines.lines);
  }

  // What was counted of the lines until now.
  const Counted& counted() const { return counted_; }

 private:
  struct Lines {
    OrderedLines lines;
    Counted counted;
  };
  using Workers = OrderedWorkers<std::span<const Row>, Lines>;

  unsigned threads() const {
    return options_.model.threads == 0 ? available_cores() : options_.model.threads;
  }

  Lines lines(std::span<const Row> rows) const {
    const RowAnswers answers = answers_of(rows);
    std::vector<PictureRecord> records = records_of(collection_, rows);
    const std::vector<std::vector<Word>> words = words_of(collection_, rows);
    const float threshold = labelling_.threshold.value_or(kMultiThreshold);
    Lines result;
    std::string& text = result.lines.text;
    result.counted.counts = PictureCounts(labelling_.labels.size());
    std::vector<Scored> above;
    for (size_t i = 0; i < rows.size(); ++i) {
      const Prediction& prediction = answers.predictions[i];
      if (options_.multi) above = labels_above(answers.as_block(), i, threshold);
      const std::vector<Scored>* all = options_.multi ? &above : nullptr;
      if (!is_wanted(prediction, all)) continue;
      writer_->append(text, {records[i], prediction, words[i], all});
      result.counted.counts.count(prediction);
      result.counted.any =
          result.counted.any || (all != nullptr ? !all->empty() : prediction.winner.has_value());
      result.lines.lines.push_back({std::move(records[i].file.path), text.size()});
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
  std::span<const Row> rest_;
  Counted counted_;
  Workers workers_;
};

// answers-00003-of-00016.jsonl
std::string answers_name(OutputFormat format, const Ranks* ranks) {
  const char* ending = format == OutputFormat::Jsonl ? "jsonl"
                       : format == OutputFormat::Csv ? "csv"
                                                     : "txt";
  return fmt::format("answers-{:05}-of-{:05}.{}", ranks == nullptr ? 0 : ranks->rank(),
                     ranks == nullptr ? 1 : ranks->size(), ending);
}

// What all have counted together.
Counted of_all(const Counted& counted, Ranks* ranks) {
  if (ranks == nullptr) return counted;
  uint64_t any = counted.any;
  ranks->add_up(std::span(&any, 1));
  return {of_all(counted.counts, ranks), any > 0};
}

// Before anything is computed.
void check_answers(const ClassifyOptions& options, const Ranks* ranks) {
  if (options.answers.empty()) return;
  constexpr const char* kCure = "nothing is ever overwritten: name a new or empty folder";
  expect_outside_collections(options.answers);
  std::error_code error;
  const auto exists = [&](const std::filesystem::path& path) {
    return std::filesystem::exists(std::filesystem::symlink_status(path, error));
  };
  if (!exists(options.answers)) return;
  if (!std::filesystem::is_directory(options.answers, error))
    throw Error(ErrorCode::InvalidArgument, options.answers.string(), "not a folder", kCure);
  const std::filesystem::path file = options.answers / answers_name(options.format, ranks);
  if (exists(file))
    throw Error(ErrorCode::InvalidArgument, file.string(), "it exists already", kCure);
}

// Each process's own, which get their names when all of them are written and on the disk.
Counted write_answers_file(LineWriter& lines, const ClassifyOptions& options, Ranks* ranks) {
  std::optional<NewFile> file;
  in_all(ranks, [&] {
    std::error_code error;
    std::filesystem::create_directories(options.answers, error);
    if (error) throw system_error(options.answers.string(), "make the folder", error.value());
    file.emplace(options.answers / answers_name(options.format, ranks));
    file->write(lines.header());
    while (const auto some = lines.next()) file->write(some->text);
    file->complete();
  });
  const Counted all = of_all(lines.counted(), ranks);
  in_all(ranks, [&] { file->publish(); });
  end_death_notice();
  return all;
}

// Returns what was counted of the lines of all.
Counted write_lines(LineWriter& lines, const ClassifyOptions& options, Ranks* ranks) {
  if (!options.answers.empty()) return write_answers_file(lines, options, ranks);
  OutputStream out(stdout, "standard output");
  out.write(lines.header());
  if (ranks != nullptr) {
    merge_lines(
        *ranks, [&] { return lines.next(); }, [&](std::string_view text) { out.write(text); });
  } else {
    while (const auto some = lines.next()) out.write(some->text);
  }
  out.flush();
  return of_all(lines.counted(), ranks);
}

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
                  Clock::time_point start, Ranks* ranks) {
  const auto multi =
      options.multi ? std::optional(labelling.threshold.value_or(kMultiThreshold)) : std::nullopt;
  const PictureCounts counts = of_all(
      answers.empty() || multi ? count_pictures(collection, labelling, multi, options.model.threads)
                               : count_pictures(collection, labelling, answers),
      ranks);
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
  return options.answers.empty() && options.format == OutputFormat::Table && !options.list &&
         !options.multi && options.only.empty() && ::isatty(STDOUT_FILENO) == 1;
}

void keep_run(const View& collection, const LabellingRequest& request, const Labelling& labelling,
              const ClassifyOptions& options, std::span<const Prediction> answers, Ranks* ranks) {
  Run run = make_run(collection, labelling, {answers.begin(), answers.end()});
  run.fusion = way_name(request);
  if (ranks == nullptr) {
    save_run(collection, options.save, run);
    return save_request(collection, options.save, request);
  }
  const std::vector<std::string> of_ranks = ranks->gather(encode_run(run));
  ranks->made_by_first([&] {
    std::vector<Run> runs;
    for (const std::string& bytes : of_ranks)
      runs.push_back(decode_run(bytes, "a run of another process"));
    save_run(collection, options.save, joined_runs(std::move(runs)));
    save_request(collection, options.save, request);
    return std::string();
  });
}

// Answers that rest on all rows together, or on pictures that may be anywhere.
bool needs_all_parts(const ClassifyOptions& options, const LabellingRequest& request) {
  return !options.lock.empty() || has_examples(request.labels);
}

// request: of the first process; the others need none.
int classify_all(const ClassifyOptions& options, const LabellingRequest& request, Ranks* ranks) {
  const View collection = open_view(options.collections, ranks, options.deadline_s).view;
  ModelSource encoders(collection, options.model);
  const Labelling labelling = labelling_for(collection, request, encoders, ranks);
  const auto start = Clock::now();
  std::vector<Prediction> answers;  // of every row, where they are kept
  if (!options.save.empty()) {
    const auto kept = collection.attachments().names(kRunKind);
    if (std::ranges::find(kept, options.save) != kept.end())
      say("the run {} that was kept before is replaced\n", options.save);
    answers = classify(collection, labelling, options.model.threads);
    keep_run(collection, request, labelling, options, answers, ranks);
  }
  if (!options.lock.empty()) {
    write_lock(options.lock, make_lock(collection, request, labelling, encoders, version(), 0,
                                       options.model.threads));
  }
  warn_of_labels(labelling, encoders);
  if (options.summary) return write_summary(collection, labelling, options, answers, start, ranks);
  if (wants_overview(options) && ranks == nullptr)
    return write_overview(collection, labelling, options, std::move(answers));
  std::optional<LineWriter> lines;
  in_all(ranks, [&] { lines.emplace(collection, labelling, options, answers); });
  const Counted all = write_lines(*lines, options, ranks);
  say("{} pictures labelled with {} labels in {:.3g} ms\n{}\n",
      with_thousands(all.counts.pictures()), labelling.labels.size(), milliseconds_since(start),
      count_summary(labelling.labels, all.counts));
  return all.any ? kDone : kNothingFound;
}

int classify_together(const ClassifyOptions& options, Ranks* ranks) {
  LabellingRequest request;
  in_all(ranks, [&] {
    if (!options.save.empty()) Attachments::check_name("--save", options.save);
    if (!options.lock.empty()) check_new_file(options.lock);
    check_answers(options, ranks);
    if (ranks == nullptr || ranks->is_first()) request = labelling_request(options.labels);
  });
  request.several = options.multi;
  if (ranks == nullptr) return classify_all(options, request, nullptr);
  const std::string alone =
      ranks->broadcast(needs_all_parts(options, request) ? "alone" : "together");
  if (alone != "alone") return classify_all(options, request, ranks);
  ranks->part();
  if (!ranks->is_first()) return kDone;
  note("lock files and labels with pictures are the work of one process: the others wait");
  return classify_all(options, request, nullptr);
}

int run_classify(const ClassifyOptions& options) {
  return together(options.deadline_s,
                  [&](Ranks* ranks) { return classify_together(options, ranks); });
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
  command
      ->add_option("--to", options.answers,
                   "Write the lines into a new file in this folder, answers-00000-of-00001.jsonl; "
                   "started by mpirun or srun, each process writes one")
      ->type_name("DIR")
      ->excludes(summary);
  add_deadline_flag(command, options.deadline_s);
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
