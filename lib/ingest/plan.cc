// Tested by tests/ingest/plan_test.cc and sync_test.cc.

#include "lib/ingest/plan.h"

#include <sys/stat.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>
#include <variant>

#include "lib/collection/shard.h"
#include "lib/files/disk.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct KnownFile {
  Row row = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  FileIdentity identity;
  ContentHash content{};
  bool is_unread = false;  // its text is to be read again
  bool seen = false;
};

// The folders that a path lies in and itself, from the inside.
template <class Visit>
void for_each_ancestor(std::string_view path, Visit visit) {
  for (std::string_view part = path;;) {
    if (!visit(part)) return;
    const size_t slash = part.rfind('/');
    if (slash == std::string_view::npos || part == "/") return;
    part = slash == 0 ? "/" : part.substr(0, slash);
  }
}

// Whether a path is one of the folders or files, or below one of them.
class PathSet {
 public:
  void add(std::string path) { paths_.insert(std::move(path)); }

  bool covers(std::string_view path) const {
    bool found = false;
    if (paths_.empty()) return false;
    for_each_ancestor(path, [&](std::string_view part) {
      found = paths_.contains(std::string(part));
      return !found;
    });
    return found;
  }

 private:
  std::unordered_set<std::string> paths_;
};

// The roots as places. Files that are roots are one place together: of a list of them a few may be
// gone, but hardly most.
class Roots {
 public:
  explicit Roots(const std::vector<fs::path>& roots) {
    for (const fs::path& root : roots) paths_.emplace(absolute_path(root).string(), kUnused);
  }

  // The innermost root that the path is, or lies in.
  std::optional<size_t> place_of(std::string_view path) {
    std::optional<size_t> place;
    for_each_ancestor(path, [&](std::string_view part) {
      const auto root = paths_.find(std::string(part));
      if (root == paths_.end()) return true;
      place = part == path ? place_of_files() : place_of_folder(*root);
      return false;
    });
    return place;
  }

  bool is_root(const std::string& path) const { return paths_.contains(path); }
  // Whether it is a root of which there are pictures; asked when all of them are counted.
  bool has_pictures(const std::string& path) const {
    const auto root = paths_.find(path);
    return root != paths_.end() && root->second != kUnused;
  }
  std::vector<RootPlace>& places() { return places_; }

 private:
  static constexpr size_t kUnused = SIZE_MAX;

  size_t place_of_files() {
    if (!files_) {
      files_ = places_.size();
      places_.push_back({"the files that were named", RootPlace::State::There, 0});
    }
    return *files_;
  }

  size_t place_of_folder(std::pair<const std::string, size_t>& root) {
    if (root.second == kUnused) {
      root.second = places_.size();
      places_.push_back({root.first, RootPlace::State::There, 0});
    }
    return root.second;
  }

  std::unordered_map<std::string, size_t> paths_;  // -> place
  std::optional<size_t> files_;
  std::vector<RootPlace> places_;
};

// Which devices are there now, and which they were.
class Devices {
 public:
  // A file of this device lies on that one now.
  void note(uint64_t then, uint64_t now) {
    if (then != 0) now_[then].insert(now);
  }

  // Whether the file system of a file that is gone is there, as far as can be told: devices have
  // other numbers after a start of the machine, but then all of their files have.
  bool is_mounted(const std::string& path, uint64_t device) {
    if (device == 0) return true;
    const std::optional<uint64_t> found = device_of_folder(fs::path(path).parent_path().string());
    if (!found || *found == device) return true;
    const auto now = now_.find(device);
    return now != now_.end() && now->second.contains(*found);
  }

  // The nearest folder above it that is there.
  static std::string folder_of(const std::string& path) {
    std::error_code ignored;
    fs::path folder = fs::path(path).parent_path();
    while (folder.has_relative_path() && !fs::exists(folder, ignored))
      folder = folder.parent_path();
    return folder.string();
  }

  IdentityTrust trust(const FoundFile& file) {
    const auto known = trust_.find(file.identity.device);
    if (known != trust_.end()) return known->second;
    return trust_[file.identity.device] = identity_trust(file.path);
  }

 private:
  std::optional<uint64_t> device_of_folder(const std::string& folder) {
    if (const auto known = folders_.find(folder); known != folders_.end()) return known->second;
    struct stat status {};
    std::optional<uint64_t> device;
    if (::stat(folder.c_str(), &status) == 0) {
      device = status.st_dev;
    } else if (folder.size() > 1) {
      device = device_of_folder(fs::path(folder).parent_path().string());
    }
    return folders_[folder] = device;
  }

  std::map<uint64_t, std::set<uint64_t>> now_;
  std::unordered_map<std::string, std::optional<uint64_t>> folders_;
  std::unordered_map<uint64_t, IdentityTrust> trust_;
};

bool is_there(const std::string& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

// Where several parts share all files, one of them tells of each path.
enum class Told { Here, ByAnother };

class Planner {
 public:
  Planner(const Collection& collection, const std::vector<fs::path>& roots,
          const PlanOptions& options)
      : options_(options), roots_(roots) {
    const std::string& wanted = options.text_languages;
    const bool told_otherwise = !wanted.empty() && wanted != collection.manifest().ocr_languages;
    std::unordered_map<Row, bool> unread;  // of rows that are not as the manifest says
    if (!wanted.empty()) {
      collection.for_each_languages(
          [&](Row row, const std::string& languages) { unread[row] = languages != wanted; });
    }
    collection.for_each_record([&](Row row, const PictureRecord& record) {
      const FileStamp& file = record.file;
      const auto other = unread.find(row);
      KnownFile known{row, file.size_bytes, file.mtime_ns, {}, record.content_hash};
      known.is_unread = other != unread.end() ? other->second : told_otherwise;
      if (!known.is_unread) plan_.contents.insert(content_bytes(record.content_hash));
      known_.emplace(file.path, known);
      if (const auto place = roots_.place_of(file.path)) ++roots_.places()[*place].pictures;
    });
    collection.for_each_skip(
        [&](const SkippedFile& skipped) { skipped_.emplace(skipped.file.path, skipped); });
    collection.for_each_identity([&](std::string_view path, const FileIdentity& identity) {
      const std::string key(path);
      if (const auto known = known_.find(key); known != known_.end())
        known->second.identity = identity;
      if (const auto skip = skipped_.find(key); skip != skipped_.end())
        skip->second.file.identity = identity;
    });
  }

  // Whether the root is gone and was there: its pictures are missing.
  bool is_gone_root(const std::string& path) const {
    return (roots_.has_pictures(path) || known_.contains(path)) && !is_there(path);
  }

  // What is known of it stays as it is.
  void leave(const std::string& path) {
    skipped_.erase(path);
    if (const auto known = known_.find(path); known != known_.end()) known->second.seen = true;
  }

  void see(FoundFile file) {
    if (options_.is_being_written && options_.is_being_written(file)) return leave(file.path);
    if (const auto skip = skipped_.find(file.path); skip != skipped_.end()) {
      const bool known = !is_changed(skip->second.file, file) && !is_tried_again(skip->second);
      skipped_.erase(skip);
      if (known) {
        ++plan_.known_skips;
        return;
      }
    }
    if (const auto known = known_.find(file.path); known != known_.end()) {
      KnownFile& picture = known->second;
      picture.seen = true;
      devices_.note(picture.identity.device, file.identity.device);
      const FileStamp stamp{file.path, picture.size_bytes, picture.mtime_ns, picture.identity};
      if (!is_changed(stamp, file) && !picture.is_unread) {
        ++plan_.unchanged;
        if (!picture.identity.is_known() && file.identity.is_known())
          plan_.seen.push_back({file.path, file.size_bytes, file.mtime_ns, file.identity});
        return;
      }
    }
    plan_.work.push_back(std::move(file));
  }

  // What another part tells of concerns this one only where pictures below it are not to be missed.
  void see(SkippedPath path, Told told_where) {
    const bool vanished = path.skip.reason == SkipReason::Vanished;
    if (vanished && is_gone_root(path.path)) return;
    const bool unreadable = path.skip.reason == SkipReason::Unreadable;
    if (unreadable || path.skip.reason == SkipReason::LinkedFolder) unlisted_.add(path.path);
    if (told_where == Told::ByAnother) return;
    if (const auto row = known_.find(path.path); row != known_.end()) {
      if (vanished) return;  // gone, like one that is not listed
      row->second.seen = true;
      if (unreadable) return plan_.unseen.push_back(std::move(path));
    }
    const auto known = skipped_.find(path.path);
    const bool told = known != skipped_.end() && known->second.skip.reason == path.skip.reason &&
                      options_.known_skips == KnownSkips::PassOver;
    if (known != skipped_.end()) skipped_.erase(known);
    if (told) {
      ++plan_.known_skips;
    } else {
      plan_.unusable.push_back(std::move(path));
    }
  }

  void pass_over(Neighbour kind, const std::string& path, Told told_where) {
    if (told_where == Told::Here) ++plan_.neighbours.at(static_cast<size_t>(kind));
    if (kind == Neighbour::Collection || kind == Neighbour::Export) unlisted_.add(path);
    if (const auto known = known_.find(path); known != known_.end()) known->second.seen = true;
  }

  SyncPlan finish() && {
    for (const auto& [path, file] : known_) {
      if (file.seen || unlisted_.covers(path)) continue;
      const auto place = roots_.place_of(path);
      if (!place) continue;
      plan_.missing.emplace(content_bytes(file.content), file.row);
      const bool mounted = devices_.is_mounted(path, file.identity.device);
      plan_.place_of[file.row] = mounted ? *place : unmounted_place(path);
    }
    for (const auto& [path, skipped] : skipped_) {
      const auto place = unlisted_.covers(path) ? std::nullopt : roots_.place_of(path);
      if (place) plan_.forgotten_skips.emplace_back(path, *place);
    }
    std::sort(plan_.forgotten_skips.begin(), plan_.forgotten_skips.end());
    plan_.places = std::move(roots_.places());
    for (RootPlace& place : plan_.places) {
      if (place.state == RootPlace::State::There && place.path.starts_with('/') &&
          !is_there(place.path)) {
        place.state = RootPlace::State::Absent;
      }
    }
    return std::move(plan_);
  }

 private:
  bool is_tried_again(const SkippedFile& file) const {
    return options_.known_skips == KnownSkips::TryAgain ||
           (options_.is_worth_trying && options_.is_worth_trying(file));
  }

  // A content can change while size and time stay, but not while the time of change does.
  bool is_changed(const FileStamp& known, const FoundFile& file) {
    if (options_.known_files == KnownFiles::Reread || known.size_bytes != file.size_bytes ||
        known.mtime_ns != file.mtime_ns) {
      return true;
    }
    if (!known.identity.is_known() || !file.identity.is_known()) return false;
    const IdentityTrust trust = devices_.trust(file);
    return (trust.changed && known.identity.changed_ns != file.identity.changed_ns) ||
           (trust.inode && known.identity.inode != file.identity.inode);
  }

  // One for each folder that is there and has such pictures below it.
  size_t unmounted_place(const std::string& path) {
    const std::string folder = Devices::folder_of(path);
    const auto [place, is_new] = unmounted_.emplace(folder, roots_.places().size());
    if (is_new) roots_.places().push_back({folder, RootPlace::State::Unmounted, 0});
    ++roots_.places()[place->second].pictures;
    return place->second;
  }

  const PlanOptions& options_;
  Roots roots_;
  Devices devices_;
  std::unordered_map<std::string, KnownFile> known_;
  std::unordered_map<std::string, SkippedFile> skipped_;  // of the ledger, not seen yet
  PathSet unlisted_;
  std::unordered_map<std::string, size_t> unmounted_;
  SyncPlan plan_;
};

}  // namespace

std::string content_bytes(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

SyncPlan make_plan(const Collection& collection, const std::vector<fs::path>& roots,
                   const PlanOptions& options) {
  const std::optional<Shard> shard = shard_of(collection);
  const auto is_own = [&](const std::string& path) { return !shard || shard->has(path); };
  Planner planner(collection, roots, options);
  std::vector<fs::path> there;
  for (const fs::path& root : roots) {
    if (!planner.is_gone_root(absolute_path(root).string())) there.push_back(root);
  }
  FindOptions find = options.find;
  find.pass_over = [&](Neighbour kind, const std::string& path) {
    planner.pass_over(kind, path, is_own(path) ? Told::Here : Told::ByAnother);
  };
  find_files(
      there, collection.directory(),
      [&](std::variant<FoundFile, SkippedPath> entry) {
        if (auto* file = std::get_if<FoundFile>(&entry)) {
          if (is_own(file->path)) planner.see(std::move(*file));
          return;
        }
        auto& path = std::get<SkippedPath>(entry);
        const Told told = is_own(path.path) ? Told::Here : Told::ByAnother;
        planner.see(std::move(path), told);
      },
      find);
  return std::move(planner).finish();
}

}  // namespace zeroshelf
