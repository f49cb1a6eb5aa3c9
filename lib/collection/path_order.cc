// Tested by tests/collection/path_order_test.cc.

#include "lib/collection/path_order.h"

#include <algorithm>

#include "lib/collection/merged_keys.h"

namespace zeroshelf {

std::vector<Row> rows_by_path(const View& collection) {
  std::vector<Row> rows;
  rows.reserve(std::min(collection.pictures(), collection.rows()));
  for_each_path(collection, [&](Row row) { rows.push_back(row); });
  return rows;
}

bool PathOrder::operator()(Row a, Row b) const {
  constexpr uint64_t kFromRecords = 4096;
  constexpr uint64_t kReadInOrder = 16;  // paths, while one is looked up
  if (a == b) return false;
  if (!is_ranked_ && ++asked_ <= std::max(kFromRecords, collection_.rows() / kReadInOrder)) {
    const std::string of_a = collection_.record(a).file.path;
    const std::string of_b = collection_.record(b).file.path;
    return of_a != of_b ? of_a < of_b : a < b;
  }
  std::call_once(ranked_, [&] {
    ranks_.resize(collection_.rows());
    Row rank = 0;
    for_each_path(collection_, [&](Row row) { ranks_[row] = rank++; });
    is_ranked_ = true;
  });
  return ranks_[a] != ranks_[b] ? ranks_[a] < ranks_[b] : a < b;
}

std::vector<RowStretch> stretches_of(const View& collection, std::span<const Row> rows) {
  constexpr Row kMostBetween = 4;
  std::vector<Row> ascending(rows.begin(), rows.end());
  std::ranges::sort(ascending);
  std::vector<RowStretch> stretches;
  Row part_end = 0;
  for (const Row row : ascending) {
    if (stretches.empty() || row >= part_end || row > stretches.back().end + kMostBetween) {
      const View::Part& part = collection.part_of(row);
      part_end = part.first_row + part.collection.image_vectors().size();
      stretches.push_back({row, row});
    }
    stretches.back().end = row + 1;
  }
  return stretches;
}

RowPlaces::RowPlaces(std::span<const Row> rows) {
  places_.reserve(rows.size());
  for (const Row row : rows) places_.emplace_back(row, places_.size());
  std::ranges::sort(places_);
}

std::optional<size_t> RowPlaces::find(Row row) const {
  const auto found = std::ranges::lower_bound(places_, row, {}, &std::pair<Row, size_t>::first);
  if (found == places_.end() || found->first != row) return std::nullopt;
  return found->second;
}

namespace {

// Rows in stretches, but one by one where they lie alone.
template <class ReadOne, class ReadMany>
void read_stretches(const View& collection, std::span<const Row> rows, const ReadOne& read_one,
                    const ReadMany& read_many) {
  for (const RowStretch& stretch : stretches_of(collection, rows)) {
    if (stretch.first + 1 == stretch.end) {
      read_one(stretch.first);
    } else {
      read_many(stretch.first, stretch.end);
    }
  }
}

}  // namespace

std::vector<PictureRecord> records_of(const View& collection, std::span<const Row> rows) {
  std::vector<PictureRecord> records(rows.size());
  const RowPlaces places(rows);
  size_t found = 0;
  const auto take = [&](Row row, const PictureRecord& record) {
    const auto place = places.find(row);
    if (!place) return;
    records[*place] = record;
    ++found;
  };
  read_stretches(
      collection, rows, [&](Row row) { take(row, collection.record(row)); },
      [&](Row first, Row end) { collection.for_each_record(first, end, take); });
  // record() of a row without one says so.
  if (found < rows.size())
    std::ranges::transform(rows, records.begin(), [&](Row row) { return collection.record(row); });
  return records;
}

std::vector<std::vector<Word>> words_of(const View& collection, std::span<const Row> rows) {
  std::vector<std::vector<Word>> words(rows.size());
  const RowPlaces places(rows);
  const auto take = [&](Row row, const std::vector<Word>& of_row) {
    if (const auto place = places.find(row)) words[*place] = of_row;
  };
  read_stretches(
      collection, rows, [&](Row row) { take(row, collection.words(row)); },
      [&](Row first, Row end) { collection.for_each_words(first, end, take); });
  return words;
}

void for_each_record_by_path(const View& collection,
                             const std::function<void(Row, const PictureRecord&)>& visit) {
  constexpr size_t kAtOnce = 1024;
  const std::vector<Row> rows = rows_by_path(collection);
  for (std::span<const Row> rest(rows); !rest.empty();) {
    const std::span<const Row> some = rest.first(std::min(kAtOnce, rest.size()));
    const std::vector<PictureRecord> records = records_of(collection, some);
    for (size_t i = 0; i < some.size(); ++i) visit(some[i], records[i]);
    rest = rest.subspan(some.size());
  }
}

}  // namespace zeroshelf
