// Tested by tests/labelling/evaluate_test.cc.

#include "lib/labelling/truth.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "lib/util/csv.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"
#include "lib/util/text_input.h"
#include "lib/util/unicode.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxTruthBytes = uint64_t{1} << 30;

constexpr const char* kCure =
    "the file is CSV: a line \"path,label\", then one picture a line, with , or ; or tabs between";

// The bytes of a path stand in a column of their own where they are no UTF-8.
std::string path_of(const std::vector<std::string>& row, size_t column,
                    std::optional<size_t> exact_column, const CsvTable& table) {
  if (!exact_column || *exact_column >= row.size() || row[*exact_column].empty())
    return row[column];
  const auto path = from_base64(row[*exact_column]);
  if (!path || path->find('\0') != std::string::npos) table.fail("no usable \"path_base64\"");
  return *path;
}

// "'dgo' (3 pictures; did you mean 'dog'?)"
std::string told_label(const std::string& label, uint64_t pictures,
                       const std::vector<std::string>& names) {
  const auto nearest = nearest_name(label, names);
  return fmt::format("'{}' ({} picture{}{})", label, with_thousands(pictures),
                     pictures == 1 ? "" : "s",
                     nearest ? "; did you mean '" + *nearest + "'?" : "");
}

// All labels of the truth that are not among the labels, at once.
void expect_known_labels(const std::vector<Label>& labels, const Truth& truth) {
  constexpr size_t kMostShown = 10;
  std::vector<std::string> names;
  for (const Label& label : labels) names.push_back(label.name);
  std::map<std::string, uint64_t> unknown;
  for (const auto& [path, label] : truth) {
    if (std::ranges::find(names, label) == names.end()) ++unknown[label];
  }
  if (unknown.empty()) return;
  std::string told;
  size_t shown = 0;
  for (const auto& [label, pictures] : unknown) {
    if (++shown > kMostShown) break;
    told += (told.empty() ? "" : ", ") + told_label(label, pictures, names);
  }
  if (unknown.size() > kMostShown)
    told += fmt::format(" and {} more", unknown.size() - kMostShown);
  throw Error(ErrorCode::InvalidArgument, "the truth",
              fmt::format("names {} that {} not among the labels: {}",
                          unknown.size() == 1 ? "a label" : "labels",
                          unknown.size() == 1 ? "is" : "are", told),
              "name them with --labels, with the same letters");
}

// The truth of a path, also where the bytes differ but not the letters: "e" with an accent is one
// character or two.
class TruthByPath {
 public:
  explicit TruthByPath(const Truth& truth) : truth_(truth) {
    for (const auto& [path, label] : truth) {
      std::string composed = nfc(path);
      const auto [at, is_new] = composed_.emplace(std::move(composed), &label);
      if (!is_new && at->second != nullptr && *at->second != label) at->second = nullptr;  // two files
    }
  }

  const std::string* find(const std::string& path) const {
    if (const auto exact = truth_.find(path); exact != truth_.end()) return &exact->second;
    const auto composed = composed_.find(nfc(path));
    return composed != composed_.end() ? composed->second : nullptr;
  }

 private:
  const Truth& truth_;
  std::map<std::string, const std::string*> composed_;
};

std::map<std::string, uint32_t> numbers_of(const std::vector<Label>& labels) {
  std::map<std::string, uint32_t> numbers;
  for (const Label& label : labels) {
    numbers.emplace(label.name, static_cast<uint32_t>(numbers.size()));
  }
  return numbers;
}

}  // namespace

std::string compared_name(std::string_view name) {
  std::string compared = folded(name);
  for (char& c : compared) {
    if (c == '_' || c == '-') c = ' ';
  }
  return compared;
}

TruthFile parse_truth(std::string text, const std::string& name, const fs::path& folder) {
  CsvTable table(std::move(text), name, kCure);
  const size_t path_column = table.column("path");
  const size_t label_column = table.column("label");
  const auto exact_column = table.find_column("path_base64");
  TruthFile file;
  std::set<std::string> unlabelled;
  while (const auto row = table.next()) {
    if (row->size() <= path_column || (*row)[path_column].empty()) table.fail("a path is missing");
    const std::string path =
        absolute_path(folder / path_of(*row, path_column, exact_column, table)).string();
    const std::string label = label_column < row->size() ? (*row)[label_column] : "";
    if (!is_utf8(label)) table.fail("the label is not UTF-8; save the file as UTF-8");
    if (label.empty()) {
      unlabelled.insert(path);
      continue;
    }
    const auto [at, is_new] = file.truth.emplace(path, label);
    if (!is_new && at->second != label)
      table.fail(fmt::format("{} is '{}' here and '{}' above", path, label, at->second));
  }
  std::erase_if(unlabelled, [&](const std::string& path) { return file.truth.contains(path); });
  file.unlabelled = unlabelled.size();
  return file;
}

TruthFile read_truth_file(const fs::path& csv) {
  return parse_truth(read_text_input(csv, kMaxTruthBytes), name_of_input(csv), folder_of_input(csv));
}

Truth read_truth(const fs::path& csv) {
  return read_truth_file(csv).truth;
}

FolderTruth truth_from_folders(const View& collection, const std::vector<Label>& labels) {
  std::map<std::string, std::string> names;  // as they are compared
  for (const Label& label : labels) names.emplace(compared_name(label.name), label.name);
  FolderTruth found;
  collection.for_each_record([&](Row, const PictureRecord& record) {
    const std::string folder = fs::path(record.file.path).parent_path().filename().string();
    const auto label = names.find(compared_name(folder));
    if (!labels.empty() && label != names.end()) {
      found.truth.emplace(record.file.path, label->second);
    } else if (labels.empty() && is_utf8(folder) && !folder.empty()) {
      found.truth.emplace(record.file.path, folder);
    } else {
      ++found.others[folder];
    }
  });
  return found;
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
  expect_known_labels(labels, truth);
  const std::map<std::string, uint32_t> numbers = numbers_of(labels);
  const TruthByPath by_path(truth);
  KnownPictures known;
  std::vector<std::pair<std::string, KnownPicture>> found;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    const std::string* label = by_path.find(record.file.path);
    if (label == nullptr) {
      ++known.without_truth;
    } else {
      found.push_back({record.file.path, {row, numbers.at(*label)}});
    }
  });
  std::ranges::stable_sort(found, {}, &std::pair<std::string, KnownPicture>::first);
  for (const auto& [path, picture] : found) known.pictures.push_back(picture);
  known.not_in_collection = truth.size() - std::min(truth.size(), known.pictures.size());
  if (truth.empty())
    throw Error(ErrorCode::InvalidArgument, "the truth", "names no picture with one of the labels",
                "name the labels as the truth has them");
  if (known.pictures.empty()) {
    throw Error(ErrorCode::InvalidArgument, "the truth",
                fmt::format("none of {} paths is in the collection; first looked for: {}",
                            with_thousands(truth.size()), truth.begin()->first),
                "write absolute paths, or paths relative to the folder of the CSV file");
  }
  return known;
}

}  // namespace zeroshelf
