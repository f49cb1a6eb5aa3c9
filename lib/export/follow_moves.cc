// Tested by tests/export/follow_moves_test.cc.

#include "lib/export/follow_moves.h"

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <system_error>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// An export's folder that was renamed after the collection had followed the files into it: the
// content of one of them tells how it was called.
class RenamedFolder {
 public:
  RenamedFolder(const Collection& collection, const fs::path& now)
      : collection_(collection), now_(now.string()) {}

  // The picture whose file was at `from` and is at `to` now.
  std::optional<Row> find(const MovedFile& file) {
    if (now_.empty() || !file.from.starts_with(now_ + "/")) return std::nullopt;
    const std::string below = file.from.substr(now_.size());
    if (!before_ && tries_ < kMostTries && !collection_.find_path(file.to)) {
      ++tries_;
      before_ = before(file.to, below);
    }
    return before_ ? collection_.find_path(*before_ + below) : std::nullopt;
  }

 private:
  static constexpr int kMostTries = 16;  // files that are read for that
  static constexpr uint64_t kMostBytes = uint64_t{1} << 30;

  std::optional<std::string> before(const std::string& file, const std::string& below) const {
    std::error_code error;
    if (!fs::is_regular_file(fs::symlink_status(file, error))) return std::nullopt;
    const std::string bytes = read_file(file, kMostBytes);
    for (const Row row : collection_.find_contents(content_hash(std::as_bytes(std::span(bytes))))) {
      const std::string path = collection_.record(row).file.path;
      if (path.ends_with(below) && !fs::exists(fs::symlink_status(path, error)))
        return path.substr(0, path.size() - below.size());
    }
    return std::nullopt;
  }

  const Collection& collection_;
  std::string now_;
  std::optional<std::string> before_;
  int tries_ = 0;
};

}  // namespace

uint64_t follow_moves(const fs::path& collection, const std::vector<MovedFile>& files,
                      const fs::path& folder) {
  constexpr size_t kMovesABatch = 1000;
  if (files.empty()) return 0;
  CollectionWriter writer = CollectionWriter::open_existing(collection);
  RenamedFolder renamed(writer, folder);
  uint64_t followed = 0;
  Batch batch;
  const auto commit = [&] {
    if (!batch.empty()) writer.commit(batch);
    batch = {};
  };
  for (const MovedFile& file : files) {
    std::error_code ignored;
    auto row = writer.find_path(file.from);
    if (!row) row = renamed.find(file);
    const auto found = row ? find_file(file.to) : std::nullopt;
    if (!found || fs::exists(fs::symlink_status(file.from, ignored))) continue;
    batch.moved.emplace_back(
        *row, FileStamp{file.to, found->size_bytes, found->mtime_ns, found->identity});
    ++followed;
    if (batch.moved.size() >= kMovesABatch) commit();
  }
  commit();
  return followed;
}

}  // namespace zeroshelf
