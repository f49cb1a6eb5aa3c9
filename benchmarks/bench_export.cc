// Export of many pictures through the real programs: every format's time, then a move that is
// killed on its way, and its undo: every file is compared byte by byte with what it was.
//
//   ./dev bench export [FILES]        default 100,000

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iterator>
#include <stdexcept>

#include "benchmarks/measure.h"
#include "lib/util/file.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr int kContents = 50;  // few, so that making the collection takes no time: copies are known

class Export {
 public:
  explicit Export(int files) : files_(files) {
    for (int i = 0; i < files_; ++i) testing::write_file(path(i), small_pixmap(i % kContents));
  }

  void run() {
    fmt::print("{} files\n", files_);
    const double add = seconds_of([&] {
      call(
          {ZEROSHELF_INDEX_PROGRAM, "add", shelf_, (directory_ / "pictures").string(), "--no-ocr"});
    });
    report("add", add);
    measure_links_alone();
    for (const char* format : {"jsonl", "csv", "labelstudio", "coco"})
      measure(format, {"--format", format});
    for (const char* mode : {"symlink", "hardlink", "copy", "move"})
      measure(mode, {"--mode", mode});
    measure_undo("move", "undo");
    move_killed();
  }

 private:
  fs::path path(int i) const {
    return directory_ / fmt::format("pictures/{:03}/{:07}.ppm", i / 1000, i);
  }

  static testing::ProgramResult call(const std::vector<std::string>& arguments) {
    testing::ProgramResult result = testing::run_program(arguments);
    if (result.exit_code != 0) throw std::runtime_error(result.err);
    return result;
  }

  std::vector<std::string> arguments(const std::string& target,
                                     std::vector<std::string> more) const {
    std::vector<std::string> all = {ZEROSHELF_QUERY_PROGRAM,
                                    "export",
                                    shelf_,
                                    "--labels",
                                    "red, green, blue, noise",
                                    "--to",
                                    (directory_ / target).string()};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // The time of the whole program, from its start to its end.
  void report(const std::string& name, double seconds) const {
    fmt::print("{:22} {:7.2f} s {:>10.0f} files/s\n", name, seconds, files_ / seconds);
  }

  // What placing every file in one folder must cost at least.
  void measure_links_alone() const {
    const fs::path folder = directory_ / "links";
    fs::create_directory(folder);
    report("hard links alone", seconds_of([&] {
             for (int i = 0; i < files_; ++i)
               fs::create_hard_link(path(i), folder / path(i).filename());
           }));
    fs::remove_all(folder);
  }

  void check_lines(const std::string& target, int heading) const {
    const std::string lines = read_file(directory_ / target, uint64_t{1} << 32);
    if (std::ranges::count(lines, '\n') != files_ + heading)
      throw std::runtime_error(target + " has not one line a file");
  }

  void measure(const std::string& target, std::vector<std::string> more) {
    const double seconds = seconds_of([&] { call(arguments(target, std::move(more))); });
    report("export " + target, seconds);
    if (target == "jsonl" || target == "csv") check_lines(target, target == "csv" ? 1 : 0);
    if (target != "move") fs::remove_all(directory_ / target);
  }

  void measure_undo(const std::string& target, const std::string& name) {
    const double seconds = seconds_of([&] {
      call({ZEROSHELF_QUERY_PROGRAM, "undo", (directory_ / target).string()});
    });
    report(name, seconds);
    check_everything_is_back(target);
  }

  void check_everything_is_back(const std::string& target) const {
    for (int i = 0; i < files_; ++i) {
      if (read_file(path(i), 1 << 20) != small_pixmap(i % kContents))
        throw std::runtime_error(path(i).string() + " is not as it was");
    }
    if (fs::exists(directory_ / target)) throw std::runtime_error("the export is still there");
  }

  // Kills the export when about half of the files have gone.
  void move_killed() {
    const std::vector<std::string> all = arguments("killed", {"--mode", "move"});
    const pid_t child = ::fork();
    if (child == 0) {
      std::vector<char*> pointers;
      for (const std::string& argument : all)
        pointers.push_back(const_cast<char*>(argument.c_str()));
      pointers.push_back(nullptr);
      if (std::freopen("/dev/null", "w", stderr) == nullptr) ::_exit(127);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(5);
    while (fs::exists(path(files_ / 2)) && std::chrono::steady_clock::now() < deadline)
      ::usleep(1000);
    ::kill(child, SIGKILL);
    int status = 0;
    ::waitpid(child, &status, 0);
    int gone = 0;
    for (int i = 0; i < files_; ++i) gone += fs::exists(path(i)) ? 0 : 1;
    if (!WIFSIGNALED(status)) throw std::runtime_error("the export ended before it was killed");
    fmt::print("{:22} {} of {} files had moved\n", "killed", gone, files_);
    measure_undo("killed", "undo of it");
    fmt::print("every file is where it was, byte for byte\n");
  }

  testing::TemporaryDirectory directory_;
  std::string shelf_ = (directory_ / "shelf").string();
  int files_;
};

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  zeroshelf::Export(argc > 1 ? std::max(2, std::atoi(argv[1])) : 100'000).run();
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_export: {}\n", error.what());
  return 2;
}
