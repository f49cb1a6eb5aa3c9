// Tested by tests/labelling/evaluate_test.cc.

#include "lib/labelling/truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxTruthBytes = uint64_t{1} << 30;

// Reads a CSV text row by row.
class CsvReader {
 public:
  CsvReader(std::string text, std::string subject)
      : text_(std::move(text)), subject_(std::move(subject)) {
    if (text_.starts_with("\xef\xbb\xbf")) position_ = 3;
  }

  // The next row that is not empty; nothing at the end.
  std::optional<std::vector<std::string>> next() {
    while (position_ < text_.size()) {
      std::vector<std::string> row = read_row();
      if (row.size() > 1 || !row.front().empty()) return row;
    }
    return std::nullopt;
  }

  [[noreturn]] void fail(const std::string& cause) const {
    throw Error(ErrorCode::InvalidArgument, fmt::format("{}:{}", subject_, line_), cause,
                "the file is CSV: a line \"path,label\", then one picture a line");
  }

 private:
  std::vector<std::string> read_row() {
    line_ = next_line_;
    std::vector<std::string> row;
    do {
      row.push_back(read_cell());
    } while (take(','));
    take('\r');
    if (position_ < text_.size() && !take('\n')) fail("a quoted cell goes on behind its quote");
    ++next_line_;
    return row;
  }

  std::string read_cell() {
    if (!take('"')) {
      const size_t end = std::min(text_.find_first_of(",\r\n", position_), text_.size());
      std::string cell = text_.substr(position_, end - position_);
      position_ = end;
      return cell;
    }
    std::string cell;
    for (;;) {
      if (position_ >= text_.size()) fail("a quoted cell does not end");
      const char c = text_[position_++];
      if (c == '\n') ++next_line_;
      if (c == '"' && !take('"')) return cell;
      cell += c;
    }
  }

  bool take(char c) {
    if (position_ >= text_.size() || text_[position_] != c) return false;
    ++position_;
    return true;
  }

  std::string text_;
  std::string subject_;
  size_t position_ = 0;
  size_t line_ = 1;
  size_t next_line_ = 1;
};

size_t column_of(const std::vector<std::string>& header, const char* name,
                 const CsvReader& reader) {
  const auto found = std::find(header.begin(), header.end(), name);
  if (found == header.end()) reader.fail(fmt::format("there is no column \"{}\"", name));
  return static_cast<size_t>(found - header.begin());
}

std::map<std::string, uint32_t> numbers_of(const std::vector<Label>& labels) {
  std::map<std::string, uint32_t> numbers;
  for (const Label& label : labels) {
    numbers.emplace(label.name, static_cast<uint32_t>(numbers.size()));
  }
  return numbers;
}

}  // namespace

Truth read_truth(const fs::path& csv) {
  std::string text = read_file(csv, kMaxTruthBytes);
  const bool is_text = text.find('\0') == std::string::npos;
  CsvReader reader(std::move(text), csv.string());
  if (!is_text) reader.fail("there are zero bytes in it: it is not text in UTF-8");
  const auto header = reader.next();
  if (!header) reader.fail("the file is empty");
  const size_t path_column = column_of(*header, "path", reader);
  const size_t label_column = column_of(*header, "label", reader);
  const fs::path folder = absolute_path(csv).parent_path();
  Truth truth;
  while (const auto row = reader.next()) {
    if (row->size() <= std::max(path_column, label_column)) reader.fail("a cell is missing");
    const std::string path = absolute_path(folder / (*row)[path_column]).string();
    if (!truth.emplace(path, (*row)[label_column]).second) {
      reader.fail(fmt::format("{} stands twice", path));
    }
  }
  return truth;
}

std::vector<std::string> labels_of(const Truth& truth) {
  std::vector<std::string> names;
  for (const auto& [path, label] : truth) names.push_back(label);
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

KnownPictures known_pictures(const View& collection, const std::vector<Label>& labels,
                             const Truth& truth) {
  const std::map<std::string, uint32_t> numbers = numbers_of(labels);
  for (const auto& [path, label] : truth) {
    if (numbers.contains(label)) continue;
    throw Error(ErrorCode::InvalidArgument, label,
                fmt::format("the truth of {} is not among the labels", path),
                "name it with --labels, with the same letters");
  }
  KnownPictures known;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    const auto found = truth.find(record.file.path);
    if (found == truth.end()) {
      ++known.without_truth;
    } else {
      known.pictures.push_back({row, numbers.at(found->second)});
    }
  });
  known.not_in_collection = truth.size() - known.pictures.size();
  if (known.pictures.empty()) {
    throw Error(ErrorCode::InvalidArgument, "the truth", "names no picture of the collection",
                "its paths are absolute, or relative to the folder of the CSV file");
  }
  return known;
}

}  // namespace zeroshelf
