// Tested by tests/export/move_journal_test.cc, and through the program by
// tests/programs/export_test.cc.

#include "lib/export/move_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <ranges>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/export/exported_files.h"
#include "lib/export/open_folder.h"
#include "lib/files/exclusive.h"
#include "lib/files/remove_folder.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeader = "zeroshelf-moves 1\n";
constexpr uint64_t kMaxJournalBytes = uint64_t{1} << 36;
// What exports write beside the pictures and the journal.
constexpr const char* kWritten[] = {kManifestName, kUnfinishedManifestName, "labels.json",
                                    "labels.json.unfinished"};

// NUL above all: what stands before it would be taken for the path.
bool is_escaped(unsigned char byte) {
  return byte <= 0x20 || byte >= 0x7f || byte == '%';
}

std::string escaped(std::string_view bytes) {
  std::string result;
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    if (is_escaped(byte)) {
      fmt::format_to(std::back_inserter(result), "%{:02X}", byte);
    } else {
      result += c;
    }
  }
  return result;
}

std::optional<int> digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return std::nullopt;
}

std::optional<std::string> unescaped(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_escaped(static_cast<unsigned char>(text[i]))) {
      result += text[i];
      continue;
    }
    if (text[i] != '%' || i + 2 >= text.size()) return std::nullopt;
    const auto high = digit(text[i + 1]);
    const auto low = digit(text[i + 2]);
    if (!high || !low || *high * 16 + *low == 0) return std::nullopt;
    result += static_cast<char>(*high * 16 + *low);
    i += 2;
  }
  return result;
}

std::string seal(std::string_view line) {
  return fmt::format("{:016x}", checksum64(std::as_bytes(std::span(line))));
}

std::string record_line(const char* kind, const fs::path& from, const fs::path& to) {
  const std::string line =
      fmt::format("{}\t{}\t{}\t", kind, escaped(from.string()), escaped(to.string()));
  return line + seal(line) + "\n";
}

struct Move {
  std::string from;  // absolute
  std::string to;    // below the folder
  auto operator<=>(const Move&) const = default;
};

struct JournalLine {
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

std::optional<JournalLine> parse_line(std::string_view line) {
  std::vector<std::string_view> fields;
  for (size_t start = 0;;) {
    const size_t tab = line.find('\t', start);
    fields.push_back(line.substr(start, tab - start));
    if (tab == std::string_view::npos) break;
    start = tab + 1;
  }
  if (fields.size() != 4 || fields[3] != seal(line.substr(0, line.size() - fields[3].size())) ||
      (fields[0] != "move" && fields[0] != "kept")) {
    return std::nullopt;
  }
  auto from = unescaped(fields[1]);
  auto to = unescaped(fields[2]);
  if (!from || !to || !fs::path(*from).is_absolute() || !stays_below(*to)) return std::nullopt;
  return JournalLine{fields[0] == "kept", {*std::move(from), *std::move(to)}};
}

struct JournalContent {
  std::vector<Move> moves;        // that were announced, without those that were not made
  std::vector<size_t> bad_lines;  // that cannot be read, with sound ones after them
  bool has_bad_end = false;  // whole lines at the end that cannot be read, or not even a header
};

// What was announced and not said to be kept later.
std::vector<Move> moves_made(std::vector<JournalLine> lines) {
  std::set<Move> kept;
  std::vector<Move> moves;
  for (JournalLine& line : std::views::reverse(lines)) {
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
JournalContent read_journal(const std::string& content, const fs::path& path) {
  if (std::string_view(content).substr(0, kHeader.size()) != kHeader) {
    if (std::string_view(kHeader).starts_with(content))
      return {{}, {}, true};  // cut short at its beginning
    throw Error(ErrorCode::Corruption, path.string(), "not a journal of moves, or damaged");
  }
  std::vector<JournalLine> lines;
  std::vector<size_t> bad_lines;
  std::vector<size_t> bad_tail;
  size_t number = 1;
  for (size_t start = kHeader.size(); start < content.size();) {
    ++number;
    const size_t end = content.find('\n', start);
    if (end == std::string::npos) break;
    auto line = parse_line(std::string_view(content).substr(start, end - start));
    start = end + 1;
    if (!line) {
      bad_tail.push_back(number);
      continue;
    }
    bad_lines.insert(bad_lines.end(), bad_tail.begin(), bad_tail.end());
    bad_tail.clear();
    lines.push_back(*std::move(line));
  }
  return {moves_made(std::move(lines)), std::move(bad_lines), !bad_tail.empty()};
}

// A folder's journal, locked while the object lives.
class LockedJournal {
 public:
  LockedJournal(const Descriptor& folder, const fs::path& directory)
      : directory_(directory), path_(directory / kMoveJournalName) {
    file_ = Descriptor(::openat(folder.get(), kMoveJournalName,
                                O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
    if (!file_.is_open() && errno == ENOENT) {
      throw Error(ErrorCode::NotFound, directory.string(),
                  "nothing to undo: no journal of moves in it",
                  "only an export with --mode move has one");
    }
    if (!file_.is_open() || ::fstat(file_.get(), &status_) != 0)
      throw system_error(path_.string(), "open", errno);
    expect_own();
    if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
      throw Error(ErrorCode::Unavailable, directory.string(),
                  "an export into it, or an undo of it, is still running",
                  "wait for it, or end it first");
    }
  }

  // What is locked, whatever has its name by now.
  JournalContent content() const {
    return read_journal(read_open_file(file_.get(), static_cast<uint64_t>(status_.st_size),
                                       kMaxJournalBytes, path_),
                        path_);
  }

 private:
  void expect_own() const {
    const auto refuse = [&](const std::string& cause, const std::string& cure) {
      throw Error(ErrorCode::InvalidArgument, path_.string(), cause, cure);
    };
    if (!S_ISREG(status_.st_mode)) refuse("not a file, so not a journal of moves", "");
    if (status_.st_uid != ::geteuid() && status_.st_uid != 0) {
      refuse(fmt::format("the journal is another user's ({}), and could name any files",
                         status_.st_uid),
             "undo it as that user");
    }
    if (status_.st_nlink > 1) {
      refuse("the journal has a second name elsewhere, so it may be of another export",
             "undo the export that it belongs to");
    }
  }

  fs::path directory_;
  fs::path path_;
  Descriptor file_;
  struct stat status_ {};
};

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
  const std::string_view beginning = is_labels ? "{\"classes\":[" : "{\"type\":\"exported\",";
  size_t matched = 0;  // bytes of the beginning, in this line
  std::vector<char> piece(size_t{1} << 16);
  for (;;) {
    const ssize_t got = ::read(file.get(), piece.data(), piece.size());
    if (got < 0) return false;
    if (got == 0) return true;
    for (const char c : std::string_view(piece.data(), static_cast<size_t>(got))) {
      if (matched < beginning.size()) {
        if (c != beginning[matched++]) return false;
      } else if (c == '\n' && !is_labels) {
        matched = 0;  // each line has it
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
    const LockedJournal journal(folder_, directory_);
    const auto [moves, bad_lines, has_bad_end] = journal.content();
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
        here.parent_path() / (".zeroshelf-undo-" + seal(here.filename().string()));
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
    : path_(directory / kMoveJournalName) {
  // Nobody else is to write to it, whatever the umask.
  const int file = ::openat(folder.get(), kMoveJournalName,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file >= 0) file_ = ::fdopen(file, "w");
  if (file_ == nullptr) fail();
  // Where a file system has no locks, nothing but the user's care keeps an undo away.
  if ((::flock(::fileno(file_), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
      std::fwrite(kHeader.data(), 1, kHeader.size(), file_) != kHeader.size()) {
    fail();
  }
  sync();
  sync_folder(folder, directory);
}

MoveJournal::~MoveJournal() {
  if (file_ != nullptr) std::fclose(file_);
}

void MoveJournal::plan(const fs::path& from, const fs::path& to) {
  write("move", from, to);
}

void MoveJournal::note_kept(const fs::path& from, const fs::path& to) {
  write("kept", from, to);
}

void MoveJournal::write(const char* kind, const fs::path& from, const fs::path& to) {
  const std::string line = record_line(kind, from, to);
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size()) fail();
}

void MoveJournal::sync() {
  if (std::fflush(file_) != 0 || ::fdatasync(::fileno(file_)) != 0) fail();
}

void MoveJournal::fail() const {
  throw Error(ErrorCode::Io, path_.string(), "cannot write: " + errno_text(errno),
              "zeroshelf-query undo puts back what was moved");
}

UndoReport undo_moves(const fs::path& directory,
                      const std::function<void(const Error&)>& on_problem) {
  return Undo(absolute_path(directory), on_problem).run();
}

}  // namespace zeroshelf
