#pragma once

// Labels -> keywords beside the pictures, or in them.
//
//   a.jpg.xmp             a sidecar beside a.jpg, or a.xmp (sidecar_names.h)
//   DIR/keywords.journal  what was changed, and how to take it back (keyword_journal.h)
//
// Below the root of our keywords stands what this export says and nothing else; all other keywords
// and properties stay. Only files of which that is not true already are touched.
//
// What is changed is first written down, synced, in batches. A file is made complete under a name
// by chance beside the old one, with its permissions, owner and attributes, synced, and put in its
// place by a rename, when the old one has not changed since it was read: whoever looks finds the
// old bytes or the new ones.
//
// Only the very picture that was indexed is written to. A sidecar that is no XMP, or in whose place
// is a link or a folder, is left alone.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_set>
#include <vector>

#include "lib/export/indexed_file.h"
#include "lib/export/keyword_journal.h"
#include "lib/files/descriptor.h"
#include "lib/files/replace_file.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/xmp/keyword_path.h"
#include "lib/xmp/sidecar_names.h"

namespace zeroshelf {

enum class KeywordsIn { Sidecars, Pictures };

struct KeywordItem {
  IndexedContent picture;
  std::vector<KeywordPath> keywords;  // without the root; none: ours are taken away
  size_t collection = 0;              // that it is of
};

struct KeywordExportOptions {
  KeywordsIn where = KeywordsIn::Sidecars;
  KeywordPath root = {"zeroshelf"};
  std::vector<std::filesystem::path> collections;  // by the items' numbers
  // For each picture whose keywords could not be written; the export goes on. Must be set.
  std::function<void(const Error&)> on_failure;
  // With Pictures: which have other bytes now, of one collection. May be empty.
  std::function<void(size_t collection, std::span<const RewrittenFile>)> on_rewritten;
};

struct KeywordCounts {
  uint64_t made = 0;     // sidecars that were not there
  uint64_t changed = 0;  // files that were there
  uint64_t removed = 0;  // sidecars in which nothing was left
  uint64_t same = 0;     // pictures with keywords that they had already
  uint64_t failed = 0;
  uint64_t with_keywords = 0;  // pictures that have the keywords now

  uint64_t touched() const { return made + changed + removed; }
};

// Threads: one at a time.
class KeywordExport {
 public:
  // Makes the folder. Throws what open_export_folder does, and Io.
  KeywordExport(std::filesystem::path directory, KeywordExportOptions options);
  ~KeywordExport();
  KeywordExport(const KeywordExport&) = delete;
  KeywordExport& operator=(const KeywordExport&) = delete;

  // A path that came before is passed over. Throws Io when the journal cannot be written or the disk
  // is full: what was changed until then can be undone.
  void add(const KeywordItem& item);
  // Changes what is left. Where nothing was changed at all, the folder goes again. Throws what add
  // does.
  void finish();

  const KeywordCounts& counts() const { return counts_; }
  const std::filesystem::path& directory() const { return directory_; }

 private:
  enum class Stage { Planned, Made, Done, Failed };  // made: under its temporary name

  struct Change {
    Stage stage = Stage::Planned;
    std::filesystem::path path;
    std::string temporary;
    FileLook was;
    mode_t mode = 0666;                 // of a new file
    std::optional<std::string> bytes;   // absent: the file goes
    std::optional<ContentHash> before;  // absent: there was none
    ByteEdits back;
    size_t collection = 0;
    bool has_keywords = false;
  };

  std::optional<Change> sidecar_change(const KeywordItem& item);
  std::optional<Change> picture_change(const KeywordItem& item);
  void plan(Change change);
  void make_changes();
  void announce(const std::vector<Change>& changes);
  void for_each_in(std::vector<Change>& changes, Stage stage,
                   int (KeywordExport::*step)(Change&));
  int make(Change& change);
  int sync(Change& change);
  int put_in(Change& change);
  void fail(Change& change, int error_number);
  void remove_temporary(Change& change);
  void sync_folders(const std::vector<Change>& changes);
  void tell_rewritten(const std::vector<Change>& changes);
  int folder_of(const std::filesystem::path& path);

  std::filesystem::path directory_;
  KeywordExportOptions options_;
  bool is_new_ = false;  // the folder was not there before
  Descriptor folder_;
  std::unique_ptr<KeywordJournal> journal_;
  std::vector<Change> planned_;
  uint64_t planned_bytes_ = 0;
  std::unordered_set<std::string> seen_;
  Descriptor current_;  // the folder that was used last
  std::filesystem::path current_name_;
  SidecarNames sidecars_;
  KeywordCounts counts_;
};

}  // namespace zeroshelf
