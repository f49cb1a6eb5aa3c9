// Used by bench_relabel and bench_serve.

#include "benchmarks/random_shelf.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "lib/collection/collection.h"
#include "lib/labelling/prompt_cache.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

NewPicture make_picture(uint64_t row) {
  std::minstd_rand random(static_cast<uint32_t>(row + 1) * 2654435761u | 1u);
  NewPicture picture;
  picture.record.file.path = fmt::format("/pictures/of/a/large/collection/{:08}.jpg", row);
  std::memcpy(picture.record.content_hash.data(), &row, sizeof row);
  picture.image_vector = random_unit_vector(random);
  if (random() % 5 < 2) {
    picture.words = {{"when", 0.9f, {10, 10, 80, 20}},
                     {"you", 0.95f, {100, 10, 60, 20}},
                     {"finally", 0.8f, {170, 10, 90, 20}},
                     {"finish", 0.7f, {270, 10, 80, 20}}};
    picture.record.word_count = static_cast<uint32_t>(picture.words.size());
    picture.record.text_confidence = mean_confidence(picture.words);
    picture.text_vector = random_unit_vector(random);
  }
  return picture;
}

}  // namespace

std::vector<float> random_unit_vector(std::minstd_rand& random) {
  std::vector<float> vector(kRandomShelfDimension);
  for (float& value : vector) value = static_cast<float>(random()) * 0x1p-30f - 1;
  normalise(vector);
  return vector;
}

Matrix random_unit_vectors(uint32_t seed, size_t rows) {
  std::minstd_rand random(seed);
  Matrix matrix(rows, kRandomShelfDimension);
  for (size_t i = 0; i < rows; ++i)
    std::ranges::copy(random_unit_vector(random), matrix.row(i).begin());
  return matrix;
}

View make_random_shelf(const std::filesystem::path& path, uint64_t rows) {
  constexpr size_t kBatch = 8192;
  Manifest manifest;
  manifest.model_name = kRandomShelfFingerprint;
  manifest.model_fingerprint = kRandomShelfFingerprint;
  manifest.dimension = kRandomShelfDimension;
  {
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    for (uint64_t first = writer.counts().pictures; first < rows; first += kBatch) {
      Batch batch;
      batch.added.resize(std::min<uint64_t>(kBatch, rows - first));
      parallel_chunks(batch.added.size(), 256, 0, [&](size_t begin, size_t end) {
        for (size_t i = begin; i < end; ++i) batch.added[i] = make_picture(first + i);
      });
      writer.commit(batch);
    }
    writer.publish_snapshot(SnapshotWhen::WorthIt);
  }
  return View::open(path);
}

void keep_random_prompts(const std::filesystem::path& path,
                         const std::vector<std::string>& prompts) {
  for (const char* precision : {"fp32", "bf16"})
    PromptCache(path, kRandomShelfFingerprint, precision, kRandomShelfDimension)
        .keep(prompts, random_unit_vectors(7, prompts.size()));
}

}  // namespace zeroshelf
