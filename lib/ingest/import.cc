// Tested by tests/programs/import_test.cc.

#include "lib/ingest/import.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <span>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <variant>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"
#include "lib/files/npy_reader.h"
#include "lib/files/path_list.h"
#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hex_hash.h"
#include "lib/util/json_object.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "lib/util/text_input.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = uint64_t{1} << 34;
constexpr size_t kRowsABatch = 1000;
constexpr size_t kRowsToCheck = 8;
// What rounding to fp16 does to a unit vector is less.
constexpr double kUnitTolerance = 5e-4;

// --- lists --------------------------------------------------------------------------------------

std::string absolute_below(const fs::path& root, const std::string& path) {
  return absolute_path(root / path).string();
}

ContentHash hash_of(const std::string& hex, const std::string& subject) {
  if (const auto hash = hash_from_hex(hex)) return *hash;
  throw Error(ErrorCode::Corruption, subject, "damaged: no usable \"sha256\"");
}

Word word_of(const nlohmann::json& json, const std::string& subject) {
  Word word;
  word.text = json_member<std::string>(json, "text", subject);
  word.confidence = std::clamp(json_member<float>(json, "confidence", subject), 0.0f, 1.0f);
  if (json.contains("box")) {
    const nlohmann::json& box = json["box"];
    std::vector<int> sides;
    for (const nlohmann::json& side : box) {
      if (const auto value = json_as<int>(side)) sides.push_back(*value);
    }
    if (!box.is_array() || box.size() != 4 || sides.size() != 4)
      throw Error(ErrorCode::Corruption, subject, "damaged: no usable \"box\"");
    word.box = {sides[0], sides[1], sides[2], sides[3]};
  }
  return word;
}

std::string path_of(const nlohmann::json& json, const std::string& subject) {
  const bool coded = json.contains("path_base64");
  const char* name = coded ? "path_base64" : "path";
  std::optional<std::string> path = json_member<std::string>(json, name, subject);
  if (coded) path = from_base64(*path);
  // A path with NUL would be looked for under what stands before it.
  if (!path || path->empty() || path->find('\0') != std::string::npos)
    throw Error(ErrorCode::Corruption, subject, fmt::format("damaged: no usable \"{}\"", name));
  return *std::move(path);
}

ImportRow row_of(const nlohmann::json& json, const fs::path& root, const std::string& subject) {
  ImportRow row;
  row.file.path = absolute_below(root, path_of(json, subject));
  const auto read = [&]<class T>(const char* name, T& value) {
    if (json.contains(name)) value = json_member<T>(json, name, subject);
  };
  read("size_bytes", row.file.size_bytes);
  read("mtime_ns", row.file.mtime_ns);
  read("width", row.width_px);
  read("height", row.height_px);
  if (json.contains("sha256"))
    row.hash = hash_of(json_member<std::string>(json, "sha256", subject), subject);
  if (json.contains("words")) {
    if (!json["words"].is_array())
      throw Error(ErrorCode::Corruption, subject, "damaged: no usable \"words\"");
    for (const nlohmann::json& word : json["words"]) row.words.push_back(word_of(word, subject));
  }
  return row;
}

// --- vectors ------------------------------------------------------------------------------------

// Files one after the other.
class Rows {
 public:
  explicit Rows(const std::vector<fs::path>& files) {
    for (const fs::path& file : files) {
      readers_.emplace_back(file);
      if (readers_.back().columns() != readers_.front().columns()) {
        throw Error(ErrorCode::InvalidArgument, file.string(),
                    fmt::format("{} columns, but {} in {}", readers_.back().columns(),
                                readers_.front().columns(), readers_.front().path().string()));
      }
      size_ += readers_.back().rows();
    }
  }

  size_t size() const { return size_; }
  size_t columns() const { return readers_.empty() ? 0 : readers_.front().columns(); }

  void read(size_t row, std::span<float> out) const {
    return at(row).first->read_row(at(row).second, out);
  }

  // "FILE: row 7 (/a.jpg)", counted from 0 in the file.
  std::string name_of(size_t row, const std::string& path) const {
    const auto [reader, local] = at(row);
    return fmt::format("{}: row {} ({})", reader->path().string(), local, path);
  }

 private:
  std::pair<const NpyReader*, size_t> at(size_t row) const {
    size_t i = 0;
    while (row >= readers_[i].rows()) row -= readers_[i++].rows();
    return {&readers_[i], row};
  }

  std::vector<NpyReader> readers_;
  size_t size_ = 0;
};

double length_of(std::span<const float> vector) {
  double square = 0;
  for (const float value : vector) square += static_cast<double>(value) * value;
  return std::sqrt(square);
}

bool is_unit(double length) {
  return std::abs(length - 1) <= kUnitTolerance;
}

void scale_to_unit(std::span<float> vector, double length) {
  for (float& value : vector) value = static_cast<float>(value / length);
}

// --- files --------------------------------------------------------------------------------------

struct FileFacts {
  bool missing = false;
  bool undecoded = false;
};

ContentHash hash_of(std::string_view bytes) {
  return content_hash(std::as_bytes(std::span(bytes)));
}

// Fills in what the file says. One that is not there keeps what the list said of it.
FileFacts complete(ImportRow& row) {
  FileFacts facts;
  const auto found = find_file(row.file.path);
  std::variant<std::string, Skip> bytes = Skip{};
  if (found) bytes = read_found_file(*found, DecodeLimits{}.max_bytes);
  if (std::holds_alternative<Skip>(bytes)) {
    facts.missing = true;
    // A content that no file has.
    if (!row.hash) row.hash = hash_of(std::string("zeroshelf: no file\0", 19) + row.file.path);
    return facts;
  }
  row.file.size_bytes = found->size_bytes;
  row.file.mtime_ns = found->mtime_ns;
  row.file.identity = found->identity;
  const ContentHash hash = hash_of(std::get<std::string>(bytes));
  const bool known = row.hash == hash && row.width_px > 0;
  row.hash = hash;
  if (known) return facts;
  const auto image = decode_image(std::as_bytes(std::span(std::get<std::string>(bytes))), {});
  facts.undecoded = std::holds_alternative<Skip>(image);
  row.width_px = facts.undecoded ? 0 : static_cast<uint32_t>(std::get<Image>(image).width_px);
  row.height_px = facts.undecoded ? 0 : static_cast<uint32_t>(std::get<Image>(image).height_px);
  return facts;
}

class Import {
 public:
  Import(std::vector<ImportRow> rows, const ImportOptions& options)
      : rows_(std::move(rows)),
        options_(options),
        images_(options.image_files),
        texts_(options.text_files) {}

  // Before anything is written or read at length.
  void check_all(const std::function<void(const std::vector<std::string>&, const Matrix&)>& check) {
    check_counts();
    check_paths();
    check_vectors();
    check_sample(check);
  }

  ImportReport write(CollectionWriter& writer) {
    using Workers = OrderedWorkers<size_t, FileFacts>;
    const unsigned threads = options_.threads == 0 ? available_cores() : options_.threads;
    Workers workers({threads, [this](size_t row) { return complete(rows_[row]); }},
                    4 * size_t{threads});
    size_t next = 0;
    for (size_t row = 0; row < rows_.size(); ++row) {
      if (workers.full()) take(next++, workers.pop(), writer);
      workers.push(row);
    }
    while (!workers.empty()) take(next++, workers.pop(), writer);
    commit(writer);
    writer.publish_snapshot(SnapshotWhen::Now);
    return report_;
  }

 private:
  void check_counts() const {
    const auto check = [&](const Rows& vectors, const std::vector<fs::path>& files,
                           const char* what) {
      if (files.empty() || vectors.size() == rows_.size()) return;
      throw Error(ErrorCode::InvalidArgument, files.front().string(),
                  fmt::format("{} {} vectors for {} paths", vectors.size(), what, rows_.size()),
                  "give as many paths as rows, in their order");
    };
    check(images_, options_.image_files, "picture");
    check(texts_, options_.text_files, "text");
    if (!options_.text_files.empty() && texts_.columns() != images_.columns()) {
      throw Error(ErrorCode::InvalidArgument, options_.text_files.front().string(),
                  fmt::format("{} columns, but {} in the picture vectors", texts_.columns(),
                              images_.columns()),
                  "both must be of one model");
    }
    if (rows_.empty())
      throw Error(ErrorCode::InvalidArgument, "import", "no rows in the list of paths");
  }

  void check_paths() const {
    std::unordered_map<std::string_view, size_t> seen;
    for (size_t i = 0; i < rows_.size(); ++i) {
      const std::string& path = rows_[i].file.path;
      if (const auto [at, fresh] = seen.emplace(path, i); !fresh) {
        throw Error(
            ErrorCode::InvalidArgument, path,
            fmt::format("is in the list of paths twice, at {} and {}", at->second + 1, i + 1),
            "a picture has one row: leave one out, and its vector");
      }
      if (options_.allow_missing || find_file(path)) continue;
      throw Error(ErrorCode::NotFound, path,
                  fmt::format("no such file (row {} of the list)", i + 1),
                  "name the folder that paths are relative to with --root, or take such rows with "
                  "--allow-missing");
    }
  }

  void check_vectors() {
    std::vector<float> vector(images_.columns());
    for (size_t i = 0; i < rows_.size(); ++i) {
      images_.read(i, vector);
      check_vector(images_, i, vector, /*may_be_zero=*/false);
      if (options_.text_files.empty()) continue;
      texts_.read(i, vector);
      check_vector(texts_, i, vector, /*may_be_zero=*/true);
    }
  }

  void check_vector(const Rows& vectors, size_t row, std::span<const float> vector,
                    bool may_be_zero) {
    const double length = length_of(vector);
    if (!std::isfinite(length)) {
      throw Error(ErrorCode::InvalidArgument, vectors.name_of(row, rows_[row].file.path),
                  "a value that is no finite number", "leave the row out, and its path");
    }
    if (length < 1e-12 && !may_be_zero) {
      throw Error(ErrorCode::InvalidArgument, vectors.name_of(row, rows_[row].file.path),
                  "a vector of length zero", "leave the row out, and its path");
    }
    if (length >= 1e-12 && !is_unit(length)) ++report_.normalised;
  }

  void check_sample(
      const std::function<void(const std::vector<std::string>&, const Matrix&)>& check) const {
    std::vector<size_t> sample;
    const size_t step = std::max<size_t>(1, rows_.size() / kRowsToCheck);
    for (size_t i = 0; i < rows_.size() && sample.size() < kRowsToCheck; i += step) {
      if (find_file(rows_[i].file.path)) sample.push_back(i);
    }
    std::vector<std::string> paths;
    Matrix vectors(sample.size(), images_.columns());
    for (size_t i = 0; i < sample.size(); ++i) {
      paths.push_back(rows_[sample[i]].file.path);
      images_.read(sample[i], vectors.row(i));
      normalise(vectors.row(i));
    }
    check(paths, vectors);
  }

  std::vector<float> unit_row(const Rows& vectors, size_t row) const {
    std::vector<float> vector(vectors.columns());
    vectors.read(row, vector);
    // One that has unit length already is kept to the last bit.
    if (const double length = length_of(vector); !is_unit(length)) scale_to_unit(vector, length);
    return vector;
  }

  void take(size_t index, const FileFacts& facts, CollectionWriter& writer) {
    ImportRow& row = rows_[index];
    NewPicture picture;
    picture.record.file = row.file;
    picture.record.content_hash = *row.hash;
    picture.record.width_px = row.width_px;
    picture.record.height_px = row.height_px;
    picture.image_vector = unit_row(images_, index);
    if (has_text(index)) {
      picture.text_vector = unit_row(texts_, index);
      picture.words = std::move(row.words);
      // The vector counts, also where nobody says what was read.
      if (picture.words.empty()) picture.words.push_back({"", 1, {}});
      picture.record.word_count = static_cast<uint32_t>(picture.words.size());
      picture.record.text_confidence = mean_confidence(picture.words);
      ++report_.with_text;
    }
    batch_.added.push_back(std::move(picture));
    ++report_.pictures;
    report_.missing += facts.missing ? 1 : 0;
    report_.unreadable += facts.undecoded ? 1 : 0;
    if (batch_.added.size() >= kRowsABatch) commit(writer);
  }

  bool has_text(size_t row) const {
    if (options_.text_files.empty()) return false;
    std::vector<float> vector(texts_.columns());
    texts_.read(row, vector);
    return length_of(vector) >= 1e-12;
  }

  void commit(CollectionWriter& writer) {
    if (!batch_.empty()) writer.commit(batch_);
    batch_ = {};
  }

  std::vector<ImportRow> rows_;
  const ImportOptions& options_;
  Rows images_;
  Rows texts_;
  Batch batch_;
  ImportReport report_;
};

}  // namespace

std::vector<ImportRow> read_import_paths(const fs::path& file, PathSeparator separator,
                                         const fs::path& root) {
  std::vector<ImportRow> rows;
  const auto add = [&](const std::string& path) {
    rows.emplace_back().file.path = absolute_below(root, path);
  };
  if (separator == PathSeparator::Nul) {
    // As many as the other list takes.
    const PathListLimits limits{.paths = kMaxListBytes, .bytes = kMaxListBytes};
    for (const std::string& path : read_path_list(file.string(), limits)) add(path);
    return rows;
  }
  for_each_line(read_text_input(file, kMaxListBytes), [&](size_t number, std::string_view line) {
    if (line.empty() || line.find('\0') != std::string_view::npos) {
      throw Error(ErrorCode::InvalidArgument, fmt::format("{}:{}", file.string(), number),
                  line.empty() ? "an empty path" : "a path with NUL in it",
                  "the list has one path a line, or each ended by NUL with --paths0");
    }
    add(std::string(line));
  });
  return rows;
}

std::vector<ImportRow> read_import_metadata(const fs::path& file, const fs::path& root) {
  std::vector<ImportRow> rows;
  for_each_line(read_text_input(file, kMaxListBytes), [&](size_t number, std::string_view line) {
    const std::string subject = fmt::format("{}:{}", file.string(), number);
    const auto json = parse_bounded_json(line);
    if (!json || !json->is_object())
      throw Error(ErrorCode::Corruption, subject, "not a line of JSON with a path");
    rows.push_back(row_of(*json, root, subject));
  });
  return rows;
}

uint32_t import_dimension(const ImportOptions& options) {
  const Rows rows(options.image_files);
  constexpr size_t kMostColumns = 65'536;
  if (rows.columns() == 0 || rows.columns() > kMostColumns) {
    throw Error(ErrorCode::InvalidArgument, options.image_files.front().string(),
                fmt::format("{} columns; 1 to {} are taken", rows.columns(), kMostColumns));
  }
  return static_cast<uint32_t>(rows.columns());
}

namespace {
// Where a collection is built before it gets its name. What an import that was cut short has left,
// or somebody has put there, stays.
fs::path importing_name(const fs::path& target, int number) {
  fs::path name = target;
  name += number == 1 ? ".importing" : ".importing" + std::to_string(number);
  return name;
}

fs::path free_importing_name(const fs::path& target) {
  std::error_code error;
  int number = 1;
  while (fs::exists(fs::symlink_status(importing_name(target, number), error))) ++number;
  return importing_name(target, number);
}
}  // namespace

ImportReport import_vectors(
    const fs::path& directory, const Manifest& manifest, std::vector<ImportRow> rows,
    const ImportOptions& options,
    const std::function<void(const std::vector<std::string>&, const Matrix&)>& check) {
  const fs::path target = absolute_path(directory);
  std::error_code error;
  const fs::file_status status = fs::symlink_status(target, error);
  if (fs::exists(status) && !(fs::is_directory(status) && fs::is_empty(target, error))) {
    throw Error(ErrorCode::InvalidArgument, target.string(), "it exists already",
                "an import makes a new collection: name another folder");
  }
  Import import(std::move(rows), options);
  import.check_all(check);

  const fs::path unfinished = free_importing_name(target);
  ImportReport report;
  try {
    CollectionWriter writer = CollectionWriter::open_or_create(unfinished, manifest);
    report = import.write(writer);
  } catch (...) {
    fs::remove_all(unfinished, error);
    throw;
  }
  fs::remove(target, error);  // an empty folder
  fs::rename(unfinished, target, error);
  if (error) throw system_error(target.string(), "name the collection", error.value());
  sync_path(target.parent_path());
  if (unfinished != importing_name(target, 1)) report.leftover = importing_name(target, 1);
  return report;
}

}  // namespace zeroshelf
