// What is ours in a collection's directory. Tested by tests/collection/own_files_test.cc.

#include "lib/collection/own_files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>
#include <string_view>
#include <system_error>

#include "lib/files/remove_folder.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/temporary_name.h"

namespace zeroshelf::layout {
namespace {

namespace fs = std::filesystem;

bool is_taken(const fs::path& path) {
  std::error_code error;
  return fs::symlink_status(path, error).type() != fs::file_type::not_found;
}

// The first bytes of a regular file, at most `bytes`; empty for everything else. No link is
// followed and nothing is waited for.
std::string beginning_of(const fs::path& path, size_t bytes) {
  const int file = ::open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (file < 0) return {};
  struct stat status {};
  std::string beginning(bytes, '\0');
  const bool is_file = ::fstat(file, &status) == 0 && S_ISREG(status.st_mode);
  const ssize_t got = is_file ? ::pread(file, beginning.data(), bytes, 0) : 0;
  ::close(file);
  beginning.resize(got > 0 ? static_cast<size_t>(got) : 0);
  return beginning;
}

template <class T>
bool has_number(std::string_view bytes, size_t at, T expected) {
  return bytes.size() >= at + sizeof expected &&
         std::memcmp(bytes.data() + at, &expected, sizeof expected) == 0;
}

// docs/collection-format.md has the layouts; of each the version's last digit may be any.
bool is_snapshot_beginning(std::string_view bytes, const SnapshotName& name, uint32_t dimension) {
  if (name.kind == "image" || name.kind == "text")
    return bytes.starts_with("IxSQ") && has_number(bytes, 4, dimension);
  if (name.kind == "rows") return bytes.starts_with("zsrows0");
  return bytes.starts_with(name.kind == "lexicon" ? "zslexi0" : "zsivf00") &&
         has_number(bytes, 8, name.epoch) && has_number(bytes, 16, name.generation);
}

bool is_snapshot_file(const fs::path& path, std::string_view name, uint32_t dimension) {
  constexpr size_t kEnough = 24;
  const auto parsed = parse_snapshot_name(name);
  return parsed && is_snapshot_beginning(beginning_of(path, kEnough), *parsed, dimension);
}

// Whether a killed writer left it: a part of a snapshot, CURRENT or MANIFEST.json.
bool is_unfinished_file(const fs::path& path, const std::string& name, uint32_t dimension) {
  const std::string_view behind = name_behind_temporary(name);
  if (behind == kCurrentFile || behind == kManifestFile) return beginning_of(path, 2) == "{\n";
  return is_snapshot_file(path, behind, dimension);
}

bool is_leftover_file(const fs::path& path, const std::string& name, uint32_t dimension) {
  return is_snapshot_file(path, name, dimension) || is_unfinished_file(path, name, dimension);
}

bool is_ours_to_remove(const fs::path& collection, uint64_t epoch, const std::string& owner) {
  const auto mark = read_records_mark(collection, epoch);
  return mark && (*mark == owner || mark->empty());
}

bool is_number(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](unsigned char c) { return std::isdigit(c); });
}

// The names that RocksDB gives to its files; it has no log of messages here.
bool is_rocksdb_name(std::string_view name) {
  for (const std::string_view fixed : {"CURRENT", "IDENTITY", "LOCK"}) {
    if (name == fixed) return true;
  }
  for (const std::string_view ending : {".sst", ".log", ".dbtmp", ".blob"}) {
    if (name.ends_with(ending) && is_number(name.substr(0, name.size() - ending.size())))
      return true;
  }
  for (const std::string_view beginning : {"MANIFEST-", "OPTIONS-"}) {
    if (!name.starts_with(beginning)) continue;
    std::string_view number = name.substr(beginning.size());
    if (number.ends_with(".dbtmp")) number.remove_suffix(6);
    return is_number(number);
  }
  return false;
}

void remove_database_files(const fs::path& folder) {
  std::error_code error;
  if (fs::symlink_status(folder, error).type() != fs::file_type::directory) return;
  for (const std::string& name : names_in(folder)) {
    const fs::path path = folder / name;
    const bool ours = is_rocksdb_name(name) || name_behind_temporary(name) == kRecordsMarkFile;
    if (ours && fs::symlink_status(path, error).type() == fs::file_type::regular)
      ::unlink(path.c_str());
  }
}

std::set<std::string> names_in_use(const Current& current) {
  std::set<std::string> names = {kManifestFile, kCurrentFile, kLockFile, kAttachmentsFolder,
                                 records_directory("", current.epoch).string()};
  const auto add = [&](const char* kind, uint64_t generation) {
    names.insert(snapshot_file("", kind, current.epoch, generation).string());
  };
  if (!current.snapshot_generation) return names;
  for (const char* kind : {"image", "text", "rows", "lexicon"})
    add(kind, *current.snapshot_generation);
  if (!current.ivf_generation) return names;
  for (const char* kind : {"ivf-image", "ivf-text"}) add(kind, *current.ivf_generation);
  return names;
}

// Calls visit with each name that is not in use, and whether it is ours.
template <class Visit>
void for_each_unused(const fs::path& collection, const Current& current, const Manifest& manifest,
                     const Visit& visit) {
  const std::set<std::string> used = names_in_use(current);
  const std::string owner = records_owner(manifest);
  for (const std::string& name : names_in(collection)) {
    if (used.contains(name)) continue;
    const auto epoch = epoch_of_name(name);
    visit(name, epoch ? is_ours_to_remove(collection, *epoch, owner)
                      : is_leftover_file(collection / name, name, manifest.dimension));
  }
}

}  // namespace

void make_records_directory(const fs::path& collection, uint64_t epoch, const std::string& owner) {
  const fs::path records = records_directory(collection, epoch);
  if (::mkdir(records.c_str(), 0777) != 0)
    throw system_error(records.string(), "make the folder", errno);
  try {
    write_records_mark(collection, epoch, owner);
  } catch (const Error&) {
    remove_folder(records);  // without its mark it would be nobody's
    throw;
  }
  sync_path(collection);
}

void remove_records(const fs::path& collection, uint64_t epoch) {
  if (!read_records_mark(collection, epoch)) return;
  const fs::path records = records_directory(collection, epoch);
  remove_database_files(records);
  for (const char* folder : {"lost", "archive"}) {  // of RocksDB's salvage
    remove_database_files(records / folder);
    remove_folder(records / folder);
  }
  const std::vector<std::string> left = names_in(records);
  if (std::ranges::any_of(left, is_rocksdb_name)) return;  // it will be found again by its mark
  ::unlink((records / kRecordsMarkFile).c_str());
  remove_folder(records);
}

bool is_free_generation(const fs::path& collection, uint64_t epoch, uint64_t generation) {
  return std::ranges::none_of(kSnapshotKinds, [&](const char* kind) {
    return is_taken(snapshot_file(collection, kind, epoch, generation));
  });
}

uint64_t free_epoch(const fs::path& collection, uint64_t first, uint64_t generation) {
  while (is_taken(records_directory(collection, first)) ||
         !is_free_generation(collection, first, generation))
    ++first;
  return first;
}

void remove_leftovers(const fs::path& collection, const Current& current,
                      const Manifest& manifest) {
  for_each_unused(collection, current, manifest, [&](const std::string& name, bool is_ours) {
    if (!is_ours) return;
    const auto epoch = epoch_of_name(name);
    if (!epoch) {
      ::unlink((collection / name).c_str());
      return;
    }
    try {
      remove_records(collection, *epoch);
    } catch (const Error&) {
      // It will be found again; what the writer was opened for is more important.
    }
  });
}

std::vector<std::string> foreign_names(const fs::path& collection, const Current& current,
                                       const Manifest& manifest) {
  std::vector<std::string> foreign;
  for_each_unused(collection, current, manifest, [&](const std::string& name, bool is_ours) {
    if (!is_ours) foreign.push_back(name);
  });
  return foreign;
}

}  // namespace zeroshelf::layout
