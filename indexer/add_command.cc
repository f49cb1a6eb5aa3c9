// add: files -> the collection. Tested by tests/programs.

#include "indexer/commands.h"

#include <fmt/format.h>
#include <unistd.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "indexer/adding.h"
#include "indexer/foreign_note.h"
#include "indexer/progress.h"
#include "lib/collection/shard.h"
#include "lib/ingest/sync.h"
#include "lib/program/message.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kProgram = "zeroshelf-index";

std::atomic<int> stopped_by{0};  // the signal
std::atomic<bool> stop_requested{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler sets it");

// The first Ctrl-C ends the run when what is encoded so far is committed, the second at once.
void handle_interrupts() {
  struct sigaction action {};
  action.sa_handler = [](int number) {
    constexpr std::string_view kStopping =
        "\nfinishing this batch; press Ctrl-C again to stop now\n";
    stopped_by = number;
    stop_requested = true;
    const int saved = errno;
    [[maybe_unused]] const ssize_t written =
        ::write(STDERR_FILENO, kStopping.data(), kStopping.size());
    errno = saved;
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

int exit_code_of(const SyncReport& report) {
  constexpr int kBySignal = 128;
  if (report.interrupted) return kBySignal + stopped_by;
  if (!report.doubtful.empty()) return kFailed;
  return report.skipped > 0 ? kSomeSkipped : kDone;
}

std::optional<Shard> asked_shard(const AddOptions& options) {
  if (options.shard.empty()) return std::nullopt;
  return parse_shard(options.shard, [](const char* name) { return std::getenv(name); });
}

int run_add(const AddOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  const std::optional<Shard> shard = asked_shard(options);
  std::optional<Collection> existing = existing_collection(options.collection);
  if (existing && shard) claim_shard(*existing, *shard);
  const std::vector<fs::path> roots = roots_of(options, existing ? &*existing : nullptr);
  handle_interrupts();

  OutputStream out(stdout, "standard output");
  TextProgress text_progress(options.collection);
  JsonProgress json_progress(out);
  SyncObserver quiet_progress;
  SyncObserver& progress = options.json    ? static_cast<SyncObserver&>(json_progress)
                           : options.quiet ? quiet_progress
                                           : text_progress;
  if (!options.json && !options.quiet) text_progress.begin();
  const std::optional<OtherTexts> texts = other_texts(options);
  std::unique_ptr<Encoder> encoder;
  Target target(options, std::move(existing), texts ? texts->languages() : kDefaultLanguages,
                encoder, shard);
  if (shard) claim_shard(target.collection(), *shard);
  target.begin();
  const SyncReport report = sync(
      target.collection(), roots, sync_options(options, target, texts),
      [&]() -> Encoder& { return target.encoder(); }, progress, stop_requested);
  text_progress.finish();
  if (!report.interrupted) target.finish();

  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  const CollectionCounts counts = target.collection().counts();
  if (options.json) {
    out.write(report_json(report, counts, spent.count(), target.precision(), target.kernel()));
    out.flush();
  } else if (!options.quiet) {
    print_report(report, counts, spent.count());
    if (report.added > 0) {
      say("encoded in {} ({})\n", target.precision(), target.kernel());
      if (const auto share = reading_share(report.stage_seconds)) {
        say("reading took {:.0f} % of the time; {} of {} pictures have text\n", 100 * *share,
            with_thousands(report.with_text), with_thousands(report.added));
      }
    }
    if (options.profile) say_text(profile_text(report.stage_seconds));
  }
  note_foreign(options.collection);
  for (const DoubtfulPlace& place : report.doubtful)
    say("{}: {}\n", kProgram, doubt(place, "--confirm-missing"));
  return exit_code_of(report);
}

}  // namespace

void add_add(Program& program) {
  const auto shared = std::make_shared<AddOptions>();
  AddOptions& options = *shared;
  CLI::App* command =
      program.add_command("add", "Index folders: add new, update changed, drop deleted pictures",
                          [shared] { return run_add(*shared); });
  add_place_arguments(command, options);
  command
      ->add_option(
          "--files0-from", options.list,
          "Read more paths from a file, separated by NUL as find -print0 does; -: standard input")
      ->type_name("FILE");
  command
      ->add_option("--shard", options.shard,
                   "Only the files whose path belongs to part I of N, from 0; N alone: I is the "
                   "number in the array job of Slurm, Kubernetes or MPI. The collection remembers "
                   "it")
      ->type_name("[I/]N");
  CLI::Option* no_ocr = add_reading_flags(command, options);
  command
      ->add_option("--text-from", options.text_from,
                   "Take the words of pictures that this collection has too, in place of reading "
                   "them again: for another model")
      ->type_name("COLLECTION")
      ->excludes(no_ocr);
  command
      ->add_flag("--mask-text", options.mask_text,
                 "New collection: also keep each picture's vector with its text blanked out")
      ->excludes(no_ocr);
  CLI::Option* keep = command->add_flag("--keep-missing", options.keep_missing,
                                        "Keep pictures whose file was deleted");
  command
      ->add_flag("--confirm-missing", options.confirm_missing,
                 "Drop deleted pictures even if most or all of a folder is gone")
      ->excludes(keep);
  command->add_flag("--reread", options.reread,
                    "Read every file, even if size and time are unchanged");
  command->add_flag("--retry-skipped", options.retry_skipped,
                    "Try files again that were skipped before");
  add_file_flags(command, options);
  command->add_flag("--profile", options.profile, "Print the time spent in each stage");
  CLI::Option* json =
      command->add_flag("--json", options.json, "Events and summary as JSON lines on stdout");
  command->add_flag("--quiet", options.quiet, "Print only warnings and errors")->excludes(json);
}

}  // namespace zeroshelf
