#pragma once

// What an export by moving is going to do, written down before it does it, so that everything can
// be put back, also after a crash at any instant.
//
// DIR/moves.journal is text, a line a record; nothing in it may change without a new version:
//
//   zeroshelf-moves 3
//   collection <tab> PATH <tab> SEAL             absolute; follows its pictures, there and back
//   move <tab> FROM <tab> TO <tab> SEAL          about to be moved: the absolute path, and its new
//                                                place below DIR
//   kept <tab> FROM <tab> TO <tab> SEAL          was not moved after all: the place was taken
//
// (zeroshelf-moves 1 is the same without collections, which only the manifest named then.)
//
// Where several processes move, each has a journal like that of its own
// (DIR/moves-00003-of-00016.journal, exported_files.h), and DIR/moves.journal says how many there
// are:
//
//   zeroshelf-moves 2
//   processes <tab> COUNT <tab> SEAL             all of them are there: from now on files are moved
//
// See journal_file.h.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/export/exported_files.h"
#include "lib/export/follow_moves.h"
#include "lib/export/journal_file.h"
#include "lib/files/descriptor.h"
#include "lib/util/error.h"

namespace zeroshelf {

// The journal's name in an export's folder, and that of a file on its way to another file system.
inline constexpr const char* kMoveJournalName = "moves.journal";
inline constexpr const char* kMovePartialName = ".moving";

// Threads: one at a time.
class MoveJournal {
 public:
  // Begins a journal in the folder, which must have none, and holds its lock. Throws Io.
  explicit MoveJournal(const std::filesystem::path& directory);
  // The same in a folder that is held open; directory is for errors.
  MoveJournal(const Descriptor& folder, const std::filesystem::path& directory);
  // That of one of several processes.
  MoveJournal(const Descriptor& folder, const std::filesystem::path& directory,
              const ExportShare& share);

  // Durable only after sync(), before which nothing may be moved. Throw Io.
  // The collections that have the pictures, by their absolute paths; before any plan.
  void name_collections(std::span<const std::filesystem::path> collections);
  // to: below the folder.
  void plan(const std::filesystem::path& from, const std::filesystem::path& to);
  void note_kept(const std::filesystem::path& from, const std::filesystem::path& to);
  void sync();

 private:
  JournalWriter journal_;
};

// moves.journal where several processes move. Threads: one at a time.
class SharedMoveJournal {
 public:
  // As MoveJournal has it. No process has a journal yet.
  SharedMoveJournal(const Descriptor& folder, const std::filesystem::path& directory);

  // All of them have theirs, and it is on the disk. Before that nothing may be moved. Throws Io.
  void begin_moves(size_t processes);

 private:
  JournalWriter journal_;
};

struct UndoReport {
  uint64_t put_back = 0;
  // Or put back by an undo before. With the ones above and those left: all files that a journal
  // names; an export that was cut short may not have come to more.
  uint64_t never_moved = 0;
  // Files that stay where they are. Each was told as a problem, but for those of a journal that is
  // missing, which was told itself.
  uint64_t left = 0;
  // Those, and journals of which it is not known how many files they named.
  uint64_t problems = 0;
};

// "12 files put back, 3 were where they belong, 1 could not be put back"
std::string told_undo(const UndoReport& report);

// Tells a collection that its pictures may be back where they were (follow_moves.h). Throws
// nothing.
using FollowBack = std::function<void(const std::filesystem::path& collection,
                                      const std::vector<MovedFile>& files)>;

// Puts every file of the folder's journal back, or of its journals, where several processes moved:
// one that is missing is a problem that names it, and the others' files go back. Nothing is ever
// overwritten: where something else is at the old place, that is a problem (on_problem), and so is
// a file that is gone from both places. Where the old place has the same bytes already (a move cut
// short between copying and removing), the copy goes. Folders that are gone are made again.
//
// The folders below the export's are entered by descriptor, and no link is followed. A journal that
// another user owns is not believed: it would move files to wherever it says, with the rights of
// the one who undoes it.
//
// Files that the manifest names and no journal does are problems too, as is a damaged end of
// the journal where files are left: what knows where they were is then kept.
//
// May be killed at any instant and run again. Without problems the folders that are empty then, the
// manifest and the labels that the export wrote, and last the journals are removed, and the folder
// itself when nothing else is in it; otherwise the journal stays, and undo can be run again.
//
// follow (may be empty) is called for each collection that a journal or the manifest names, with
// every move of the journals, when what can be is back, and before anything is forgotten: whatever
// the export had told the collections until it was cut short, or written into the manifest.
//
// Throws NotFound when the folder has no journal, InvalidArgument for one that is not the user's,
// Unavailable while the export still runs, Corruption for a journal of another kind, Io.
UndoReport undo_moves(const std::filesystem::path& directory,
                      const std::function<void(const Error&)>& on_problem,
                      const FollowBack& follow = {});

}  // namespace zeroshelf
