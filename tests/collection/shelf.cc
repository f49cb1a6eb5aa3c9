#include "tests/collection/shelf.h"

#include <fmt/format.h>

#include <cstring>
#include <random>

#include "lib/util/file.h"
#include "lib/util/matrix.h"

namespace zeroshelf::testing {
namespace {

std::vector<float> unit_vector(uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = normal(random);
  normalise(vector);
  return vector;
}

std::vector<uint16_t> halves(const std::vector<float>& vector) {
  std::vector<uint16_t> result(vector.size());
  to_fp16(vector, result);
  return result;
}

bool same(std::span<const uint16_t> row, const std::vector<float>& vector) {
  return std::memcmp(row.data(), halves(vector).data(), row.size_bytes()) == 0;
}

std::string hex(std::span<const uint16_t> row) {
  return to_hex({reinterpret_cast<const uint8_t*>(row.data()), row.size_bytes()});
}

}  // namespace

Manifest test_manifest(const std::string& fingerprint, uint32_t dimension) {
  Manifest manifest;
  manifest.model_name = "test model";
  manifest.model_path = "/models/test";
  manifest.model_fingerprint = fingerprint;
  manifest.dimension = dimension;
  manifest.ocr_languages = "eng";
  manifest.created_utc = "2026-01-01T00:00:00Z";
  return manifest;
}

FileStamp stamp(const std::string& path) {
  return {path, path.size(), 1'700'000'000'000'000'000};
}

NewPicture picture(const std::string& path, uint32_t number) {
  NewPicture result;
  result.record.file = stamp(path);
  std::memcpy(result.record.content_hash.data(), &number, sizeof number);
  result.record.width_px = number;
  result.record.height_px = 7;
  result.image_vector = unit_vector(number);
  if (number % 3 == 0) {
    result.words = {{"word", 0.5f, {1, 2, 3, 4}}, {std::to_string(number), 1, {5, 6, 7, 8}}};
    result.record.word_count = 2;
    result.record.text_confidence = 0.75f;
    result.text_vector = unit_vector(number + 1'000'000);
  }
  return result;
}

bool holds(const Collection& collection, const std::string& path, uint32_t number) {
  const NewPicture expected = picture(path, number);
  const auto row = collection.find_path(path);
  if (!row || !collection.is_live(*row)) return false;
  const PictureRecord record = collection.record(*row);
  const auto text = collection.text_index(*row);
  return record.file.path == path && record.content_hash == expected.record.content_hash &&
         record.width_px == number && collection.words(*row).size() == expected.words.size() &&
         same(collection.image_vectors().row(*row), expected.image_vector) &&
         text.has_value() == !expected.text_vector.empty() &&
         (!text || same(collection.text_vectors().row(*text), expected.text_vector));
}

std::string answers(const Collection& collection) {
  std::map<std::string, std::string> lines;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    std::string line = fmt::format("{} {} {} {}", to_hex(record.content_hash), record.file.mtime_ns,
                                   record.width_px, hex(collection.image_vectors().row(row)));
    if (const auto text = collection.text_index(row))
      line += " " + hex(collection.text_vectors().row(*text));
    for (const Word& word : collection.words(row)) line += " " + word.text;
    if (!collection.is_live(row) || collection.find_path(record.file.path) != row)
      line += " (not found)";
    lines[record.file.path] = line;
  });
  std::string result;
  for (const auto& [path, line] : lines) result += path + " " + line + "\n";
  collection.for_each_skip([&](const SkippedFile& file) {
    result += "skip " + file.file.path + file.skip.detail + "\n";
  });
  const CollectionCounts counts = collection.counts();
  return result + fmt::format("{} {} {}\n", counts.pictures, counts.with_text, counts.skips);
}

std::map<std::string, std::string> files_of(const std::filesystem::path& directory) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory)) {
    if (entry.is_regular_file())
      files[entry.path().string()] = read_file(entry.path(), uint64_t{1} << 30);
  }
  return files;
}

void Shelf::add(CollectionWriter& writer, uint32_t first, uint32_t last) {
  Batch batch;
  for (uint32_t i = first; i < last; ++i)
    batch.added.push_back(picture("/" + std::to_string(i), i));
  writer.commit(batch);
}

}  // namespace zeroshelf::testing
