// Tested by tests/export/move_journal_test.cc, and through the program by
// tests/programs/export_test.cc.

#include "lib/export/move_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/export/exported_files.h"
#include "lib/export/journal_file.h"
#include "lib/export/open_folder.h"
#include "lib/files/exclusive.h"
#include "lib/files/remove_folder.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr JournalKind kKind = {kMoveJournalName, "zeroshelf-moves 1\n", "moves",
                               "only an export with --mode move has one"};
// What exports write beside the pictures and the journal.
constexpr const char* kWritten[] = {kManifestName, kUnfinishedManifestName, "labels.json",
                                    "labels.json.unfinished"};

struct Move {
  std::string from;  // absolute
  std::string to;    // below the folder
  auto operator<=>(const Move&) const = default;
};

struct Announced {
  bool kept = false;
  Move move;
};

// Whether the path stays below its folder: relative, nothing in it leads up, and it is not one of
// the files that go with the journal.
bool stays_below(const fs::path& path) {
  if (path.empty() || path.is_absolute() || !path.has_filename()) return false;
  if (path == kMoveJournalName || path == kMovePartialName) return false;
  for (const fs::path& part : path) {
    if (part == ".." || part == "." || part.empty()) return false;
  }
  return true;
}

std::optional<Announced> parse_line(const std::vector<std::string>& fields) {
  if (fields.size() != 3 || (fields[0] != "move" && fields[0] != "kept") ||
      !fs::path(fields[1]).is_absolute() || !stays_below(fields[2])) {
    return std::nullopt;
  }
  return Announced{fields[0] == "kept", {fields[1], fields[2]}};
}

struct JournalContent {
  std::vector<Move> moves;        // that were announced, without those that were not made
  std::vector<size_t> bad_lines;  // that cannot be read, with sound ones after them
  bool has_bad_end = false;  // whole lines at the end that cannot be read, or not even a header
};

// What was announced and not said to be kept later.
std::vector<Move> moves_made(std::vector<Announced> lines) {
  std::set<Move> kept;
  std::vector<Move> moves;
  std::ranges::reverse(lines);
  for (Announced& line : lines) {
    if (line.kept) {
      kept.insert(std::move(line.move));
    } else if (!kept.contains(line.move)) {
      moves.push_back(std::move(line.move));
    }
  }
  std::ranges::reverse(moves);
  return moves;
}

// After a crash bad lines at the end were never synced, so nothing that they announce was begun;
// but somebody may have damaged them since.
JournalContent read_journal(const LockedJournal& journal) {
  JournalLines read = journal.read([](const auto& fields) { return parse_line(fields).has_value(); });
  std::vector<Announced> lines;
  for (const JournalLine& line : read.lines) lines.push_back(*parse_line(line.fields));
  return {moves_made(std::move(lines)), std::move(read.bad_lines), read.has_bad_end};
}

std::optional<struct stat> status_of(const Place& place) {
  struct stat status {};
  if (::fstatat(place.folder, place.name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return std::nullopt;
  return status;
}

// What is at the place, once a name that was taken for a move that then did not happen is free.
std::optional<struct stat> without_reservation(const Place& place) {
  const auto status = status_of(place);
  if (!status || !is_only_reserved(place)) return status;
  return ::unlinkat(place.folder, place.name.c_str(), 0) == 0 ? std::nullopt : status;
}

// Whether a file is one that exports write beside the pictures: nobody else's goes with an undo.
bool is_written_by_export(const Place& place) {
  const Descriptor file(::openat(place.folder, place.name.c_str(),
                                 O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
  struct stat status {};
  if (!file.is_open() || ::fstat(file.get(), &status) != 0 || !S_ISREG(status.st_mode))
    return false;
  const bool is_labels = place.name.string().starts_with("labels.json");
  constexpr std::string_view kPicture = "{\"type\":\"exported\",";
  constexpr std::string_view kPromise = "{\"type\":\"promise\",";
  std::string_view beginning = is_labels ? "{\"classes\":[" : kPicture;
  size_t matched = 0;  // bytes of the beginning, in this line
  std::vector<char> piece(size_t{1} << 16);
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0) return false;
    if (got == 0) return true;
    for (const char c : std::string_view(piece.data(), static_cast<size_t>(got))) {
      if (matched < beginning.size()) {
        if (c != beginning[matched] && beginning == kPicture &&
            kPromise.substr(0, matched) == kPicture.substr(0, matched))
          beginning = kPromise;  // they begin alike
        if (c != beginning[matched++]) return false;
      } else if (c == '\n' && !is_labels) {
        matched = 0;  // each line has one
        beginning = kPicture;
      }
    }
  }
}

class Undo {
 public:
  Undo(fs::path directory, const std::function<void(const Error&)>& on_problem)
      : directory_(std::move(directory)), on_problem_(on_problem) {
    folder_ = Descriptor(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_.is_open()) throw system_error(directory_.string(), "open the folder", errno);
  }

  UndoReport run() {
    put_all_back();
    // Closed first: where removed files keep a name while they are open, the folder is not empty.
    if (report_.problems == 0) remove_folder(directory_);
    return report_;
  }

 private:
  void put_all_back() {
    const LockedJournal journal(kKind, folder_, directory_);
    const auto [moves, bad_lines, has_bad_end] = read_journal(journal);
    const std::vector<ExportedFile> exported = read_exported_files(directory_);
    report_.followed_by = moves_back(directory_, exported);
    // The manifest says what damaged lines said, and better.
    if (tell_what_only_the_manifest_has(exported, moves) == 0) {
      for (const size_t line : bad_lines) {
        tell(Error(
            ErrorCode::Corruption, (directory_ / kMoveJournalName).string(),
            fmt::format("line {} is damaged; the file that it names stays where it is", line)));
      }
    }
    for (auto move = moves.rbegin(); move != moves.rend(); ++move) {
      try {
        put_back(*move);
      } catch (const Error& error) {
        tell(error);
      }
    }
    for (const fs::path& folder : changed_) sync_path(folder);
    if (report_.problems == 0 && has_bad_end) tell_what_a_bad_end_leaves();
    if (report_.problems == 0) clean_up(moves);
  }

  // Files that the manifest names and no line of the journal does, and that are still here: lines
  // are missing, and the manifest is the last to know where the files were. Returns how many.
  size_t tell_what_only_the_manifest_has(const std::vector<ExportedFile>& exported,
                                         const std::vector<Move>& moves) {
    std::set<std::string_view> known;
    for (const Move& move : moves) known.insert(move.to);
    size_t told = 0;
    for (const ExportedFile& file : exported) {
      if (known.contains(file.exported) || !stays_below(file.exported)) continue;
      if (!is_file_below(file.exported)) continue;
      tell(Error(ErrorCode::Corruption, (directory_ / kMoveJournalName).string(),
                 "no line of it names " + file.exported + ", which stays where it is",
                 "by the manifest it was " + file.original + ": move it back by hand"));
      ++told;
    }
    return told;
  }

  // A bad end announces nothing that was begun, unless there are files that nothing else explains.
  void tell_what_a_bad_end_leaves() {
    std::error_code ignored;
    for (fs::recursive_directory_iterator entry(directory_, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
      const fs::path name = entry->path().lexically_relative(directory_);
      const bool is_own =
          name == kMoveJournalName || name == kMovePartialName ||
          std::find(std::begin(kWritten), std::end(kWritten), name) != std::end(kWritten);
      if (is_own || !entry->is_regular_file(ignored) || entry->is_symlink(ignored)) continue;
      tell(Error(ErrorCode::Corruption, (directory_ / kMoveJournalName).string(),
                 "its end is damaged, and may have said where " + name.string() + " belongs",
                 "move such files back by hand (the manifest may know from where), then run undo "
                 "again"));
      return;
    }
  }

  bool is_file_below(const fs::path& name) const {
    try {
      const Descriptor folder = enter(name.parent_path());
      if (!folder.is_open()) return false;
      const auto status = status_of({folder.get(), name.filename()});
      return status && S_ISREG(status->st_mode);
    } catch (const Error&) {
      return false;  // behind a link: not of this folder
    }
  }

  void tell(const Error& problem) {
    ++report_.problems;
    on_problem_(problem);
  }

  // The folder below the export's; not open where it is absent. What lies behind a link is not of
  // this folder, whatever the journal says.
  Descriptor enter(const fs::path& below) const {
    Descriptor inner(::fcntl(folder_.get(), F_DUPFD_CLOEXEC, 0));
    for (const fs::path& name : below) {
      Descriptor next(
          ::openat(inner.get(), name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
      if (!next.is_open() && errno == ENOENT) return next;
      if (!next.is_open()) {
        const bool is_link = errno == ELOOP || errno == ENOTDIR;
        throw Error(ErrorCode::InvalidArgument, (directory_ / below).string(),
                    is_link ? "leads through a link; what it names stays where it is"
                            : "cannot open the folder: " + errno_text(errno));
      }
      inner = std::move(next);
    }
    return inner;
  }

  void put_back(const Move& move) {
    const fs::path to = move.to;
    const Descriptor folder = enter(to.parent_path());
    const Place there(folder.get(), to.filename());
    const fs::path shown = directory_ / to;
    const fs::path here = move.from;
    const auto moved = folder.is_open() ? without_reservation(there) : std::nullopt;
    const auto original = without_reservation(here);
    if (!moved && !original)
      throw Error(ErrorCode::NotFound, here.string(), "gone from here and from " + shown.string());
    if (moved && !S_ISREG(moved->st_mode)) {
      throw Error(ErrorCode::InvalidArgument, shown.string(),
                  "not a file that an export has moved; it stays where it is");
    }
    if (!moved) {
      ++report_.never_moved;
    } else if (!original) {
      rename_back(there, shown, here);
      ++report_.put_back;
    } else {
      drop_second(*moved, there, shown, *original, here);
      ++report_.never_moved;
    }
  }

  void rename_back(const Place& there, const fs::path& shown, const fs::path& here) {
    std::error_code error;
    fs::create_directories(here.parent_path(), error);
    if (error) throw system_error(here.parent_path().string(), "make the folder", error.value());
    const fs::path partial =
        here.parent_path() / (".zeroshelf-undo-" + journal_seal(here.filename().string()));
    if (const int failed = move_exclusively(there, here, partial)) {
      throw Error(ErrorCode::Io, here.string(),
                  "cannot be put back from " + shown.string() + ": " + errno_text(failed));
    }
    changed_.insert(here.parent_path());
  }

  // Both are there: a move that was cut short, if they are the same.
  void drop_second(const struct stat& moved, const Place& there, const fs::path& shown,
                   const struct stat& original, const fs::path& here) {
    const bool one_file = moved.st_dev == original.st_dev && moved.st_ino == original.st_ino;
    if (!one_file && !have_same_content(there, here)) {
      throw Error(ErrorCode::InvalidArgument, here.string(),
                  "something else is there now; the picture stays at " + shown.string(),
                  "move one of them away and run undo again");
    }
    if (::unlinkat(there.folder, there.name.c_str(), 0) != 0)
      throw system_error(shown.string(), "remove", errno);
  }

  // The journal last: whatever is cut short before that can be gone on with.
  void clean_up(const std::vector<Move>& moves) const {
    std::set<fs::path> folders;
    for (const Move& move : moves) {
      for (fs::path part = fs::path(move.to).parent_path(); !part.empty();
           part = part.parent_path())
        folders.insert(part);
    }
    ::unlinkat(folder_.get(), kMovePartialName, 0);
    for (const char* name : kWritten) {
      if (is_written_by_export({folder_.get(), name})) ::unlinkat(folder_.get(), name, 0);
    }
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
      remove_if_empty(*folder);
    if (::unlinkat(folder_.get(), kMoveJournalName, 0) != 0)
      throw system_error((directory_ / kMoveJournalName).string(), "remove", errno);
  }

  void remove_if_empty(const fs::path& folder) const {
    try {
      const Descriptor above = enter(folder.parent_path());
      if (above.is_open()) remove_folder({above.get(), folder.filename()});
    } catch (const Error&) {
      // Something is in its place by now; that stays.
    }
  }

  fs::path directory_;
  Descriptor folder_;
  const std::function<void(const Error&)>& on_problem_;
  std::set<fs::path> changed_;
  UndoReport report_;
};

}  // namespace

MoveJournal::MoveJournal(const fs::path& directory)
    : MoveJournal(enter_folder(absolute_path(directory), directory), directory) {}

MoveJournal::MoveJournal(const Descriptor& folder, const fs::path& directory)
    : journal_(kKind, folder, directory) {}

void MoveJournal::plan(const fs::path& from, const fs::path& to) {
  journal_.write({"move", from.string(), to.string()});
}

void MoveJournal::note_kept(const fs::path& from, const fs::path& to) {
  journal_.write({"kept", from.string(), to.string()});
}

void MoveJournal::sync() {
  journal_.sync();
}

UndoReport undo_moves(const fs::path& directory,
                      const std::function<void(const Error&)>& on_problem) {
  return Undo(absolute_path(directory), on_problem).run();
}

}  // namespace zeroshelf
