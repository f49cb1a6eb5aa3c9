#pragma once

// Which pictures a search may find, by what their records say.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/view.h"

namespace zeroshelf {

enum class PathCase { Ignore, Match };

struct RecordFilter {
  // A picture must fit one of them. * stands for any run of characters, ? for any one, [a-z] for
  // one of these; / is a character like any other. A pattern without a / is compared with the
  // file's name, any other with the whole path, of which it may leave out the beginning at a /.
  std::vector<std::string> paths;
  PathCase path_case = PathCase::Ignore;
  std::optional<int64_t> since_ns;  // modified at this time or later
  std::optional<int64_t> until_ns;  // modified before this time
  uint64_t min_bytes = 0;
  uint64_t max_bytes = UINT64_MAX;
  uint32_t min_width = 0;
  uint32_t max_width = UINT32_MAX;
  uint32_t min_height = 0;
  uint32_t max_height = UINT32_MAX;
  std::optional<bool> has_text;

  // Whether the records must be read to tell. Text alone is known without.
  bool reads_records() const;
  bool admits(const PictureRecord& record) const;
};

// One a row, false for removed ones. Streams all records once when the filter needs them.
std::vector<bool> admitted_rows(const View& collection, const RecordFilter& filter);

// However accents are encoded.
bool path_fits(const std::string& pattern, const std::string& path,
               PathCase path_case = PathCase::Match);

// The first moment of a day "2024-12-31" in the local time zone, days later, in nanoseconds since
// 1970. Throws InvalidArgument naming the flag.
int64_t start_of_day_ns(const std::string& flag, const std::string& day, int days_later = 0);

}  // namespace zeroshelf
