// Compaction: the live rows, renumbered, in a new epoch beside the old one, which counts until
// CURRENT is replaced. Tested by tests/collection.

#include <system_error>

#include "lib/collection/own_files.h"
#include "lib/collection/state.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

constexpr size_t kBatchBytes = 8 << 20;

std::string copied_value(const Store& store, std::string_view prefix, Row row) {
  auto value = store.get(codec::row_key(prefix, row));
  if (!value) {
    throw Error(ErrorCode::Corruption, "row " + std::to_string(row), "a part of it is missing",
                "run zeroshelf-index repair first");
  }
  return std::move(*value);
}

// Writes everything of the old store into the new one; the state comes last.
class Copier {
 public:
  Copier(const Collection::State& old, Store& target) : old_(old), target_(target) {
    counts_.generation = old.counts.generation + 1;
    counts_.pruned_to = counts_.generation;
  }

  codec::State run(const Collection& collection) {
    collection.for_each_record([&](Row row, const PictureRecord& record) { copy(row, record); });
    old_.store->for_each(codec::kSkipPrefix, "", [&](std::string_view key, std::string_view value) {
      batch_.put(key, value);
      ++counts_.skips;
      write_if_large();
      return true;
    });
    batch_.put(codec::kManifestKey, layout::encode_manifest(old_.manifest));
    batch_.put(codec::kStateKey, codec::encode_state(counts_));
    target_.write(std::move(batch_));
    target_.flush();
    return counts_;
  }

 private:
  void copy(Row row, const PictureRecord& record) {
    const Row fresh = counts_.next_row++;
    batch_.put(codec::row_key(codec::kRecordPrefix, fresh), codec::encode_record(record));
    batch_.put(codec::path_key(codec::kPathPrefix, record.file.path), codec::encode_row(fresh));
    batch_.put(codec::content_key(record.content_hash, fresh), "");
    batch_.put(codec::row_key(codec::kImagePrefix, fresh),
               copied_value(*old_.store, codec::kImagePrefix, row));
    batch_.put(codec::row_key(codec::kWordsPrefix, fresh),
               copied_value(*old_.store, codec::kWordsPrefix, row));
    if (record.word_count > 0) {
      batch_.put(codec::row_key(codec::kTextPrefix, fresh),
                 copied_value(*old_.store, codec::kTextPrefix, row));
      if (old_.manifest.mask_text) {
        batch_.put(codec::row_key(codec::kMaskedPrefix, fresh),
                   copied_value(*old_.store, codec::kMaskedPrefix, row));
      }
      ++counts_.with_text;
    }
    ++counts_.live;
    write_if_large();
  }

  void write_if_large() {
    if (batch_.bytes() < kBatchBytes) return;
    target_.write(std::move(batch_));
    batch_ = StoreBatch();
  }

  const Collection::State& old_;
  Store& target_;
  StoreBatch batch_;
  codec::State counts_;
};

}  // namespace

uint64_t CollectionWriter::compact(const SnapshotOptions& options) {
  State& state = *state_;
  const uint64_t dropped = state.counts.next_row - state.counts.live;
  if (dropped == 0) {
    if (is_ivf_outdated(state.directory, state.current, state.rows, options))
      publish(options, IvfTraining::Now);
    return 0;
  }
  layout::Current next;
  next.epoch =
      layout::free_epoch(state.directory, state.current.epoch + 1, state.counts.generation + 1);
  const std::string owner = layout::records_owner(state.manifest);
  // Records of an earlier version have none, and could not be told from somebody else's folder.
  if (layout::read_records_mark(state.directory, state.current.epoch) != owner)
    layout::write_records_mark(state.directory, state.current.epoch, owner);
  layout::make_records_directory(state.directory, next.epoch, owner);
  {
    Store target(layout::records_directory(state.directory, next.epoch), Store::Access::Create);
    const codec::State counts = Copier(state, target).run(*this);
    sync_path(state.directory);
    write_lexicon(state.directory, next, target, counts.next_row, counts.generation);
    const RowTable rows = rows_from_truth(target, counts, state.manifest.dimension);
    next.ivf_generation =
        write_ivf(state.directory, next, rows, counts.generation, options, IvfTraining::Now);
    write_snapshot(state.directory, next, rows, counts.generation);
  }
  state_ = open_state(state.directory, Store::Access::ReadWrite, std::move(state.lock));
  layout::remove_leftovers(state_->directory, state_->current, state_->manifest);
  return dropped;
}

uint64_t compact_collection(const std::filesystem::path& directory) {
  return CollectionWriter::open_existing(directory).compact();
}

}  // namespace zeroshelf
