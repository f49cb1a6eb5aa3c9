// Export into folders. Tested by tests/export/folder_export_test.cc.

#include "lib/export/folder_export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "lib/export/exported_files.h"
#include "lib/export/indexed_file.h"
#include "lib/export/open_folder.h"
#include "lib/files/exclusive.h"
#include "lib/files/remove_folder.h"
#include "lib/report/formats.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "lib/util/unicode.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 200;  // of 255, so that " (12345)" and an ending still fit
constexpr size_t kMovesABatch = 1000;

[[noreturn]] void fail(const fs::path& path, const std::string& cause,
                       const std::string& cure = "") {
  throw Error(ErrorCode::Io, path.string(), cause, cure);
}

std::string with_first_letter_escaped(const std::string& name) {
  return fmt::format("%{:02X}{}", name.front(), name.substr(1));
}

// What Windows takes for a device, with any ending.
bool is_device(const std::string& name) {
  std::string stem = folded(name.substr(0, name.find('.')));
  while (stem.ends_with(' ')) stem.pop_back();
  if (stem.size() == 4 && (stem.starts_with("com") || stem.starts_with("lpt")))
    return stem[3] >= '1' && stem[3] <= '9';
  return stem == "con" || stem == "prn" || stem == "aux" || stem == "nul";
}

// Names of our own in DIR, which a folder must not have. (Some disks tell no case apart.)
bool is_ours(const std::string& name) {
  const std::string plain = folded(name);
  for (const std::string_view ours : {kManifestName, kMoveJournalName, "labels.json"}) {
    if (plain.starts_with(ours)) return true;
  }
  return false;
}

bool is_absent(const fs::path& path) {
  std::error_code ignored;
  return fs::symlink_status(path, ignored).type() == fs::file_type::not_found;
}

// No other picture can be placed either.
bool ends_all(int error_number) {
  return error_number == ENOSPC || error_number == EDQUOT || error_number == EROFS;
}

std::string numbered(const std::string& name, unsigned number) {
  if (number == 1) return name;
  const fs::path path(name);
  return fmt::format("{} ({}){}", path.stem().string(), number, path.extension().string());
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
  return {ErrorCode::InvalidArgument, source.string(),
          "not moved: a link, not the picture itself", "use --mode symlink or copy for it"};
}

// Only the very file that was indexed is moved.
void check_may_move(const ExportItem& item) {
  const IndexedContent content = indexed(item);
  const IndexedFile file(content, is_link(item.source));
  if (!file.has_stamp() || !file.has_content()) throw is_another(item.source);
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

}  // namespace

ExportMode parse_export_mode(std::string_view name) {
  if (name == "symlink") return ExportMode::Symlink;
  if (name == "hardlink") return ExportMode::Hardlink;
  if (name == "copy") return ExportMode::Copy;
  if (name == "move") return ExportMode::Move;
  throw Error(ErrorCode::InvalidArgument, "--mode", "no mode is called '" + std::string(name) + "'",
              "use symlink, hardlink, copy or move");
}

std::string safe_file_name(std::string_view name, const DiskNames& names) {
  std::string safe;
  const bool readable = is_utf8(name);
  for (size_t i = 0; i < name.size();) {
    size_t end = i + 1;  // of the character
    while (readable && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
      ++end;
    const std::string_view character = name.substr(i, end - i);
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool at_end = end == name.size();
    const bool refused =
        (!names.any_character && (std::string_view(":?\"*|<>").find(name[i]) != std::string::npos ||
                                  ((byte == '.' || byte == ' ') && at_end))) ||
        (!names.any_script && byte >= 0x80);
    const bool harmful = refused || byte == '/' || byte == '\\' || byte == '%' || (byte == '.' && i == 0) ||
                         (byte >= 0x80 && !readable) ||
                         ((byte < 0x20 || byte >= 0x7f) && legible(character) != character);
    for (const char c : character) {
      if (harmful) {
        fmt::format_to(std::back_inserter(safe), "%{:02X}", static_cast<unsigned char>(c));
      } else {
        safe += c;
      }
    }
    i = end;
  }
  if (!names.any_character && is_device(safe)) safe = with_first_letter_escaped(safe);
  if (safe.size() <= kMaxNameBytes) return safe.empty() ? "%" : safe;
  // Keep the beginning and the file's ending, whole characters only.
  const std::string ending = fs::path(safe).extension().string();
  const std::string kept = ending.size() <= 16 ? ending : "";
  const std::string mark = fmt::format("~{:016x}", checksum64(std::as_bytes(std::span(name))));
  size_t cut = kMaxNameBytes - kept.size() - mark.size();
  while (cut > 0 && (static_cast<unsigned char>(safe[cut]) & 0xc0) == 0x80) --cut;
  return safe.substr(0, cut) + mark + kept;
}

FolderExport::FolderExport(fs::path directory, FolderExportOptions options)
    : directory_(std::move(directory)),
      options_(std::move(options)),
      is_new_(is_absent(directory_)),
      folder_(open_export_folder(directory_)),
      disk_(try_disk(folder_.get())),
      numbers_last_(identity_trust(folder_.get()).inode) {
  check_links();
  if (options_.mode == ExportMode::Move) {
    sync_path(absolute_path(directory_).parent_path());
    journal_ = std::make_unique<MoveJournal>(folder_, directory_);
  }
  const int file = ::openat(folder_.get(), kUnfinishedManifestName,
                            O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
  if (file >= 0) manifest_ = ::fdopen(file, "w");
  if (manifest_ != nullptr) return;
  const int error_number = errno;
  forget_journal();
  if (is_new_) remove_folder(directory_);
  throw system_error((directory_ / kUnfinishedManifestName).string(), "write", error_number);
}

FolderExport::~FolderExport() {
  if (manifest_ == nullptr) return;
  std::fclose(manifest_);
  if (!journal_) give_up();
}

void FolderExport::check_links() const {
  const bool no_link = options_.mode == ExportMode::Symlink && !disk_.symbolic_links;
  const bool no_name = options_.mode == ExportMode::Hardlink && !disk_.hard_links;
  if (!no_link && !no_name) return;
  if (is_new_) remove_folder(directory_);
  throw Error(ErrorCode::InvalidArgument, directory_.string(),
              no_link ? "its file system has no symbolic links" : "its file system has no hard links",
              "use --mode copy (or move)");
}

// Of an export that moved nothing.
void FolderExport::forget_journal() {
  if (journal_ == nullptr) return;
  journal_.reset();
  ::unlinkat(folder_.get(), kMoveJournalName, 0);
}

// Removes what was made, deepest first.
void FolderExport::give_up() {
  for (const fs::path& file : made_) {
    try {
      ::unlinkat(folder_at(file.parent_path()), file.filename().c_str(), 0);
    } catch (const Error&) {
      // Somebody exchanged its folder; what is there now is not ours.
    }
  }
  own_files_.insert({kManifestName, kUnfinishedManifestName});
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

// The same in every part of the export, e.g. in both halves of an image folder.
std::string FolderExport::folder_name(size_t depth, const std::string& name) {
  const auto [known, is_new] = folder_names_.try_emplace({depth, name});
  if (!is_new) return known->second;
  std::string safe = safe_file_name(name, disk_.names);
  if (is_ours(safe)) safe = with_first_letter_escaped(safe);
  std::string wanted = safe;
  const auto take = [&] {
    return taken_folders_.emplace(depth, disk_.names.tell_case ? wanted : folded(wanted)).second;
  };
  for (unsigned number = 2; !take(); ++number) wanted = fmt::format("{} ({})", safe, number);
  return known->second = wanted;
}

fs::path FolderExport::folder_of(const ExportItem& item) {
  fs::path folder;
  size_t depth = 0;
  for (const std::string& name : item.folders) folder /= folder_name(depth++, name);
  return folder;
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
fs::path FolderExport::free_name(const fs::path& folder, const ExportItem& item) {
  const std::string name = safe_file_name(item.source.filename().string(), disk_.names);
  unsigned& number = numbers_[(folder / name).string()];
  for (;;) {
    const fs::path target = folder / numbered(name, ++number);
    const std::string key = (options_.unique_stems ? folder / target.stem() : target).string();
    if (taken_.insert(disk_.names.tell_case ? key : folded(key)).second) return target;
  }
}

void FolderExport::add(ExportItem item) {
  std::optional<fs::path> target;
  try {
    if (options_.mode == ExportMode::Move) {
      check_may_move(item);
      plan_move(std::move(item));
    } else {
      target = place_item(item);
    }
  } catch (const DiskRefuses& all) {
    throw all.error;
  } catch (const Error& error) {
    note_failed(error);
  }
  if (target) note_placed(item, *target);
  if (planned_.size() >= kMovesABatch) make_moves();
}

fs::path FolderExport::place_item(const ExportItem& item) {
  const IndexedContent content = indexed(item);
  const IndexedFile file(content);
  // A link shows nothing that its reader could not see anyway; a copy is compared while it is made.
  const bool is_indexed = options_.mode == ExportMode::Symlink
                              ? file.has_stamp() || file.has_content()
                          : options_.mode == ExportMode::Copy ? file.has_size()
                                                              : file.has_content();
  if (!is_indexed) throw is_another(item.source);
  const fs::path folder = folder_of(item);
  const int open_folder = folder_at(folder);
  for (;;) {
    const fs::path target = free_name(folder, item);
    const int error_number =
        place_exclusively(item, file, {open_folder, target.filename()}, options_.mode);
    if (error_number == 0) {
      made_.push_back(target);
      return target;
    }
    if (error_number == ESTALE) throw is_another(item.source);
    if (ends_all(error_number))
      throw DiskRefuses{system_error((directory_ / target).string(), "write", error_number)};
    if (error_number != EEXIST)
      throw cannot_place(item.source, directory_ / target, options_.mode, error_number);
  }
}

void FolderExport::plan_move(ExportItem item) {
  fs::path target = free_name(folder_of(item), item);
  planned_.push_back({std::move(item), std::move(target)});
}

// It may have been planned long before: looked at again, and once more under its new name.
void FolderExport::make_move(Planned& move) {
  int error_number = 0;
  try {
    const IndexedContent content = indexed(move.item);
    const IndexedFile file(content, is_link(move.item.source));
    if (!file.has_stamp()) throw is_another(move.item.source);
    const Place target(folder_at(move.target.parent_path()), move.target.filename());
    error_number = move_exclusively(move.item.source, target, place(kMovePartialName));
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
  if (error_number == EEXIST) {
    plan_move(std::move(move.item));  // under its next name
  } else {
    note_failed(
        cannot_place(move.item.source, directory_ / move.target, options_.mode, error_number));
  }
}

void FolderExport::make_moves() {
  std::vector<Planned> planned = std::exchange(planned_, {});
  for (const Planned& move : planned) journal_->plan(move.item.source, move.target);
  journal_->sync();
  for (Planned& move : planned) make_move(move);
}

void FolderExport::write_line(const std::string& line) {
  if (std::fwrite(line.data(), 1, line.size(), manifest_) != line.size())
    fail(directory_ / kUnfinishedManifestName, "cannot write: " + errno_text(errno));
}

void FolderExport::note_placed(const ExportItem& item, const fs::path& target) {
  ++placed_;
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
  write_line(line);
  if (options_.on_placed) options_.on_placed(item, target);
}

void FolderExport::note_failed(const Error& error) {
  ++failed_;
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

void FolderExport::place_all() {
  while (!planned_.empty()) make_moves();
}

void FolderExport::finish() {
  place_all();
  if (placed_ == 0 && failed_ > 0) return forget_journal();  // and all goes with the object
  if (!options_.promise.empty())
    write_line("{\"type\":\"promise\"," + options_.promise + "}\n");
  if (journal_) {
    sync_folders();
    journal_->sync();
  }
  const fs::path unfinished = directory_ / kUnfinishedManifestName;
  const bool flushed =
      std::fflush(manifest_) == 0 && (!journal_ || ::fsync(::fileno(manifest_)) == 0);
  if (std::fclose(std::exchange(manifest_, nullptr)) != 0 || !flushed) {
    fail(unfinished, "cannot write: " + errno_text(errno));
  }
  if (const int error = rename_exclusively(place(kUnfinishedManifestName), place(kManifestName)))
    fail(directory_ / kManifestName, "cannot write: " + errno_text(error));
  journal_.reset();
}

}  // namespace zeroshelf
