// Export into folders. Tested by tests/export/folder_export_test.cc, and that of several processes
// by tests/export/shared_export_test.cc.

#include "lib/export/folder_export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cassert>
#include <cerrno>
#include <cstdlib>
#include <span>
#include <system_error>
#include <utility>

#include "lib/export/exported_files.h"
#include "lib/export/indexed_file.h"
#include "lib/export/open_folder.h"
#include "lib/files/exclusive.h"
#include "lib/files/remove_folder.h"
#include "lib/report/formats.h"
#include "lib/report/ordered_lines.h"
#include "lib/util/bytes.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/util/value_bytes.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMovesABatch = 1000;

[[noreturn]] void fail(const fs::path& path, const std::string& cause,
                       const std::string& cure = "") {
  throw Error(ErrorCode::Io, path.string(), cause, cure);
}

bool is_absent(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::not_found;
}

// No other picture can be placed either.
bool ends_all(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EROFS;
}

Error cannot_place(const fs::path& source, const fs::path& target, ExportMode mode,
                   int error_number) {
  const bool crosses =
      mode == ExportMode::Hardlink && (error_number == EXDEV || error_number == EPERM);
  return {ErrorCode::Io, source.string(),
          fmt::format("cannot place it at {}: {}", target.string(), errno_text(error_number)),
          crosses ? "use --mode copy or symlink" : ""};
}

struct DiskRefuses {
  Error error;
};

IndexedContent indexed(const ExportItem& item) {
  return {item.source, item.size_bytes, item.mtime_ns, item.content};
}

Error is_link(const fs::path& source) {
  return {ErrorCode::InvalidArgument, source.string(), "not moved: a link, not the picture itself",
          "use --mode symlink or copy for it"};
}

// Before a picture is named, and, where that is long before, again when it is placed.
enum class Look { First, Again };

bool is_indexed(const IndexedFile& file, ExportMode mode, Look look) {
  // A copy is compared while it is made.
  if (mode == ExportMode::Copy) return file.has_size();
  // A link shows nothing that its reader could not see anyway.
  const bool by_stamp = mode == ExportMode::Symlink || look == Look::Again;
  return (by_stamp && file.has_stamp()) || file.has_content();
}

// Only the very file that was indexed is moved.
void check_may_move(const ExportItem& item) {
  const IndexedContent content = indexed(item);
  const IndexedFile file(content, is_link(item.source));
  if (!file.has_stamp() || !file.has_content()) throw is_another(item.source);
}

void check_may_be_placed(const ExportItem& item, ExportMode mode) {
  if (mode == ExportMode::Move) return check_may_move(item);
  const IndexedContent content = indexed(item);
  const IndexedFile file(content);
  if (!is_indexed(file, mode, Look::First)) throw is_another(item.source);
}

// Where a file was made that is not the one that was looked at, it goes again.
int undone(const Place& target) {
  ::unlinkat(target.folder, target.name.c_str(), 0);
  return ESTALE;
}

// Returns errno, 0 when done, ESTALE when the file was exchanged meanwhile.
int place_exclusively(const ExportItem& item, const IndexedFile& file, const Place& target,
                      ExportMode mode) {
  switch (mode) {
    case ExportMode::Symlink:
      return ::symlinkat(item.source.c_str(), target.folder, target.name.c_str()) == 0 ? 0 : errno;
    case ExportMode::Hardlink:
      // The picture itself, where the source is a symbolic link to it.
      if (::linkat(AT_FDCWD, item.source.c_str(), target.folder, target.name.c_str(),
                   AT_SYMLINK_FOLLOW) != 0)
        return errno;
      return file.is_at(target) ? 0 : undone(target);
    case ExportMode::Copy:
      return copy_exclusively(file.descriptor(), target, item.content);
    case ExportMode::Move:
      break;  // in batches
  }
  return EINVAL;
}

// What a manifest says of each picture, by its path.
class ManifestLines {
 public:
  ManifestLines(const Place& manifest, fs::path shown) : shown_(std::move(shown)) {
    const int file = ::openat(manifest.folder, manifest.name.c_str(), O_RDONLY | O_CLOEXEC);
    if (file >= 0) file_ = ::fdopen(file, "r");
    if (file_ == nullptr) throw system_error(shown_.string(), "read", errno);
  }
  ~ManifestLines() {
    std::free(line_);
    std::fclose(file_);
  }
  ManifestLines(const ManifestLines&) = delete;
  ManifestLines& operator=(const ManifestLines&) = delete;

  // Some more; nothing: that was all.
  std::optional<OrderedLines> next() {
    constexpr size_t kAtOnce = size_t{1} << 16;  // bytes
    OrderedLines some;
    while (some.text.size() < kAtOnce) {
      const ssize_t size = ::getline(&line_, &capacity_, file_);
      if (size < 0 && std::ferror(file_) != 0) throw system_error(shown_.string(), "read", errno);
      if (size < 0) break;
      const std::string line(line_, static_cast<size_t>(size));
      auto file = exported_file_of(line);
      if (!file) throw Error(ErrorCode::Corruption, shown_.string(), "somebody has changed it");
      some.text += line;
      some.lines.push_back({std::move(file->original), some.text.size()});
    }
    return some.lines.empty() ? std::nullopt : std::optional(std::move(some));
  }

 private:
  fs::path shown_;
  std::FILE* file_ = nullptr;
  char* line_ = nullptr;
  size_t capacity_ = 0;
};

}  // namespace

ExportMode parse_export_mode(std::string_view name) {
  if (name == "symlink") return ExportMode::Symlink;
  if (name == "hardlink") return ExportMode::Hardlink;
  if (name == "copy") return ExportMode::Copy;
  if (name == "move") return ExportMode::Move;
  throw Error(ErrorCode::InvalidArgument, "--mode", "no mode is called '" + std::string(name) + "'",
              "use symlink, hardlink, copy or move");
}

FolderExport::FolderExport(fs::path directory, FolderExportOptions options)
    : directory_(std::move(directory)), options_(std::move(options)) {
  try {
    options_.ranks == nullptr ? begin_alone() : begin_together();
  } catch (...) {
    forget_journal();
    give_up();
    throw;
  }
}

void FolderExport::begin_alone() {
  begin();
  if (options_.mode == ExportMode::Move) {
    journal_ = std::make_unique<MoveJournal>(folder_, directory_);
    journal_->name_collections(options_.collections);
  }
  manifest_name_ = kUnfinishedManifestName;
  partial_name_ = kMovePartialName;
  manifest_ = new_manifest(manifest_name_);
  names_.emplace(disk_.names, options_.names_differ);
}

void FolderExport::begin() {
  is_new_ = is_absent(directory_);
  folder_ = open_export_folder(directory_);
  disk_ = try_disk(folder_.get());
  numbers_last_ = identity_trust(folder_.get()).inode;
  check_links();
  if (options_.mode == ExportMode::Move) sync_path(absolute_path(directory_).parent_path());
}

// The first process makes the folder, all others enter it; nothing is moved before all have begun.
void FolderExport::begin_together() {
  Ranks& ranks = *options_.ranks;
  const bool moves = options_.mode == ExportMode::Move;
  const ExportShare share{ranks.rank(), ranks.size()};
  manifest_name_ = share_name(ShareFile::Manifest, share);
  partial_name_ = share_name(ShareFile::Partial, share);
  const std::string begun = ranks.made_by_first([&] {
    begin();
    if (moves) shared_journal_ = std::make_unique<SharedMoveJournal>(folder_, directory_);
    whole_manifest_ = new_manifest(kUnfinishedManifestName);
    ByteWriter out;
    write_plain(out, disk_);
    out.number<uint8_t>(is_new_);
    return std::move(out).bytes();
  });
  ranks.agree_after([&] {
    if (!ranks.is_first()) join(begun);
    if (moves) {
      journal_ = std::make_unique<MoveJournal>(folder_, directory_, share);
      journal_->name_collections(options_.collections);
    }
    manifest_ = new_manifest(manifest_name_);
  });
  ranks.agree_after([&] {
    if (shared_journal_) shared_journal_->begin_moves(ranks.size());
  });
  shared_names_.emplace(ranks, disk_.names);
}

void FolderExport::join(std::string_view begun) {
  ByteReader in(begun, kRanksMessage);
  disk_ = read_plain<DiskAbilities>(in);
  const bool is_new = in.number<uint8_t>() != 0;
  const fs::path path = absolute_path(directory_);
  // A network's file system that remembers that there was no such folder looks again.
  const Descriptor above(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  Descriptor folder;
  if (!is_absent(path)) folder = enter_folder(path, directory_);
  struct stat status {};
  if (!folder.is_open() ||
      ::fstatat(folder.get(), kUnfinishedManifestName, &status, AT_SYMLINK_NOFOLLOW) != 0) {
    throw Error(ErrorCode::NotFound, directory_.string(),
                fmt::format("process {} does not see the folder that the first one has made",
                            options_.ranks->rank()),
                "name a folder that all machines have under this path");
  }
  folder_ = std::move(folder);
  numbers_last_ = identity_trust(folder_.get()).inode;
  is_new_ = is_new;
}

std::FILE* FolderExport::new_manifest(const std::string& name) {
  const int file = ::openat(folder_.get(), name.c_str(),
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  std::FILE* manifest = file < 0 ? nullptr : ::fdopen(file, "w");
  if (manifest == nullptr) throw system_error((directory_ / name).string(), "write", errno);
  own_files_.insert(name);
  return manifest;
}

FolderExport::~FolderExport() {
  if (whole_manifest_ != nullptr) std::fclose(whole_manifest_);
  if (manifest_ == nullptr) return;
  std::fclose(manifest_);
  if (!journal_) give_up();
}

void FolderExport::check_links() const {
  const bool no_link = options_.mode == ExportMode::Symlink && !disk_.symbolic_links;
  const bool no_name = options_.mode == ExportMode::Hardlink && !disk_.hard_links;
  if (!no_link && !no_name) return;
  throw Error(
      ErrorCode::InvalidArgument, directory_.string(),
      no_link ? "its file system has no symbolic links" : "its file system has no hard links",
      "use --mode copy (or move)");
}

// For an export that moved nothing.
void FolderExport::forget_journal() {
  if (journal_ != nullptr) {
    journal_.reset();
    const std::string name =
        options_.ranks == nullptr
            ? kMoveJournalName
            : share_name(ShareFile::Journal, {options_.ranks->rank(), options_.ranks->size()});
    ::unlinkat(folder_.get(), name.c_str(), 0);
  }
  if (shared_journal_ == nullptr) return;
  shared_journal_.reset();
  ::unlinkat(folder_.get(), kMoveJournalName, 0);
}

// Removes what was made, deepest first. Of several processes each removes what it made, and the
// last one finds the folders empty.
void FolderExport::give_up() {
  if (!folder_.is_open()) return;
  for (const fs::path& file : made_) {
    try {
      ::unlinkat(folder_at(file.parent_path()), file.filename().c_str(), 0);
    } catch (const Error&) {
      // Somebody exchanged its folder; what is there now is not ours.
    }
  }
  for (const std::string& name : own_files_) ::unlinkat(folder_.get(), name.c_str(), 0);
  for (auto folder = folders_.rbegin(); folder != folders_.rend(); ++folder) {
    try {
      const fs::path name = folder->first;
      current_name_.clear();
      remove_folder({folder_at(name.parent_path()), name.filename()});
    } catch (const Error&) {
    }
  }
  if (is_new_) remove_folder(directory_);
}

void FolderExport::expect_same_folder(const Descriptor& opened, const fs::path& folder) {
  struct stat status {};
  if (::fstat(opened.get(), &status) != 0)
    throw system_error((directory_ / folder).string(), "read", errno);
  if (!numbers_last_) return void(folders_.emplace(folder.string(), Identity{}));
  const Identity identity{status.st_dev, status.st_ino};
  if (folders_.emplace(folder.string(), identity).first->second == identity) return;
  throw Error(ErrorCode::InvalidArgument, (directory_ / folder).string(),
              "another folder was put in its place meanwhile", "look at who did");
}

// The folder below DIR, made where it is absent; open until the next call.
int FolderExport::folder_at(const fs::path& folder) {
  if (folder.empty()) return folder_.get();
  if (folder == current_name_) return current_.get();
  current_name_.clear();
  fs::path entered;
  Descriptor inner;
  for (const fs::path& name : folder) {
    entered /= name;
    const Place place(inner.is_open() ? inner.get() : folder_.get(), name);
    const fs::path shown = directory_ / entered;
    Descriptor next = folders_.contains(entered.string()) ? enter_folder(place, shown)
                                                          : make_folder(place, shown);
    expect_same_folder(next, entered);
    inner = std::move(next);
  }
  current_ = std::move(inner);
  current_name_ = folder;
  return current_.get();
}

// A name that this export did not give yet; something else may have it all the same.
fs::path FolderExport::free_name(const ExportItem& item) {
  const fs::path folder = names_->folder_of(item.folders);
  return names_->place_of(folder, item.source, names_->free_number(folder, item.source));
}

void FolderExport::announce(const ExportItem& item) {
  bool may_be_placed = true;
  try {
    check_may_be_placed(item, options_.mode);
  } catch (const Error& error) {
    may_be_placed = false;
    note_failed(error);
  }
  admitted_.push_back(may_be_placed);
  if (may_be_placed) shared_names_->want(item.source, item.folders);
}

void FolderExport::agree_on_names() {
  shared_names_->give();
}

// Nothing: why it is not placed was told.
std::optional<fs::path> FolderExport::announced_name(const ExportItem& item) {
  assert(added_ < admitted_.size());
  if (!admitted_[added_++]) return std::nullopt;
  GivenName given = shared_names_->next(item.source, item.folders);
  if (options_.mode != ExportMode::Move || !given.earlier) return std::move(given.place);
  note_failed(gone_since_indexed(item.source));
  if (options_.on_placed) options_.on_placed(item, *given.earlier);
  return std::nullopt;
}

void FolderExport::add(ExportItem item) {
  std::optional<fs::path> target;
  if (shared_names_) {
    target = announced_name(item);
    if (!target) return;
  }
  bool is_placed = false;
  try {
    if (options_.mode == ExportMode::Move) {
      if (!target) {
        check_may_move(item);
        target = free_name(item);
      }
      planned_.push_back({std::move(item), *std::move(target)});
    } else {
      is_placed = place_item(item, target);
    }
  } catch (const DiskRefuses& all) {
    throw all.error;
  } catch (const Error& error) {
    note_failed(error);
  }
  if (is_placed) note_placed(item, *target);
  if (planned_.size() >= kMovesABatch) make_moves();
}

// target: its announced name, or the one that it gets. Whether it was placed.
bool FolderExport::place_item(const ExportItem& item, std::optional<fs::path>& target) {
  const IndexedContent content = indexed(item);
  const IndexedFile file(content);
  if (!is_indexed(file, options_.mode, target ? Look::Again : Look::First))
    throw is_another(item.source);
  if (target) {
    if (place_as(item, file, *target)) return true;
    again_.push_back(item);
    return false;
  }
  folder_at(names_->folder_of(item.folders));
  do {
    target = free_name(item);
  } while (!place_as(item, file, *target));
  return true;
}

// False: something else has the name.
bool FolderExport::place_as(const ExportItem& item, const IndexedFile& file,
                            const fs::path& target) {
  const Place place(folder_at(target.parent_path()), target.filename());
  const int error_number = place_exclusively(item, file, place, options_.mode);
  if (error_number == 0) made_.push_back(target);
  if (error_number == 0 || error_number == EEXIST) return error_number == 0;
  if (error_number == ESTALE) throw is_another(item.source);
  if (ends_all(error_number))
    throw DiskRefuses{system_error((directory_ / target).string(), "write", error_number)};
  throw cannot_place(item.source, directory_ / target, options_.mode, error_number);
}

// It may have been planned long before: looked at again, and once more under its new name.
void FolderExport::make_move(Planned& move) {
  int error_number = 0;
  try {
    const IndexedContent content = indexed(move.item);
    const IndexedFile file(content, is_link(move.item.source));
    if (!file.has_stamp()) throw is_another(move.item.source);
    const Place target(folder_at(move.target.parent_path()), move.target.filename());
    error_number = move_exclusively(move.item.source, target, place(partial_name_));
    if (error_number == 0 && !file.is_at(target)) {
      if (rename_exclusively(target, move.item.source) != 0)
        throw Error(ErrorCode::Io, move.item.source.string(),
                    "another file was put in its place while it was moved; that is now at " +
                        (directory_ / move.target).string());
      throw is_another(move.item.source);
    }
  } catch (const Error& error) {
    journal_->note_kept(move.item.source, move.target);
    return note_failed(error);
  }
  if (error_number == 0) return note_placed(move.item, move.target);
  journal_->note_kept(move.item.source, move.target);
  if (ends_all(error_number))
    throw system_error((directory_ / move.target).string(), "write", error_number);
  if (error_number != EEXIST) {
    note_failed(
        cannot_place(move.item.source, directory_ / move.target, options_.mode, error_number));
  } else if (shared_names_) {
    again_.push_back(std::move(move.item));
  } else {
    fs::path next = free_name(move.item);
    planned_.push_back({std::move(move.item), std::move(next)});
  }
}

void FolderExport::make_moves() {
  std::vector<Planned> planned = std::exchange(planned_, {});
  for (const Planned& move : planned) journal_->plan(move.item.source, move.target);
  journal_->sync();
  for (Planned& move : planned) make_move(move);
}

void FolderExport::note_placed(const ExportItem& item, const fs::path& target) {
  ++counts_.placed;
  std::string line = "{\"type\":\"exported\",";
  append_json_path(line, item.source.string());
  line += ",\"exported\":";
  append_json_string(line, target.string());
  line += ",\"label\":";
  if (item.label) {
    append_json_string(line, *item.label);
  } else {
    line += "null";
  }
  if (!item.evidence_json.empty()) (line += ',') += item.evidence_json;
  line += "}\n";
  write(manifest_, line);
  if (options_.on_placed) options_.on_placed(item, target);
}

void FolderExport::note_failed(const Error& error) {
  ++counts_.failed;
  options_.on_failure(error);
}

void FolderExport::sync_folders() {
  try {
    for (const auto& [folder, identity] : folders_) {
      folder_at(folder);
      sync_folder(current_, directory_ / folder);
    }
  } catch (const Error& error) {
    // Somebody exchanged one meanwhile: what is in it cannot be reached by its name any more.
    if (error.code() == ErrorCode::Io || ::syncfs(folder_.get()) != 0) throw;
  }
}

void FolderExport::make_all_moves() {
  while (!planned_.empty()) make_moves();
}

void FolderExport::place_all() {
  if (options_.ranks == nullptr) return make_all_moves();
  if (of_all_) return;
  Ranks& ranks = *options_.ranks;
  ranks.agree_after([&] { make_all_moves(); });
  place_again();
  std::array sums = {counts_.placed, counts_.failed};
  ranks.add_up(sums);
  of_all_ = {sums[0], sums[1]};
}

// Under their next names, until nothing else has one of them.
void FolderExport::place_again() {
  Ranks& ranks = *options_.ranks;
  for (;;) {
    uint64_t left = again_.size();
    ranks.add_up(std::span(&left, 1));
    if (left == 0) return;
    std::vector<ExportItem> items = std::exchange(again_, {});
    admitted_.assign(items.size(), true);
    added_ = 0;
    for (const ExportItem& item : items) shared_names_->want(item.source, item.folders);
    agree_on_names();
    ranks.agree_after([&] {
      for (ExportItem& item : items) add(std::move(item));
      make_all_moves();
    });
  }
}

void FolderExport::write(std::FILE* manifest, std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), manifest) != text.size())
    fail(directory_ / kUnfinishedManifestName, "cannot write: " + errno_text(errno));
}

void FolderExport::write_promise(std::FILE* manifest) {
  if (!options_.promise.empty())
    write(manifest, "{\"type\":\"promise\"," + options_.promise + "}\n");
}

void FolderExport::end_manifest(std::FILE*& manifest) {
  const bool flushed =
      std::fflush(manifest) == 0 && (!journal_ || ::fsync(::fileno(manifest)) == 0);
  if (std::fclose(std::exchange(manifest, nullptr)) != 0 || !flushed)
    fail(directory_ / kUnfinishedManifestName, "cannot write: " + errno_text(errno));
}

void FolderExport::publish_manifest() {
  if (const int error = rename_exclusively(place(kUnfinishedManifestName), place(kManifestName)))
    fail(directory_ / kManifestName, "cannot write: " + errno_text(error));
}

void FolderExport::finish() {
  place_all();
  if (placed() == 0) return forget_journal();  // and all goes with the object
  options_.ranks == nullptr ? complete() : complete_together();
  journal_.reset();
  shared_journal_.reset();
}

void FolderExport::complete() {
  write_promise(manifest_);
  if (journal_) {
    sync_folders();
    journal_->sync();
  }
  end_manifest(manifest_);
  publish_manifest();
}

// The manifest gets its name when nothing is missing any more: each step is done by all before the
// next.
void FolderExport::complete_together() {
  Ranks& ranks = *options_.ranks;
  ranks.agree_after([&] {
    if (journal_) {
      sync_folders();
      journal_->sync();
    }
    if (std::fflush(manifest_) != 0)
      fail(directory_ / manifest_name_, "cannot write: " + errno_text(errno));
  });
  merge_manifests();
  ranks.agree_after([&] {
    std::fclose(std::exchange(manifest_, nullptr));
    if (::unlinkat(folder_.get(), manifest_name_.c_str(), 0) != 0)
      throw system_error((directory_ / manifest_name_).string(), "remove", errno);
  });
  ranks.agree_after([&] {
    if (ranks.is_first()) publish_manifest();
  });
}

void FolderExport::merge_manifests() {
  Ranks& ranks = *options_.ranks;
  std::optional<Error> failed;
  // All lines are sent and received whatever happens here, so that nobody waits for ever.
  const auto unless_failed = [&](const auto& work) {
    try {
      if (!failed) return work();
    } catch (const Error& error) {
      failed = error;
    }
    return decltype(work())();
  };
  std::optional<ManifestLines> lines;
  const auto next = [&]() -> std::optional<OrderedLines> {
    if (!lines) lines.emplace(Place(folder_.get(), manifest_name_), directory_ / manifest_name_);
    return lines->next();
  };
  merge_lines(
      ranks, [&] { return unless_failed(next); },
      [&](std::string_view text) { unless_failed([&] { write(whole_manifest_, text); }); });
  ranks.agree_after([&] {
    if (failed) throw *failed;
    if (!ranks.is_first()) return;
    write_promise(whole_manifest_);
    end_manifest(whole_manifest_);
  });
}

}  // namespace zeroshelf
