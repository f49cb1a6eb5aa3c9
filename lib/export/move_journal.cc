// Tested by tests/export/move_journal_test.cc, and through the program by
// tests/programs/export_test.cc.

#include "lib/export/move_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <iterator>
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
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kMadeBy = "only an export with --mode move or --format xmp has one";
constexpr JournalKind kKind = {"zeroshelf-moves 3\n", "moves", kMadeBy};
// The journal of earlier versions: names no collections.
constexpr JournalKind kFirstKind = {"zeroshelf-moves 1\n", "moves", kMadeBy};
// Where several processes have one each: says how many.
constexpr JournalKind kSharedKind = {"zeroshelf-moves 2\n", "moves", kMadeBy};
// What exports write beside the pictures and the journal.
constexpr const char* kWritten[] = {kManifestName, kUnfinishedManifestName, "labels.json",
                                    "labels.json.unfinished"};

struct Move {
  std::string from;  // absolute
  std::string to;    // below the folder
  auto operator<=>(const Move&) const = default;
};

struct Announced {
  enum class What { Move, Kept, Collection };
  What what = What::Move;
  Move move;  // of a collection: from where it lies
};

// Whether the path stays below its folder: relative, nothing in it leads up, and it is not one of
// the files that go with the journal.
bool stays_below(const fs::path& path) {
  if (path.empty() || path.is_absolute() || !path.has_filename()) return false;
  if (path == kMoveJournalName || path == kMovePartialName || is_share_name(path.string()))
    return false;
  for (const fs::path& part : path) {
    if (part == ".." || part == "." || part.empty()) return false;
  }
  return true;
}

std::optional<Announced> parse_line(const std::vector<std::string>& fields) {
  if (fields.size() < 2 || !fs::path(fields[1]).is_absolute()) return std::nullopt;
  if (fields.size() == 2 && fields[0] == "collection")
    return Announced{Announced::What::Collection, {fields[1], {}}};
  if (fields.size() != 3 || (fields[0] != "move" && fields[0] != "kept") ||
      !stays_below(fields[2])) {
    return std::nullopt;
  }
  return Announced{fields[0] == "kept" ? Announced::What::Kept : Announced::What::Move,
                   {fields[1], fields[2]}};
}

// What one journal says, or all of them together.
struct JournalContent {
  std::vector<Move> moves;         // that were announced, without those that were not made
  std::set<std::string> kept;      // what was announced and then said not to be moved, from where
  std::set<fs::path> collections;  // that follow
  std::vector<Error> bad_lines;    // that cannot be read, with sound ones after them
  std::vector<fs::path> bad_ends;  // journals whose last lines, or header, cannot be read
};

// A move counts unless it is said later that it was not made.
void add_lines(std::vector<Announced> lines, JournalContent& content) {
  std::set<Move> kept;
  std::vector<Move> moves;
  std::ranges::reverse(lines);
  for (Announced& line : lines) {
    if (line.what == Announced::What::Collection) {
      content.collections.insert(std::move(line.move.from));
    } else if (line.what == Announced::What::Kept) {
      content.kept.insert(line.move.from);
      kept.insert(std::move(line.move));
    } else if (!kept.contains(line.move)) {
      moves.push_back(std::move(line.move));
    }
  }
  std::ranges::move(moves.rbegin(), moves.rend(), std::back_inserter(content.moves));
}

// After a crash bad lines at the end were never synced, so nothing that they announce was begun;
// but somebody may have damaged them since.
void note_damage(const LockedJournal& journal, const JournalLines& read, JournalContent& content) {
  for (const size_t line : read.bad_lines) {
    content.bad_lines.emplace_back(
        ErrorCode::Corruption, journal.path().string(),
        fmt::format("line {} is damaged; the file that it names stays where it is", line));
  }
  if (read.has_bad_end) content.bad_ends.push_back(journal.path());
}

void read_journal(const LockedJournal& journal, JournalContent& content) {
  const JournalLines read =
      journal.read([](const auto& fields) { return parse_line(fields).has_value(); });
  note_damage(journal, read, content);
  std::vector<Announced> lines;
  for (const JournalLine& line : read.lines) lines.push_back(*parse_line(line.fields));
  add_lines(std::move(lines), content);
}

std::optional<size_t> processes_of(const std::vector<std::string>& fields) {
  size_t processes = 0;
  if (fields.size() != 2 || fields[0] != "processes") return std::nullopt;
  const char* end = fields[1].data() + fields[1].size();
  const auto [last, error] = std::from_chars(fields[1].data(), end, processes);
  if (error != std::errc() || last != end || processes == 0 || processes > kMostProcesses)
    return std::nullopt;
  return processes;
}

// How many processes have a journal; nothing: nothing was moved yet, or all of it is back.
std::optional<size_t> read_shared_journal(const LockedJournal& journal, JournalContent& content) {
  const JournalLines read =
      journal.read([](const auto& fields) { return processes_of(fields).has_value(); });
  note_damage(journal, read, content);
  if (read.lines.empty()) return std::nullopt;
  return processes_of(read.lines.front().fields);
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

bool begins_with(const Place& place, std::string_view text) {
  const Descriptor file(::openat(place.folder, place.name.c_str(),
                                 O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
  std::string beginning(text.size(), '\0');
  return file.is_open() &&
         ::read(file.get(), beginning.data(), beginning.size()) ==
             static_cast<ssize_t>(beginning.size()) &&
         beginning == text;
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
  Undo(fs::path directory, const std::function<void(const Error&)>& on_problem,
       const FollowBack& follow)
      : directory_(std::move(directory)), on_problem_(on_problem), follow_(follow) {
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
    const std::vector<LockedJournal> journals = locked_journals();
    JournalContent content = read_all(journals);
    const std::vector<ExportedFile> exported = read_exported_files(directory_);
    if (is_journal_missing_) {
      leave_what_only_the_manifest_has(exported, content.moves);
      for (const Error& line : content.bad_lines) tell_of_journal(line);
      // The manifest says what damaged lines said, and better.
    } else if (tell_what_only_the_manifest_has(exported, content.moves) == 0) {
      for (const Error& line : content.bad_lines) tell(line);
    }
    for (auto move = content.moves.rbegin(); move != content.moves.rend(); ++move) {
      try {
        put_back(*move);
      } catch (const Error& error) {
        tell(error);
      }
    }
    for (const fs::path& folder : changed_) sync_path(folder);
    count_kept(content);
    tell_collections(content, exported);
    if (report_.problems == 0 && !content.bad_ends.empty())
      tell_what_a_bad_end_leaves(content.bad_ends.front());
    if (report_.problems == 0) clean_up(content.moves);
  }

  // All of the folder: moves.journal first where it is there, and those of several processes.
  std::vector<LockedJournal> locked_journals() {
    shares_ = shares_in(directory_, ShareFile::Journal);
    const Place whole(folder_.get(), kMoveJournalName);
    is_shared_ = has_header(whole, kSharedKind);
    has_whole_ = shares_.empty() || status_of(whole).has_value();
    std::vector<LockedJournal> journals;
    if (has_whole_)
      journals.emplace_back(is_shared_ ? kSharedKind : kind_of(whole), kMoveJournalName, folder_,
                            directory_);
    for (const ExportShare& share : shares_) {
      const std::string name = share_name(ShareFile::Journal, share);
      journals.emplace_back(kind_of({folder_.get(), name}), name, folder_, directory_);
    }
    return journals;
  }

  static const JournalKind& kind_of(const Place& journal) {
    return has_header(journal, kFirstKind) ? kFirstKind : kKind;
  }

  // Also where the end of its line was cut off.
  static bool has_header(const Place& journal, const JournalKind& kind) {
    return begins_with(journal, kind.header.substr(0, kind.header.size() - 1));
  }

  // What was not moved under any of its names is where it belongs, unless somebody took it away.
  void count_kept(const JournalContent& content) {
    std::set<std::string_view> moved;
    for (const Move& move : content.moves) moved.insert(move.from);
    for (const std::string& from : content.kept) {
      if (!moved.contains(from) && status_of(fs::path(from))) ++report_.never_moved;
    }
  }

  void tell_collections(const JournalContent& content, const std::vector<ExportedFile>& exported) {
    if (!follow_) return;
    std::set<fs::path> collections = content.collections;
    for (const ExportedFile& file : exported) {
      if (!file.collection.empty()) collections.insert(file.collection);
    }
    std::vector<MovedFile> files;
    for (const Move& move : content.moves)
      files.push_back({(directory_ / move.to).string(), move.from});
    for (const fs::path& collection : collections) follow_(collection, files);
  }

  JournalContent read_all(const std::vector<LockedJournal>& journals) {
    JournalContent content;
    // Without moves.journal, what its journals are called says how many there were.
    size_t processes = has_whole_ ? 0 : shares_.front().processes;
    for (const LockedJournal& journal : journals) {
      if (is_shared_ && &journal == &journals.front()) {
        processes = read_shared_journal(journal, content).value_or(0);
      } else {
        read_journal(journal, content);
      }
    }
    for (size_t process = 0; process < processes; ++process) {
      const ExportShare share{process, processes};
      if (std::ranges::binary_search(shares_, share)) continue;
      is_journal_missing_ = true;
      tell_of_journal(
          Error(ErrorCode::NotFound, (directory_ / share_name(ShareFile::Journal, share)).string(),
                "the journal of one of the processes is missing; what it moved stays where it is",
                "put the journal back and run undo again; the manifest may know the files, too"));
    }
    return content;
  }

  // Files that the manifest names and no line of the journal does, and that are still here: lines
  // are missing, and the manifest is the last to know where the files were. Returns how many.
  size_t tell_what_only_the_manifest_has(const std::vector<ExportedFile>& exported,
                                         const std::vector<Move>& moves) {
    size_t told = 0;
    for (const ExportedFile& file : only_in_the_manifest(exported, moves)) {
      tell(Error(ErrorCode::Corruption, (directory_ / kMoveJournalName).string(),
                 "no line of it names " + file.exported + ", which stays where it is",
                 "by the manifest it was " + file.original + ": move it back by hand"));
      ++told;
    }
    return told;
  }

  // The same where a journal is missing that names them; of that it was told.
  void leave_what_only_the_manifest_has(const std::vector<ExportedFile>& exported,
                                        const std::vector<Move>& moves) {
    const size_t left = only_in_the_manifest(exported, moves).size();
    report_.left += left;
    report_.problems += left;
  }

  std::vector<ExportedFile> only_in_the_manifest(const std::vector<ExportedFile>& exported,
                                                 const std::vector<Move>& moves) const {
    std::set<std::string_view> known;
    for (const Move& move : moves) known.insert(move.to);
    std::vector<ExportedFile> files;
    for (const ExportedFile& file : exported) {
      if (!known.contains(file.exported) && stays_below(file.exported) &&
          is_file_below(file.exported))
        files.push_back(file);
    }
    return files;
  }

  // A bad end announces nothing that was begun, unless there are files that nothing else explains.
  void tell_what_a_bad_end_leaves(const fs::path& journal) {
    std::error_code ignored;
    for (fs::recursive_directory_iterator entry(directory_, ignored), end; !ignored && entry != end;
         entry.increment(ignored)) {
      const fs::path name = entry->path().lexically_relative(directory_);
      const bool is_own =
          name == kMoveJournalName || name == kMovePartialName || is_share_name(name.string()) ||
          std::find(std::begin(kWritten), std::end(kWritten), name) != std::end(kWritten);
      if (is_own || !entry->is_regular_file(ignored) || entry->is_symlink(ignored)) continue;
      tell_of_journal(
          Error(ErrorCode::Corruption, journal.string(),
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

  // Of one file that stays where it is.
  void tell(const Error& problem) {
    ++report_.left;
    tell_of_journal(problem);
  }

  void tell_of_journal(const Error& problem) {
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
      throw Error(ErrorCode::NotFound, here.string(), "gone from here and from " + shown.string(),
                  "where another export has moved it on, undo that one first, then this one again");
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

  // The journals last: whatever is cut short before that can be gone on with.
  void clean_up(const std::vector<Move>& moves) const {
    std::set<fs::path> folders;
    for (const Move& move : moves) {
      for (fs::path part = fs::path(move.to).parent_path(); !part.empty();
           part = part.parent_path())
        folders.insert(part);
    }
    std::vector<std::string> written(std::begin(kWritten), std::end(kWritten));
    for (const ExportShare& share : shares_in(directory_, ShareFile::Manifest))
      written.push_back(share_name(ShareFile::Manifest, share));
    for (const std::string& name : written) {
      if (is_written_by_export({folder_.get(), name})) ::unlinkat(folder_.get(), name.c_str(), 0);
    }
    ::unlinkat(folder_.get(), kMovePartialName, 0);
    for (const ExportShare& share : shares_in(directory_, ShareFile::Partial))
      ::unlinkat(folder_.get(), share_name(ShareFile::Partial, share).c_str(), 0);
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
      remove_if_empty(*folder);
    if (is_shared_) forget_processes();
    for (const ExportShare& share : shares_) remove_journal(share_name(ShareFile::Journal, share));
    if (has_whole_) remove_journal(kMoveJournalName);
  }

  // From here on a journal may be missing.
  void forget_processes() const {
    const Descriptor file(
        ::openat(folder_.get(), kMoveJournalName, O_WRONLY | O_NOFOLLOW | O_CLOEXEC));
    if (!file.is_open() ||
        ::ftruncate(file.get(), static_cast<off_t>(kSharedKind.header.size())) != 0 ||
        ::fsync(file.get()) != 0)
      throw system_error((directory_ / kMoveJournalName).string(), "write", errno);
  }

  void remove_journal(const std::string& name) const {
    if (::unlinkat(folder_.get(), name.c_str(), 0) != 0)
      throw system_error((directory_ / name).string(), "remove", errno);
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
  const FollowBack& follow_;
  bool has_whole_ = false;           // moves.journal
  bool is_shared_ = false;           // and it is that of several processes
  std::vector<ExportShare> shares_;  // which have journals
  bool is_journal_missing_ = false;
  std::set<fs::path> changed_;
  UndoReport report_;
};

}  // namespace

MoveJournal::MoveJournal(const fs::path& directory)
    : MoveJournal(enter_folder(absolute_path(directory), directory), directory) {}

MoveJournal::MoveJournal(const Descriptor& folder, const fs::path& directory)
    : journal_(kKind, kMoveJournalName, folder, directory) {}

MoveJournal::MoveJournal(const Descriptor& folder, const fs::path& directory,
                         const ExportShare& share)
    : journal_(kKind, share_name(ShareFile::Journal, share), folder, directory) {}

void MoveJournal::name_collections(std::span<const fs::path> collections) {
  for (const fs::path& collection : collections)
    journal_.write({"collection", collection.string()});
}

void MoveJournal::plan(const fs::path& from, const fs::path& to) {
  journal_.write({"move", from.string(), to.string()});
}

void MoveJournal::note_kept(const fs::path& from, const fs::path& to) {
  journal_.write({"kept", from.string(), to.string()});
}

void MoveJournal::sync() {
  journal_.sync();
}

SharedMoveJournal::SharedMoveJournal(const Descriptor& folder, const fs::path& directory)
    : journal_(kSharedKind, kMoveJournalName, folder, directory) {}

void SharedMoveJournal::begin_moves(size_t processes) {
  journal_.write({"processes", std::to_string(processes)});
  journal_.sync();
}

std::string told_undo(const UndoReport& report) {
  std::string told =
      fmt::format("{} files put back, {} were where they belong", with_thousands(report.put_back),
                  with_thousands(report.never_moved));
  if (report.problems == 0) return told;
  const std::string left = with_thousands(report.left);
  const std::string count = report.problems == report.left ? left
                            : report.left > 0              ? "at least " + left
                                                           : "an unknown number";
  return told + fmt::format(", {} could not be put back", count);
}

UndoReport undo_moves(const fs::path& directory,
                      const std::function<void(const Error&)>& on_problem,
                      const FollowBack& follow) {
  return Undo(absolute_path(directory), on_problem, follow).run();
}

}  // namespace zeroshelf
