#include "lib/vectors/ivf.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <limits>
#include <random>
#include <set>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/vectors/kernel.h"
#include "lib/vectors/scan.h"
#include "tests/support/checks.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::is_corruption;

constexpr uint32_t kDimension = 30;  // no multiple of a group, nor of two
constexpr IvfOrigin kOrigin = {3, 7};

const auto keep_all = [](Row) { return true; };

std::vector<float> near(const std::vector<float>& centre, float spread, std::mt19937& random) {
  std::normal_distribution<float> normal(0, spread);
  std::vector<float> vector = centre;
  for (float& value : vector) value += normal(random);
  normalise(vector);
  return vector;
}

// Unit vectors around a few centres, and queries like them.
struct Clustered {
  std::mt19937 random{1};
  std::vector<std::vector<float>> centres;
  VectorRows rows{kDimension};

  explicit Clustered(size_t count) {
    for (int i = 0; i < 40; ++i)
      centres.push_back(near(std::vector<float>(kDimension, 0), 1, random));
    std::vector<uint16_t> halves(kDimension);
    for (size_t i = 0; i < count; ++i) {
      to_fp16(query(), halves);
      rows.append(halves);
    }
  }

  std::vector<float> query() { return near(centres[random() % centres.size()], 0.1f, random); }

  // The first `count` rows.
  VectorRows first(size_t count) const {
    VectorRows part(kDimension);
    for (Row row = 0; row < count; ++row) part.append(rows.row(row));
    return part;
  }
};

std::set<Row> rows_of(const std::vector<ScoredRow>& scored) {
  std::set<Row> rows;
  for (const ScoredRow& row : scored) rows.insert(row.row);
  return rows;
}

// All vectors of all lists.
std::vector<Row> everything(const Ivf& ivf) {
  return ivf.candidates(std::vector<float>(kDimension, 0.1f), {ivf.size(), ivf.size(), 1},
                        keep_all);
}

std::string sealed(std::string bytes) {
  const uint64_t seal = checksum64(std::as_bytes(std::span(bytes).first(bytes.size() - 8)));
  std::memcpy(bytes.data() + bytes.size() - 8, &seal, sizeof seal);
  return bytes;
}

BOOST_AUTO_TEST_SUITE(ivf)

BOOST_AUTO_TEST_CASE(the_kernels_give_equal_sums_of_codes) {
  std::mt19937 random(2);
  for (const size_t groups : {2, 4, 16, 256, 1024}) {
    for (const size_t blocks : {1, 2, 5}) {
      std::vector<uint8_t> codes(blocks * groups * kernel::kCodeBlock / 2);
      std::vector<uint8_t> tables(groups * 16);
      for (uint8_t& code : codes) code = static_cast<uint8_t>(random());
      for (uint8_t& value : tables) value = static_cast<uint8_t>(random());
      std::vector<uint16_t> expected(blocks * kernel::kCodeBlock);
      for (size_t i = 0; i < expected.size(); ++i) {
        const size_t place = i % kernel::kCodeBlock;
        for (size_t group = 0; group < groups; ++group) {
          const uint8_t both =
              codes[(i / kernel::kCodeBlock * groups + group) * kernel::kCodeBlock / 2 +
                    place % 16];
          const unsigned code = place < 16 ? both & 15u : both >> 4u;
          expected[i] = static_cast<uint16_t>(expected[i] + tables[group * 16 + code]);
        }
      }
      std::vector<uint16_t> sums(expected.size(), 77);
      kernel::code_sums_portable(codes.data(), blocks, groups, tables.data(), sums.data());
      BOOST_TEST((sums == expected));
#if defined(__x86_64__)
      if (scan_kernel_name() == "portable") continue;
      std::ranges::fill(sums, uint16_t{77});
      kernel::code_sums_avx2(codes.data(), blocks, groups, tables.data(), sums.data());
      BOOST_TEST((sums == expected));
#endif
    }
  }
}

BOOST_AUTO_TEST_CASE(products_of_single_rows_are_those_of_the_scan_to_the_bit) {
  Clustered data(300);
  std::vector<float> query = data.query();
  Matrix queries(1, kDimension);
  std::ranges::copy(query, queries.row(0).begin());
  std::vector<float> scanned(300);
  inner_products(data.rows, 0, 300, queries, scanned);
  for (const size_t count : {1, 3, 16, 37, 300}) {
    std::vector<Row> rows(count);
    std::vector<float> expected(count);
    for (size_t i = 0; i < count; ++i) {
      rows[i] = data.random() % 300;
      expected[i] = scanned[rows[i]];
    }
    std::vector<float> products(count);
    inner_products_of(data.rows, rows, query, products);
    BOOST_TEST(std::memcmp(products.data(), expected.data(), count * sizeof(float)) == 0);
  }
}

BOOST_AUTO_TEST_CASE(candidates_have_the_best_rows_of_clustered_vectors) {
  Clustered data(20'000);
  const Ivf ivf = Ivf::of_bytes(trained_ivf(data.rows, keep_all, kOrigin), kDimension);
  size_t found = 0;
  constexpr int kQueries = 50;
  for (int i = 0; i < kQueries; ++i) {
    const std::vector<float> query = data.query();
    const auto best = rows_of(top_rows(data.rows, query, 10, keep_all));
    const auto candidates = ivf.candidates(query, {500, 5000, 0}, keep_all);
    BOOST_TEST(candidates.size() == 500);
    BOOST_TEST(std::ranges::is_sorted(candidates));
    for (const Row row : candidates) found += best.contains(row);
  }
  BOOST_TEST(found >= 0.99 * 10 * kQueries);
}

BOOST_AUTO_TEST_CASE(only_kept_rows_are_candidates_and_lists_are_opened_until_there_are_enough) {
  Clustered data(5000);
  const Ivf ivf = Ivf::of_bytes(trained_ivf(data.rows, keep_all, kOrigin), kDimension);
  const auto few = [](Row row) { return row % 100 == 3; };
  const auto candidates = ivf.candidates(data.query(), {40, 1, 0}, few);
  BOOST_TEST(candidates.size() == 40);
  BOOST_TEST(std::ranges::all_of(candidates, few));
  BOOST_TEST(ivf.candidates(data.query(), {1000, 1, 0}, few).size() == 50);
  BOOST_TEST(ivf.candidates(data.query(), {0, 1000, 0}, keep_all).empty());
}

BOOST_AUTO_TEST_CASE(threads_change_neither_the_bytes_nor_the_candidates) {
  Clustered data(3000);
  const std::string bytes = trained_ivf(data.rows, keep_all, kOrigin, 1);
  BOOST_TEST((bytes == trained_ivf(data.rows, keep_all, kOrigin, 5)));
  const Ivf ivf = Ivf::of_bytes(bytes, kDimension);
  const std::vector<float> query = data.query();
  BOOST_TEST((ivf.candidates(query, {77, 600, 1}, keep_all) ==
              ivf.candidates(query, {77, 600, 5}, keep_all)));
}

BOOST_AUTO_TEST_CASE(an_extended_index_has_each_row_once_and_the_centroids_of_the_first) {
  Clustered data(4000);
  const Ivf first = Ivf::of_bytes(trained_ivf(data.first(2500), keep_all, kOrigin), kDimension);
  const std::string bytes = extended_ivf(first, data.rows, {3, 9}, 1);
  BOOST_TEST((bytes == extended_ivf(first, data.rows, {3, 9}, 4)));
  const Ivf ivf = Ivf::of_bytes(bytes, kDimension);
  BOOST_TEST(ivf.size() == 4000);
  BOOST_TEST(ivf.trained_size() == 2500);
  BOOST_TEST((ivf.origin() == IvfOrigin{3, 9}));
  BOOST_TEST(ivf.lists() == first.lists());
  const std::vector<Row> all = everything(ivf);
  BOOST_REQUIRE(all.size() == 4000);
  for (Row row = 0; row < 4000; ++row) BOOST_REQUIRE(all[row] == row);
  const auto before = first.list_of_vectors();
  const auto after = ivf.list_of_vectors();
  BOOST_TEST(std::equal(before.begin(), before.end(), after.begin()));
  // A later row is in a list by the same rule: as if it had been there from the beginning.
  BOOST_TEST((extended_ivf(ivf, data.rows, {3, 9}, 2) == bytes));
}

BOOST_AUTO_TEST_CASE(few_equal_or_removed_vectors_can_be_indexed) {
  for (const size_t count : {0, 1, 2, 33}) {
    VectorRows rows(kDimension);
    std::vector<uint16_t> halves(kDimension);
    for (size_t i = 0; i < count; ++i) {
      to_fp16(std::vector<float>(kDimension, i % 2 == 0 ? 0.1f : 0.0f), halves);
      rows.append(halves);
    }
    const auto none = [](Row) { return false; };
    const Ivf ivf = Ivf::of_bytes(trained_ivf(rows, none, kOrigin), kDimension);
    BOOST_TEST(everything(ivf).size() == count);
  }
}

BOOST_AUTO_TEST_CASE(a_file_is_read_as_it_was_written_and_damage_is_refused) {
  const testing::TemporaryDirectory directory;
  Clustered data(200);
  const std::string bytes = trained_ivf(data.rows, keep_all, kOrigin);
  write_file_atomically(directory / "ivf", bytes);
  const Ivf ivf = Ivf::map(directory / "ivf", kDimension);
  ivf.check();
  BOOST_TEST((ivf.origin() == kOrigin));
  BOOST_TEST(everything(ivf).size() == 200);
  BOOST_CHECK_EXCEPTION(Ivf::map(directory / "ivf", kDimension + 1), Error, is_corruption);
  BOOST_CHECK_EXCEPTION(Ivf::map(directory / "none", kDimension), Error,
                        [](const Error& error) { return error.code() == ErrorCode::NotFound; });
  for (size_t size = 0; size < bytes.size(); size += size < 100 ? 1 : 97)
    BOOST_CHECK_EXCEPTION(Ivf::of_bytes(bytes.substr(0, size), kDimension), Error, is_corruption);
  BOOST_CHECK_EXCEPTION(Ivf::of_bytes(bytes + "12345678", kDimension), Error, is_corruption);
}

BOOST_AUTO_TEST_CASE(every_flipped_byte_is_found_by_check_and_a_sealed_lie_stays_in_its_bounds) {
  Clustered data(200);
  const std::string bytes = trained_ivf(data.rows, keep_all, kOrigin);
  const std::vector<float> query = data.query();
  for (size_t i = 0; i < bytes.size(); i += 1 + data.random() % 5) {
    std::string flipped = bytes;
    flipped[i] = static_cast<char>(flipped[i] ^ (1 << data.random() % 8));
    BOOST_CHECK_EXCEPTION(Ivf::of_bytes(flipped, kDimension).check(), Error, is_corruption);
    try {
      const Ivf ivf = Ivf::of_bytes(sealed(flipped), kDimension);
      ivf.check();
      for (const Row row : ivf.candidates(query, {50, 100, 1}, keep_all)) BOOST_TEST(row < 200);
    } catch (const Error& error) {
      BOOST_TEST(is_corruption(error));
    }
  }
}

// The steps of the tables then divide to nothing; under the sanitizers a cast of what is no number
// would end the test.
BOOST_AUTO_TEST_CASE(scales_of_the_smallest_numbers_are_read_and_searched) {
  Clustered data(200);
  std::string bytes = trained_ivf(data.rows, keep_all, kOrigin);
  constexpr size_t kScales = 8 + 6 * sizeof(uint64_t);
  for (const float scale : {0.0f, std::numeric_limits<float>::denorm_min(),
                            50 * std::numeric_limits<float>::denorm_min()}) {
    for (size_t i = 0; i < kDimension; ++i)
      std::memcpy(bytes.data() + kScales + i * sizeof scale, &scale, sizeof scale);
    const Ivf ivf = Ivf::of_bytes(sealed(bytes), kDimension);
    BOOST_TEST(ivf.candidates(data.query(), {50, 200, 1}, keep_all).size() == 50);
    BOOST_TEST(everything(ivf).size() == 200);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
