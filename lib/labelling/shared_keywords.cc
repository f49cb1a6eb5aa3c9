// Tested by tests/labelling/shared_keywords_test.cc.

#include "lib/labelling/shared_keywords.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include "lib/collection/path_order.h"
#include "lib/labelling/picture_keywords.h"
#include "lib/labelling/truth.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kFewest = 3;  // pictures
constexpr double kHalf = 0.5;
constexpr double kMoreOften = 2;
constexpr size_t kShown = 3;
// What is longer is no name; who has more keywords has not chosen them.
constexpr size_t kMostBytes = 100;
constexpr size_t kMostOfPicture = 500;

struct Keyword {
  std::map<std::string, uint64_t> spellings;
  std::vector<uint64_t> of_group;  // pictures
  uint64_t pictures = 0;
};

// "2019", "5" and "***" name nothing.
bool may_name(std::string_view part) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
  };
  const auto is_control = [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
  };
  return part.size() <= kMostBytes && is_utf8(part) && std::ranges::any_of(part, is_letter) &&
         std::ranges::none_of(part, is_control);
}

// As they are compared, and as they are written.
std::map<std::string, std::string> names_in(const std::vector<KeywordPath>& keywords) {
  std::map<std::string, std::string> names;
  for (const KeywordPath& keyword : keywords) {
    for (const std::string& part : keyword) {
      if (names.size() == kMostOfPicture) return names;
      if (may_name(part)) names.emplace(compared_name(part), part);
    }
  }
  return names;
}

// The one that most pictures have; of equals the first.
const std::string& usual(const std::map<std::string, uint64_t>& spellings) {
  return std::ranges::max_element(spellings, {}, [](const auto& one) { return one.second; })->first;
}

double share(uint64_t some, uint64_t all) {
  return all == 0 ? 0 : static_cast<double>(some) / static_cast<double>(all);
}

// What was read in the sample's pictures.
class Counts {
 public:
  explicit Counts(size_t groups) : read_(groups) {}

  void add(uint32_t group, const std::map<std::string, std::string>& names) {
    ++pictures_;
    if (group != kNoGroup) ++read_[group];
    for (const auto& [compared, written] : names) {
      Keyword& keyword = keywords_[compared];
      keyword.of_group.resize(read_.size());
      ++keyword.spellings[written];
      ++keyword.pictures;
      if (group != kNoGroup) ++keyword.of_group[group];
    }
  }

  std::vector<SharedWord> shared_by(size_t group) const {
    std::vector<std::pair<double, SharedWord>> found;  // with how much it tells
    for (const auto& [compared, keyword] : keywords_) {
      const uint64_t pictures = keyword.of_group[group];
      const double own = share(pictures, read_[group]);
      const double others = share(keyword.pictures - pictures, pictures_ - read_[group]);
      if (pictures >= kFewest && own >= kHalf && own >= kMoreOften * others)
        found.push_back({own - others, {usual(keyword.spellings), own}});
    }
    std::ranges::stable_sort(found, std::ranges::greater(), [](const auto& one) { return one.first; });
    std::vector<SharedWord> shared;
    for (size_t i = 0; i < std::min(kShown, found.size()); ++i)
      shared.push_back(std::move(found[i].second));
    return shared;
  }

 private:
  std::vector<uint64_t> read_;  // pictures, of each group
  uint64_t pictures_ = 0;
  std::map<std::string, Keyword> keywords_;
};

}  // namespace

std::vector<std::vector<SharedWord>> shared_keywords(const View& collection,
                                                     std::span<const Row> sample,
                                                     std::span<const uint32_t> of_row,
                                                     size_t groups) {
  const PathOrder by_path(collection);
  std::vector<Row> rows(sample.begin(), sample.end());
  std::ranges::sort(rows, [&](Row a, Row b) { return by_path(a, b); });
  PictureKeywords keywords([](const Error&) {});
  Counts counts(groups);
  for (const Row row : rows) {
    const std::filesystem::path picture = collection.record(row).file.path;
    std::error_code ignored;
    if (std::filesystem::is_regular_file(picture, ignored))
      counts.add(of_row[row], names_in(keywords.of(picture)));
  }
  std::vector<std::vector<SharedWord>> shared;
  for (size_t group = 0; group < groups; ++group) shared.push_back(counts.shared_by(group));
  return shared;
}

}  // namespace zeroshelf
