#pragma once

// The order of paths: that of whatever is numbered, listed or cut off, and of what is equal
// otherwise. It follows from the pictures alone, so it is the same whatever order they were added
// in, and in whatever parts. Paths are compared by their bytes; a path that several parts have
// stands in the order of the parts.

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "lib/collection/view.h"

namespace zeroshelf {

// All live rows. Reads all paths, some microseconds for each ten.
std::vector<Row> rows_by_path(const View& collection);

// Whether one row's path comes before another's. The first questions are answered from the records,
// and when there are many, from the order of all.
// Threads: any. The view must outlive it.
class PathOrder {
 public:
  explicit PathOrder(const View& collection) : collection_(collection) {}

  // Both rows are live. Throws what reading records throws.
  bool operator()(Row a, Row b) const;

 private:
  const View& collection_;
  mutable std::atomic<uint64_t> asked_{0};
  mutable std::atomic<bool> is_ranked_{false};  // then nothing that threads share is written
  mutable std::once_flag ranked_;
  mutable std::vector<Row> ranks_;  // one a row
};

// Consecutive rows of one part.
struct RowStretch {
  Row first = 0;
  Row end = 0;
};
// Some rows in any order, as few ascending stretches that hold them all and not many others:
// records and vectors are read much faster in order than one by one.
std::vector<RowStretch> stretches_of(const View& collection, std::span<const Row> rows);

// Where rows stand among some others.
// Threads: any.
class RowPlaces {
 public:
  explicit RowPlaces(std::span<const Row> rows);
  // Nothing for a row that is none of them. Logarithmic.
  std::optional<size_t> find(Row row) const;

 private:
  std::vector<std::pair<Row, size_t>> places_;  // ascending
};

// The records of live rows, and the words of rows, in the order that is given.
std::vector<PictureRecord> records_of(const View& collection, std::span<const Row> rows);
std::vector<std::vector<Word>> words_of(const View& collection, std::span<const Row> rows);

// All live rows and their records, in the order of their paths.
void for_each_record_by_path(const View& collection,
                             const std::function<void(Row, const PictureRecord&)>& visit);

}  // namespace zeroshelf
