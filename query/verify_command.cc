// verify: whether the answers that a lock file tells of come out here. Tested by
// tests/programs/lock_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/labelling/label_lock.h"
#include "lib/labelling/labelling.h"
#include "lib/program/message.h"
#include "lib/program/version.h"
#include "lib/report/formats.h"
#include "lib/report/json.h"
#include "lib/report/lock_message.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

constexpr int kDiffer = kNothingFound;

struct VerifyOptions {
  std::vector<std::filesystem::path> collections;
  std::filesystem::path lock;
  LabelOptions labels;
  bool multi = false;
  OutputFormat format = OutputFormat::Table;
  ModelOptions model;

  bool asks() const {
    return !labels.list.empty() || !labels.file.empty() || !labels.by_prompts();
  }
};

// How labels are asked means nothing without labels: the lock says it then.
void expect_no_way_without_labels(const VerifyOptions& options) {
  const LabelOptions& given = options.labels;
  const LabelOptions usual;
  const bool is_told = options.multi || given.none || !given.none_prompts.empty() ||
                       given.threshold || !given.calibration.empty() || !given.vectors.empty() ||
                       given.fusion != usual.fusion || given.templates != usual.templates;
  if (!options.asks() && is_told)
    throw Error(ErrorCode::InvalidArgument, "verify",
                "says how labels are asked, but not which; the lock file says both",
                "name labels too, or leave that out");
}

LockVerdict compared(const View& collection, const LabelLock& locked, const VerifyOptions& options) {
  if (collection.manifest().model_fingerprint != locked.model_fingerprint)
    return other_model(locked, collection);
  LabellingRequest request = locked.request;
  if (options.asks()) {
    request = labelling_request(options.labels);
    request.several = options.multi;
  }
  ModelSource encoders(collection, options.model);
  const Labelling labelling =
      options.asks() ? make_labelling(collection, request, encoders)
                     : make_locked_labelling(collection, locked, encoders, options.lock.string());
  warn_of_labels(labelling, encoders);
  return compare_locks(locked, make_lock(collection, request, labelling, encoders, version(),
                                         locked.digest.buckets.size(), options.model.threads));
}

void write(const LockVerdict& verdict, OutputFormat format) {
  OutputStream out(stdout, "standard output");
  for (const LockFinding& it : verdict.findings) {
    const std::string said = it.same ? "the same" : it.detail.empty() ? "others" : it.detail;
    out.write(format == OutputFormat::Jsonl
                  ? json_line(message::LockFinding{it.what, it.same, it.detail})
                  : fmt::format("{} {}\n", table_cell(it.what, 14), said));
  }
  const AnswerChanges& changes = verdict.changes;
  if (format == OutputFormat::Jsonl)
    out.write(json_line(message::LockVerdict{verdict.same_answers, changes.added, changes.removed,
                                             changes.changed, changes.answered}));
  out.flush();
}

int run_verify(const VerifyOptions& options) {
  expect_no_way_without_labels(options);
  const LabelLock locked = read_lock(options.lock);
  const View collection = open_to_ask(options.collections);
  const LockVerdict verdict = compared(collection, locked, options);
  write(verdict, options.format);
  if (verdict.same_answers)
    say("the same answers come out: {} pictures\n", with_thousands(locked.digest.pictures));
  else
    say("other answers come out than when {} was made\n", printable(options.lock.string()));
  return verdict.same_answers ? kDone : kDiffer;
}

}  // namespace

void add_verify(Program& program) {
  const auto shared = std::make_shared<VerifyOptions>();
  VerifyOptions& options = *shared;
  CLI::App* command = program.add_command(
      "verify", "Check that the answers of a lock file come out here: exit code 0 if so, 1 if not",
      [shared] { return run_verify(*shared); });
  add_collections(command, options.collections);
  command->add_option("--lock", options.lock, "What classify --lock made")
      ->type_name("FILE")
      ->required();
  add_label_flags(command, options.labels)
      ->require_option(0, 1)
      ->description("In place of what the lock file asks, at most one of");
  add_fusion_flag(command, options.labels);
  add_none_flags(command, options.labels);
  command->add_flag("--multi", options.multi, "As classify --multi");
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
