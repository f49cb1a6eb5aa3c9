#pragma once

// A collection: one directory that holds records, OCR words and vectors of pictures as one thing.
//
// RocksDB is the truth. A batch (pictures with both vectors, removals, moves, skips) is committed
// atomically and synced; after a crash at any instant the collection is as some commit left it. The
// FAISS files are a snapshot derived from the truth that says which commit it reaches; opening maps
// the snapshot and replays the commits after it. docs/collection-format.md has every byte.
//
// Rows. Every picture has a row number that is never used for another picture. Removing a picture
// leaves a tombstone; a changed file gets a new row. Text vectors are rows of their own, in the
// order of the pictures they belong to.
//
// Processes: one writer (a second is refused with Unavailable, naming the holder), any number of
// readers beside it. A reader sees the commit that was newest when it opened.
// Threads: const calls may run together; commit needs the writer alone.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/collection/manifest.h"
#include "lib/collection/records.h"
#include "lib/fusion/text_evidence.h"
#include "lib/lexicon/lexicon.h"
#include "lib/vectors/ivf.h"
#include "lib/vectors/vector_rows.h"
#include "lib/vectors/vector_sum.h"

namespace zeroshelf {

struct CollectionCounts {
  uint64_t pictures = 0;    // live rows
  uint64_t with_text = 0;   // of those, with a text vector
  uint64_t tombstones = 0;  // removed rows that compact would drop
  uint64_t skips = 0;       // files in the ledger of skips
  uint64_t commits = 0;     // the generation
  uint64_t disk_bytes = 0;  // of all files of the collection
};

// The approximate index of the vectors: of the first image.size() rows, and of the first
// text.size() text vectors.
struct VectorIndex {
  Ivf image;
  Ivf text;
};

enum class IvfTraining : uint8_t;  // of the implementation

// The records of an opened collection and the vectors in memory.
class Collection {
 public:
  // For reading. Throws NotFound (no such directory), InvalidArgument (it is a file, or a directory
  // that is no collection), Incompatible (a newer format) or Corruption.
  static Collection open(const std::filesystem::path& directory);

  Collection(Collection&&) noexcept;
  Collection& operator=(Collection&&) noexcept;
  ~Collection();

  const Manifest& manifest() const;
  const std::filesystem::path& directory() const;
  CollectionCounts counts() const;

  // --- rows -------------------------------------------------------------------------------------

  // One vector a row number, tombstones included.
  const VectorRows& image_vectors() const;
  bool is_live(Row row) const;

  // Text vectors, and for each the picture's row it belongs to, ascending.
  const VectorRows& text_vectors() const;
  const std::vector<Row>& text_owners() const;
  // How much text each of these has, and how surely it was read.
  const std::vector<TextEvidence>& text_evidence() const;
  // The sums of all live pictures and of all live texts. They are kept with the rows, so asking
  // costs nothing.
  const VectorSum& image_sum() const;
  const VectorSum& text_sum() const;
  // The index into text_vectors() of a picture's text, if it has any. Logarithmic.
  std::optional<size_t> text_index(Row row) const;

  // Null where the collection is too small for one, or it is damaged: then every row must be looked
  // at. Rows that came after it must be in any case. Mapped on the first call; valid until the next
  // snapshot is published. Throws Io.
  const VectorIndex* vector_index() const;

  // --- records ----------------------------------------------------------------------------------

  // What is known of a live row. Throws Corruption when the truth lacks it.
  PictureRecord record(Row row) const;
  std::vector<Word> words(Row row) const;

  // fp16, unit length: the vector of the live row's picture with its text blanked out; for a
  // picture without text the picture's own. Absent where the manifest says that text is not masked.
  // Read from the records, not from memory. Throws Corruption when the truth lacks it.
  std::optional<std::vector<uint16_t>> masked_vector(Row row) const;

  // The index of the words: lexicons of disjoint rows, ascending, at most two. Removed rows may
  // still be in it. Read from the snapshot; what came after it, or all of it where a collection has
  // none, is made from the records on the first call, which then reads them all. Throws Corruption,
  // Io.
  const std::vector<Lexicon>& lexicon() const;

  // All live rows in row order, streaming. The record is valid during the call.
  void for_each_record(const std::function<void(Row, const PictureRecord&)>& visit) const;
  // Records of the rows [first, end), and words of all live rows among them: in order they are read
  // many times faster than one by one.
  void for_each_record(Row first, Row end,
                       const std::function<void(Row, const PictureRecord&)>& visit) const;
  void for_each_words(Row first, Row end,
                      const std::function<void(Row, const std::vector<Word>&)>& visit) const;

  std::optional<Row> find_path(std::string_view path) const;
  // All live rows in the order of the bytes of their paths, from that path on. visit returns
  // whether to go on.
  void for_each_path(std::string_view from,
                     const std::function<bool(std::string_view path, Row row)>& visit) const;
  // Some live row with this content.
  std::optional<Row> find_content(const ContentHash& hash) const;
  // All of them, ascending.
  std::vector<Row> find_contents(const ContentHash& hash) const;
  // All live rows in the order of their contents' hashes, equal ones by row, from that place on.
  // visit returns whether to go on.
  void for_each_content(const ContentHash& from, Row from_row,
                        const std::function<bool(const ContentHash& hash, Row row)>& visit) const;

  // The languages in which a live row's text was read; empty: it was not read.
  std::string text_languages(Row row) const;
  // Visits the rows whose text languages are not those of the manifest.
  void for_each_languages(const std::function<void(Row, const std::string&)>& visit) const;

  // The pictures in which there is nothing to see, ascending; not those that an earlier version of
  // zeroshelf put here.
  std::vector<Row> blank_rows() const;

  // What the files of pictures and of the ledger were when they were looked at, by path. Not known
  // of paths that an earlier version of zeroshelf put here.
  void for_each_identity(
      const std::function<void(std::string_view path, const FileIdentity&)>& visit) const;

  // Whether a removed picture with this content can be had back (Batch::restored): not after a
  // compaction, nor where its text was not read in these languages (empty: whatever they were).
  bool can_restore(const ContentHash& hash, const std::string& languages) const;

  // The ledger of skips, in order of path.
  void for_each_skip(const std::function<void(const SkippedFile&)>& visit) const;
  std::optional<SkippedFile> find_skip(std::string_view path) const;

  struct State;  // of the implementation

 protected:
  explicit Collection(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// What one commit changes. A path named by added or moved that already has a row replaces that row.
struct Batch {
  std::vector<NewPicture> added;
  // A live row's file is now this one (moved, renamed, or touched without a change of content).
  std::vector<std::pair<Row, FileStamp>> moved;
  // The same content as a live row under another path: its vectors and words are taken over.
  std::vector<std::pair<Row, FileStamp>> copied;
  std::vector<Row> removed;
  // A removed picture is back, under this path; as can_restore tells.
  std::vector<std::pair<ContentHash, FileStamp>> restored{};
  // Nothing has changed but what is known of the file's identity.
  std::vector<FileStamp> seen{};
  std::vector<SkippedFile> skipped;          // put into the ledger; the path loses its row, if any
  std::vector<std::string> forgotten_skips;  // paths that leave the ledger

  bool empty() const {
    return added.empty() && moved.empty() && copied.empty() && removed.empty() && skipped.empty() &&
           forgotten_skips.empty() && restored.empty() && seen.empty();
  }
};

enum class SnapshotWhen { WorthIt, Now };

// From this many rows on an approximate index is much faster than a search of all rows, which
// takes about 55 ms then.
inline constexpr uint64_t kIvfFromRows = 1'000'000;

struct SnapshotOptions {
  uint64_t ivf_from_rows = kIvfFromRows;  // removed ones are counted
};

class CollectionWriter : public Collection {
 public:
  // Whether open_or_create would create: the directory is absent or empty, or a creation was cut
  // short before its first commit. Throws Corruption.
  static bool would_create(const std::filesystem::path& directory);
  // Opens for writing, or creates. An existing collection
  // must have been made with the manifest's fingerprint and dimension, or Incompatible is thrown;
  // nothing is changed then. Throws Unavailable while another writer holds the collection.
  // before: called where it creates, with the lock held and before anything makes the directory a
  // collection: what is kept beside the records then (settings.h) is there as soon as they are.
  static CollectionWriter open_or_create(const std::filesystem::path& directory,
                                         const Manifest& manifest,
                                         const std::function<void()>& before = {});
  // Opens an existing collection for writing, whatever its model.
  static CollectionWriter open_existing(const std::filesystem::path& directory);

  // Makes the batch durable, all of it or nothing, and visible to readers that open afterwards.
  // Paths in added, moved and copied leave the ledger of skips. Throws Io; the collection is then
  // as before, and the writer must be closed.
  void commit(const Batch& batch);

  // Writes the snapshot when there is none yet or enough was committed since the last one, or
  // always with Now. Never needed for safety: it makes the next opening fast. The approximate index
  // is brought up to date where more than a twentieth of the rows came after it, and trained anew
  // where they have doubled, which takes some 20 s for a million rows.
  void publish_snapshot(SnapshotWhen when = SnapshotWhen::WorthIt,
                        const SnapshotOptions& options = {});

  // Renumbers the rows without the tombstones, all or nothing, and publishes a snapshot with an
  // approximate index that was trained on all of them. Needs room for a second copy meanwhile.
  // Returns how many tombstones were dropped; row numbers obtained before are void.
  uint64_t compact(const SnapshotOptions& options = {});

 private:
  explicit CollectionWriter(std::unique_ptr<State> state);
  void publish(const SnapshotOptions& options, IvfTraining training);
};

struct Fault {
  std::string subject;  // a file or a row
  std::string cause;
};

// Checks records, vectors, checksums and the snapshot against each other. Reads everything. Empty
// when all is well. Throws what open throws when the collection cannot be opened at all.
std::vector<Fault> verify_collection(const std::filesystem::path& directory);

struct RepairReport {
  std::vector<std::string> mended;
  std::vector<Fault> lost;  // what could not be derived from the truth
};
// Rebuilds what can be derived from the truth or another copy; puts damaged attachments aside.
RepairReport repair_collection(const std::filesystem::path& directory,
                               const SnapshotOptions& options = {});

// CollectionWriter::compact on a closed collection.
uint64_t compact_collection(const std::filesystem::path& directory);

}  // namespace zeroshelf
