// Tested by tests/export/follow_moves_test.cc.

#include "lib/export/follow_moves.h"

#include <system_error>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"

namespace zeroshelf {

namespace fs = std::filesystem;

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

}  // namespace zeroshelf
