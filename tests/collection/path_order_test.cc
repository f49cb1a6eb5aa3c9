#include "lib/collection/path_order.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "lib/collection/merged_keys.h"
#include "tests/collection/shelf.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

// Pictures 0 ... count-1 in some order in so many parts, in groups of some that follow each other.
struct ScatteredShelf {
  ScatteredShelf(uint32_t count, size_t parts, uint32_t seed) {
    std::vector<std::vector<uint32_t>> numbers(parts);
    std::mt19937 random(seed);
    for (uint32_t number = 0; number < count; ++number) numbers[random() % parts].push_back(number);
    for (size_t part = 0; part < parts; ++part) {
      paths.push_back(directory / std::to_string(part));
      CollectionWriter writer = CollectionWriter::open_or_create(paths.back(), test_manifest());
      std::ranges::shuffle(numbers[part], random);
      Batch batch;
      for (const uint32_t number : numbers[part])
        batch.added.push_back(picture("/" + std::to_string(number), number));
      if (!batch.empty()) writer.commit(batch);
    }
  }

  View open() const { return View::open(paths); }

  TemporaryDirectory directory;
  std::vector<fs::path> paths;
};

std::vector<std::string> sorted_paths(const View& view) {
  std::vector<std::string> paths;
  view.for_each_record(
      [&](Row, const PictureRecord& record) { paths.push_back(record.file.path); });
  std::ranges::sort(paths);
  return paths;
}

std::vector<ContentHash> contents_of(const View& view, const std::vector<Row>& rows) {
  std::vector<ContentHash> contents;
  for (const PictureRecord& record : records_of(view, rows)) contents.push_back(record.content_hash);
  return contents;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(path_order)

BOOST_AUTO_TEST_CASE(rows_and_records_come_in_the_order_of_their_paths) {
  for (const size_t parts : {1u, 2u, 7u}) {
    const ScatteredShelf shelf(300, parts, 5);
    const View view = shelf.open();
    std::vector<std::string> paths;
    for_each_record_by_path(view, [&](Row row, const PictureRecord& record) {
      BOOST_TEST(view.record(row).file.path == record.file.path);
      paths.push_back(record.file.path);
    });
    BOOST_TEST(paths == sorted_paths(view), boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(more_keys_than_are_read_at_once_are_merged_too) {
  const ScatteredShelf shelf(9'000, 2, 6);
  const View view = shelf.open();
  const std::vector<Row> rows = rows_by_path(view);
  BOOST_TEST(rows.size() == 9'000u);
  std::vector<std::string> paths;
  for (const PictureRecord& record : records_of(view, rows)) paths.push_back(record.file.path);
  BOOST_TEST((paths == sorted_paths(view)));
  std::vector<Row> by_content;
  for_each_content(view, [&](const ContentHash&, Row row) {
    by_content.push_back(row);
    return true;
  });
  const std::vector<ContentHash> contents = contents_of(view, by_content);
  BOOST_TEST(contents.size() == 9'000u);
  BOOST_TEST(std::ranges::is_sorted(contents));
}

BOOST_AUTO_TEST_CASE(the_order_is_the_same_by_records_and_by_ranks) {
  const ScatteredShelf shelf(100, 3, 7);
  const View view = shelf.open();
  const PathOrder by_path(view);
  const auto path = [&](Row row) { return view.record(row).file.path; };
  for (int round = 0; round < 2; ++round) {  // the second one is beyond what records are asked for
    for (Row a = 0; a < view.rows(); ++a) {
      for (Row b = 0; b < view.rows(); ++b)
        if (by_path(a, b) != (path(a) < path(b))) BOOST_FAIL(path(a) << " and " << path(b));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_path_of_two_parts_stands_in_their_order) {
  const TemporaryDirectory directory;
  const std::vector<fs::path> parts = {directory / "a", directory / "b"};
  for (const fs::path& part : parts) {
    CollectionWriter writer = CollectionWriter::open_or_create(part, test_manifest());
    Shelf::add(writer, 0, 3);
  }
  const View view = View::open(parts);
  BOOST_TEST((rows_by_path(view) == std::vector<Row>{0, 3, 1, 4, 2, 5}));
  const PathOrder by_path(view);
  BOOST_TEST(by_path(0, 3));
  BOOST_TEST(!by_path(3, 0));
}

BOOST_AUTO_TEST_CASE(stretches_hold_all_rows_and_end_with_their_part) {
  const ScatteredShelf shelf(120, 2, 8);
  const View view = shelf.open();
  const std::vector<Row> rows = rows_by_path(view);
  const auto stretches = stretches_of(view, rows);
  BOOST_TEST(stretches.size() == 2u);
  BOOST_TEST(stretches.front().end == view.parts()[1].first_row);
  BOOST_TEST(stretches.back().end == view.rows());
  BOOST_TEST(stretches_of(view, std::vector<Row>{90, 3, 60}).size() == 3u);
  BOOST_TEST(stretches_of(view, {}).empty());
}

BOOST_AUTO_TEST_CASE(samples_are_of_the_same_pictures_whatever_the_parts_and_the_order) {
  const ScatteredShelf whole(9'000, 1, 9);
  const ScatteredShelf parts(9'000, 5, 10);
  const View one = whole.open();
  const View many = parts.open();
  for (const size_t count : {10u, 1000u, 4096u}) {
    const auto of_one = ViewVectors::pictures(one).sample(count);
    const auto of_many = ViewVectors::pictures(many).sample(count);
    BOOST_TEST(of_one.size() == count);
    BOOST_TEST((contents_of(one, of_one) == contents_of(many, of_many)));
    const ViewVectors one_texts = ViewVectors::texts(one);
    const ViewVectors many_texts = ViewVectors::texts(many);
    const auto texts = one_texts.sample(count);
    const auto other = many_texts.sample(count);
    BOOST_REQUIRE_EQUAL(texts.size(), std::min<size_t>(count, 3'000));
    BOOST_REQUIRE_EQUAL(texts.size(), other.size());
    for (size_t i = 0; i < texts.size(); ++i)
      BOOST_REQUIRE(std::ranges::equal(one_texts.row(texts[i]), many_texts.row(other[i])));
  }
}

BOOST_AUTO_TEST_CASE(a_sample_is_copied_with_the_texts_of_its_pictures) {
  const ScatteredShelf shelf(5'000, 3, 11);
  const View view = shelf.open();
  const ViewVectors pictures = ViewVectors::pictures(view);
  const ViewVectors texts = ViewVectors::texts(view);
  const std::vector<Row> sample = pictures.sample(ViewVectors::kMostSampled);
  const SampledPictures& copied = view.sampled_pictures();
  BOOST_REQUIRE_EQUAL(copied.pictures.size(), sample.size());
  size_t text = 0;
  for (size_t i = 0; i < sample.size(); ++i) {
    BOOST_REQUIRE(std::ranges::equal(copied.pictures.row(i), pictures.row(sample[i])));
    const auto own = view.text_index(sample[i]);
    if (!own) continue;
    BOOST_REQUIRE_EQUAL(copied.text_owners.at(text), i);
    BOOST_REQUIRE(std::ranges::equal(copied.texts.row(text), texts.row(*own)));
    BOOST_REQUIRE((copied.evidence[text] == view.text_evidence(*own)));
    ++text;
  }
  BOOST_TEST(text > 0u);
  BOOST_TEST(copied.text_owners.size() == text);
  BOOST_TEST(copied.texts.size() == text);
  BOOST_TEST(&view.sampled_pictures() == &copied);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
