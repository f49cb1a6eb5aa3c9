// Export into folders. Tested by tests/output/folder_export_test.cc.

#include "lib/export/folder_export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <span>
#include <system_error>
#include <utility>

#include "lib/files/exclusive.h"
#include "lib/report/formats.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 200;  // of 255, so that " (12345)" and an ending still fit
constexpr size_t kMovesABatch = 1000;
constexpr const char* kManifest = "manifest.jsonl";
constexpr const char* kUnfinishedManifest = "manifest.jsonl.unfinished";

[[noreturn]] void fail(const fs::path& path, const std::string& cause,
                       const std::string& cure = "") {
  throw Error(ErrorCode::Io, path.string(), cause, cure);
}

// Returns errno, 0 when done.
int place_exclusively(const fs::path& source, const fs::path& target, ExportMode mode) {
  switch (mode) {
    case ExportMode::Symlink:
      return ::symlink(source.c_str(), target.c_str()) == 0 ? 0 : errno;
    case ExportMode::Hardlink:
      // The picture itself, where the source is a symbolic link to it.
      return ::linkat(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), AT_SYMLINK_FOLLOW) == 0
                 ? 0
                 : errno;
    case ExportMode::Copy:
      return copy_exclusively(source, target);
    case ExportMode::Move:
      break;  // in batches
  }
  return EINVAL;
}

// Our own files in DIR keep their names: the folder's first letter is escaped then.
std::string folder_name(std::string_view name) {
  std::string safe = safe_file_name(name);
  for (const std::string_view ours : {kManifest, kMoveJournalName, "labels.json"}) {
    if (safe.starts_with(ours)) return fmt::format("%{:02X}{}", safe.front(), safe.substr(1));
  }
  return safe;
}

fs::path folder_of(const ExportItem& item) {
  fs::path folder;
  for (const std::string& name : item.folders) folder /= folder_name(name);
  return folder;
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

Error is_gone(const fs::path& source) {
  return {ErrorCode::NotFound, source.string(), "the picture is gone since it was indexed",
          "run zeroshelf-index add again"};
}

// Only the very file that was indexed is moved.
void check_may_move(const ExportItem& item) {
  struct stat status {};
  if (::lstat(item.source.c_str(), &status) != 0) {
    if (errno == ENOENT) throw is_gone(item.source);
    throw system_error(item.source.string(), "read", errno);
  }
  if (!S_ISREG(status.st_mode)) {
    throw Error(ErrorCode::InvalidArgument, item.source.string(),
                "not moved: a link, not the picture itself", "use --mode symlink or copy for it");
  }
  const int64_t mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  if (static_cast<uint64_t>(status.st_size) != item.size_bytes || mtime_ns != item.mtime_ns) {
    throw Error(ErrorCode::InvalidArgument, item.source.string(),
                "not moved: it changed since it was indexed", "run zeroshelf-index add again");
  }
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

std::string safe_file_name(std::string_view name) {
  std::string safe;
  const bool readable = is_utf8(name);
  for (size_t i = 0; i < name.size();) {
    size_t end = i + 1;  // of the character
    while (readable && end < name.size() && (static_cast<unsigned char>(name[end]) & 0xc0) == 0x80)
      ++end;
    const std::string_view character = name.substr(i, end - i);
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool harmful = byte == '/' || byte == '\\' || byte == '%' || (byte == '.' && i == 0) ||
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
  if (safe.size() <= kMaxNameBytes) return safe.empty() ? "%" : safe;
  // Keep the beginning and the file's ending, whole characters only.
  const std::string ending = fs::path(safe).extension().string();
  const std::string kept = ending.size() <= 16 ? ending : "";
  const std::string mark = fmt::format("~{:016x}", checksum64(std::as_bytes(std::span(name))));
  size_t cut = kMaxNameBytes - kept.size() - mark.size();
  while (cut > 0 && (static_cast<unsigned char>(safe[cut]) & 0xc0) == 0x80) --cut;
  return safe.substr(0, cut) + mark + kept;
}

void FolderExport::check(const fs::path& directory) {
  std::error_code error;
  const fs::file_status status = fs::status(directory, error);
  if (!fs::exists(status)) return;
  if (!fs::is_directory(status)) {
    throw Error(ErrorCode::InvalidArgument, directory.string(), "not a folder",
                "name a new folder");
  }
  const bool empty = fs::is_empty(directory, error);
  if (error) fail(directory, "cannot read the folder: " + errno_text(error.value()));
  if (empty) return;
  const bool moved = fs::exists(directory / kMoveJournalName, error);
  throw Error(ErrorCode::InvalidArgument, directory.string(), "the folder is not empty",
              moved ? "zeroshelf-query undo puts back what was moved there, or name a new folder"
                    : "an export never overwrites: name a new folder");
}

FolderExport::FolderExport(fs::path directory, FolderExportOptions options)
    : directory_(std::move(directory)), options_(std::move(options)) {
  check(directory_);
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) fail(directory_, "cannot make the folder: " + errno_text(error.value()));
  if (options_.mode == ExportMode::Move) {
    sync_path(absolute_path(directory_).parent_path());
    journal_ = std::make_unique<MoveJournal>(directory_);
  }
  const fs::path path = directory_ / kUnfinishedManifest;
  manifest_ = std::fopen(path.c_str(), "wxe");
  if (manifest_ == nullptr) fail(path, "cannot write: " + errno_text(errno));
}

FolderExport::~FolderExport() {
  if (manifest_ != nullptr) std::fclose(manifest_);
}

void FolderExport::make_folders(const fs::path& folder) {
  fs::path made;
  for (const fs::path& name : folder) {
    made /= name;
    if (folders_.contains(made.string())) continue;
    std::error_code error;
    fs::create_directory(directory_ / made, error);
    if (error) fail(directory_ / made, "cannot make the folder: " + errno_text(error.value()));
    folders_.insert(made.string());
  }
}

// A name that this export did not give yet; something else may have it all the same.
fs::path FolderExport::free_name(const fs::path& folder, const ExportItem& item) {
  const std::string name = safe_file_name(item.source.filename().string());
  unsigned& number = numbers_[(folder / name).string()];
  for (;;) {
    const fs::path target = folder / numbered(name, ++number);
    const fs::path key = options_.unique_stems ? folder / target.stem() : target;
    if (taken_.insert(key.string()).second) return target;
  }
}

void FolderExport::add(ExportItem item) {
  std::optional<fs::path> target;
  try {
    if (options_.mode == ExportMode::Move) {
      check_may_move(item);
      plan_move(std::move(item));
    } else {
      target = place(item);
    }
  } catch (const Error& error) {
    note_failed(error);
  }
  if (target) note_placed(item, *target);
  if (planned_.size() >= kMovesABatch) make_moves();
}

fs::path FolderExport::place(const ExportItem& item) {
  std::error_code error;
  if (!fs::exists(item.source, error)) throw is_gone(item.source);
  const fs::path folder = folder_of(item);
  make_folders(folder);
  for (;;) {
    const fs::path target = free_name(folder, item);
    const int error_number = place_exclusively(item.source, directory_ / target, options_.mode);
    if (error_number == 0) return target;
    if (error_number != EEXIST)
      throw cannot_place(item.source, directory_ / target, options_.mode, error_number);
  }
}

void FolderExport::plan_move(ExportItem item) {
  fs::path target = free_name(folder_of(item), item);
  planned_.push_back({std::move(item), std::move(target)});
}

void FolderExport::make_moves() {
  std::vector<Planned> planned = std::exchange(planned_, {});
  for (const Planned& move : planned) journal_->plan(move.item.source, move.target);
  journal_->sync();
  for (Planned& move : planned) {
    const fs::path target = directory_ / move.target;
    make_folders(move.target.parent_path());
    const int error_number =
        move_exclusively(move.item.source, target, directory_ / kMovePartialName);
    if (error_number == 0) {
      note_placed(move.item, move.target);
      continue;
    }
    journal_->note_kept(move.item.source, move.target);
    if (error_number == EEXIST) {
      plan_move(std::move(move.item));  // under its next name
    } else {
      note_failed(cannot_place(move.item.source, target, options_.mode, error_number));
    }
  }
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
  if (std::fwrite(line.data(), 1, line.size(), manifest_) != line.size()) {
    fail(directory_ / kUnfinishedManifest, "cannot write: " + errno_text(errno));
  }
  if (options_.on_placed) options_.on_placed(item, target);
}

void FolderExport::note_failed(const Error& error) {
  ++failed_;
  options_.on_failure(error);
}

void FolderExport::finish() {
  while (!planned_.empty()) make_moves();
  if (journal_) {
    for (const std::string& folder : folders_) sync_path(directory_ / folder);
    journal_->sync();
  }
  const fs::path unfinished = directory_ / kUnfinishedManifest;
  const bool flushed =
      std::fflush(manifest_) == 0 && (!journal_ || ::fsync(::fileno(manifest_)) == 0);
  if (std::fclose(std::exchange(manifest_, nullptr)) != 0 || !flushed) {
    fail(unfinished, "cannot write: " + errno_text(errno));
  }
  if (::rename(unfinished.c_str(), (directory_ / kManifest).c_str()) != 0) {
    fail(directory_ / kManifest, "cannot write: " + errno_text(errno));
  }
  journal_.reset();
}

}  // namespace zeroshelf
