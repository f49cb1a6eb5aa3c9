// watch: what comes into folders -> the collection, as it comes. Tested by
// tests/programs/watch_test.cc; the waiting by tests/ingest/watcher_test.cc.

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "indexer/adding.h"
#include "indexer/commands.h"
#include "indexer/foreign_note.h"
#include "indexer/progress.h"
#include "indexer/run_keeper.h"
#include "lib/files/descriptor.h"
#include "lib/ingest/watcher.h"
#include "lib/program/message.h"
#include "lib/report/watch_message.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr const char* kProgram = "zeroshelf-index";
constexpr uint64_t kMostSeconds = 30 * 24 * 3600;

struct WatchOptions {
  AddOptions add;
  uint64_t every_s = 3600;
};

std::atomic<bool> stop_requested{false};
std::atomic<bool> is_looking{false};
std::atomic<int> wake_writer{-1};
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<int>::is_always_lock_free,
              "a signal handler uses them");

// A pipe that can be read when a signal asked to end. The second signal ends at once.
Descriptor handle_interrupts() {
  std::array<int, 2> ends{};
  if (::pipe(ends.data()) != 0) throw system_error("watch", "make a pipe", errno);
  wake_writer = ends[1];
  struct sigaction action {};
  action.sa_handler = [](int) {
    constexpr std::string_view kStopping =
        "\nfinishing this batch; press Ctrl-C again to stop now\n";
    stop_requested = true;
    const int saved = errno;
    [[maybe_unused]] ssize_t written = ::write(wake_writer, "x", 1);
    if (is_looking) written = ::write(STDERR_FILENO, kStopping.data(), kStopping.size());
    errno = saved;
  };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
  return Descriptor(ends[0]);
}

// Skipped files as JSON lines, and nothing else.
class JsonSkips : public SyncObserver {
 public:
  explicit JsonSkips(OutputStream& out) : out_(out) {}
  void skipped(const SkippedFile& file) override { out_.write(skip_json(file)); }

 private:
  OutputStream& out_;
};

bool has_changed(const SyncReport& report) {
  return report.added + report.copied + report.restored + report.moved + report.removed > 0;
}

// What ends by itself, so that trying again helps.
bool is_passing(const Error& error) {
  return error.code() == ErrorCode::Unavailable || error.code() == ErrorCode::Io ||
         error.code() == ErrorCode::NotFound;
}

// Keeps the collection up to date; the model stays loaded.
class Keeper {
 public:
  explicit Keeper(const WatchOptions& options)
      : options_(options.add), out_(stdout, "standard output") {
    const std::optional<Collection> existing = existing_collection(options_.collection);
    roots_ = roots_of(options_, existing ? &*existing : nullptr);
    WatcherOptions watching;
    watching.quiet.every = std::chrono::seconds(options.every_s);
    std::vector<std::string> roots;
    for (const fs::path& root : roots_) roots.push_back(absolute_path(root).string());
    watcher_.emplace(std::move(roots), watching);
  }

  void run() {
    const Descriptor wake = handle_interrupts();
    watcher_->run([this] { return look(); }, wake.get(), stop_requested);
    if (!options_.quiet && !options_.json) say("\nno longer watching\n");
  }

 private:
  Watcher::Look look() {
    is_looking = true;
    const Watcher::Look result = try_look();
    is_looking = false;
    return result;
  }

  Watcher::Look try_look() {
    try {
      look_once();
      told_error_.clear();
      return Watcher::Look::Done;
    } catch (const Error& error) {
      if (!has_begun_ || !is_passing(error)) throw;
      if (told_error_ != error.what()) say("{}: {}; it is tried again\n", kProgram, error.what());
      told_error_ = error.what();
      return Watcher::Look::Failed;
    }
  }

  void look_once() {
    std::optional<Collection> existing = existing_collection(options_.collection);
    if (has_begun_ && !existing)
      throw Error(ErrorCode::Corruption, options_.collection.string(),
                  "the collection is gone while it was being watched");
    const std::vector<fs::path> roots = has_begun_ ? roots_there(*existing) : roots_;
    bool changed = false;
    if (!roots.empty()) changed = take_up(std::move(existing), roots);
    tell_trouble();
    if (!has_begun_) begin();
    if (changed || !has_begun_) bring_runs_up_to_date(options_.collection, options_.model, out_);
    has_begun_ = true;
  }

  // One that is gone, and of which there are no pictures, has nothing to tell.
  std::vector<fs::path> roots_there(const Collection& collection) const {
    std::vector<fs::path> there;
    for (const fs::path& root : roots_)
      if (!is_gone(root) || has_pictures_of(collection, root)) there.push_back(root);
    return there;
  }

  // Whether anything changed. The collection is locked until it returns.
  bool take_up(std::optional<Collection> existing, const std::vector<fs::path>& roots) {
    const auto start = Clock::now();
    TextProgress text_progress(options_.collection);
    JsonSkips json_progress(out_);
    SyncObserver quiet_progress;
    SyncObserver& progress = options_.json    ? static_cast<SyncObserver&>(json_progress)
                             : options_.quiet ? quiet_progress
                                              : text_progress;
    Target target(options_, std::move(existing), kDefaultLanguages, encoder_);
    if (!has_begun_) target.begin();
    options_.ocr_languages.reset();  // they are remembered
    SyncOptions sync_with = sync_options(options_, target, std::nullopt);
    watcher_->prepare(sync_with);
    const SyncReport report = sync(
        target.collection(), roots, sync_with, [&]() -> Encoder& { return target.encoder(); },
        progress, stop_requested);
    text_progress.finish();
    if (!has_begun_ && !report.interrupted) target.finish();
    pictures_ = target.collection().counts().pictures;
    if (has_changed(report) || !has_begun_)
      tell(report, target, std::chrono::duration<double>(Clock::now() - start).count());
    tell_doubts(report);
    return has_changed(report);
  }

  void tell(const SyncReport& report, Target& target, double seconds) {
    const CollectionCounts counts = target.collection().counts();
    if (options_.json) {
      out_.write(report_json(report, counts, seconds, target.precision(), target.kernel()));
      out_.flush();
    } else if (!options_.quiet) {
      print_report(report, counts, seconds);
    }
  }

  // Each state once, however often it is looked at.
  void tell_doubts(const SyncReport& report) {
    std::vector<std::string> doubts;
    for (const DoubtfulPlace& place : report.doubtful)
      doubts.push_back(doubt(place, "zeroshelf-index add --confirm-missing"));
    for (const std::string& text : doubts)
      if (std::ranges::find(told_doubts_, text) == told_doubts_.end())
        say("{}: {}\n", kProgram, text);
    told_doubts_ = std::move(doubts);
  }

  void tell_trouble() {
    const std::optional<Error>& trouble = watcher_->folders().trouble();
    const std::string text = trouble ? trouble->what() : "";
    if (!text.empty() && text != told_trouble_) say("{}: {}\n", kProgram, text);
    told_trouble_ = text;
  }

  void begin() {
    note_foreign(options_.collection);
    if (options_.json) {
      out_.write(json_line(message::Watching{watcher_->folders().folders(), pictures_}));
      out_.flush();
    } else if (!options_.quiet) {
      say("watching {} folders; Ctrl-C ends it\n", with_thousands(watcher_->folders().folders()));
    }
  }

  AddOptions options_;
  OutputStream out_;
  std::vector<fs::path> roots_;
  std::optional<Watcher> watcher_;
  std::unique_ptr<Encoder> encoder_;
  bool has_begun_ = false;
  uint64_t pictures_ = 0;
  std::string told_error_;
  std::string told_trouble_;
  std::vector<std::string> told_doubts_;
};

int run_watch(const WatchOptions& options) {
  Keeper(options).run();
  return kDone;
}

}  // namespace

void add_watch(Program& program) {
  const auto shared = std::make_shared<WatchOptions>();
  AddOptions& options = shared->add;
  CLI::App* command = program.add_command(
      "watch", "Index folders as add does, and then every new or changed picture, until Ctrl-C",
      [shared] { return run_watch(*shared); });
  add_place_arguments(command, options);
  add_reading_flags(command, options);
  add_file_flags(command, options);
  command
      ->add_option(
          "--every", shared->every_s,
          "Look through all folders at least this often, for changes that the system does not "
          "report: those by other machines on a share")
      ->check(CLI::Range(uint64_t{1}, kMostSeconds))
      ->type_name("SECONDS")
      ->capture_default_str();
  CLI::Option* json =
      command->add_flag("--json", options.json, "Skips and summaries as JSON lines on stdout");
  command->add_flag("--quiet", options.quiet, "Print only warnings and errors")->excludes(json);
}

}  // namespace zeroshelf
