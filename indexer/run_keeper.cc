// Tested by tests/programs/watch_test.cc.

#include "indexer/run_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <system_error>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/export/export_sinks.h"
#include "lib/labelling/current_run.h"
#include "lib/program/message.h"
#include "lib/program/program.h"
#include "lib/report/prediction_writer.h"
#include "lib/report/watch_message.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "lib/util/utc.h"
#include "models/flags/model_source.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "zeroshelf-index";

void print(const View& view, const std::string& run, const NewAnswers& answers, OutputStream& out) {
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    const PictureRecord record = view.record(answers.rows[i]);
    const std::vector<Word> words = view.words(answers.rows[i]);
    const message::Prediction prediction = prediction_message(
        answers.labels, PredictionLine{record, answers.predictions[i], words, nullptr});
    out.write(json_line(message::RunPrediction{run, prediction}));
  }
  out.flush();
}

// DIR/monday-2026-11-29T01-02-03Z, which is not there yet.
fs::path new_folder(const fs::path& below, const std::string& run) {
  std::string name = run + "-" + now_utc();
  std::ranges::replace(name, ':', '-');
  fs::path folder = below / name;
  std::error_code ignored;
  for (int number = 2; fs::exists(fs::symlink_status(folder, ignored)); ++number)
    folder = below / fmt::format("{} ({})", name, number);
  return folder;
}

// Exports those with an answer.
void export_new(const View& view, const std::string& run, const CurrentRun& current,
                const NewAnswers& answers) {
  std::vector<Prediction> by_row(view.rows());
  std::vector<bool> chosen(view.rows());
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    by_row[answers.rows[i]] = answers.predictions[i];
    chosen[answers.rows[i]] = answers.predictions[i].winner.has_value();
  }
  if (std::ranges::find(chosen, true) == chosen.end()) return;
  fs::create_directories(current.export_to);
  ExportContext context(view, answers.labels, by_row);
  context.mode_name = current.mode;
  context.mode = parse_export_mode(current.mode);
  context.on_failure = [](const Error& error) { warn(kProgram, error.what()); };
  const auto sink =
      make_sink(ExportFormat::Folders, new_folder(current.export_to, run), context);
  sink->add_rows([&](Row row) { return chosen[row]; });
  sink->finish();
  say("{}\n", sink->told(""));
}

// Sidecars of the new pictures alone: what others have below the root stays. The journals of all
// times, each in its folder, are beside the collection.
void write_keywords(const View& view, const std::string& run, const CurrentRun& current,
                    const NewAnswers& answers) {
  std::vector<Prediction> by_row(view.rows());
  std::vector<bool> is_new(view.rows());
  for (size_t i = 0; i < answers.rows.size(); ++i) {
    by_row[answers.rows[i]] = answers.predictions[i];
    is_new[answers.rows[i]] = true;
  }
  ExportContext context(view, answers.labels, by_row);
  context.keyword_root = current.keyword_root;
  context.only_chosen = true;
  context.labels_of = [&](Row row) {
    std::vector<uint32_t> labels;
    if (by_row[row].winner && by_row[row].answer().label != answers.none)
      labels.push_back(by_row[row].answer().label);
    return labels;
  };
  context.on_failure = [](const Error& error) { warn(kProgram, error.what()); };
  const fs::path journals =
      absolute_path(view.directory()).string() + "-watch-keywords";
  {
    const auto sink = make_sink(ExportFormat::Xmp, new_folder(journals, run), context);
    sink->add_rows([&](Row row) { return is_new[row]; });
    sink->finish();
    say("{}\n", sink->told(""));
  }
  std::error_code ignored;
  fs::remove(journals, ignored);  // when nothing is in it
}

void bring_up_to_date(const View& view, const std::string& run, EncoderSource& encoders,
                      OutputStream& out) {
  const std::optional<CurrentRun> current = load_current(view, run);
  if (!current) return;  // not any more
  const NewAnswers answers = new_answers(view, run, encoders);
  if (answers.rows.empty()) return;
  print(view, run, answers, out);
  if (!current->export_to.empty()) export_new(view, run, *current, answers);
  if (!current->keyword_root.empty()) write_keywords(view, run, *current, answers);
  keep_answers(view, run, answers);
}

}  // namespace

void bring_runs_up_to_date(const fs::path& collection, const ModelOptions& model,
                           OutputStream& out) {
  const std::vector<std::string> runs = Attachments(collection).names(kCurrentKind);
  if (runs.empty()) return;
  const View view = View::open(collection);
  ModelSource encoders(view, model);
  for (const std::string& run : runs) {
    try {
      bring_up_to_date(view, run, encoders, out);
    } catch (const Error& error) {
      warn(kProgram, fmt::format("run {} is not kept current: {}", run, error.what()));
    } catch (const fs::filesystem_error& error) {
      warn(kProgram, fmt::format("run {} is not kept current: {}: {}", run, error.path1().string(),
                                 error.code().message()));
    }
  }
}

}  // namespace zeroshelf
