// What an export would write, exports, and taking them back. The target is a name in the server's
// export folder: no path of a request reaches the file system. Tested by tests/serve.

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <system_error>
#include <utility>

#include "lib/collection/foreign.h"
#include "lib/export/bands.h"
#include "lib/export/export_format.h"
#include "lib/export/export_page.h"
#include "lib/export/export_sinks.h"
#include "lib/export/folder_export.h"
#include "lib/export/follow_moves.h"
#include "lib/export/move_journal.h"
#include "lib/export/promised.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/labels/label_tree.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "query/serve/answers.h"
#include "query/serve/asked.h"
#include "query/serve/service.h"

namespace zeroshelf::serve {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostFailures = 20;
constexpr double kDefaultValidation = 0.2;

struct AskedExport {
  AskedLabelling labelling;
  std::string name;
  ExportFormat format = ExportFormat::Folders;
  std::string mode = "symlink";
  std::optional<float> min_score;
  std::optional<uint64_t> max_per_label;
  std::vector<std::string> only;
  std::optional<double> at_most_wrong;
  double validation = kDefaultValidation;
  bool unsure = false;
  fs::path target;

  bool moves() const {
    return traits_of(format).places_pictures && parse_export_mode(mode) == ExportMode::Move;
  }
};

ExportFormat format_named(const Members& members, const std::string& name) {
  std::string names;
  for (const ExportFormatTraits& traits : export_formats()) {
    if (traits.writes_keywords) continue;  // a server makes files in its own folder alone
    if (traits.name == name) return traits.format;
    names += (names.empty() ? "" : ", ") + std::string(traits.name);
  }
  members.refuse("format", fmt::format("'{}' is none of {}", name, names));
}

const char* ending_of(ExportFormat format) {
  if (traits_of(format).makes_folder) return "";
  switch (format) {
    case ExportFormat::Csv:
      return ".csv";
    case ExportFormat::Jsonl:
      return ".jsonl";
    case ExportFormat::Html:
      return ".html";
    default:
      return ".json";
  }
}

// Of an export.
std::string asked_name(Members& members) {
  members.needed("name", "name the export");
  return checked_name(*members.text("name", 100), "name");
}

AskedExport ask_export(const Service& service, const Call& call) {
  if (service.options.exports.empty())
    throw Error(ErrorCode::Unavailable, "export", "the server only reads",
                "start it without --read-only");
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  AskedExport asked;
  asked.labelling = ask_labelling(members);
  asked.name = asked_name(members);
  asked.format = format_named(members, members.text("format", 100).value_or("folders"));
  asked.mode = members.text("mode", 100).value_or(asked.mode);
  members.as_member("mode", [&] { parse_export_mode(asked.mode); });
  if (const auto score = members.number("min_score", -1, 1))
    asked.min_score = static_cast<float>(*score);
  asked.max_per_label = members.whole("max_per_label", 1, 1'000'000'000);
  asked.only = members.texts("only", 1000, 1000);
  asked.at_most_wrong = members.number("at_most_wrong", 0, 1);
  asked.validation = members.number("validation", 0, 1).value_or(kDefaultValidation);
  asked.unsure = members.flag("unsure").value_or(false);
  members.expect_no_others();
  if (asked.labelling.request.several) members.refuse("multi", "an export has one label a picture");
  std::string file = asked.name;
  const std::string ending = ending_of(asked.format);
  if (!file.ends_with(ending)) file += ending;
  asked.target = service.options.exports / file;
  return asked;
}

// The answers, and which of them are exported.
struct Plan {
  SnapshotPointer snapshot;
  Labelling labelling;
  std::vector<Prediction> predictions;
  Bands bands;
  std::optional<Promised> promised;

  const View& view() const { return snapshot->view; }
};

Plan make_plan(Service& service, const SnapshotPointer& snapshot, const AskedExport& asked,
               const GoOn& go_on) {
  Plan plan;
  plan.snapshot = snapshot;
  plan.labelling = service.labeller().labelling(snapshot, asked.labelling, go_on);
  const Gate::Pass pass(service.gate, go_on);
  plan.predictions.resize(plan.view().rows());
  scan(plan.view(), plan.labelling, {}, [&](const PredictionBlock& block) {
    go_on();
    std::ranges::copy(block.predictions,
                      plan.predictions.begin() + static_cast<ptrdiff_t>(block.first_row));
  });
  BandOptions options;
  options.min_score = asked.min_score;
  options.max_per_label =
      chosen_of_label(asked.format, asked.max_per_label, asked.at_most_wrong.has_value());
  options.only = find_labels("only", asked.only, plan.labelling.labels);
  plan.bands = choose_bands(plan.view(), plan.labelling.labels.size(), plan.predictions, options);
  return plan;
}

std::vector<bool> validation_of(const Plan& plan, const AskedExport& asked) {
  return choose_validation(plan.view(), plan.labelling.labels.size(), plan.predictions, plan.bands,
                           asked.validation);
}

// Labels that cannot be in both halves are left out, so that both number their classes alike.
// Returns which.
std::vector<uint32_t> apply_halves(Plan& plan, const AskedExport& asked) {
  std::vector<uint32_t> left_out;
  if (!traits_of(asked.format).splits) return left_out;
  const ImageFolderFaults faults =
      image_folder_faults(plan.view(), plan.labelling.labels.size(), plan.predictions, plan.bands,
                          validation_of(plan, asked));
  for (const auto& [label, pictures] : faults.one_sided) {
    leave_out(plan.bands, plan.predictions, label);
    left_out.push_back(label);
  }
  return left_out;
}

// The pictures that people judged, from which a classifier that answers was not learned.
JudgedPictures judged_for(const Service& service, const View& view, const Labelling& labelling,
                          const AskedExport& asked) {
  JudgedPictures judged = judged_pictures(view, labelling.labels, *service.truths.all());
  leave_out_examples(judged.pictures, labelling.vectors);
  const std::string& classifier = asked.labelling.request.classifier;
  if (!classifier.empty())
    leave_out_learned(view, load_classifier(view, classifier).learned_from, judged);
  return judged;
}

// What the format lets through, and of that what keeps the promise.
void apply_limits(const Service& service, Plan& plan, const AskedExport& asked) {
  if (!asked.at_most_wrong) {
    apply_halves(plan, asked);
    return;
  }
  const JudgedPictures judged = judged_for(service, plan.view(), plan.labelling, asked);
  for (Bands before = plan.bands;;) {
    plan.promised = keep_promise(plan.predictions, judged, {*asked.at_most_wrong}, plan.bands);
    const std::vector<uint32_t> left_out = apply_halves(plan, asked);
    if (left_out.empty()) return;
    for (const uint32_t label : left_out) leave_out(before, plan.predictions, label);
    plan.bands = before;
  }
}

std::string promise_json(const Plan& plan) {
  if (!plan.promised) return "null";
  return json_object([&](JsonWriter& json) {
    plan.promised->write(json);
    json.member("told", told_promise(*plan.promised));
  });
}

Promises promises_of(const AskedExport& asked) {
  return asked.at_most_wrong && !asked.unsure ? Promises::One : Promises::None;
}

Band band_of(const AskedExport& asked) {
  return asked.unsure ? Band::Unsure : Band::Sure;
}

// Tells a collection where its files are now; folder: as follow_moves has it. Where that fails the
// others are told all the same.
void follow(const fs::path& collection, const std::vector<MovedFile>& moved,
            const Jobs::Progress& progress, const fs::path& folder = {}) {
  try {
    follow_moves(collection, moved, folder);
  } catch (const Error& error) {
    const Error told(error.code(), collection.string(),
                     fmt::format("it could not be told where its files are now: {}", error.what()),
                     "run zeroshelf-index add with the old folder and the new one");
    progress.update([&](Job& job) { job.failures.push_back(told); });
  }
}

void run_export(Service& service, const SnapshotPointer& snapshot, const AskedExport& asked,
                const Jobs::Progress& progress) {
  const GoOn go_on = [&] {
    if (progress.is_cancelled()) throw Abandoned();
  };
  expect_outside_collections(asked.target);
  check_target(asked.format, asked.target, promises_of(asked));
  Plan plan = make_plan(service, snapshot, asked, go_on);
  apply_limits(service, plan, asked);
  ExportContext context(plan.view(), plan.labelling.labels, plan.predictions);
  context.mode_name = asked.mode;
  context.mode = parse_export_mode(asked.mode);
  context.model = plan.view().manifest().model_name;
  context.fusion = way_name(asked.labelling.request);
  context.max_per_label = asked.max_per_label;
  if (plan.promised && !asked.unsure) context.promise = plan.promised->members();
  context.tree = plan.labelling.tree;
  if (traits_of(asked.format).splits) context.validation = validation_of(plan, asked);
  context.on_failure = [&](const Error& error) {
    progress.update([&](Job& job) {
      ++job.failed;
      if (job.failures.size() < kMostFailures) job.failures.push_back(error);
    });
  };
  std::vector<MovedFile> moved;
  if (asked.moves()) {
    context.on_placed = [&](const fs::path& source, const fs::path& placed) {
      moved.push_back({source.string(), placed.string()});
    };
  }
  const Band band = band_of(asked);
  const auto wanted = static_cast<uint64_t>(std::ranges::count(plan.bands.of_row, band));
  progress.update([&](Job& job) { job.total = wanted; });
  const auto sink = make_sink(asked.format, asked.target, context);
  const auto tell_moves = [&] {
    if (moved.empty()) return;
    for (const View::Part& part : plan.view().parts())
      follow(part.collection.directory(), moved, progress);
    service.living.refresh();  // the next request knows where the files are
  };
  try {
    uint64_t done = 0;
    sink->add_rows([&](Row row) {
      if (plan.bands.of_row[row] != band) return false;
      if (++done % 64 == 0) {
        go_on();
        progress.update([&](Job& job) { job.done = done; });
      }
      return true;
    });
    sink->finish();
  } catch (...) {
    tell_moves();
    throw;
  }
  tell_moves();
  progress.update([&](Job& job) {
    job.done = wanted;
    job.exported = sink->exported();
    job.failed = std::max<uint64_t>(job.failed, sink->failed());
    job.told = sink->told(asked.unsure ? "unsure " : "");
  });
}

void run_undo(Service& service, const fs::path& target, const Jobs::Progress& progress) {
  const auto tell = [&](const Error& error) {
    progress.update([&](Job& job) {
      ++job.failed;
      if (job.failures.size() < kMostFailures) job.failures.push_back(error);
    });
  };
  const UndoReport report = undo_moves(
      target, tell, [&](const fs::path& collection, const std::vector<MovedFile>& files) {
        follow(collection, files, progress, target);
      });
  service.living.refresh();
  progress.update([&](Job& job) {
    job.exported = report.put_back;
    job.failed = report.problems;
    job.told = told_undo(report);
  });
}

bool can_undo(const Job& job) {
  std::error_code ignored;
  return job.moves && job.state != JobState::Running &&
         fs::exists(fs::path(job.target) / kMoveJournalName, ignored);
}

std::string problem_json(const Error& error) {
  return json_object([&](JsonWriter& json) { write_members(json, problem_of(over_http(error))); });
}

std::string job_json(const Job& job) {
  std::vector<std::string> failures;
  for (const Error& error : job.failures) failures.push_back(problem_json(error));
  const std::string error = job.error ? problem_json(*job.error) : "null";
  return json_object([&](JsonWriter& json) {
    json.member("id", job.id)
        .member("kind", job.kind)
        .member("name", job.name)
        .member("state", job_state_name(job.state))
        .member("done", job.done)
        .member("total", job.total)
        .member("seconds", Decimal{job.seconds, 3})
        .member("told", to_utf8(job.told))
        .member("exported", job.exported)
        .member("failed", job.failed)
        .member("failures", raw(failures))
        .member("error", RawJson{error})
        .member("target", to_utf8(job.target))
        .member("undo", can_undo(job));
  });
}

Job known_job(const Service& service, const Call& call) {
  if (auto job = service.jobs.find(call.variable)) return *std::move(job);
  throw Error(ErrorCode::NotFound, to_utf8(call.variable), "there is no such job",
              "GET /v1/jobs lists them");
}

// What stands in the way of an export; "null": nothing.
std::string target_problem(const AskedExport& asked) {
  try {
    expect_outside_collections(asked.target);
    check_target(asked.format, asked.target, promises_of(asked));
    return "null";
  } catch (const Error& error) {
    return problem_json(error);
  }
}

// Which folder a picture gets into, below the target; nothing where the format has none.
std::optional<std::string> folder_of(const AskedExport& asked, const LabelTree& tree, size_t number,
                                     const std::string& label, bool in_validation) {
  if (!traits_of(asked.format).places_pictures) return std::nullopt;
  if (asked.format == ExportFormat::FiftyOne) return "data";
  if (!traits_of(asked.format).splits) {
    std::string folders;
    for (const std::string& level : levels_of(tree, static_cast<uint32_t>(number), label))
      folders += (folders.empty() ? "" : "/") + safe_file_name(level);
    return folders;
  }
  const std::string folder = safe_file_name(label);
  return (in_validation ? "validation/" : "train/") + folder;
}

}  // namespace

HttpResponse post_preview(Service& service, const Call& call) {
  constexpr uint64_t kExamples = 5;  // of each label
  constexpr size_t kMostExamples = 100;
  const AskedExport asked = ask_export(service, call);
  Plan plan = make_plan(service, call.snapshot, asked, call.go_on);
  apply_limits(service, plan, asked);
  const View& view = plan.view();
  const std::vector<Label>& names = plan.labelling.labels;
  const std::vector<bool> validation =
      traits_of(asked.format).splits ? validation_of(plan, asked) : std::vector<bool>(view.rows());
  std::vector<uint64_t> counts(names.size() + 1);
  uint64_t bytes = 0;
  std::vector<std::string> examples;
  view.for_each_record([&](Row row, const PictureRecord& record) {
    if (row % 4096 == 0) call.go_on();
    if (plan.bands.of_row[row] != band_of(asked)) return;
    const Prediction& prediction = plan.predictions[row];
    const size_t label = prediction.winner ? prediction.answer().label : names.size();
    bytes += record.file.size_bytes;
    if (++counts[label] > kExamples || examples.size() >= kMostExamples) return;
    const std::string name = label < names.size() ? names[label].name : "(no answer)";
    const auto folder = folder_of(asked, plan.labelling.tree, label, name, validation[row]);
    const std::string file = safe_file_name(fs::path(record.file.path).filename().string());
    examples.push_back(json_object([&](JsonWriter& json) {
      json.member("row", row)
          .member("source", to_utf8(record.file.path))
          .member("target", folder ? *folder + "/" + file : asked.target.filename().string());
    }));
  });
  std::vector<std::string> labels;
  for (size_t k = 0; k < names.size(); ++k) {
    labels.push_back(json_object([&](JsonWriter& json) {
      json.member("name", names[k].name)
          .member("count", counts[k])
          .member("folder", folder_of(asked, plan.labelling.tree, k, names[k].name, false));
    }));
  }
  uint64_t exported = 0;
  for (const uint64_t count : counts) exported += count;
  const std::string problem = target_problem(asked);
  const std::string promise = promise_json(plan);
  return json_response(json_object([&](JsonWriter& json) {
    json.member("target", to_utf8(asked.target.string()))
        .member("problem", RawJson{problem})
        .member("sure", plan.bands.sure)
        .member("unsure", plan.bands.unsure)
        .member("left_out", plan.bands.above_max)
        .member("promise", RawJson{promise})
        .member("exported", exported)
        .member("bytes", bytes)
        .member("labels", raw(labels))
        .member("examples", raw(examples))
        .member("undo", asked.moves());
  }));
}

HttpResponse post_export(Service& service, const Call& call) {
  const AskedExport asked = ask_export(service, call);
  expect_outside_collections(asked.target);
  check_target(asked.format, asked.target, promises_of(asked));
  // What is wrong with the labels and the truth is told now, and not by the job.
  const Labelling labelling =
      service.labeller().labelling(call.snapshot, asked.labelling, call.go_on);
  find_labels("only", asked.only, labelling.labels);
  if (asked.at_most_wrong) judged_for(service, call.snapshot->view, labelling, asked);
  Job job;
  job.kind = "export";
  job.name = asked.name;
  job.target = asked.target.string();
  job.moves = asked.moves();
  const Job started =
      service.jobs.start(job, [&service, snapshot = call.snapshot, asked](const auto& progress) {
        run_export(service, snapshot, asked, progress);
      });
  return json_response(job_json(started), 202);
}

HttpResponse post_undo(Service& service, const Call& call) {
  const nlohmann::json json = parse_body(call.request.body);
  Members members(json, "");
  const std::string name = asked_name(members);
  members.expect_no_others();
  if (service.options.exports.empty())
    throw Error(ErrorCode::Unavailable, "undo", "the server only reads");
  const fs::path target = service.options.exports / name;
  std::error_code ignored;
  if (!fs::exists(target / kMoveJournalName, ignored))
    throw Error(ErrorCode::NotFound, name, "no export of that name has moved files",
                "only an export with the mode move can be undone; others left the pictures where "
                "they are");
  Job job;
  job.kind = "undo";
  job.name = name;
  job.target = target.string();
  const Job started = service.jobs.start(
      job, [&service, target](const auto& progress) { run_undo(service, target, progress); });
  return json_response(job_json(started), 202);
}

HttpResponse get_jobs(Service& service, const Call&) {
  std::vector<std::string> jobs;
  for (const Job& job : service.jobs.all()) jobs.push_back(job_json(job));
  return json_response(json_object([&](JsonWriter& json) { json.member("jobs", raw(jobs)); }));
}

HttpResponse get_job(Service& service, const Call& call) {
  return json_response(job_json(known_job(service, call)));
}

HttpResponse delete_job(Service& service, const Call& call) {
  known_job(service, call);
  service.jobs.cancel(call.variable);
  return json_response(job_json(known_job(service, call)));
}

}  // namespace zeroshelf::serve
