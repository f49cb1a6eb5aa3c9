// Tested through the program by tests/programs/ranks_test.cc.

#include "query/together.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <thread>

#include "lib/cluster/launch.h"
#include "lib/cluster/launcher_watch.h"
#include "lib/cluster/mpi_ranks.h"
#include "lib/labelling/labelling_bytes.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kTogether[] = {"classify", "export", "search", "serve"};

// Where a silent process can still be heard.
int spare_stderr = -1;

// False: nobody takes it.
bool write_all(int descriptor, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = ::write(descriptor, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

void tell(std::string_view text) {
  write_all(spare_stderr >= 0 ? spare_stderr : STDERR_FILENO, text);
}

void silence() {
  spare_stderr = ::fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, 3);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  if (nowhere < 0) return;
  ::dup2(nowhere, STDOUT_FILENO);
  ::dup2(nowhere, STDERR_FILENO);
  ::close(nowhere);
}

// Until its end, or until nobody reads any more.
void pass_on(int from, int to) {
  char buffer[1 << 16];
  for (;;) {
    const ssize_t count = ::read(from, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count <= 0) break;
    if (!write_all(to, {buffer, static_cast<size_t>(count)})) break;
  }
  ::close(from);
}

// Which process had which parts: the launcher names one that has died by its number alone.
std::string death_notice;

void keep_death_notice(const Ranks& ranks) {
  constexpr size_t kMostNamed = 64;
  if (!ranks.is_first()) return;
  death_notice = "zeroshelf-query: ended by the launcher before all processes had answered:\n";
  for (size_t rank = 0; rank < std::min(ranks.size(), kMostNamed); ++rank)
    death_notice += "  " + printable(ranks.name_of(rank)) + "\n";
  std::signal(SIGTERM, [](int) {
    tell(death_notice);
    std::signal(SIGTERM, SIG_DFL);
    std::raise(SIGTERM);  // the launcher is to see what ended it
  });
}

}  // namespace

Voice::Voice() {
  const auto launched = launch();
  if (launched || is_launched()) {
    end_with_launcher(
        [rank = launched ? launched->rank : 0] {
          tell(
              fmt::format("zeroshelf-query: process {}: the launcher is gone, so it ends\n", rank));
        },
        kFailed);
  }
  if (launched && !launched->is_first()) {
    silence();
    return;
  }
  if (!is_launched() || ::isatty(STDOUT_FILENO) != 1) return;
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return;
  output_ = ::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
  ::dup2(ends[1], STDOUT_FILENO);
  ::close(ends[1]);
  const auto thread =
      std::make_shared<std::thread>([from = ends[0], to = output_] { pass_on(from, to); });
  join_ = [thread] { thread->join(); };
}

Voice::~Voice() {
  if (!join_) return;
  std::fflush(stdout);
  ::dup2(output_, STDOUT_FILENO);  // the pipe's last writing end goes
  join_();
  ::close(output_);
}

bool is_idle(int argc, char** argv) {
  const auto launched = launch();
  if (!launched || launched->is_first()) return false;
  return argc < 2 || std::ranges::find(kTogether, std::string_view(argv[1])) == std::end(kTogether);
}

void add_deadline_flag(CLI::App* command, std::optional<double>& deadline_s) {
  command
      ->add_option(
          "--deadline", deadline_s,
          "Give up on a collection that takes longer to open, and on a process (mpirun, srun) "
          "that keeps the others waiting for longer; default: wait")
      ->type_name("SECONDS")
      ->check(CLI::Range(0.001, 1e6));
}

std::optional<std::chrono::nanoseconds> nanoseconds(std::optional<double> seconds) {
  if (!seconds) return std::nullopt;
  return std::chrono::nanoseconds(static_cast<int64_t>(*seconds * 1e9));
}

bool is_silent() {
  return spare_stderr >= 0;
}

int together(std::optional<double> deadline_s, const std::function<int(Ranks*)>& work) {
  const auto launched = launch();
  if (!launched) return work(nullptr);
  if (!launched->has_mpi) {
    throw Error(ErrorCode::Unavailable, "srun",
                fmt::format("started {} processes that cannot find each other", launched->size),
                "use srun --mpi=pmix or mpirun; where each is to answer for itself, unset "
                "SLURM_STEP_NUM_TASKS");
  }
  // A part that is late is told by who opens it.
  const auto waiting =
      nanoseconds(deadline_s ? std::optional(1.5 * *deadline_s + 1) : std::nullopt);
  std::optional<MpiRanks> joined;
  try {
    joined.emplace(*launched, waiting);
  } catch (const Error& error) {
    if (launched->is_first()) throw;
    tell(fmt::format("zeroshelf-query: process {}: {}\n", launched->rank, error.what()));
    ::_exit(kFailed);
  }
  MpiRanks& ranks = *joined;
  try {
    const int code = work(&ranks);
    end_death_notice();
    return ranks.is_first() ? code : int{kDone};
  } catch (const EndedElsewhere&) {
    return kFailed;
  } catch (const ClosedPipe&) {
    ranks.abort(kDone);
  } catch (const std::exception& error) {
    if (ranks.ended()) throw;
    tell(fmt::format("zeroshelf-query: {}: {}\n", printable(ranks.name_of(ranks.rank())),
                     printable(error.what())));
    ranks.abort(kFailed);
  }
}

void in_all(Ranks* ranks, const std::function<void()>& work) {
  ranks == nullptr ? work() : ranks->agree_after(work);
}

OpenedView open_view(std::span<const std::filesystem::path> collections, Ranks* ranks,
                     std::optional<double> deadline_s, LostParts lost) {
  OpenedView opened = open_view(collections, OpenOptions{lost, nanoseconds(deadline_s), ranks});
  if (ranks != nullptr) keep_death_notice(*ranks);
  warn_each("zeroshelf-query", opened.unfinished);
  return opened;
}

void end_death_notice() {
  if (!death_notice.empty()) std::signal(SIGTERM, SIG_DFL);
}

View open_to_ask(std::span<const std::filesystem::path> collections) {
  OpenedView opened = zeroshelf::open_view(collections);
  warn_each("zeroshelf-query", opened.unfinished);
  return std::move(opened.view);
}

Labelling labelling_for(const View& collection, const LabellingRequest& request,
                        EncoderSource& encoders, Ranks* ranks) {
  if (ranks == nullptr) return make_labelling(collection, request, encoders);
  return labelling_of_bytes(ranks->made_by_first(
      [&] { return bytes_of_labelling(make_labelling(collection, request, encoders)); }));
}

PictureCounts of_all(PictureCounts counts, Ranks* ranks) {
  if (ranks == nullptr) return counts;
  ranks->add_up(counts.of_label);
  ranks->add_up(std::span(&counts.unanswered, 1));
  return counts;
}

}  // namespace zeroshelf
