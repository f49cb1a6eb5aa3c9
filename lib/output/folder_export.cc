// Export into folders. Tested by tests/output/folder_export_test.cc.

#include "lib/output/folder_export.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "lib/output/formats.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxNameBytes = 200;  // of 255, so that " (12345)" and an ending still fit
constexpr const char* kManifest = "manifest.jsonl";
constexpr const char* kUnfinishedManifest = "manifest.jsonl.unfinished";

[[noreturn]] void fail(const fs::path& path, const std::string& cause,
                       const std::string& cure = "") {
  throw Error(ErrorCode::Io, path.string(), cause, cure);
}

// Copies into a file that must not exist yet. Returns errno, 0 when done.
int copy_exclusively(const fs::path& source, const fs::path& target) {
  const int from = ::open(source.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (from < 0) return errno;
  struct stat status {};
  int error_number = ::fstat(from, &status) == 0 ? 0 : errno;
  const int to = error_number != 0 ? -1
                                   : ::open(target.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC,
                                            status.st_mode & 0777);
  if (error_number == 0 && to < 0) error_number = errno;
  while (error_number == 0) {
    char buffer[1 << 16];
    const ssize_t got = ::read(from, buffer, sizeof buffer);
    if (got < 0) error_number = errno;
    if (got <= 0) break;
    for (ssize_t done = 0; done < got && error_number == 0;) {
      const ssize_t written = ::write(to, buffer + done, static_cast<size_t>(got - done));
      if (written < 0) error_number = errno;
      done += written;
    }
  }
  if (error_number == 0) {
    const timespec times[2] = {status.st_atim, status.st_mtim};
    ::futimens(to, times);  // the time of the picture is worth keeping, and no reason to fail
  }
  ::close(from);
  if (to >= 0 && ::close(to) != 0 && error_number == 0) error_number = errno;
  if (to >= 0 && error_number != 0) ::unlink(target.c_str());
  return error_number;
}

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
  }
  return EINVAL;
}

// A label must not take the manifest's place: its first letter is escaped then.
std::string label_folder(std::string_view label) {
  const std::string name = safe_file_name(label);
  return name.starts_with(kManifest) ? "%6D" + name.substr(1) : name;
}

std::string numbered(const std::string& name, unsigned number) {
  if (number == 1) return name;
  const fs::path path(name);
  return fmt::format("{} ({}){}", path.stem().string(), number, path.extension().string());
}

}  // namespace

ExportMode parse_export_mode(std::string_view name) {
  if (name == "symlink") return ExportMode::Symlink;
  if (name == "hardlink") return ExportMode::Hardlink;
  if (name == "copy") return ExportMode::Copy;
  throw Error(ErrorCode::InvalidArgument, "--mode", "no mode is called '" + std::string(name) + "'",
              "use symlink, hardlink or copy");
}

std::string safe_file_name(std::string_view name) {
  std::string safe;
  const bool readable = is_utf8(name);
  for (size_t i = 0; i < name.size(); ++i) {
    const auto byte = static_cast<unsigned char>(name[i]);
    const bool harmful = byte < 0x20 || byte == 0x7f || byte == '/' || byte == '\\' ||
                         byte == '%' || (byte == '.' && i == 0) || (byte >= 0x80 && !readable);
    if (harmful) {
      fmt::format_to(std::back_inserter(safe), "%{:02X}", byte);
    } else {
      safe += name[i];
    }
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
                "name a new folder with --to");
  }
  const bool empty = fs::is_empty(directory, error);
  if (error) fail(directory, "cannot read the folder: " + errno_text(error.value()));
  if (!empty) {
    throw Error(ErrorCode::InvalidArgument, directory.string(), "the folder is not empty",
                "an export never overwrites: name a new folder with --to");
  }
}

FolderExport::FolderExport(fs::path directory, ExportMode mode)
    : directory_(std::move(directory)), mode_(mode) {
  check(directory_);
  std::error_code error;
  fs::create_directories(directory_, error);
  if (error) fail(directory_, "cannot make the folder: " + errno_text(error.value()));
  const fs::path path = directory_ / kUnfinishedManifest;
  manifest_ = std::fopen(path.c_str(), "wxe");
  if (manifest_ == nullptr) fail(path, "cannot write: " + errno_text(errno));
}

FolderExport::~FolderExport() {
  if (manifest_ != nullptr) std::fclose(manifest_);
}

fs::path FolderExport::place(const fs::path& source, const fs::path& folder) {
  const std::string name = safe_file_name(source.filename().string());
  unsigned& number = taken_[(folder / name).string()];
  for (;;) {
    const fs::path target = folder / numbered(name, ++number);
    const int error_number = place_exclusively(source, target, mode_);
    if (error_number == 0) return target;
    if (error_number == EEXIST) continue;
    --number;
    const bool crosses =
        mode_ == ExportMode::Hardlink && (error_number == EXDEV || error_number == EPERM);
    fail(source,
         fmt::format("cannot place it at {}: {}", target.string(), errno_text(error_number)),
         crosses ? "use --mode copy or symlink" : "");
  }
}

void FolderExport::add(const fs::path& source, std::string_view label,
                       std::string_view evidence_json) {
  std::error_code error;
  if (!fs::exists(source, error)) {
    throw Error(ErrorCode::NotFound, source.string(), "the picture is gone since it was indexed",
                "run zeroshelf-index add again");
  }
  const fs::path folder = directory_ / label_folder(label);
  fs::create_directory(folder, error);
  if (error) fail(folder, "cannot make the folder: " + errno_text(error.value()));
  const fs::path target = place(source, folder);

  std::string line = "{\"type\":\"exported\",";
  append_json_path(line, source.string());
  line += ",\"exported\":";
  append_json_string(line, target.lexically_relative(directory_).string());
  line += ",\"label\":";
  append_json_string(line, label);
  if (!evidence_json.empty()) (line += ',') += evidence_json;
  line += "}\n";
  if (std::fwrite(line.data(), 1, line.size(), manifest_) != line.size()) {
    fail(directory_ / kUnfinishedManifest, "cannot write: " + errno_text(errno));
  }
}

void FolderExport::finish() {
  const fs::path unfinished = directory_ / kUnfinishedManifest;
  if (std::fclose(std::exchange(manifest_, nullptr)) != 0) {
    fail(unfinished, "cannot write: " + errno_text(errno));
  }
  if (::rename(unfinished.c_str(), (directory_ / kManifest).c_str()) != 0) {
    fail(directory_ / kManifest, "cannot write: " + errno_text(errno));
  }
}

}  // namespace zeroshelf
