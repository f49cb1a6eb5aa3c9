#pragma once

// The indexer's main path:
//
//   files -> pipeline (read, hash, decode, crop, OCR, encode; in threads) -> commit, in order
//
// New files are added, changed ones encoded again, moved ones recognised by content and kept,
// files that are gone removed. A new file with the content of one that is gone, wherever that was,
// is that one moved; one with the content of a picture that was removed is that picture again.
// Files are committed in batches, in the order in which they were found, so an interrupted run goes
// on where it stopped.

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/encoder/encoder.h"
#include "lib/image/decode.h"
#include "lib/ingest/plan.h"
#include "lib/ingest/prepare.h"
#include "lib/ingest/stage_times.h"
#include "lib/ocr/text_reader.h"

namespace zeroshelf {

// What happens to pictures whose file is gone.
enum class MissingFiles {
  // Removed, but not where a place has lost most of them, or its file system is not there: a share
  // that is not mounted is an empty folder.
  Remove,
  RemoveAll,  // removed, however many
  Keep,
};

struct SyncOptions {
  DecodeLimits limits;
  TextReaderOptions ocr;  // without languages: no OCR
  KnownTexts known_texts;  // what need not be read, see prepare.h; empty: all is read
  // Also encode pictures with their text blanked out; must be what the collection's manifest says.
  bool mask_text = false;
  KnownSkips known_skips = KnownSkips::PassOver;
  KnownFiles known_files = KnownFiles::Believe;
  MissingFiles missing_files = MissingFiles::Remove;
  FindOptions find;
  std::function<bool(const FoundFile&)> is_being_written{};  // see plan.h
  size_t batch_pictures = 32;  // committed together
  unsigned threads = 0;        // that prepare and encode; 0: every core
  // Memory for files and pixels on their way to the encoder, together.
  uint64_t memory_bytes = uint64_t{512} << 20;
};

// A place of which no picture was removed, although many are gone.
struct DoubtfulPlace {
  RootPlace place;
  uint64_t gone = 0;
};

struct SyncReport {
  uint64_t added = 0;            // new rows, encoded (changed files included)
  uint64_t copied = 0;           // new rows for a content that was known: nothing encoded
  uint64_t restored = 0;         // pictures that had been removed and are back: nothing encoded
  uint64_t moved = 0;            // rows whose file has another name or time now
  uint64_t removed = 0;          // rows whose file is gone
  uint64_t unchanged = 0;        // files that cost a look at their time and size
  uint64_t skipped = 0;          // files under the roots that are not indexed, new and known
  uint64_t with_text = 0;        // of the added
  NeighbourCounts neighbours{};  // files and folders that are no pictures and no skips
  std::vector<DoubtfulPlace> doubtful;
  bool interrupted = false;
  StageTimes::Seconds stage_seconds{};  // thread time
};

// Told what happens, from the thread that calls sync.
class SyncObserver {
 public:
  virtual ~SyncObserver() = default;
  virtual void planned(uint64_t /*files_to_read*/) {}
  virtual void read_one() {}
  virtual void skipped(const SkippedFile& /*file*/) {}
  virtual void committed(uint64_t /*pictures*/) {}
  // Now and then, with what was spent so far.
  virtual void working(const StageTimes& /*times*/) {}
};

// A file that was skipped before and has not changed since is passed over, unless known_skips says
// otherwise or its reason may be gone: it can be read now, a limit was raised (above the default
// where the ledger does not tell by how much), or OCR is off.
//
// encoder is called once, and only when something must be encoded. When stop becomes true the
// pictures that are encoded are committed, in order, and the report says interrupted; nothing is
// removed then.
// Throws what the collection, the encoder and find_files throw; what was committed stays.
SyncReport sync(CollectionWriter& collection, const std::vector<std::filesystem::path>& roots,
                const SyncOptions& options, const std::function<Encoder&()>& encoder,
                SyncObserver& observer, const std::atomic<bool>& stop);

}  // namespace zeroshelf
