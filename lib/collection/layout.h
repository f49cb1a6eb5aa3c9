#pragma once

// Inside lib/collection: the files of a collection's directory and the pointer to the current ones.
//
//   MANIFEST.json            what the vectors are; written once
//   CURRENT                  which epoch and which snapshot count; replaced by rename
//   records-<epoch>/         RocksDB, the truth
//   image-<epoch>-<generation>.faiss, text-..., rows-..., lexicon-...     the snapshot
//   ivf-image-<epoch>-<generation>, ivf-text-...     the approximate index, of this snapshot or an
//                                                    earlier one
//   LOCK                     held by the writer
//   attachments/             what people keep beside the records (attachments.h)

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/manifest.h"

namespace zeroshelf::layout {

inline constexpr const char* kManifestFile = "MANIFEST.json";
inline constexpr const char* kCurrentFile = "CURRENT";
inline constexpr const char* kLockFile = "LOCK";
inline constexpr const char* kAttachmentsFolder = "attachments";

// The size and checksum that a snapshot's file had when it was written.
struct FileSeal {
  uint64_t bytes = 0;
  std::string checksum;  // of Checksum128
};

struct Current {
  // The records have at least so many commits: fewer mean that RocksDB lost some, silently.
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

FileSeal seal_file(const std::filesystem::path& path);

enum class Kind { Absent, Empty, File, Foreign, Unfinished, Collection };
// Unfinished: a creation that was cut short, with nothing in it yet.
Kind kind_of(const std::filesystem::path& directory);
// Throws what opening a directory of this kind means, unless it is a Collection.
void expect_collection(const std::filesystem::path& directory);

// The epochs whose records directory is there, ascending.
std::vector<uint64_t> epochs_on_disk(const std::filesystem::path& collection);

// Files that neither CURRENT nor the fixed names account for: of earlier or unfinished snapshots.
std::vector<std::filesystem::path> leftovers(const std::filesystem::path& collection,
                                             const Current& current);

// Held while the object lives. Throws Unavailable naming the holder.
class WriterLock {
 public:
  explicit WriterLock(const std::filesystem::path& collection);
  ~WriterLock();
  WriterLock(const WriterLock&) = delete;
  WriterLock& operator=(const WriterLock&) = delete;

 private:
  int file_;
};

}  // namespace zeroshelf::layout
