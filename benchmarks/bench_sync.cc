// What an add costs that finds nothing to do: the real program over many files in one folder,
// beside walking the same folder and asking for each file's status, which is the least that any
// sync does.
//
//   ./dev bench sync [FILES]        default 100,000

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <stdexcept>

#include "benchmarks/measure.h"
#include "lib/files/find_files.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr int kRepeats = 5;
constexpr int kContents = 50;  // few, so that making the collection takes no time: copies are known

void run(int files) {
  const testing::TemporaryDirectory directory;
  const auto folder = directory / "pictures";
  for (int i = 0; i < files; ++i)
    testing::write_file(folder / fmt::format("{:07}.ppm", i), small_pixmap(i % kContents));
  const auto add = [&] {
    const auto result =
        testing::run_program({ZEROSHELF_INDEX_PROGRAM, "add", (directory / "shelf").string(),
                              folder.string(), "--no-ocr"});
    if (result.exit_code != 0) throw std::runtime_error(result.err);
  };
  const auto walk = [&] {
    int found = 0;
    find_files({folder}, {}, [&](const auto&) { ++found; });
    if (found != files) throw std::runtime_error("files are missing");
  };
  fmt::print("{} files in one folder\n", files);
  fmt::print("first add            {:7.3f} s\n", seconds_of(add));
  const double again = median_seconds(kRepeats, add);
  const double least = median_seconds(kRepeats, walk);
  fmt::print("add, nothing to do   {:7.3f} s  (median of {}; the whole program)\n", again,
             kRepeats);
  fmt::print("walk and stat alone  {:7.3f} s  (ratio {:.1f})\n", least, again / least);
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  zeroshelf::run(argc > 1 ? std::max(1, std::atoi(argv[1])) : 100'000);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_sync: {}\n", error.what());
  return 2;
}
