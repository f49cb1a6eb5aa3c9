// Tested by tests/export/keyword_export_test.cc, and through the program by
// tests/programs/keywords_test.cc.

#include "lib/export/keyword_export.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <map>
#include <set>
#include <system_error>
#include <utility>

#include "lib/export/open_folder.h"
#include "lib/files/remove_folder.h"
#include "lib/util/file.h"
#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kChangesABatch = 1000;
constexpr uint64_t kBytesABatch = uint64_t{1} << 26;

// No other file can be written either.
bool ends_all(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT;
}

ContentHash hash_of(std::string_view bytes) {
  return content_hash(std::as_bytes(std::span(bytes)));
}

// What lib/xmp says of bytes is said of a file.
template <class Work>
auto of_file(const fs::path& path, const Work& work) {
  try {
    return work();
  } catch (const Error& error) {
    if (!error.subject().empty()) throw;
    throw Error(error.code(), path.string(), "left alone: " + error.cause(), error.cure());
  }
}

// Where there is nothing to write, what cannot be read has nothing of ours that could be read.
template <class Work>
auto unless_pointless(const KeywordItem& item, const Work& work) -> decltype(work()) {
  try {
    return work();
  } catch (const Error&) {
    if (item.keywords.empty()) return std::nullopt;
    throw;
  }
}

Error is_no_file(const fs::path& path) {
  return {ErrorCode::InvalidArgument, path.string(),
          "left alone: a link, a folder or a device is in the place of the sidecar",
          "move it away"};
}

// A sidecar as it is now.
struct Sidecar {
  FileLook look;
  std::string bytes;
};

Sidecar read_sidecar(const Place& place, const fs::path& path) {
  Sidecar sidecar;
  if (const int error = look_at(place, sidecar.look))
    throw system_error(path.string(), "look at it", error);
  if (!sidecar.look.is_there) return sidecar;
  if (!sidecar.look.is_regular) throw is_no_file(path);
  const Descriptor file(::openat(place.folder, place.name.c_str(),
                                 O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
  if (!file.is_open()) throw system_error(path.string(), "read", errno);
  if (look_at(file.get(), sidecar.look) != 0 || !sidecar.look.is_regular) throw is_no_file(path);
  if (sidecar.look.size_bytes == 0)
    throw Error(ErrorCode::Corruption, path.string(), "left alone: is empty, so no XMP",
                "look at it, or remove it");
  sidecar.bytes = read_open_file(file.get(), sidecar.look.size_bytes, kMostPacketBytes, path);
  return sidecar;
}

Error is_link(const fs::path& path) {
  return {ErrorCode::InvalidArgument, path.string(), "a link, not the picture itself",
          "leave out --in-file, for a sidecar"};
}

}  // namespace

KeywordExport::KeywordExport(fs::path directory, KeywordExportOptions options)
    : directory_(absolute_path(directory)), options_(std::move(options)) {
  std::error_code ignored;
  is_new_ = fs::symlink_status(directory_, ignored).type() == fs::file_type::not_found;
  folder_ = open_export_folder(directory_);
  if (is_new_) sync_path(directory_.parent_path());
  journal_ = std::make_unique<KeywordJournal>(folder_, directory_);
  for (const fs::path& collection : options_.collections) journal_->name_collection(collection);
}

KeywordExport::~KeywordExport() {
  if (journal_ == nullptr || counts_.touched() > 0) return;
  journal_.reset();
  ::unlinkat(folder_.get(), kKeywordOriginalsName, 0);
  ::unlinkat(folder_.get(), kKeywordJournalName, 0);
  folder_ = {};
  if (is_new_) remove_folder(directory_);
}

void KeywordExport::add(const KeywordItem& item) {
  if (options_.collections.size() > 1 && !seen_.insert(item.picture.source.string()).second) return;
  try {
    auto change = options_.where == KeywordsIn::Sidecars ? sidecar_change(item)
                                                         : picture_change(item);
    if (change) {
      change->has_keywords = !item.keywords.empty();
      plan(*std::move(change));
    } else if (!item.keywords.empty()) {
      ++counts_.same;
      ++counts_.with_keywords;
    }
  } catch (const Error& error) {
    ++counts_.failed;
    options_.on_failure(error);
  }
  if (planned_.size() >= kChangesABatch || planned_bytes_ >= kBytesABatch) make_changes();
}

// The folder of a file, open until the next call.
int KeywordExport::folder_of(const fs::path& path) {
  const fs::path name = path.parent_path();
  if (current_.is_open() && name == current_name_) return current_.get();
  current_ = Descriptor(::open(name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!current_.is_open()) throw system_error(name.string(), "open the folder", errno);
  current_name_ = name;
  return current_.get();
}

std::optional<KeywordExport::Change> KeywordExport::sidecar_change(const KeywordItem& item) {
  Change change;
  change.path = sidecars_.of(item.picture.source);
  const Place place(folder_of(change.path), change.path.filename());
  Sidecar sidecar;
  auto after = unless_pointless(item, [&]() -> std::optional<std::string> {
    sidecar = read_sidecar(place, change.path);
    if (!sidecar.look.is_there && item.keywords.empty()) return std::nullopt;
    return of_file(change.path, [&] {
      return with_keywords(sidecar.bytes, {options_.root, item.keywords}, PacketForm::Sidecar);
    });
  });
  if (!after) return std::nullopt;
  const IndexedFile picture(item.picture);
  if (!picture.has_stamp() && !picture.has_content()) throw is_another(item.picture.source);
  change.was = sidecar.look;
  if (change.was.is_there) change.before = hash_of(sidecar.bytes);
  change.mode = picture.status().st_mode & 0666;  // what is private stays private
  change.back = {{0, after->size(), std::move(sidecar.bytes)}};
  if (!after->empty()) change.bytes = *std::move(after);
  return change;
}

std::optional<KeywordExport::Change> KeywordExport::picture_change(const KeywordItem& item) {
  Change change;
  change.path = item.picture.source;
  const IndexedFile picture(item.picture, is_link(change.path));
  const auto packet = unless_pointless(item, [&] {
    return of_file(change.path, [&]() -> std::optional<std::string> {
      const auto before = packet_in(PictureBytes::of_file(picture.descriptor()));
      if (!before && item.keywords.empty()) return std::nullopt;
      return with_keywords(before.value_or(""), {options_.root, item.keywords},
                           PacketForm::Picture);
    });
  });
  if (!packet) return std::nullopt;
  if (!picture.has_size()) throw is_another(change.path);
  if (const int error = look_at(picture.descriptor(), change.was))
    throw system_error(change.path.string(), "look at it", error);
  const std::string bytes = read_open_file(picture.descriptor(), item.picture.size_bytes,
                                           item.picture.size_bytes, change.path);
  change.before = hash_of(bytes);
  if (change.before != item.picture.content) throw is_another(change.path);
  const ByteEdits edits =
      of_file(change.path, [&] { return packet_edits(bytes, *packet); });
  change.bytes = edited(bytes, edits);
  if (*change.bytes == bytes) return std::nullopt;
  change.back = inverse(bytes, edits);
  change.collection = item.collection;
  return change;
}

void KeywordExport::plan(Change change) {
  change.temporary = KeywordJournal::temporary_name();
  planned_bytes_ += change.bytes ? change.bytes->size() : 0;
  planned_.push_back(std::move(change));
}

void KeywordExport::announce(const std::vector<Change>& changes) {
  for (const Change& change : changes) {
    FileChange line;
    line.path = change.path.string();
    line.temporary = change.temporary;
    line.before = change.before;
    if (change.bytes) line.after = hash_of(*change.bytes);
    line.mode = change.was.mode;
    line.mtime_ns = change.was.mtime_ns;
    if (options_.where == KeywordsIn::Pictures) line.collection = change.collection;
    journal_->plan(std::move(line), change.back);
  }
  journal_->sync();
}

void KeywordExport::make_changes() {
  std::vector<Change> changes = std::exchange(planned_, {});
  planned_bytes_ = 0;
  if (changes.empty()) return;
  announce(changes);
  try {
    for_each_in(changes, Stage::Planned, &KeywordExport::make);
    for_each_in(changes, Stage::Made, &KeywordExport::sync);
    for_each_in(changes, Stage::Made, &KeywordExport::put_in);
  } catch (...) {
    for (Change& change : changes) remove_temporary(change);
    tell_rewritten(changes);
    throw;
  }
  sync_folders(changes);
  tell_rewritten(changes);
}

// step returns errno; what fails alone is told, what no other file could escape either is thrown.
void KeywordExport::for_each_in(std::vector<Change>& changes, Stage stage,
                                int (KeywordExport::*step)(Change&)) {
  for (Change& change : changes) {
    if (change.stage != stage) continue;
    try {
      if (const int error = (this->*step)(change)) fail(change, error);
    } catch (const Error& error) {
      if (change.stage == Stage::Failed) throw;
      remove_temporary(change);
      change.stage = Stage::Failed;
      ++counts_.failed;
      options_.on_failure(error);
    }
  }
}

int KeywordExport::make(Change& change) {
  if (change.bytes) {
    const int folder = folder_of(change.path);
    FileTraits traits;
    Descriptor before;
    if (change.was.is_there) {
      before = Descriptor(::openat(folder, change.path.filename().c_str(),
                                   O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
      if (!before.is_open()) return errno;
      traits.like = before.get();
    } else {
      traits.mode = change.mode;
    }
    if (const int error = make_file({folder, change.temporary}, *change.bytes, traits))
      return error;
  }
  change.stage = Stage::Made;
  return 0;
}

int KeywordExport::sync(Change& change) {
  return change.bytes ? sync_file({folder_of(change.path), change.temporary}) : 0;
}

int KeywordExport::put_in(Change& change) {
  const int folder = folder_of(change.path);
  const Place target(folder, change.path.filename());
  if (change.bytes) {
    if (const int error = put_in_place({folder, change.temporary}, target, change.was))
      return error;
  } else {
    FileLook now;
    if (const int error = look_at(target, now)) return error;
    if (now != change.was) return ESTALE;
    if (::unlinkat(folder, target.name.c_str(), 0) != 0) return errno;
  }
  change.stage = Stage::Done;
  ++(!change.bytes ? counts_.removed : change.was.is_there ? counts_.changed : counts_.made);
  if (change.has_keywords) ++counts_.with_keywords;
  return 0;
}

void KeywordExport::remove_temporary(Change& change) {
  if (change.stage != Stage::Made || !change.bytes) return;
  try {
    ::unlinkat(folder_of(change.path), change.temporary.c_str(), 0);
  } catch (const Error&) {
    // Its folder is gone, and it with that.
  }
  change.stage = Stage::Failed;
}

void KeywordExport::fail(Change& change, int error_number) {
  remove_temporary(change);
  change.stage = Stage::Failed;
  if (ends_all(error_number)) throw system_error(change.path.string(), "write", error_number);
  const bool is_changed = error_number == ESTALE || error_number == EEXIST;
  ++counts_.failed;
  options_.on_failure(
      is_changed ? Error(ErrorCode::Io, change.path.string(),
                         "left alone: somebody changed it meanwhile", "run it again")
                 : system_error(change.path.string(), "write", error_number));
}

void KeywordExport::sync_folders(const std::vector<Change>& changes) {
  std::set<fs::path> folders;
  for (const Change& change : changes) {
    if (change.stage == Stage::Done) folders.insert(change.path.parent_path());
  }
  for (const fs::path& folder : folders) sync_path(folder);
}

void KeywordExport::tell_rewritten(const std::vector<Change>& changes) {
  if (options_.where != KeywordsIn::Pictures || !options_.on_rewritten) return;
  std::map<size_t, std::vector<RewrittenFile>> of_collection;
  for (const Change& change : changes) {
    if (change.stage != Stage::Done) continue;
    of_collection[change.collection].push_back(
        {change.path.string(), *change.before, hash_of(*change.bytes)});
  }
  for (const auto& [collection, files] : of_collection) options_.on_rewritten(collection, files);
}

void KeywordExport::finish() {
  make_changes();
  if (counts_.touched() > 0) journal_->sync();
}

}  // namespace zeroshelf
