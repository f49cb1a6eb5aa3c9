// Tested by tests/output/move_journal_test.cc, and with kills by tests/programs/undo_test.cc.

#include "lib/export/move_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/files/exclusive.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kHeader = "zeroshelf-moves 1\n";
constexpr uint64_t kMaxJournalBytes = uint64_t{1} << 36;

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
  bool operator==(const Move&) const = default;
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
};

// Bad lines at the end were never synced, so nothing that they announce was begun.
JournalContent read_journal(const fs::path& path) {
  const std::string content = read_file(path, kMaxJournalBytes);
  if (std::string_view(content).substr(0, kHeader.size()) != kHeader) {
    if (std::string_view(kHeader).starts_with(content)) return {};  // cut short at its beginning
    throw Error(ErrorCode::Corruption, path.string(), "not a journal of moves, or damaged");
  }
  std::vector<Move> moves;
  std::vector<size_t> bad_lines;
  std::vector<size_t> bad_tail;
  size_t number = 1;
  for (size_t start = kHeader.size(); start < content.size();) {
    ++number;
    const size_t end = content.find('\n', start);
    if (end == std::string::npos) break;
    const auto line = parse_line(std::string_view(content).substr(start, end - start));
    start = end + 1;
    if (!line) {
      bad_tail.push_back(number);
      continue;
    }
    bad_lines.insert(bad_lines.end(), bad_tail.begin(), bad_tail.end());
    bad_tail.clear();
    if (line->kept) {
      if (!moves.empty() && moves.back() == line->move) {
        moves.pop_back();
      } else {
        std::erase(moves, line->move);
      }
    } else {
      moves.push_back(line->move);
    }
  }
  return {std::move(moves), std::move(bad_lines)};
}

class JournalLock {
 public:
  explicit JournalLock(const fs::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW)) {
    if (fd_ < 0 && errno == ENOENT) {
      throw Error(ErrorCode::NotFound, path.parent_path().string(),
                  "nothing to undo: no journal of moves in it",
                  "only an export with --mode move has one");
    }
    if (fd_ < 0) throw system_error(path.string(), "open", errno);
    if (::flock(fd_, LOCK_EX | LOCK_NB) != 0) {
      ::close(fd_);
      throw Error(ErrorCode::Unavailable, path.parent_path().string(),
                  "an export into it, or an undo of it, is still running",
                  "wait for it, or end it first");
    }
  }
  ~JournalLock() { ::close(fd_); }
  JournalLock(const JournalLock&) = delete;
  JournalLock& operator=(const JournalLock&) = delete;

 private:
  int fd_;
};

std::optional<struct stat> status_of(const fs::path& path) {
  struct stat status {};
  if (::lstat(path.c_str(), &status) != 0) return std::nullopt;
  return status;
}

class Undo {
 public:
  Undo(fs::path directory, const std::function<void(const Error&)>& on_problem)
      : directory_(std::move(directory)), on_problem_(on_problem) {}

  UndoReport run() {
    const fs::path journal = directory_ / kMoveJournalName;
    const JournalLock lock(journal);
    const auto [moves, bad_lines] = read_journal(journal);
    for (const size_t line : bad_lines) {
      tell(
          Error(ErrorCode::Corruption, journal.string(),
                fmt::format("line {} is damaged; the file that it names stays where it is", line)));
    }
    for (auto move = moves.rbegin(); move != moves.rend(); ++move) {
      try {
        put_back(*move);
      } catch (const Error& error) {
        tell(error);
      }
    }
    for (const fs::path& folder : changed_) sync_path(folder);
    if (report_.problems == 0) clean_up(moves, journal);
    return report_;
  }

 private:
  void tell(const Error& problem) {
    ++report_.problems;
    on_problem_(problem);
  }

  // What lies behind a link is not of this folder, whatever the journal says.
  void expect_no_link(const fs::path& to) const {
    fs::path part = directory_;
    for (const fs::path& name : to.parent_path()) {
      part /= name;
      if (const auto status = status_of(part); status && S_ISLNK(status->st_mode)) {
        throw Error(ErrorCode::InvalidArgument, (directory_ / to).string(),
                    "leads through a link; what it names stays where it is");
      }
    }
  }

  void put_back(const Move& move) {
    expect_no_link(move.to);
    const fs::path there = directory_ / move.to;
    const fs::path here = move.from;
    const auto moved = status_of(there);
    const auto original = status_of(here);
    if (!moved && !original) {
      throw Error(ErrorCode::NotFound, here.string(), "gone from here and from " + there.string());
    }
    if (moved && !S_ISREG(moved->st_mode)) {
      throw Error(ErrorCode::InvalidArgument, there.string(),
                  "not a file that an export has moved; it stays where it is");
    }
    if (!moved) {
      ++report_.never_moved;
    } else if (!original) {
      rename_back(there, here);
      ++report_.put_back;
    } else {
      drop_second(*moved, there, *original, here);
      ++report_.never_moved;
    }
  }

  void rename_back(const fs::path& there, const fs::path& here) {
    std::error_code error;
    fs::create_directories(here.parent_path(), error);
    if (error) throw system_error(here.parent_path().string(), "make the folder", error.value());
    const fs::path partial =
        here.parent_path() / (".zeroshelf-undo-" + seal(here.filename().string()));
    if (const int failed = move_exclusively(there, here, partial)) {
      throw Error(ErrorCode::Io, here.string(),
                  "cannot be put back from " + there.string() + ": " + errno_text(failed));
    }
    changed_.insert(here.parent_path());
  }

  // Both are there: a move that was cut short, if they are the same.
  void drop_second(const struct stat& moved, const fs::path& there, const struct stat& original,
                   const fs::path& here) {
    const bool one_file = moved.st_dev == original.st_dev && moved.st_ino == original.st_ino;
    if (!one_file && !have_same_content(there, here)) {
      throw Error(ErrorCode::InvalidArgument, here.string(),
                  "something else is there now; the picture stays at " + there.string(),
                  "move one of them away and run undo again");
    }
    if (::unlink(there.c_str()) != 0) throw system_error(there.string(), "remove", errno);
  }

  // The journal last: whatever is cut short before that can be gone on with.
  void clean_up(const std::vector<Move>& moves, const fs::path& journal) const {
    std::set<fs::path> folders;
    for (const Move& move : moves) {
      for (fs::path part = fs::path(move.to).parent_path(); !part.empty();
           part = part.parent_path())
        folders.insert(part);
    }
    for (const char* name : {kMovePartialName, "manifest.jsonl", "manifest.jsonl.unfinished",
                             "labels.json", "labels.json.unfinished"}) {
      ::unlink((directory_ / name).c_str());
    }
    for (auto folder = folders.rbegin(); folder != folders.rend(); ++folder)
      ::rmdir((directory_ / *folder).c_str());  // stays where something is in it
    if (::unlink(journal.c_str()) != 0) throw system_error(journal.string(), "remove", errno);
    ::rmdir(directory_.c_str());
  }

  fs::path directory_;
  const std::function<void(const Error&)>& on_problem_;
  std::set<fs::path> changed_;
  UndoReport report_;
};

}  // namespace

MoveJournal::MoveJournal(const fs::path& directory) : path_(directory / kMoveJournalName) {
  file_ = std::fopen(path_.c_str(), "wxe");
  if (file_ == nullptr) fail();
  if (::flock(::fileno(file_), LOCK_EX | LOCK_NB) != 0 ||
      std::fwrite(kHeader.data(), 1, kHeader.size(), file_) != kHeader.size()) {
    fail();
  }
  sync();
  sync_path(directory);
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
