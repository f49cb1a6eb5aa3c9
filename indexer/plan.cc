// Tested by tests/programs/sync_test.cc.

#include "indexer/plan.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "lib/util/file.h"

namespace zeroshelf {
namespace {

struct KnownFile {
  Row row = 0;
  uint64_t size_bytes = 0;
  int64_t mtime_ns = 0;
  ContentHash content{};
  bool seen = false;
};

// Whether a path is one of the folders or files, or below one of them.
class PathSet {
 public:
  void add(std::string path) { paths_.insert(std::move(path)); }

  bool covers(std::string_view path) const {
    if (paths_.empty()) return false;
    for (std::string_view part = path;;) {
      if (paths_.contains(std::string(part))) return true;
      const size_t slash = part.rfind('/');
      if (slash == std::string_view::npos) return false;
      if (slash == 0) return paths_.contains("/");
      part = part.substr(0, slash);
    }
  }

 private:
  std::unordered_set<std::string> paths_;
};

class Planner {
 public:
  Planner(const Collection& collection, KnownSkips known_skips)
      : collection_(collection), known_skips_(known_skips) {
    collection.for_each_record([&](Row row, const PictureRecord& record) {
      const FileStamp& file = record.file;
      known_.emplace(file.path,
                     KnownFile{row, file.size_bytes, file.mtime_ns, record.content_hash, false});
      plan_.contents.insert(content_key(record.content_hash));
    });
    collection.for_each_skip(
        [&](const SkippedFile& skipped) { skipped_.emplace(skipped.file.path, skipped.file); });
  }

  void see(FoundFile file) {
    const FileStamp stamp{file.path, file.size_bytes, file.mtime_ns};
    if (const auto skip = skipped_.find(file.path); skip != skipped_.end()) {
      const bool same = skip->second == stamp;
      skipped_.erase(skip);
      if (same && known_skips_ == KnownSkips::PassOver) {
        ++plan_.known_skips;
        return;
      }
    }
    if (const auto known = known_.find(file.path); known != known_.end()) {
      known->second.seen = true;
      if (known->second.size_bytes == file.size_bytes && known->second.mtime_ns == file.mtime_ns) {
        ++plan_.unchanged;
        return;
      }
    }
    plan_.work.push_back(std::move(file));
  }

  void see(SkippedPath path) {
    if (path.skip.reason == SkipReason::Unreadable) unlisted_.add(path.path);
    if (const auto known = known_.find(path.path); known != known_.end()) {
      if (path.skip.reason == SkipReason::Vanished) return;  // gone, like one that is not listed
      known->second.seen = true;
    }
    if (skipped_.erase(path.path) > 0 && known_skips_ == KnownSkips::PassOver) {
      ++plan_.known_skips;
      return;
    }
    plan_.unusable.push_back(std::move(path));
  }

  SyncPlan finish(const PathSet& roots) && {
    const auto is_gone = [&](const std::string& path) {
      return roots.covers(path) && !unlisted_.covers(path);
    };
    for (const auto& [path, file] : known_) {
      if (!file.seen && is_gone(path)) plan_.missing.emplace(content_key(file.content), file.row);
    }
    for (const auto& [path, stamp] : skipped_) {
      if (is_gone(path)) plan_.forgotten_skips.push_back(path);
    }
    std::sort(plan_.forgotten_skips.begin(), plan_.forgotten_skips.end());
    return std::move(plan_);
  }

 private:
  const Collection& collection_;
  KnownSkips known_skips_;
  std::unordered_map<std::string, KnownFile> known_;
  std::unordered_map<std::string, FileStamp> skipped_;  // of the ledger, not seen yet
  PathSet unlisted_;
  SyncPlan plan_;
};

}  // namespace

std::string content_key(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

SyncPlan make_plan(const Collection& collection, const std::vector<std::filesystem::path>& roots,
                   KnownSkips known_skips, BadRoots bad_roots) {
  Planner planner(collection, known_skips);
  find_files(
      roots, collection.directory(),
      [&](std::variant<FoundFile, SkippedPath> entry) {
        std::visit([&](auto& found) { planner.see(std::move(found)); }, entry);
      },
      bad_roots);
  PathSet covered;
  for (const auto& root : roots) covered.add(absolute_path(root).string());
  return std::move(planner).finish(covered);
}

}  // namespace zeroshelf
