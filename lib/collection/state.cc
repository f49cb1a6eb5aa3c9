// Opening: the snapshot, then the commits after it. Tested by tests/collection.

#include "lib/collection/state.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

using codec::row_key;
using layout::Current;

// The snapshot and the store belong to different moments: the reader was overtaken.
class Overtaken {};

codec::State read_counts(const Store& store, const std::string& subject) {
  const auto counts = store.get(codec::kStateKey);
  if (!counts)
    throw Error(ErrorCode::Corruption, subject, "damaged: it has no state",
                "run zeroshelf-index repair");
  return codec::decode_state(*counts);
}

void check_identity(const Store& store, const Manifest& manifest, const std::string& subject) {
  const auto stored = store.get(codec::kManifestKey);
  if (!stored || *stored != layout::encode_manifest(manifest)) {
    throw Error(ErrorCode::Corruption, subject,
                "its manifest and its records belong to different collections",
                "put back the files that belong together");
  }
}

// A damaged record is told when it is asked for; until then its text weighs nothing.
TextEvidence evidence_of(const Store& store, Row row) {
  try {
    if (const auto bytes = store.get(row_key(codec::kRecordPrefix, row))) {
      const PictureRecord record = codec::decode_record(*bytes);
      return {record.word_count, std::clamp(record.text_confidence, 0.0f, 1.0f)};
    }
  } catch (const Error& error) {
    if (error.code() != ErrorCode::Corruption) throw;
  }
  return {};
}

// Rows added after `rows` was written, from the truth. A row that was removed again is gone there
// and keeps its place.
void replay_added(const Store& store, const codec::State& counts, RowTable& rows) {
  const uint32_t dimension = rows.image.dimension();
  const auto fill_to = [&](Row row) {
    while (rows.image.size() < row) rows.append_removed();
  };
  const Row first = rows.image.size();
  store.for_each(
      codec::kImagePrefix, row_key(codec::kImagePrefix, first),
      [&](std::string_view key, std::string_view value) {
        const Row row = codec::row_of_key(key);
        if (row >= counts.next_row)
          throw Error(ErrorCode::Corruption, "collection", "damaged: a row beyond the last");
        fill_to(row);
        const std::vector<uint16_t> image = codec::decode_vector(value, dimension);
        const auto text = store.get(row_key(codec::kTextPrefix, row));
        if (text) {
          const std::vector<uint16_t> text_vector = codec::decode_vector(*text, dimension);
          rows.append(image, RowText{text_vector, evidence_of(store, row)});
        } else {
          rows.append(image, std::nullopt);
        }
        return true;
      });
  fill_to(counts.next_row);
}

void replay_removed(const Store& store, uint64_t after_generation, RowTable& rows) {
  const std::string from = row_key(codec::kRemovedPrefix, after_generation + 1);
  store.for_each(codec::kRemovedPrefix, from, [&](std::string_view, std::string_view value) {
    for (const Row row : codec::decode_rows(value)) {
      if (row >= rows.removed.size())
        throw Error(ErrorCode::Corruption, "collection", "damaged: a removal beyond the last row");
      rows.remove(row);
    }
    return true;
  });
}

uint64_t live_rows(const RowTable& rows) {
  return static_cast<uint64_t>(std::count(rows.removed.begin(), rows.removed.end(), false));
}

// The snapshot brought up to date, or nothing when there is none that can be used.
std::optional<RowTable> rows_from_snapshot(const Collection::State& state) {
  if (!state.current.snapshot_generation) return std::nullopt;
  const uint64_t generation = *state.current.snapshot_generation;
  if (generation > state.counts.generation || generation < state.counts.pruned_to)
    throw Overtaken();
  try {
    RowTable rows = read_snapshot(state.directory, state.current, state.manifest.dimension);
    if (rows.image.size() > state.counts.next_row) return std::nullopt;
    replay_added(*state.store, state.counts, rows);
    replay_removed(*state.store, generation, rows);
    if (live_rows(rows) != state.counts.live) return std::nullopt;
    return rows;
  } catch (const Error& error) {
    // Derived, whatever is wrong with it, also a folder or a pipe in its place: the truth has it
    // all.
    if (error.code() == ErrorCode::NotFound) {
      const Current now = layout::read_current(state.directory);
      if (now.epoch != state.current.epoch || now.snapshot_generation != generation)
        throw Overtaken();
    }
    return std::nullopt;
  }
}

std::unique_ptr<Collection::State> open_once(const std::filesystem::path& directory,
                                             Store::Access access) {
  auto state = std::make_unique<Collection::State>();
  state->directory = directory;
  state->manifest = layout::read_manifest(directory);
  state->current = layout::read_current(directory);
  const std::filesystem::path records = layout::records_directory(directory, state->current.epoch);
  state->store = std::make_unique<Store>(records, access);
  check_identity(*state->store, state->manifest, directory.string());
  state->counts = read_counts(*state->store, records.string());
  if (state->counts.generation < state->current.commits) {
    throw Error(ErrorCode::Corruption, records.string(),
                fmt::format("damaged: it has {} commits of {}", state->counts.generation,
                            state->current.commits),
                "run zeroshelf-index repair, then add");
  }
  if (auto rows = rows_from_snapshot(*state)) {
    state->rows_in_snapshot = rows->image.segments().empty() ? 0 : rows->image.segments()[0].rows;
    state->rows = std::move(*rows);
  } else {
    state->rows = rows_from_truth(*state->store, state->counts, state->manifest.dimension);
    state->changes_since_snapshot = state->counts.next_row;
  }
  return state;
}

}  // namespace

Collection::State::~State() {
  if (lock == nullptr || store == nullptr || broken) return;
  try {
    store->flush();
    if (counts.generation > current.commits) {
      current.commits = counts.generation;
      layout::write_current(directory, current);
    }
  } catch (const Error&) {
    // Everything is in the log, synced.
  }
}

RowTable rows_from_truth(const Store& store, const codec::State& counts, uint32_t dimension) {
  RowTable rows(dimension);
  replay_added(store, counts, rows);
  return rows;
}

std::unique_ptr<Collection::State> open_state(const std::filesystem::path& directory,
                                              Store::Access access,
                                              std::unique_ptr<layout::WriterLock> lock) {
  layout::expect_collection(directory);
  constexpr int kAttempts = 50;
  constexpr int kAttemptsOnOneEpoch = 3;
  constexpr std::chrono::milliseconds kPause{20};
  int failures = 0;
  for (int attempt = 1;; ++attempt) {
    const uint64_t epoch = layout::read_current(directory).epoch;
    try {
      auto state = open_once(directory, access);
      state->lock = std::move(lock);
      return state;
    } catch (const Overtaken&) {
      if (attempt == kAttempts) {
        throw Error(ErrorCode::Corruption, directory.string(),
                    "its snapshot does not belong to its records", "run zeroshelf-index repair");
      }
    } catch (const Error&) {
      // A writer may have replaced files under a reader, a compaction all of them, as often as it
      // likes; what is really damaged stays so.
      if (access != Store::Access::ReadOnly || attempt == kAttempts) throw;
      const bool compacted = layout::read_current(directory).epoch != epoch;
      if (!compacted && ++failures == kAttemptsOnOneEpoch) throw;
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace zeroshelf
