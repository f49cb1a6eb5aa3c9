// Tested by tests/export/move_journal_test.cc and keyword_journal_test.cc.

#include "lib/export/journal_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <optional>
#include <span>
#include <utility>

#include "lib/export/open_folder.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

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

// The fields before the seal.
std::optional<std::vector<std::string>> parse_line(std::string_view line) {
  const size_t last = line.rfind('\t');
  if (last == std::string_view::npos || line.substr(last + 1) != journal_seal(line.substr(0, last + 1)))
    return std::nullopt;
  line = line.substr(0, last);
  std::vector<std::string> fields;
  for (;;) {
    const size_t tab = line.find('\t');
    auto field = unescaped(line.substr(0, tab));
    if (!field) return std::nullopt;
    fields.push_back(*std::move(field));
    if (tab == std::string_view::npos) return fields;
    line.remove_prefix(tab + 1);
  }
}

}  // namespace

std::string journal_seal(std::string_view line) {
  return fmt::format("{:016x}", checksum64(std::as_bytes(std::span(line))));
}

JournalWriter::JournalWriter(const JournalKind& kind, const std::string& name,
                             const Descriptor& folder, const fs::path& directory)
    : path_(directory / name) {
  // Nobody else is to write to it, whatever the umask.
  const int file = ::openat(folder.get(), name.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (file >= 0) file_ = ::fdopen(file, "w");
  if (file_ == nullptr) fail();
  // Where a file system has no locks, nothing but the user's care keeps an undo away.
  if ((::flock(::fileno(file_), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) ||
      std::fwrite(kind.header.data(), 1, kind.header.size(), file_) != kind.header.size()) {
    fail();
  }
  sync();
  sync_folder(folder, directory);
}

JournalWriter::~JournalWriter() {
  if (file_ != nullptr) std::fclose(file_);
}

void JournalWriter::write(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) {
    line += escaped(field);
    line += '\t';
  }
  line += journal_seal(line);
  line += '\n';
  if (std::fwrite(line.data(), 1, line.size(), file_) != line.size()) fail();
}

void JournalWriter::sync() {
  if (std::fflush(file_) != 0 || ::fdatasync(::fileno(file_)) != 0) fail();
}

void JournalWriter::fail() const {
  throw Error(ErrorCode::Io, path_.string(), "cannot write: " + errno_text(errno),
              "zeroshelf-query undo puts back what was done");
}

LockedJournal::LockedJournal(const JournalKind& kind, const std::string& name,
                             const Descriptor& folder, const fs::path& directory)
    : kind_(kind), path_(directory / name) {
  file_ = Descriptor(::openat(folder.get(), name.c_str(),
                              O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC | O_NOFOLLOW));
  if (!file_.is_open() && errno == ENOENT) {
    throw Error(ErrorCode::NotFound, directory.string(),
                fmt::format("nothing to undo: no journal of {} in it", kind.of_what), kind.made_by);
  }
  expect_own();
  if (::flock(file_.get(), LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    throw Error(ErrorCode::Unavailable, directory.string(),
                "an export into it, or an undo of it, is still running",
                "wait for it, or end it first");
  }
  struct stat status {};
  if (::fstat(file_.get(), &status) != 0) throw system_error(path_.string(), "read", errno);
  size_bytes_ = static_cast<uint64_t>(status.st_size);
}

void LockedJournal::expect_own() const {
  struct stat status {};
  if (!file_.is_open() || ::fstat(file_.get(), &status) != 0)
    throw system_error(path_.string(), "open", errno);
  const auto refuse = [&](const std::string& cause, const std::string& cure) {
    throw Error(ErrorCode::InvalidArgument, path_.string(), cause, cure);
  };
  if (!S_ISREG(status.st_mode)) refuse(fmt::format("not a file, so not a journal of {}", kind_.of_what), "");
  if (status.st_uid != ::geteuid() && status.st_uid != 0) {
    refuse(fmt::format("the journal is another user's ({}), and could name any files",
                       status.st_uid),
           "undo it as that user");
  }
  if (status.st_nlink > 1) {
    refuse("the journal has a second name elsewhere, so it may be of another export",
           "undo the export that it belongs to");
  }
}

JournalLines LockedJournal::read(const AreSound& are_sound) const {
  const std::string content = read_open_file(file_.get(), size_bytes_, kMaxJournalBytes, path_);
  JournalLines read;
  if (!content.starts_with(kind_.header)) {
    read.has_bad_end = true;  // cut short at its beginning
    if (kind_.header.starts_with(content)) return read;
    throw Error(ErrorCode::Corruption, path_.string(),
                fmt::format("not a journal of {}, or damaged", kind_.of_what));
  }
  std::vector<size_t> bad_tail;
  size_t number = 1;
  for (size_t start = kind_.header.size(); start < content.size();) {
    ++number;
    const size_t end = content.find('\n', start);
    if (end == std::string::npos) break;
    auto fields = parse_line(std::string_view(content).substr(start, end - start));
    start = end + 1;
    if (!fields || !are_sound(*fields)) {
      bad_tail.push_back(number);
      continue;
    }
    read.bad_lines.insert(read.bad_lines.end(), bad_tail.begin(), bad_tail.end());
    bad_tail.clear();
    read.lines.push_back({number, *std::move(fields)});
  }
  read.has_bad_end = !bad_tail.empty();
  return read;
}

}  // namespace zeroshelf
