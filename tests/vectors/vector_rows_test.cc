#include <boost/test/unit_test.hpp>

#include <faiss/Index.h>
#include <faiss/index_io.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>

#include "lib/util/error.h"
#include "lib/vectors/scan.h"
#include "lib/vectors/vector_rows.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 24;

VectorRows random_rows(size_t count) {
  std::mt19937 random(3);
  std::normal_distribution<float> normal;
  VectorRows rows(kDimension);
  std::vector<float> values(kDimension);
  std::vector<uint16_t> halves(kDimension);
  for (size_t i = 0; i < count; ++i) {
    for (float& value : values) value = normal(random);
    normalise(values);
    to_fp16(values, halves);
    rows.append(halves);
  }
  return rows;
}

BOOST_AUTO_TEST_SUITE(vector_rows)

// As when a writer removes the snapshot that a reader opened.
BOOST_AUTO_TEST_CASE(mapped_rows_stay_when_their_file_is_removed) {
  const testing::TemporaryDirectory directory;
  const VectorRows rows = random_rows(5);
  rows.write_faiss_file(directory / "a.faiss");
  const uint64_t bytes = std::filesystem::file_size(directory / "a.faiss");
  const VectorRows mapped = VectorRows::map_faiss_file(directory / "a.faiss", kDimension);
  std::filesystem::remove(directory / "a.faiss");
  BOOST_TEST(mapped.file_bytes() == bytes);
  BOOST_TEST(rows.file_bytes() == 0u);
  BOOST_TEST(std::ranges::equal(mapped.row(4), rows.row(4)));
}

BOOST_AUTO_TEST_CASE(a_file_gives_the_rows_back_and_takes_more_behind_them) {
  const testing::TemporaryDirectory directory;
  const VectorRows rows = random_rows(100);
  rows.write_faiss_file(directory / "a.faiss");
  VectorRows mapped = VectorRows::map_faiss_file(directory / "a.faiss", kDimension);
  mapped.append(rows.row(7));
  BOOST_TEST(mapped.size() == 101u);
  BOOST_TEST(mapped.segments().size() == 2u);
  for (Row row = 0; row < 100; ++row) {
    std::vector<float> a(kDimension);
    std::vector<float> b(kDimension);
    from_fp16(rows.row(row), a);
    from_fp16(mapped.row(row), b);
    BOOST_REQUIRE((a == b));
  }
  // A scan across the border of the two parts.
  Matrix queries(1, kDimension);
  from_fp16(rows.row(3), queries.row(0));
  std::vector<float> scores(3);
  inner_products(mapped, 98, 3, queries, scores);
  float seventh = 0;
  inner_products(mapped, 7, 1, queries, std::span(&seventh, 1));
  BOOST_TEST(scores[2] == seventh);
  // Both parts go into the next file.
  mapped.write_faiss_file(directory / "b.faiss");
  BOOST_TEST(VectorRows::map_faiss_file(directory / "b.faiss", kDimension).size() == 101u);
  VectorRows(kDimension).write_faiss_file(directory / "empty.faiss");
  BOOST_TEST(VectorRows::map_faiss_file(directory / "empty.faiss", kDimension).size() == 0u);
}

BOOST_AUTO_TEST_CASE(faiss_itself_reads_the_file_and_finds_the_same) {
  const testing::TemporaryDirectory directory;
  const VectorRows rows = random_rows(500);
  rows.write_faiss_file(directory / "a.faiss");
  const std::unique_ptr<faiss::Index> index(faiss::read_index((directory / "a.faiss").c_str()));
  BOOST_TEST(index->ntotal == 500);
  BOOST_TEST(index->d == static_cast<int>(kDimension));
  BOOST_TEST((index->metric_type == faiss::METRIC_INNER_PRODUCT));
  std::vector<float> query(kDimension);
  from_fp16(rows.row(42), query);
  float distances[10];
  int64_t labels[10];
  index->search(1, query.data(), 10, distances, labels);
  const std::vector<ScoredRow> ours = top_rows(rows, query, 10, [](Row) { return true; });
  for (size_t i = 0; i < 10; ++i) {
    BOOST_TEST(static_cast<Row>(labels[i]) == ours[i].row);
    BOOST_TEST(std::abs(distances[i] - ours[i].score) < 1e-5f);
  }
}

BOOST_AUTO_TEST_CASE(damaged_headers_and_sizes_are_refused) {
  const testing::TemporaryDirectory directory;
  random_rows(20).write_faiss_file(directory / "a.faiss");
  const std::string whole = read_file(directory / "a.faiss", 1 << 20);
  const size_t header = whole.size() - 20 * kDimension * 2;
  const auto refused = [&](const std::string& content) {
    testing::write_file(directory / "b.faiss", content);
    try {
      VectorRows::map_faiss_file(directory / "b.faiss", kDimension);
    } catch (const Error& error) {
      return error.code() == ErrorCode::Corruption;
    }
    return false;
  };
  for (size_t size = 0; size < whole.size(); size += 13) BOOST_TEST(refused(whole.substr(0, size)));
  for (size_t bit = 0; bit < header * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    BOOST_TEST(refused(flipped));
  }
  BOOST_CHECK_THROW(VectorRows::map_faiss_file(directory / "a.faiss", kDimension * 2), Error);
  BOOST_CHECK_THROW(VectorRows::map_faiss_file(directory / "none", kDimension), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
