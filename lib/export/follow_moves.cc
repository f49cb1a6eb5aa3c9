// Tested by tests/export/follow_moves_test.cc.

#include "lib/export/follow_moves.h"

#include <system_error>
#include <utility>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

}  // namespace

uint64_t follow_moves(const fs::path& collection, const std::vector<MovedFile>& files) {
  constexpr size_t kMovesABatch = 1000;
  CollectionWriter writer = CollectionWriter::open_existing(collection);
  uint64_t followed = 0;
  Batch batch;
  const auto commit = [&] {
    if (!batch.empty()) writer.commit(batch);
    batch = {};
  };
  for (const MovedFile& file : files) {
    std::error_code ignored;
    const auto row = writer.find_path(file.from);
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

ExportedMoves moves_back(const fs::path& directory, std::span<const ExportedFile> files) {
  ExportedMoves moves;
  for (const ExportedFile& file : files) {
    if (file.collection.empty()) continue;
    moves[file.collection].push_back(
        {absolute_path(directory / file.exported).string(), file.original});
  }
  return moves;
}

}  // namespace zeroshelf
