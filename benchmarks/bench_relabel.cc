// Re-labelling a large collection of random vectors: in process as ratios against streaming the
// same bytes, against FAISS, and against a matrix multiplication with softmax and arg-max behind
// it; and the real program from its start to its last line.
//
//   ./dev bench relabel [ROWS [FOLDER]]     default 1,000,000 rows of 512, 40 % with text
//
// With FOLDER the collection stays there and is used again by the next run.

#include <faiss/IndexFlat.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks/measure.h"
#include "benchmarks/random_shelf.h"
#include "lib/labelling/classify.h"
#include "lib/program/version.h"
#include "lib/util/openblas.h"
#include "lib/util/parallel.h"
#include "lib/vectors/fixed_point.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

extern "C" void sgemm_(const char* transpose_a, const char* transpose_b, const int* m, const int* n,
                       const int* k, const float* alpha, const float* a, const int* lda,
                       const float* b, const int* ldb, const float* beta, float* c, const int* ldc);

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = kRandomShelfDimension;
constexpr int kRepeats = 5;

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// --- what it is compared with -------------------------------------------------------------------

double median_ms(const std::function<void()>& run) {
  return 1000 * median_seconds(kRepeats, run);
}

Matrix as_floats(const VectorRows& rows, size_t count) {
  Matrix result(count, kDimension);
  for (size_t i = 0; i < count; ++i) from_fp16(rows.row(i), result.row(i));
  return result;
}

// One side the usual way: all similarities stored, a softmax over each row, and its largest.
void multiply(const Matrix& rows, const Matrix& labels, Matrix& similarities) {
  // BLAS counts by columns: the transposed product.
  const int m = static_cast<int>(labels.rows());
  const int n = static_cast<int>(rows.rows());
  const int k = kDimension;
  const float one = 1;
  const float zero = 0;
  sgemm_("T", "N", &m, &n, &k, &one, labels.data(), &k, rows.data(), &k, &zero, similarities.data(),
         &m);
}

void softmax_all(Matrix& similarities, float scale) {
  parallel_chunks(similarities.rows(), 256, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const std::span<float> row = similarities.row(i);
      const float best = *std::ranges::max_element(row);
      float sum = 0;
      for (float& value : row) sum += value = std::exp(scale * (value - best));
      for (float& value : row) value /= sum;
    }
  });
}

void largest_all(const Matrix& similarities, std::vector<uint32_t>& best) {
  parallel_chunks(similarities.rows(), 256, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const auto row = similarities.row(i);
      best[i] = static_cast<uint32_t>(std::ranges::max_element(row) - row.begin());
    }
  });
}

// --- in process ---------------------------------------------------------------------------------

double scan_ms(const View& collection, const LabelVectors& labels, const char* rule,
               Row end_row = UINT64_MAX) {
  ScanOptions options;
  options.end_row = end_row;
  std::atomic<uint64_t> sink{0};
  return median_ms([&] {
    scan(collection, labelling_of(labels, default_fusion(collection, rule)), options,
         [&](const PredictionBlock& block) { sink += block.predictions[0].fused.label; });
  });
}

size_t texts_below(const View& collection, Row end_row) {
  const auto& owners = only_part(collection).text_owners();
  return static_cast<size_t>(std::ranges::lower_bound(owners, end_row) - owners.begin());
}

void against_streaming(const View& collection) {
  const VectorRows* const both[] = {&only_part(collection).image_vectors(),
                                    &only_part(collection).text_vectors()};
  const ReadingWay way = fastest_way_to_read(both, kRepeats);
  const double streaming = median_ms([&] { stream(both, way); });
  fmt::print(
      "\nfused, both spaces: ms, and times the streaming of the same bytes ({:.1f} ms; the fastest "
      "way: {})\n",
      streaming, way.name);
  fmt::print("{:>8} {:>18} {:>18}  {}\n", "labels", "max", "mix", "kernel");
  for (const size_t labels : {1, 10, 100, 1000}) {
    const LabelVectors vectors(random_unit_vectors(7, labels));
    const double max = scan_ms(collection, vectors, "max");
    const double mix = scan_ms(collection, vectors, "mix");
    fmt::print("{:>8} {:>9.1f} ({:>5.2f}) {:>9.1f} ({:>5.2f})  {}\n", labels, max, max / streaming,
               mix, mix / streaming, fixed_point_kernel_for(labels, kDimension).name);
  }
}

// The products of one thread with each kernel that the processor has.
void kernels_alone(const View& collection) {
  constexpr size_t kBlock = 64;
  const VectorRows& vectors = only_part(collection).image_vectors();
  if (vectors.size() < kBlock) return;
  fmt::print("\ninner products alone, one thread: ns a row\n{:>8}", "labels");
  for (const FixedPointKernel& kernel : fixed_point_kernels()) fmt::print(" {:>9}", kernel.name);
  fmt::print("\n");
  for (const size_t labels : {1, 10, 16, 32, 100, 1000}) {
    fmt::print("{:>8}", labels);
    const size_t blocks = std::clamp<size_t>(200'000 / labels, kBlock, vectors.size()) / kBlock;
    std::vector<float> products(kBlock * labels);
    for (const FixedPointKernel& kernel : fixed_point_kernels()) {
      const FixedPointQueries queries(random_unit_vectors(7, labels), {}, kernel);
      const double ms = median_ms([&] {
        for (size_t i = 0; i < blocks; ++i)
          queries.inner_products(vectors, i * kBlock, kBlock, products);
      });
      fmt::print(" {:>9.1f}", 1e6 * ms / static_cast<double>(blocks * kBlock));
    }
    fmt::print("\n");
  }
}

void against_faiss(const View& collection, size_t rows) {
  const size_t texts = texts_below(collection, rows);
  faiss::IndexFlatIP pictures(kDimension);
  faiss::IndexFlatIP words(kDimension);
  pictures.add(static_cast<int64_t>(rows),
               as_floats(only_part(collection).image_vectors(), rows).data());
  words.add(static_cast<int64_t>(texts),
            as_floats(only_part(collection).text_vectors(), texts).data());
  constexpr size_t kLabels = 10;
  const LabelVectors labels(random_unit_vectors(7, kLabels));
  std::vector<float> distances(kLabels);
  std::vector<int64_t> best(kLabels);
  const double other = median_ms([&] {
    pictures.search(kLabels, labels.image.data(), 1, distances.data(), best.data());
    words.search(kLabels, labels.text.data(), 1, distances.data(), best.data());
  });
  const double fused = scan_ms(collection, labels, "max", rows);
  fmt::print(
      "\n10 labels, the first {} rows: FAISS IndexFlatIP, the best row a label, {:.1f} ms; fused "
      "{:.1f} ms: {:.1f} times faster\n",
      rows, other, fused, other / fused);
}

void against_multiplication(const View& collection, size_t rows) {
  constexpr size_t kLabels = 1000;
  const size_t texts = texts_below(collection, rows);
  const Matrix pictures = as_floats(only_part(collection).image_vectors(), rows);
  const Matrix words = as_floats(only_part(collection).text_vectors(), texts);
  const LabelVectors labels(random_unit_vectors(7, kLabels));
  Matrix of_pictures(rows, kLabels);
  Matrix of_words(texts, kLabels);
  std::vector<uint32_t> best(rows);
  const auto multiply_both = [&] {
    multiply(pictures, labels.image, of_pictures);
    multiply(words, labels.text, of_words);
  };
  const double alone = median_ms(multiply_both);
  const double all = median_ms([&] {
    multiply_both();
    softmax_all(of_pictures, 100);
    softmax_all(of_words, 25);
    largest_all(of_pictures, best);
    largest_all(of_words, best);
  });
  fmt::print(
      "\n1,000 labels, the first {} rows: sgemm {:.0f} ms; sgemm, softmax, arg-max {:.0f} ms\n",
      rows, alone, all);
  for (const char* rule : {"max", "mix"}) {
    const double fused = scan_ms(collection, labels, rule, rows);
    fmt::print(
        "  fused, {}: {:.0f} ms: {:.2f} times faster ({:.2f} than the multiplication alone)\n",
        rule, fused, all / fused, alone / fused);
  }
}

bool same(const Prediction& a, const Prediction& b) {
  return a.fused.label == b.fused.label && a.fused.score == b.fused.score && a.winner == b.winner &&
         a.image.score == b.image.score && a.image.margin == b.image.margin &&
         (!a.text || (a.text->score == b.text->score && a.text->label == b.text->label));
}

void with_any_number_of_threads(const View& collection) {
  const LabelVectors labels(random_unit_vectors(7, 10));
  const Fusion fusion = default_fusion(collection, "mix");
  const std::vector<Prediction> one = classify(collection, labelling_of(labels, fusion), 1);
  const unsigned most = std::max(4u, available_cores());
  bool all_same = true;
  for (unsigned threads = 2; threads <= most; ++threads) {
    const std::vector<Prediction> other =
        classify(collection, labelling_of(labels, fusion), threads);
    all_same = all_same && std::ranges::equal(one, other, same);
  }
  fmt::print("\nmix, 10 labels, 1 to {} threads: {}\n", most,
             all_same ? "all predictions identical" : "PREDICTIONS DIFFER");
}

// --- the program --------------------------------------------------------------------------------

struct Run {
  double seconds = 0;
  double peak_mib = 0;
  int code = 0;
};

// The most memory that a running program had so far; 0 when it has ended.
double peak_mib_of(pid_t pid) {
  std::ifstream status(fmt::format("/proc/{}/status", pid));
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::strtod(line.c_str() + 6, nullptr) / 1024;
  }
  return 0;
}

Run run_query(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(ZEROSHELF_QUERY_PROGRAM)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  const auto start = Clock::now();
  pid_t pid = 0;
  if (posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ) != 0) std::abort();
  posix_spawn_file_actions_destroy(&actions);
  // Not from rusage: that begins with what this program had when it started the other one.
  double peak_mib = 0;
  int status = 0;
  while (waitpid(pid, &status, WNOHANG) == 0) {
    peak_mib = std::max(peak_mib, peak_mib_of(pid));
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  return {seconds_since(start), peak_mib, WEXITSTATUS(status)};
}

// Ten labels whose prompts are in the cache, so no model is needed. Whether every run succeeded.
bool the_program(const View& collection, const std::filesystem::path& path) {
  std::vector<std::string> names;
  for (int i = 0; i < 10; ++i) names.push_back(fmt::format("label {}", i));
  keep_random_prompts(path, names);
  const double rows_mib = static_cast<double>(only_part(collection).image_vectors().size() +
                                              only_part(collection).text_vectors().size()) *
                          kDimension * 2 / (1 << 20);
  fmt::print("\nzeroshelf-query classify, 10 labels with cached prompts; rows are {:.0f} MiB\n",
             rows_mib);
  bool succeeded = true;
  for (const char* rule : {"max", "mix"}) {
    for (const std::string kind : {"--summary", "--format=jsonl", "--format=csv"}) {
      std::vector<Run> runs;
      for (int i = 0; i < 3; ++i)
        runs.push_back(
            run_query({"classify", path.string(), "--labels",
                       fmt::format("{}", fmt::join(names, ",")), "--fusion", rule, kind}));
      std::ranges::sort(runs, {}, &Run::seconds);
      fmt::print("  {:4} {:15} {:.2f} s, peak {:.0f} MiB = rows {:+.0f} MiB{}\n", rule, kind,
                 runs[1].seconds, runs[1].peak_mib, runs[1].peak_mib - rows_mib,
                 runs[1].code == 0 ? "" : fmt::format(", EXIT CODE {}", runs[1].code));
      succeeded =
          succeeded && std::ranges::all_of(runs, [](const Run& run) { return run.code == 0; });
    }
  }
  return succeeded;
}

bool report(uint64_t rows, const std::filesystem::path& path) {
  const auto start = Clock::now();
  const View collection = make_random_shelf(path, rows);
  fmt::print(
      "zeroshelf {}, {} rows of {}, {} with text, {} cores, OpenBLAS for {}, median of {} "
      "(programs: 3); made or opened in {:.0f} s\n",
      version(), only_part(collection).image_vectors().size(), kDimension,
      only_part(collection).text_vectors().size(), available_cores(), openblas_core(), kRepeats,
      seconds_since(start));
  against_streaming(collection);
  kernels_alone(collection);
  against_faiss(collection, std::min<uint64_t>(rows, 200'000));
  against_multiplication(collection, std::min<uint64_t>(rows, 50'000));
  with_any_number_of_threads(collection);
  return the_program(collection, path);
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  zeroshelf::use_best_openblas_core(argv);
  const uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  if (rows == 0 || rows > 100'000'000 || argc > 3) {
    fmt::print(stderr, "usage: bench_relabel [ROWS [FOLDER]], ROWS from 1 to 100,000,000\n");
    return 2;
  }
  const zeroshelf::testing::TemporaryDirectory directory;
  return zeroshelf::report(rows,
                           argc > 2 ? std::filesystem::path(argv[2]) : directory / "collection")
             ? 0
             : 1;
}
