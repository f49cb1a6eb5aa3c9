#pragma once

// What an export of keywords is going to change in files that are not ours, and what they were,
// written down before it is done, so that every byte can be put back, also after a crash at any
// instant.
//
// DIR/keywords.journal is a journal (journal_file.h); nothing in it may change without a new version:
//
//   zeroshelf-keywords 1
//   collection PATH                         whose pictures are written to; counted from 0
//   change PATH TEMPORARY BEFORE AFTER MODE MTIME OFFSET LENGTH COLLECTION
//
// PATH is absolute, and TEMPORARY the name beside it of what is put into its place. BEFORE and
// AFTER are the SHA-256 of the file's bytes, "-" where there is none; MODE (octal) and MTIME (ns)
// what the file before had. DIR/keywords.originals has, LENGTH bytes from OFFSET on, the ByteEdits
// (byte_edits.h) that make of the bytes after those before. COLLECTION is "-" for a sidecar.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/export/journal_file.h"
#include "lib/files/descriptor.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/xmp/byte_edits.h"

namespace zeroshelf {

inline constexpr const char* kKeywordJournalName = "keywords.journal";
inline constexpr const char* kKeywordOriginalsName = "keywords.originals";

struct FileChange {
  std::string path;                   // absolute
  std::string temporary;              // a name beside it
  std::optional<ContentHash> before;  // absent: there is no file
  std::optional<ContentHash> after;
  uint32_t mode = 0;
  int64_t mtime_ns = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::optional<uint64_t> collection;
};

// Threads: one at a time.
class KeywordJournal {
 public:
  // Begins a journal in the open folder, which must have none, and holds its lock. directory is for
  // errors. Throws Io.
  KeywordJournal(const Descriptor& folder, const std::filesystem::path& directory);

  // Numbered in the order of the calls.
  void name_collection(const std::filesystem::path& collection);
  // back: what makes of the file after the one before. Durable only after sync(), before which
  // nothing may be changed. offset and length are set here. Throw Io.
  void plan(FileChange change, const ByteEdits& back);
  void sync();

  // A name that no other file has.
  static std::string temporary_name();

 private:
  std::filesystem::path originals_path_;
  Descriptor originals_;
  uint64_t offset_ = 0;
  JournalWriter journal_;
};

// A picture whose file has other bytes now, but the same pixels.
struct RewrittenFile {
  std::string path;
  ContentHash before{};
  ContentHash after{};
};

struct KeywordUndoReport {
  uint64_t put_back = 0;
  uint64_t never_changed = 0;  // or put back by an undo before
  uint64_t problems = 0;       // each was told
  // For the collections that are to follow: from what the export wrote to what is there again.
  std::map<std::filesystem::path, std::vector<RewrittenFile>> followed_by;
};

// Whether the folder is one of an export of keywords.
bool has_keyword_journal(const std::filesystem::path& directory);

// Puts every file of the folder's journal back as it was, with its time; what was made is removed.
// A file that somebody has changed since is a problem (on_problem), and stays as it is, as is one
// that is gone, or in whose place is a link or a folder by now.
//
// May be killed at any instant and run again. Without problems journal, originals and then the
// folder are removed, unless something else is in it; otherwise all stays, and undo can be run
// again. A journal that another user owns is not believed.
//
// Throws what LockedJournal does, Corruption, Io.
KeywordUndoReport undo_keywords(const std::filesystem::path& directory,
                                const std::function<void(const Error&)>& on_problem);

}  // namespace zeroshelf
