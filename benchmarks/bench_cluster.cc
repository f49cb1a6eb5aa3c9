// What a union of collections costs: the same pictures in 1, 2, 4 and 8 parts, labelled and
// searched in turns, and opened. Answers are compared, too: they must be the same.
//
// Copies of one and the same collection differ by a tenth in how fast they are read, by which pages
// of memory their files got. So the parts are copied, measured and removed several times.
//
//   ./dev bench cluster [ROWS [ROUNDS [COPIES]]]
//
// By default 400,000 rows of 512 (40 % with text), 10 rounds with each of 5 copies; some 10 GB of
// disk.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <functional>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "benchmarks/measure.h"
#include "lib/collection/open_view.h"
#include "lib/collection/shard.h"
#include "lib/labelling/classify.h"
#include "lib/search/search.h"
#include "lib/util/random.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kDimension = 512;
constexpr size_t kLabels = 10;
constexpr std::array<uint32_t, 4> kParts = {1, 2, 4, 8};

std::vector<float> random_vector(Random& random) {
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = static_cast<float>(random.uniform(-1, 1));
  normalise(vector);
  return vector;
}

NewPicture picture(uint64_t number) {
  Random random(number + 1);
  NewPicture picture;
  picture.record.file.path = fmt::format("/pictures/{:09}.jpg", number);
  for (uint8_t& byte : picture.record.content_hash) byte = static_cast<uint8_t>(random.next());
  picture.image_vector = random_vector(random);
  if (random.next() % 5 < 2) {
    picture.words = {{fmt::format("word{}", number % 1000), 1, {}}};
    picture.record.word_count = 1;
    picture.record.text_confidence = 1;
    picture.text_vector = random_vector(random);
  }
  return picture;
}

void make_part(const fs::path& path, const Shard& shard, uint64_t rows) {
  constexpr size_t kBatch = 4000;
  Manifest manifest;
  manifest.model_name = "random";
  manifest.model_fingerprint = "0";
  manifest.dimension = kDimension;
  manifest.logit_scale = 100;
  CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
  Batch batch;
  const auto commit = [&] {
    writer.commit(batch);
    batch = {};
  };
  for (uint64_t number = 0; number < rows; ++number) {
    if (!shard.has(fmt::format("/pictures/{:09}.jpg", number))) continue;
    batch.added.push_back(picture(number));
    if (batch.added.size() == kBatch) commit();
  }
  commit();
  writer.publish_snapshot(SnapshotWhen::Now);
}

// All pictures in so many parts.
fs::path make_parts(const fs::path& directory, uint32_t count, uint64_t rows) {
  const fs::path folder = directory / std::to_string(count);
  fs::create_directories(folder);
  for (uint32_t number = 0; number < count; ++number)
    make_part(folder / fmt::format("part{}", number), {number, count}, rows);
  return folder;
}

Labelling labels() {
  Random random(7);
  Matrix vectors(kLabels, kDimension);
  for (size_t k = 0; k < kLabels; ++k)
    std::ranges::copy(random_vector(random), vectors.row(k).begin());
  return labelling_of(LabelVectors(vectors), {&fusion_rule("mix"), {}});
}

// One thing that is asked of every union in turns, and the answers as one text.
struct Task {
  const char* name;
  std::function<std::string(const View&)> ask;
};

std::string counts_of(const View& view) {
  static const Labelling labelling = labels();
  const PictureCounts counts = count_pictures(view, labelling);
  return fmt::format("{}", fmt::join(counts.of_label, " "));
}

std::string hits_of(const View& view, SearchSpace space) {
  Random random(8);
  SearchQuery query = SearchQuery::of_vector(random_vector(random));
  query.lexical = lexical_query("word7");
  SearchLimits limits;
  limits.count = 20;
  limits.space = space;
  limits.reach = SearchReach::EveryRow;
  std::string answers;
  for (const SearchHit& hit : search(view, query, limits))
    answers += fmt::format("{} {}\n", view.record(hit.row).file.path, hit.score);
  return answers;
}

double processor_ms() {
  return 1000.0 * static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

// Of one task and one union.
struct Times {
  double least_ms = HUGE_VAL;
  // The median of the rounds with each copy.
  std::vector<double> wall_ms;
  std::vector<double> processor_ms;  // of all threads: what else runs on the machine counts less
};

double mean(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Means over the copies beside those of one part, less 1, in percent.
double over_one(const std::vector<double>& times, const std::vector<double>& of_one) {
  return 100 * (mean(times) / mean(of_one) - 1);
}

// Every union in turns, in an order that each round draws.
void measure(const Task& task, const std::vector<OpenedView>& views, int rounds,
             std::span<Times> times) {
  static Random random(9);
  const std::string wanted = task.ask(views.front().view);
  std::vector<std::vector<double>> wall_ms(views.size());
  std::vector<std::vector<double>> cpu_ms(views.size());
  for (int round = 0; round < rounds; ++round) {
    std::vector<size_t> order(views.size());
    std::iota(order.begin(), order.end(), size_t{0});
    for (size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.next() % i]);
    for (const size_t i : order) {
      std::string answer;
      const double before = processor_ms();
      wall_ms[i].push_back(1000 * seconds_of([&] { answer = task.ask(views[i].view); }));
      cpu_ms[i].push_back(processor_ms() - before);
      if (answer != wanted) {
        fmt::print("{}: {} parts answer otherwise than one\n", task.name, kParts[i]);
        std::exit(1);
      }
    }
  }
  for (size_t i = 0; i < views.size(); ++i) {
    times[i].least_ms = std::min(times[i].least_ms, *std::ranges::min_element(wall_ms[i]));
    times[i].wall_ms.push_back(median(wall_ms[i]));
    times[i].processor_ms.push_back(median(cpu_ms[i]));
  }
}

void print(const Task& task, std::span<const Times> times) {
  const Times& one = times.front();
  for (size_t i = 0; i < times.size(); ++i) {
    const Times& own = times[i];
    fmt::print("{:24} {:5} {:10.2f} {:10.2f} {:+9.1f} % {:12.2f} {:+9.1f} %\n", task.name,
               kParts[i], own.least_ms, mean(own.wall_ms), over_one(own.wall_ms, one.wall_ms),
               mean(own.processor_ms), over_one(own.processor_ms, one.processor_ms));
  }
}

void measure_opening(const std::vector<fs::path>& folders, int rounds) {
  for (size_t i = 0; i < folders.size(); ++i) {
    const double seconds = median_seconds(rounds, [&] { open_view(folders[i]); });
    fmt::print("{:24} {:5} {:>10} {:10.2f}\n", "opening", kParts[i], "", 1000 * seconds);
  }
}

int run(uint64_t rows, int rounds, int copies) {
  fmt::print("{}: {} pictures of {}\n", processor_name(), rows, kDimension);
  const testing::TemporaryDirectory directory;
  std::vector<fs::path> made;
  for (const uint32_t parts : kParts) made.push_back(make_parts(directory / "made", parts, rows));
  const std::array<Task, 3> tasks = {
      {{"classify, 10 labels", counts_of},
       {"search, pictures", [](const View& view) { return hits_of(view, SearchSpace::Picture); }},
       {"search, both", [](const View& view) { return hits_of(view, SearchSpace::Both); }}}};
  std::array<std::array<Times, kParts.size()>, tasks.size()> times;
  for (int copy = 0; copy < copies; ++copy) {
    const fs::path copied = directory / "copied";
    fs::copy(directory / "made", copied, fs::copy_options::recursive);
    std::vector<OpenedView> views;
    for (const fs::path& folder : made) views.push_back(open_view(copied / folder.filename()));
    for (size_t i = 0; i < tasks.size(); ++i) measure(tasks[i], views, rounds, times[i]);
    fs::remove_all(copied);
  }
  fmt::print("{:24} {:>5} {:>10} {:>10} {:>11} {:>12} {:>11}\n", "", "PARTS", "LEAST MS",
             "MEDIAN MS", "OVER ONE", "PROCESSOR MS", "OVER ONE");
  for (size_t i = 0; i < tasks.size(); ++i) print(tasks[i], times[i]);
  measure_opening(made, rounds);
  return 0;
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  const uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 400'000;
  const int rounds = argc > 2 ? std::atoi(argv[2]) : 10;
  const int copies = argc > 3 ? std::atoi(argv[3]) : 5;
  if (rows < 1000 || rounds < 1 || copies < 1) {
    fmt::print("usage: bench_cluster [ROWS [ROUNDS [COPIES]]]\n");
    return 2;
  }
  return zeroshelf::run(rows, rounds, copies);
}
