#pragma once

// Inside lib/collection: what an opened collection keeps in memory.

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "lib/collection/codec.h"
#include "lib/collection/collection.h"
#include "lib/collection/layout.h"
#include "lib/fusion/text_evidence.h"
#include "lib/lexicon/lexicon.h"
#include "lib/store/store.h"
#include "lib/vectors/ivf.h"
#include "lib/vectors/vector_sum.h"

namespace zeroshelf {

// A text vector of a row, and what its weight rests on.
struct RowText {
  std::span<const uint16_t> vector;
  TextEvidence evidence;
};

// The rows as they are scanned. Rows are appended and removed through the functions, which keep the
// sums.
struct RowTable {
  explicit RowTable(uint32_t dimension)
      : image(dimension), text(dimension), image_sum(dimension), text_sum(dimension) {}

  VectorRows image;  // one a row, removed ones included
  VectorRows text;
  std::vector<Row> text_owners;             // ascending
  std::vector<TextEvidence> text_evidence;  // one a text vector
  std::vector<bool> removed;                // one a row
  VectorSum image_sum;                      // of the rows that live
  VectorSum text_sum;

  void append(std::span<const uint16_t> image_vector, const std::optional<RowText>& row_text);
  // A row that never lived here.
  void append_removed();
  void remove(Row row);
  std::optional<size_t> text_index(Row row) const;
};

struct Collection::State {
  State() = default;
  // A writer leaves nothing in RocksDB's log: damage at the end of a log cannot be told from a
  // write that never finished, damage in a table can.
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  std::filesystem::path directory;
  Manifest manifest;
  std::unique_ptr<layout::WriterLock> lock;  // null for a reader
  layout::Current current;
  std::unique_ptr<Store> store;
  codec::State counts;
  RowTable rows{1};
  uint64_t rows_in_snapshot = 0;
  uint64_t changes_since_snapshot = 0;  // rows added and removed
  bool broken = false;                  // a commit failed: the writer must be closed

  std::mutex lexicon_mutex;
  std::vector<Lexicon> lexicon;  // of lexicon_generation; opened when it is first asked for
  std::optional<uint64_t> lexicon_generation;

  std::mutex ivf_mutex;
  std::optional<VectorIndex> ivf;  // of the generation that CURRENT named when it was asked for
  std::optional<uint64_t> ivf_generation;
};

// Opens everything, retrying while a writer replaces files meanwhile.
std::unique_ptr<Collection::State> open_state(const std::filesystem::path& directory,
                                              Store::Access access,
                                              std::unique_ptr<layout::WriterLock> lock);

// The rows as the truth alone gives them.
RowTable rows_from_truth(const Store& store, const codec::State& counts, uint32_t dimension);

// Writes a snapshot of the rows, whose generation's names must be free (own_files.h), and makes
// CURRENT point to it, and to the approximate index that `current` names. Returns the new CURRENT.
layout::Current write_snapshot(const std::filesystem::path& directory,
                               const layout::Current& current, const RowTable& rows,
                               uint64_t generation);

// The snapshot that CURRENT names. Throws NotFound or Corruption.
RowTable read_snapshot(const std::filesystem::path& directory, const layout::Current& current,
                       uint32_t dimension);

// The lexicon of all rows below `rows`, as a part of the snapshot of that generation. To be written
// before CURRENT names the snapshot.
void write_lexicon(const std::filesystem::path& directory, const layout::Current& current,
                   const Store& store, Row rows, uint64_t generation);
// The snapshot's lexicon and one of the rows after it; one of all rows where there is none.
std::vector<Lexicon> open_lexicon(const Collection::State& state);
std::vector<Fault> lexicon_faults(const std::filesystem::path& directory,
                                  const layout::Current& current, const Store& store);

// Whether the centroids of an index are kept while few rows came after them.
enum class IvfTraining : uint8_t { WhenDue, Now };
// Makes sure that there is an approximate index of the rows, where they are enough for one: leaves
// the one that `current` names, extends it, or trains one, and returns the generation that CURRENT
// is to name. To be called before write_snapshot. The rows must be those of the snapshot that the
// named index was made with, and more, unless training is Now.
std::optional<uint64_t> write_ivf(const std::filesystem::path& directory,
                                  const layout::Current& current, const RowTable& rows,
                                  uint64_t generation, const SnapshotOptions& options,
                                  IvfTraining training);
// Whether training it now would change it: there is none, but should be, or rows came after it.
bool is_ivf_outdated(const std::filesystem::path& directory, const layout::Current& current,
                     const RowTable& rows, const SnapshotOptions& options);
// What CURRENT names. Throws NotFound or Corruption.
VectorIndex map_ivf(const std::filesystem::path& directory, const layout::Current& current,
                    uint32_t dimension);
std::vector<Fault> ivf_faults(const std::filesystem::path& directory,
                              const layout::Current& current, uint32_t dimension);

}  // namespace zeroshelf
