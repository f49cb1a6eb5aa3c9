// zeroshelf-fuzz: throws mutated inputs at every reader of foreign bytes. ./dev fuzz runs it under
// the sanitizers. Exit codes: 0 nothing found, 1 something found, 2 could not do it.

#include <fmt/format.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <random>

#include "lib/files/new_file.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "tests/fuzz/targets.h"
#include "tests/fuzz/worker.h"

namespace {

using namespace zeroshelf;
using namespace zeroshelf::testing;
namespace fs = std::filesystem;

constexpr int kFound = 1;
constexpr int kMaxFindings = 5;  // of a target: then it has said enough

struct Options {
  WorkOptions work;
  std::vector<std::string> targets;
  fs::path save = "fuzz-findings";
  fs::path input;
};

// The reason a worker ended, for people; empty when it was none.
std::string reason_of(int status) {
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return "";
  if (WIFEXITED(status)) return fmt::format("the worker ended with {}", WEXITSTATUS(status));
  const int signal = WTERMSIG(status);
  if (signal == SIGPROF || signal == SIGALRM) return "it takes too long";
  return fmt::format("the worker died of {}", ::strsignal(signal));
}

// Runs this program anew as a worker, in place of the child.
[[noreturn]] void become_worker(const WorkOptions& work) {
  std::vector<std::string> arguments = {"zeroshelf-fuzz",
                                        "work",
                                        work.target,
                                        "--seed",
                                        std::to_string(work.seed),
                                        "--seconds",
                                        fmt::format("{}", work.seconds),
                                        "--limit-ms",
                                        std::to_string(work.limit_ms),
                                        "--memory-mib",
                                        std::to_string(work.memory_mib),
                                        "--slot",
                                        work.slot.string()};
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  ::execv("/proc/self/exe", argv.data());
  ::_exit(127);
}

std::string run_worker(const WorkOptions& work) {
  const pid_t child = ::fork();
  if (child < 0) throw system_error("worker", "start", errno);
  if (child == 0) become_worker(work);
  int status = 0;
  ::waitpid(child, &status, 0);
  return reason_of(status);
}

fs::path save_finding(const Slot::Content& told, const Options& options, int number) {
  const fs::path path =
      options.save / fmt::format("{}-{}-{}", options.work.target, options.work.seed, number);
  write_file_atomically(path, {told.bytes, told.size});
  return path;
}

// Returns the number of findings.
int fuzz_target(Options options) {
  using Clock = std::chrono::steady_clock;
  options.work.slot = options.save / ("input-" + options.work.target);
  Slot slot(options.work.slot);
  slot.content().inputs = 0;
  const double seconds = options.work.seconds;
  const auto start = Clock::now();
  const auto passed = [&] { return std::chrono::duration<double>(Clock::now() - start).count(); };
  const uint64_t seed = options.work.seed;
  int findings = 0;
  do {
    options.work.seconds = seconds - passed();
    const std::string reason = run_worker(options.work);
    if (reason.empty()) break;
    const fs::path path = save_finding(slot.content(), options, ++findings);
    fmt::print("{0}: {1}: {2}; replay it: zeroshelf-fuzz replay {0} {2}\n", options.work.target,
               reason, path.string());
    ++options.work.seed;
  } while (findings < kMaxFindings && passed() < seconds);
  fmt::print("{}: {} inputs in {:.1f} s, {} outcomes, {} findings (seed {})\n", options.work.target,
             slot.content().inputs, passed(), slot.content().outcomes, findings, seed);
  std::fflush(stdout);
  fs::remove(options.work.slot);
  return findings;
}

int fuzz(Options options) {
  fs::create_directories(options.save);
  for (const std::string& target : options.targets) make_target(target);  // known names only
  int findings = 0;
  for (const std::string& target : options.targets) {
    options.work.target = target;
    findings += fuzz_target(options);
  }
  std::error_code ignored;
  fs::remove(options.save, ignored);  // where nothing was found
  return findings == 0 ? kDone : kFound;
}

// A word of the format as libFuzzer's dictionaries have it.
std::string dictionary_line(const std::string& word) {
  std::string line = "\"";
  for (const char c : word) line += fmt::format("\\x{:02x}", static_cast<unsigned char>(c));
  return line + "\"\n";
}

// What another fuzzer starts from: FOLDER/1, 2, ... and FOLDER.dictionary.
void write_seeds(const std::string& name, const fs::path& folder) {
  const Target target = make_target(name);
  fs::create_directories(folder);
  int number = 0;
  for (const std::string& seed : target.seeds)
    write_file_atomically(folder / std::to_string(++number), seed);
  std::string dictionary;
  for (const std::string& word : target.dictionary)
    if (!word.empty()) dictionary += dictionary_line(word);
  write_file_atomically(folder.string() + ".dictionary", dictionary);
}

void add_limits(CLI::App* command, WorkOptions& work) {
  command->add_option("--limit-ms", work.limit_ms, "Processor time for one input")
      ->capture_default_str();
  command->add_option("--memory-mib", work.memory_mib, "Memory of the process")
      ->capture_default_str();
}

void add_work(CLI::App* command, WorkOptions& work) {
  add_limits(command, work);
  command->add_option("--seed", work.seed, "Which inputs (default: by chance, printed)");
  command->add_option("--seconds", work.seconds, "Time for each target")
      ->capture_default_str()
      ->check(CLI::Range(0.0, 1e6));
}

}  // namespace

int main(int argc, char** argv) {
  Program program("zeroshelf-fuzz", "Throws mutated inputs at every reader of foreign bytes.");
  Options options;
  options.work.seed = std::random_device()();
  CLI::App* run = program.add_command("run", "Fuzzes; findings are saved with what replays them.",
                                      [&] { return fuzz(options); });
  options.targets = target_names();
  run->add_option("TARGET", options.targets, "What to fuzz (default: everything)");
  run->add_option("--save", options.save, "Folder for the inputs that found something")
      ->capture_default_str();
  add_work(run, options.work);
  CLI::App* once = program.add_command("replay", "Reads one saved input again.", [&] {
    fmt::print("{}\n", replay(options.work, options.input));
    return kDone;
  });
  once->add_option("TARGET", options.work.target, "Which reader")->required();
  once->add_option("FILE", options.input, "The input")->required();
  add_limits(once, options.work);
  CLI::App* worker = program.add_command("work", "What run starts for each target.", [&] {
    work(options.work);
    return kDone;
  });
  worker->add_option("TARGET", options.work.target, "Which reader")->required();
  worker->add_option("--slot", options.work.slot, "File that tells the input")->required();
  add_work(worker, options.work);
  CLI::App* seeds =
      program.add_command("seeds", "Writes a target's sound inputs and its words.", [&] {
        write_seeds(options.work.target, options.input);
        return kDone;
      });
  seeds->add_option("TARGET", options.work.target, "Which reader")->required();
  seeds->add_option("FOLDER", options.input, "Where to")->required();
  program.add_command("list", "The names of the targets.", [] {
    for (const std::string& name : target_names()) fmt::print("{}\n", name);
    return kDone;
  });
  return program.run(argc, argv);
}
