// Tested by tests/export/keyword_journal_test.cc, and through the program by
// tests/programs/keywords_test.cc.

#include "lib/export/keyword_journal.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <set>
#include <span>
#include <string_view>
#include <system_error>
#include <utility>

#include "lib/files/remove_folder.h"
#include "lib/files/replace_file.h"
#include "lib/util/file.h"
#include "lib/util/hex_hash.h"
#include "lib/util/temporary_name.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr JournalKind kKind = {"zeroshelf-keywords 1\n", "keywords",
                               "only an export with --format xmp has one"};
constexpr std::string_view kTemporaryStem = ".zeroshelf";
constexpr const char* kNothing = "-";
constexpr uint64_t kMostFileBytes = uint64_t{1} << 40;

// --- lines --------------------------------------------------------------------------------------

std::string text_of(const std::optional<ContentHash>& hash) {
  return hash ? to_hex(*hash) : kNothing;
}

template <class Number>
bool read_number(std::string_view text, Number& number, int base = 10) {
  const auto [end, error] =
      std::from_chars(text.data(), text.data() + text.size(), number, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool read_hash(const std::string& text, std::optional<ContentHash>& hash) {
  hash = hash_from_hex(text);
  return hash || text == kNothing;
}

std::vector<std::string> fields_of(const FileChange& change) {
  return {"change",
          change.path,
          change.temporary,
          text_of(change.before),
          text_of(change.after),
          fmt::format("{:o}", change.mode),
          std::to_string(change.mtime_ns),
          std::to_string(change.offset),
          std::to_string(change.length),
          change.collection ? std::to_string(*change.collection) : kNothing};
}

std::optional<FileChange> parse_change(const std::vector<std::string>& fields) {
  FileChange change;
  if (fields.size() != 10 || fields[0] != "change") return std::nullopt;
  change.path = fields[1];
  change.temporary = fields[2];
  uint64_t collection = 0;
  const bool has_collection = fields[9] != kNothing;
  const bool is_sound =
      fs::path(change.path).is_absolute() && fs::path(change.path).has_filename() &&
      name_behind_temporary(change.temporary) == kTemporaryStem &&
      read_hash(fields[3], change.before) && read_hash(fields[4], change.after) &&
      change.before != change.after && read_number(fields[5], change.mode, 8) &&
      change.mode <= 07777 && read_number(fields[6], change.mtime_ns) &&
      read_number(fields[7], change.offset) && read_number(fields[8], change.length) &&
      (!has_collection || read_number(fields[9], collection));
  if (!is_sound) return std::nullopt;
  if (has_collection) change.collection = collection;
  return change;
}

bool names_collection(const std::vector<std::string>& fields) {
  return fields.size() == 2 && fields[0] == "collection" && fs::path(fields[1]).is_absolute();
}

struct JournalContent {
  std::vector<FileChange> changes;
  std::vector<fs::path> collections;
  std::vector<size_t> bad_lines;
};

JournalContent read_journal(const LockedJournal& journal) {
  JournalLines read = journal.read([](const auto& fields) {
    return names_collection(fields) || parse_change(fields).has_value();
  });
  JournalContent content;
  content.bad_lines = std::move(read.bad_lines);
  for (const JournalLine& line : read.lines) {
    if (names_collection(line.fields)) {
      content.collections.emplace_back(line.fields[1]);
    } else {
      content.changes.push_back(*parse_change(line.fields));
    }
  }
  return content;
}

// --- undo ---------------------------------------------------------------------------------------

// A file as it is now.
struct Found {
  FileLook look;
  Descriptor file;
  std::string bytes;
  std::optional<ContentHash> content;
};

class KeywordUndo {
 public:
  KeywordUndo(fs::path directory, const std::function<void(const Error&)>& on_problem)
      : directory_(std::move(directory)), on_problem_(on_problem) {
    folder_ = Descriptor(::open(directory_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder_.is_open()) throw system_error(directory_.string(), "open the folder", errno);
  }

  KeywordUndoReport run() {
    put_all_back();
    folder_ = {};
    if (report_.problems == 0) remove_folder(directory_);
    return std::move(report_);
  }

 private:
  void put_all_back() {
    const LockedJournal journal(kKind, kKeywordJournalName, folder_, directory_);
    const JournalContent content = read_journal(journal);
    for (const size_t line : content.bad_lines) {
      tell(Error(ErrorCode::Corruption, (directory_ / kKeywordJournalName).string(),
                 fmt::format("line {} is damaged; the file that it names stays as it is", line)));
    }
    for (auto change = content.changes.rbegin(); change != content.changes.rend(); ++change) {
      try {
        put_back(*change);
        follow(*change, content.collections);
      } catch (const Error& error) {
        tell(error);
      }
    }
    for (const fs::path& folder : changed_) sync_path(folder);
    if (report_.problems == 0) clean_up();
  }

  void tell(const Error& problem) {
    ++report_.problems;
    on_problem_(problem);
  }

  void follow(const FileChange& change, const std::vector<fs::path>& collections) {
    if (!change.collection || *change.collection >= collections.size() || !change.before ||
        !change.after) {
      return;
    }
    report_.followed_by[collections[*change.collection]].push_back(
        {change.path, *change.after, *change.before});
  }

  void put_back(const FileChange& change) {
    const fs::path path = change.path;
    const Descriptor folder(
        ::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!folder.is_open()) throw system_error(path.parent_path().string(), "open the folder", errno);
    const Place place(folder.get(), path.filename());
    const Place temporary(folder.get(), change.temporary);
    ::unlinkat(temporary.folder, temporary.name.c_str(), 0);  // of an end on the way
    const Found now = found(place, path);
    if (now.content == change.before && now.look.is_there == change.before.has_value()) {
      ++report_.never_changed;
      return;
    }
    if (now.content != change.after || now.look.is_there != change.after.has_value()) {
      throw Error(ErrorCode::InvalidArgument, path.string(),
                  now.look.is_there ? "somebody changed it since; it stays as it is"
                                    : "gone since; nothing is put back",
                  "where another export changed it, undo that one first, then this one again; "
                  "what it was is kept in " + directory_.string());
    }
    const int error = change.before ? restore(change, now, place, temporary)
                                    : removed(place, now.look);
    if (error != 0) {
      throw Error(ErrorCode::Io, path.string(), "cannot be put back: " + errno_text(error));
    }
    changed_.insert(path.parent_path());
    ++report_.put_back;
  }

  static Found found(const Place& place, const fs::path& shown) {
    Found found;
    if (const int error = look_at(place, found.look))
      throw system_error(shown.string(), "look at it", error);
    if (!found.look.is_there) return found;
    if (!found.look.is_regular)
      throw Error(ErrorCode::InvalidArgument, shown.string(),
                  "a link, a folder or a device is in its place; it stays as it is");
    found.file = Descriptor(::openat(place.folder, place.name.c_str(),
                                     O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!found.file.is_open()) throw system_error(shown.string(), "read", errno);
    found.bytes =
        read_open_file(found.file.get(), found.look.size_bytes, kMostFileBytes, shown);
    found.content = content_hash(std::as_bytes(std::span(found.bytes)));
    return found;
  }

  static int removed(const Place& place, const FileLook& was) {
    FileLook now;
    if (const int error = look_at(place, now)) return error;
    if (now != was) return ESTALE;
    return ::unlinkat(place.folder, place.name.c_str(), 0) == 0 ? 0 : errno;
  }

  int restore(const FileChange& change, const Found& now, const Place& place,
              const Place& temporary) {
    const std::string bytes = original(change, now.bytes);
    FileTraits traits{now.file.is_open() ? now.file.get() : -1, change.mode, change.mtime_ns};
    int error = make_file(temporary, bytes, traits);
    if (error != 0) return error;
    error = sync_file(temporary);
    if (error == 0) error = put_in_place(temporary, place, now.look);
    if (error != 0) ::unlinkat(temporary.folder, temporary.name.c_str(), 0);
    return error;
  }

  std::string original(const FileChange& change, std::string_view after) {
    const fs::path path = directory_ / kKeywordOriginalsName;
    const auto is_damaged = [&] {
      return Error(ErrorCode::Corruption, path.string(),
                   "is damaged where it says what was in " + change.path,
                   "the file stays as it is");
    };
    if (!originals_.is_open()) {
      originals_ = Descriptor(::openat(folder_.get(), kKeywordOriginalsName,
                                       O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
      if (!originals_.is_open()) throw system_error(path.string(), "read", errno);
    }
    struct stat status {};
    if (::fstat(originals_.get(), &status) != 0 || !S_ISREG(status.st_mode)) throw is_damaged();
    const auto size = static_cast<uint64_t>(status.st_size);
    if (change.offset > size || change.length > size - change.offset) throw is_damaged();
    if (::lseek(originals_.get(), static_cast<off_t>(change.offset), SEEK_SET) < 0)
      throw system_error(path.string(), "read", errno);
    const std::string kept = read_open_file(originals_.get(), change.length, size, path);
    try {
      std::string before = edited(after, decode_edits(kept));
      if (content_hash(std::as_bytes(std::span(before))) == change.before) return before;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::Corruption) throw;
    }
    throw is_damaged();
  }

  // The journal last: whatever is cut short before that can be gone on with.
  void clean_up() const {
    ::unlinkat(folder_.get(), kKeywordOriginalsName, 0);
    if (::unlinkat(folder_.get(), kKeywordJournalName, 0) != 0)
      throw system_error((directory_ / kKeywordJournalName).string(), "remove", errno);
  }

  fs::path directory_;
  const std::function<void(const Error&)>& on_problem_;
  Descriptor folder_;
  Descriptor originals_;
  std::set<fs::path> changed_;
  KeywordUndoReport report_;
};

Descriptor new_originals(const Descriptor& folder, const fs::path& path) {
  Descriptor file(::openat(folder.get(), kKeywordOriginalsName,
                           O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (!file.is_open()) throw system_error(path.string(), "write", errno);
  return file;
}

}  // namespace

KeywordJournal::KeywordJournal(const Descriptor& folder, const fs::path& directory)
    : originals_path_(directory / kKeywordOriginalsName),
      originals_(new_originals(folder, originals_path_)),
      journal_(kKind, kKeywordJournalName, folder, directory) {}

void KeywordJournal::name_collection(const fs::path& collection) {
  journal_.write({"collection", absolute_path(collection).string()});
}

void KeywordJournal::plan(FileChange change, const ByteEdits& back) {
  const std::string kept = encode_edits(back);
  for (std::string_view rest = kept; !rest.empty();) {
    const ssize_t written = ::write(originals_.get(), rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) throw system_error(originals_path_.string(), "write", errno);
    rest.remove_prefix(static_cast<size_t>(written));
  }
  change.offset = offset_;
  change.length = kept.size();
  offset_ += kept.size();
  journal_.write(fields_of(change));
}

void KeywordJournal::sync() {
  if (::fdatasync(originals_.get()) != 0)
    throw system_error(originals_path_.string(), "sync", errno);
  journal_.sync();
}

std::string KeywordJournal::temporary_name() {
  return std::string(kTemporaryStem) + temporary_suffix();
}

bool has_keyword_journal(const fs::path& directory) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(directory / kKeywordJournalName, ignored));
}

KeywordUndoReport undo_keywords(const fs::path& directory,
                                const std::function<void(const Error&)>& on_problem) {
  return KeywordUndo(absolute_path(directory), on_problem).run();
}

}  // namespace zeroshelf
