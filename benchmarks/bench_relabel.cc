// Re-labelling in process: the fused scan of a collection of random vectors, as ratios against
// streaming the same bytes and against FAISS answering the same labels in the same run.
//
//   ./dev bench relabel [ROWS]        default 200,000 rows of 512, 40 % with text

#include <faiss/IndexFlat.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <functional>
#include <random>

#include "lib/util/parallel.h"
#include "lib/vectors/scan.h"
#include "query/classify.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 512;
constexpr int kRepeats = 7;

std::vector<float> random_unit_vector(std::mt19937& random) {
  std::uniform_real_distribution<float> uniform(-1, 1);
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = uniform(random);
  normalise(vector);
  return vector;
}

Matrix random_matrix(std::mt19937& random, size_t rows) {
  Matrix matrix(rows, kDimension);
  for (size_t i = 0; i < rows; ++i)
    std::ranges::copy(random_unit_vector(random), matrix.row(i).begin());
  return matrix;
}

Collection make_collection(const std::filesystem::path& path, uint64_t rows, std::mt19937& random) {
  Manifest manifest;
  manifest.model_name = "random";
  manifest.model_fingerprint = "0";
  manifest.dimension = kDimension;
  CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
  for (uint64_t row = 0; row < rows;) {
    Batch batch;
    for (size_t i = 0; i < 1000 && row < rows; ++i, ++row) {
      NewPicture picture;
      picture.record.file.path = fmt::format("/{}", row);
      picture.image_vector = random_unit_vector(random);
      if (row % 5 < 2) {
        picture.words = {{"word", 1, {}}};
        picture.record.word_count = 1;
        picture.text_vector = random_unit_vector(random);
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
  }
  writer.publish_snapshot(SnapshotWhen::Now);
  return Collection::open(path);
}

double median_ms(const std::function<void()>& run) {
  std::vector<double> times;
  for (int i = 0; i < kRepeats; ++i) {
    const auto start = std::chrono::steady_clock::now();
    run();
    times.push_back(
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
            .count());
  }
  std::ranges::sort(times);
  return times[kRepeats / 2];
}

// Reads every byte of the rows once, with every core: the bound for few labels.
void stream(const VectorRows& rows, std::atomic<uint64_t>& sink) {
  for (const VectorRows::Segment& segment : rows.segments()) {
    const auto* bytes = reinterpret_cast<const std::byte*>(segment.data);
    parallel_chunks(segment.rows * kDimension * sizeof(uint16_t), 1 << 20, 0,
                    [&](size_t begin, size_t end) {
                      uint64_t sums[8] = {};
                      for (size_t i = begin; i + 64 <= end; i += 64) {
                        uint64_t words[8];
                        __builtin_memcpy(words, bytes + i, 64);
                        for (int j = 0; j < 8; ++j) sums[j] += words[j];
                      }
                      for (const uint64_t sum : sums) sink += sum;
                    });
  }
}

void report(uint64_t rows) {
  std::mt19937 random(1);
  const testing::TemporaryDirectory directory;
  const Collection collection = make_collection(directory / "collection", rows, random);
  fmt::print("zeroshelf {}, {} rows of {}, {} with text, {} cores, kernel {}, median of {}\n",
             ZEROSHELF_VERSION, rows, kDimension, collection.text_vectors().size(),
             available_cores(), scan_kernel_name(), kRepeats);

  std::atomic<uint64_t> sink{0};
  const double streaming = median_ms([&] {
    stream(collection.image_vectors(), sink);
    stream(collection.text_vectors(), sink);
  });
  faiss::IndexFlatIP flat(kDimension);
  std::vector<float> row(kDimension);
  for (Row i = 0; i < rows; ++i) {
    from_fp16(collection.image_vectors().row(i), row);
    flat.add(1, row.data());
  }
  fmt::print("{:>6}  {:>10}  {:>22}  {:>28}\n", "labels", "fused, ms", "streaming / fused",
             "FAISS IndexFlatIP / fused");
  for (const size_t labels : {1, 10, 100, 1000}) {
    const Matrix vectors = random_matrix(random, labels);
    const LabelVectors label_vectors(vectors);
    const double fused =
        median_ms([&] { classify(collection, label_vectors, default_fusion(collection, "max")); });
    // FAISS answers the picture side alone: the best row for each label.
    std::vector<float> distances(labels);
    std::vector<faiss::Index::idx_t> best(labels);
    const double other = median_ms([&] {
      flat.search(static_cast<faiss::Index::idx_t>(labels), vectors.data(), 1, distances.data(),
                  best.data());
    });
    fmt::print("{:>6}  {:>10.1f}  {:>22.2f}  {:>28.1f}\n", labels, fused, streaming / fused,
               other / fused);
  }
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  const uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 200'000;
  if (rows == 0 || rows > 10'000'000) {
    fmt::print(stderr, "bench_relabel: ROWS must be 1 to 10,000,000\n");
    return 2;
  }
  zeroshelf::report(rows);
}
