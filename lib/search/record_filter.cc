// Tested by tests/search/search_test.cc.

#include "lib/search/record_filter.h"

#include <fnmatch.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <limits>

#include "lib/util/error.h"
#include "lib/util/unicode.h"

namespace zeroshelf {

bool path_fits(const std::string& pattern, const std::string& path, PathCase path_case) {
  const auto comparable = [&](const std::string& text) {
    return path_case == PathCase::Match ? nfc(text) : folded(text);
  };
  const auto fits = [&](const std::string& wanted, const std::string& text) {
    return ::fnmatch(comparable(wanted).c_str(), comparable(text).c_str(), 0) == 0;
  };
  if (pattern.find('/') == std::string::npos)
    return fits(pattern, path.substr(path.rfind('/') + 1));
  return fits(pattern, path) || fits("*/" + pattern, path);
}

bool RecordFilter::reads_records() const {
  const RecordFilter none;
  return !paths.empty() || since_ns || until_ns || min_bytes != none.min_bytes ||
         max_bytes != none.max_bytes || min_width != none.min_width ||
         max_width != none.max_width || min_height != none.min_height ||
         max_height != none.max_height;
}

bool RecordFilter::admits(const PictureRecord& record) const {
  if (has_text && *has_text != (record.word_count > 0)) return false;
  if (since_ns && record.file.mtime_ns < *since_ns) return false;
  if (until_ns && record.file.mtime_ns >= *until_ns) return false;
  if (record.file.size_bytes < min_bytes || record.file.size_bytes > max_bytes) return false;
  if (record.width_px < min_width || record.width_px > max_width) return false;
  if (record.height_px < min_height || record.height_px > max_height) return false;
  if (paths.empty()) return true;
  for (const std::string& pattern : paths) {
    if (path_fits(pattern, record.file.path, path_case)) return true;
  }
  return false;
}

std::vector<bool> admitted_rows(const View& collection, const RecordFilter& filter) {
  const size_t rows = collection.rows();
  std::vector<bool> admitted(rows);
  if (filter.reads_records()) {
    collection.for_each_record(
        [&](Row row, const PictureRecord& record) { admitted[row] = filter.admits(record); });
    return admitted;
  }
  for (Row row = 0; row < rows; ++row)
    admitted[row] = collection.is_live(row) && filter.has_text != true;
  if (filter.has_text) {
    for (const Row row : collection.text_owners())
      admitted[row] = collection.is_live(row) && *filter.has_text;
  }
  return admitted;
}

int64_t start_of_day_ns(const std::string& flag, const std::string& day, int days_later) {
  std::tm date = {};
  const char* end = ::strptime(day.c_str(), "%Y-%m-%d", &date);
  using namespace std::chrono;
  const bool is_day =
      end != nullptr && *end == '\0' &&
      year_month_day(year(date.tm_year + 1900), month(static_cast<unsigned>(date.tm_mon + 1)),
                     std::chrono::day(static_cast<unsigned>(date.tm_mday)))
          .ok();
  if (!is_day) {
    throw Error(ErrorCode::InvalidArgument, flag, "\"" + day + "\" is no day",
                "write it as 2024-12-31");
  }
  date.tm_mday += days_later;
  date.tm_isdst = -1;
  // Nanoseconds reach from 1677 to 2262; no file's time lies outside.
  constexpr int64_t kSecond = 1'000'000'000;
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / kSecond;
  return std::clamp(static_cast<int64_t>(std::mktime(&date)), -kMost, kMost) * kSecond;
}

}  // namespace zeroshelf
