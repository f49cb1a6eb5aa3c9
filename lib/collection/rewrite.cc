// Tested by tests/collection/rewrite_test.cc.

#include "lib/collection/rewrite.h"

#include <cassert>
#include <unordered_map>
#include <utility>

#include "lib/collection/state.h"
#include "lib/util/error.h"

namespace zeroshelf {

using codec::row_key;

CollectionRewriter::CollectionRewriter(std::unique_ptr<State> state)
    : Collection(std::move(state)) {}

CollectionRewriter CollectionRewriter::open(const std::filesystem::path& directory) {
  layout::expect_collection(directory);
  auto lock = std::make_unique<layout::WriterLock>(directory);
  return CollectionRewriter(open_state(directory, Store::Access::ReadWrite, std::move(lock)));
}

void CollectionRewriter::commit(std::span<const RewrittenPicture> pictures) {
  State& state = *state_;
  if (state.broken) {
    throw Error(ErrorCode::Io, state.directory.string(), "an earlier commit failed",
                "run the command again");
  }
  StoreBatch writes;
  codec::State counts = state.counts;
  std::unordered_map<Row, PictureRecord> now;  // a row may stand here twice
  for (const RewrittenPicture& picture : pictures) {
    const auto known = now.find(picture.row);
    PictureRecord record = known != now.end() ? known->second : this->record(picture.row);
    assert(record.file.path == picture.file.path);
    writes.erase(codec::content_key(record.content_hash, picture.row));
    record.file = picture.file;
    record.content_hash = picture.content;
    writes.put(codec::content_key(record.content_hash, picture.row), "");
    writes.put(row_key(codec::kRecordPrefix, picture.row), codec::encode_record(record));
    const std::string identity = codec::path_key(codec::kIdentityPrefix, picture.file.path);
    if (picture.file.identity.is_known()) {
      writes.put(identity, codec::encode_identity(picture.file.identity));
    } else {
      writes.erase(identity);
    }
    now[picture.row] = record;
  }
  ++counts.generation;
  writes.put(codec::kStateKey, codec::encode_state(counts));
  state.broken = true;
  state.store->write(std::move(writes));
  state.counts = counts;
  state.broken = false;
}

}  // namespace zeroshelf
