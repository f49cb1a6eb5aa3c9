#pragma once

// Pictures -> folders of links, copies, or the pictures themselves.
//
//   DIR/<folder>/<file name>    e.g. one folder a label
//   DIR/manifest.jsonl          one line a picture: where it came from, where it went, label,
//                               score; last, where something was promised, {"type":"promise",...}
//   DIR/moves.journal           only when pictures are moved: see move_journal.h, also for those of
//                               several processes
//
// Only the very content that was indexed is placed. DIR and its folders are held open and entered
// by descriptor, so that nobody can lead pictures elsewhere by putting a link in a folder's place.
//
// Nothing that exists is ever overwritten or changed: DIR must be absent or empty, and two pictures
// of one name become "name.jpg" and "name (2).jpg". Characters that would be harmful in a name
// ('/', control characters, marks that reorder or hide text, bytes that are not UTF-8, '%', a
// leading dot) are written as %XX; the manifest has the exact source path. Where DIR's file system
// takes fewer names (disk.h), so is what it does not take, and a folder whose name differs in case
// only from another one's is numbered; in every part of DIR alike.
//
// An export that is given up, or that places nothing, leaves nothing; one by moving leaves its
// journal, by which it is undone.
//
// Several processes may place some of the pictures each (FolderExportOptions::ranks): under the
// names, and with the manifest, that one process would give them.

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/export/export_names.h"
#include "lib/export/move_journal.h"
#include "lib/export/shared_names.h"
#include "lib/files/descriptor.h"
#include "lib/files/disk.h"
#include "lib/files/exclusive.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/ranks.h"

namespace zeroshelf {

class IndexedFile;

enum class ExportMode { Symlink, Hardlink, Copy, Move };

// "symlink", "hardlink", "copy", "move". Throws InvalidArgument for any other name.
ExportMode parse_export_mode(std::string_view name);

// One picture to be placed.
struct ExportItem {
  std::filesystem::path source;      // absolute
  std::vector<std::string> folders;  // below DIR, e.g. {"train", "cat"}; made safe here
  std::optional<std::string> label;  // of the manifest; absent: null
  std::string evidence_json;         // further members of its manifest line; may be empty
  // The file as it was when it was indexed. One that has other content now is not placed. A link
  // to a file of this size and time is made without reading it; a move needs both, the content and
  // the time.
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  ContentHash content{};
  // The caller's own, for on_placed.
  uint32_t tag = 0;
  float score = 0;
};

struct FolderExportOptions {
  ExportMode mode = ExportMode::Symlink;
  NamesDiffer names_differ = NamesDiffer::Anywhere;
  // Members of the manifest's last line, of the type "promise"; empty: there is none.
  std::string promise;
  // Called for each picture that could not be placed; the export goes on. Io, NotFound, or
  // InvalidArgument for what is not the picture that was indexed. Must be set.
  std::function<void(const Error&)> on_failure;
  // Called for each picture that was placed, with its place below DIR; also for one that was not
  // moved because another process, which has the same path, has moved it there. May be empty.
  std::function<void(const ExportItem&, const std::filesystem::path&)> on_placed;
  // Of a move: the collections that have the pictures, by their absolute paths; of one of several
  // processes those of its own. An undo tells them.
  std::vector<std::filesystem::path> collections;
  // The processes that place some of the pictures each, all of which have to see DIR; null: this
  // one places all. What they do together is marked so. They outlive the export. Not with names
  // that differ in their stems.
  Ranks* ranks = nullptr;
};

// Threads: one at a time.
class FolderExport {
 public:
  // Makes the folder. Throws what check_export_folder (open_folder.h) does, InvalidArgument when
  // its file system has no links of the wanted kind, and Io when it cannot be made. With ranks: all
  // of them together; NotFound in one that does not see the folder.
  FolderExport(std::filesystem::path directory, FolderExportOptions options);
  ~FolderExport();
  FolderExport(const FolderExport&) = delete;
  FolderExport& operator=(const FolderExport&) = delete;

  // With ranks only, before add: every picture that is going to be added, in the order of their
  // paths, and then, all together, what they are called. Pictures that cannot be placed are told
  // here; what is said of them in add is passed over.
  void announce(const ExportItem& item);
  void agree_on_names();

  // Places one picture; with ranks those that were announced, in the same order. Moving is done in
  // batches: a thousand are written into the journal, which is synced, before the first of them is
  // moved. Throws Io when the manifest or the journal cannot be written, or when no picture could
  // be: the disk is full, or read-only.
  void add(ExportItem item);

  // Places what is left. Throws what add does. With ranks: all together.
  void place_all();
  // The same, and completes the manifest. Throws Io.
  void finish();

  const std::filesystem::path& directory() const { return directory_; }
  // A name in the folder, for as long as the object lives; of a file that belongs to the export.
  Place place(const std::string& name) {
    own_files_.insert(name);
    return {folder_.get(), name};
  }
  // With ranks: after place_all of all, before that of this one.
  uint64_t placed() const { return of_all_.value_or(counts_).placed; }
  uint64_t failed() const { return of_all_.value_or(counts_).failed; }

 private:
  struct Planned {
    ExportItem item;
    std::filesystem::path target;  // below directory_
  };

  // Which folder stands for a name below DIR, so that another in its place is noticed.
  struct Identity {
    uint64_t device = 0;
    uint64_t file = 0;
    bool operator==(const Identity&) const = default;
  };
  struct Counts {
    uint64_t placed = 0;
    uint64_t failed = 0;
  };

  void begin();
  void begin_alone();
  void begin_together();
  void join(std::string_view begun);
  std::FILE* new_manifest(const std::string& name);
  void check_links() const;
  void forget_journal();
  void give_up();
  int folder_at(const std::filesystem::path& folder);
  void expect_same_folder(const Descriptor& opened, const std::filesystem::path& folder);
  std::filesystem::path free_name(const ExportItem& item);
  std::optional<std::filesystem::path> announced_name(const ExportItem& item);
  bool place_item(const ExportItem& item, std::optional<std::filesystem::path>& target);
  bool place_as(const ExportItem& item, const IndexedFile& file,
                const std::filesystem::path& target);
  void make_move(Planned& move);
  void make_moves();
  void make_all_moves();
  void place_again();
  void sync_folders();
  void note_placed(const ExportItem& item, const std::filesystem::path& target);
  void note_failed(const Error& error);
  void write(std::FILE* manifest, std::string_view text);
  void write_promise(std::FILE* manifest);
  void end_manifest(std::FILE*& manifest);
  void publish_manifest();
  void complete();
  void complete_together();
  void merge_manifests();

  std::filesystem::path directory_;
  FolderExportOptions options_;
  bool is_new_ = false;  // the folder was not there before
  Descriptor folder_;
  DiskAbilities disk_;
  bool numbers_last_ = true;            // the file system's numbers of folders
  Descriptor current_;                  // the folder below it that was used last
  std::filesystem::path current_name_;  // empty: none yet
  std::string manifest_name_;           // of what this process places
  std::string partial_name_;
  std::FILE* manifest_ = nullptr;
  std::unique_ptr<MoveJournal> journal_;  // only when moving
  std::vector<Planned> planned_;
  std::map<std::string, Identity> folders_;  // made
  std::set<std::string> own_files_;
  std::vector<std::filesystem::path> made_;  // below directory_; of a move none
  std::optional<ExportNames> names_;         // of one process
  Counts counts_;                            // of this process

  // With ranks.
  std::optional<Counts> of_all_;
  std::FILE* whole_manifest_ = nullptr;                // of the first one: of what all place
  std::unique_ptr<SharedMoveJournal> shared_journal_;  // of the first one, only when moving
  std::optional<SharedNames> shared_names_;
  std::vector<bool> admitted_;     // of what was announced: what may be placed
  size_t added_ = 0;               // of what was announced
  std::vector<ExportItem> again_;  // under another name: something else had theirs
};

}  // namespace zeroshelf
