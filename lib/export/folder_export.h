#pragma once

// Pictures -> folders of links, copies, or the pictures themselves.
//
//   DIR/<folder>/<file name>    e.g. one folder a label
//   DIR/manifest.jsonl          one line a picture: where it came from, where it went, label, score;
//                               last, where something was promised, {"type":"promise",...}
//   DIR/moves.journal           only when pictures are moved: see move_journal.h
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
// An export that is given up, or that could place nothing, leaves nothing; one by moving leaves its
// journal, by which it is undone.

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
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include "lib/export/move_journal.h"
#include "lib/files/descriptor.h"
#include "lib/files/disk.h"
#include "lib/files/exclusive.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf {

enum class ExportMode { Symlink, Hardlink, Copy, Move };

// "symlink", "hardlink", "copy", "move". Throws InvalidArgument for any other name.
ExportMode parse_export_mode(std::string_view name);

// A label or file name as one safe path component of at most 200 bytes; a longer one is cut and
// gets a checksum of the whole, so that different names stay different. On a disk that tells no
// case apart two may still be one.
std::string safe_file_name(std::string_view name, const DiskNames& names = {});

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
  // No two names in a folder that differ in their ending alone ("a.jpg", "a.png").
  bool unique_stems = false;
  // Members of the manifest's last line, of the type "promise"; empty: there is none.
  std::string promise;
  // Called for each picture that could not be placed; the export goes on. Io, NotFound, or
  // InvalidArgument for what is not the picture that was indexed. Must be set.
  std::function<void(const Error&)> on_failure;
  // Called for each picture that was placed, with its place below DIR. May be empty.
  std::function<void(const ExportItem&, const std::filesystem::path&)> on_placed;
};

// Threads: one at a time.
class FolderExport {
 public:
  // Makes the folder. Throws what check_export_folder (open_folder.h) does, InvalidArgument when its
  // file system has no links of the wanted kind, and Io when it cannot be made.
  FolderExport(std::filesystem::path directory, FolderExportOptions options);
  ~FolderExport();
  FolderExport(const FolderExport&) = delete;
  FolderExport& operator=(const FolderExport&) = delete;

  // Places one picture. Moving is done in batches: a thousand are written into the journal, which
  // is synced, before the first of them is moved. Throws Io when the manifest or the journal cannot
  // be written, or when no picture could be: the disk is full, or read-only.
  void add(ExportItem item);

  // Places what is left. Throws what add does.
  void place_all();
  // The same, and completes the manifest. Throws Io.
  void finish();

  const std::filesystem::path& directory() const { return directory_; }
  // A name in the folder, for as long as the object lives; of a file that belongs to the export.
  Place place(const std::string& name) {
    own_files_.insert(name);
    return {folder_.get(), name};
  }
  const DiskNames& names() const { return disk_.names; }
  uint64_t placed() const { return placed_; }
  uint64_t failed() const { return failed_; }

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

  void check_links() const;
  std::string folder_name(size_t depth, const std::string& name);
  std::filesystem::path folder_of(const ExportItem& item);
  void forget_journal();
  void give_up();
  int folder_at(const std::filesystem::path& folder);
  void expect_same_folder(const Descriptor& opened, const std::filesystem::path& folder);
  std::filesystem::path free_name(const std::filesystem::path& folder, const ExportItem& item);
  std::filesystem::path place_item(const ExportItem& item);
  void plan_move(ExportItem item);
  void make_move(Planned& move);
  void make_moves();
  void sync_folders();
  void write_line(const std::string& line);  // of the manifest
  void note_placed(const ExportItem& item, const std::filesystem::path& target);
  void note_failed(const Error& error);

  std::filesystem::path directory_;
  FolderExportOptions options_;
  bool is_new_ = false;  // the folder was not there before
  Descriptor folder_;
  DiskAbilities disk_;
  bool numbers_last_ = true;  // the file system's numbers of folders
  Descriptor current_;                  // the folder below it that was used last
  std::filesystem::path current_name_;  // empty: none yet
  std::FILE* manifest_ = nullptr;
  std::unique_ptr<MoveJournal> journal_;  // only when moving
  std::vector<Planned> planned_;
  std::map<std::string, Identity> folders_;  // made
  std::set<std::string> own_files_;
  std::vector<std::filesystem::path> made_;  // below directory_; of a move none
  // Of each depth: the folders' names by those that were asked for, and which are taken.
  std::map<std::pair<size_t, std::string>, std::string> folder_names_;
  std::set<std::pair<size_t, std::string>> taken_folders_;
  std::unordered_set<std::string> taken_;  // names, without their ending when stems are unique
  // The next number to try for a name that was taken.
  std::unordered_map<std::string, unsigned> numbers_;
  uint64_t placed_ = 0;
  uint64_t failed_ = 0;
};

}  // namespace zeroshelf
