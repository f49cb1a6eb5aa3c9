#pragma once

// Inside lib/collection: the files of a collection's directory and the pointer to the current ones.
//
//   MANIFEST.json            what the vectors are; written once
//   CURRENT                  which epoch and which snapshot count; replaced by rename
//   records-<epoch>/         RocksDB, the truth; EPOCH in it says whose and which epoch it is
//   image-<epoch>-<generation>.faiss, text-..., rows-..., lexicon-...     the snapshot
//   ivf-image-<epoch>-<generation>, ivf-text-...     the approximate index, of this snapshot or an
//                                                    earlier one
//   LOCK                     held by the writer
//   attachments/             what people keep beside the records (attachments.h)
//   any of the files above with .<16 hexadecimal digits>.new behind its name: being written
//
// What else lies in the directory is somebody else's and is never touched: see own_files.h.

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/manifest.h"

namespace zeroshelf::layout {

inline constexpr const char* kManifestFile = "MANIFEST.json";
inline constexpr const char* kCurrentFile = "CURRENT";
inline constexpr const char* kLockFile = "LOCK";
inline constexpr const char* kAttachmentsFolder = "attachments";
inline constexpr const char* kRecordsMarkFile = "EPOCH";
inline constexpr std::string_view kRecordsPrefix = "records-";
inline constexpr const char* kSnapshotKinds[] = {"image",   "text",      "rows",
                                                 "lexicon", "ivf-image", "ivf-text"};

// The size and checksum that a snapshot's file had when it was written.
struct FileSeal {
  uint64_t bytes = 0;
  std::string checksum;  // of Checksum128
};

struct Current {
  // The records have at least this many commits: fewer mean that RocksDB lost some, silently.
  uint64_t commits = 0;
  uint64_t epoch = 1;                           // counts compactions
  std::optional<uint64_t> snapshot_generation;  // absent: no snapshot yet
  FileSeal image;
  FileSeal text;
  FileSeal rows;
  std::optional<uint64_t> ivf_generation;  // absent: no approximate index
};

std::filesystem::path records_directory(const std::filesystem::path& collection, uint64_t epoch);
// kind: "image", "text" (FAISS files), "rows", "lexicon", "ivf-image" or "ivf-text".
std::filesystem::path snapshot_file(const std::filesystem::path& collection, const char* kind,
                                    uint64_t epoch, uint64_t generation);

// Throw NotFound, Corruption or (a newer format) Incompatible.
Manifest read_manifest(const std::filesystem::path& collection);
Current read_current(const std::filesystem::path& collection);
void write_manifest(const std::filesystem::path& collection, const Manifest& manifest);
void write_current(const std::filesystem::path& collection, const Current& current);

std::string encode_manifest(const Manifest& manifest);
Manifest decode_manifest(const std::string& text, const std::string& subject);

// The mark in a directory of records: its epoch, and which collection it was made for (empty while
// the collection is being created). Absent where there is none, it is damaged or says another
// epoch than the directory's name, or the directory is a link: then it is not known to be ours.
std::optional<std::string> read_records_mark(const std::filesystem::path& collection,
                                             uint64_t epoch);
void write_records_mark(const std::filesystem::path& collection, uint64_t epoch,
                        const std::string& owner);
// What the mark says of a collection with this manifest; not of the manifest's paths and names.
std::string records_owner(const Manifest& manifest);

FileSeal seal_file(const std::filesystem::path& path);

enum class Kind { Absent, Empty, File, Foreign, Unfinished, Collection };
// Unfinished: a creation that was cut short, with nothing in it yet.
Kind kind_of(const std::filesystem::path& directory);
// Throws what opening a directory of this kind means, unless it is a Collection.
void expect_collection(const std::filesystem::path& directory);

// The number of a directory of records by its name, which is written in one way only.
std::optional<uint64_t> epoch_of_name(std::string_view name);
// The epochs whose records directory is there, ascending.
std::vector<uint64_t> epochs_on_disk(const std::filesystem::path& collection);

struct SnapshotName {
  std::string kind;  // as in snapshot_file
  uint64_t epoch = 0;
  uint64_t generation = 0;
};
// What the name of a snapshot's file says; absent for every other name.
std::optional<SnapshotName> parse_snapshot_name(std::string_view name);

// Everything in the directory, ascending. Throws Io, NotFound.
std::vector<std::string> names_in(const std::filesystem::path& directory);

// Held while the object lives. Throws Unavailable naming the holder, and InvalidArgument where LOCK
// is no file of ours, which is then left as it is.
class WriterLock {
 public:
  explicit WriterLock(const std::filesystem::path& collection);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int file_;
};

// Whether a writer holds the lock, as far as that can be told; takes it for a moment where not.
bool is_being_written(const std::filesystem::path& collection);

}  // namespace zeroshelf::layout
