// Tested by tests/programs/sync_test.cc.

#include "lib/ingest/plan.h"

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
  Planner(const Collection& collection, const PlanOptions& options) : options_(options) {
    collection.for_each_record([&](Row row, const PictureRecord& record) {
      const FileStamp& file = record.file;
      known_.emplace(file.path,
                     KnownFile{row, file.size_bytes, file.mtime_ns, record.content_hash, false});
      plan_.contents.insert(content_bytes(record.content_hash));
    });
    collection.for_each_skip(
        [&](const SkippedFile& skipped) { skipped_.emplace(skipped.file.path, skipped); });
  }

  void see(FoundFile file) {
    const FileStamp stamp{file.path, file.size_bytes, file.mtime_ns};
    if (const auto skip = skipped_.find(file.path); skip != skipped_.end()) {
      const bool known = skip->second.file == stamp && !is_tried_again(skip->second);
      skipped_.erase(skip);
      if (known) {
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
    const bool unreadable = path.skip.reason == SkipReason::Unreadable;
    if (unreadable || path.skip.reason == SkipReason::LinkedFolder) unlisted_.add(path.path);
    if (const auto row = known_.find(path.path); row != known_.end()) {
      if (path.skip.reason == SkipReason::Vanished) return;  // gone, like one that is not listed
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

  SyncPlan finish(const PathSet& roots) && {
    const auto is_gone = [&](const std::string& path) {
      return roots.covers(path) && !unlisted_.covers(path);
    };
    for (const auto& [path, file] : known_) {
      if (!file.seen && is_gone(path)) plan_.missing.emplace(content_bytes(file.content), file.row);
    }
    for (const auto& [path, skipped] : skipped_) {
      if (is_gone(path)) plan_.forgotten_skips.push_back(path);
    }
    std::sort(plan_.forgotten_skips.begin(), plan_.forgotten_skips.end());
    return std::move(plan_);
  }

 private:
  bool is_tried_again(const SkippedFile& file) const {
    return options_.known_skips == KnownSkips::TryAgain ||
           (options_.is_worth_trying && options_.is_worth_trying(file));
  }

  const PlanOptions& options_;
  std::unordered_map<std::string, KnownFile> known_;
  std::unordered_map<std::string, SkippedFile> skipped_;  // of the ledger, not seen yet
  PathSet unlisted_;
  SyncPlan plan_;
};

}  // namespace

std::string content_bytes(const ContentHash& hash) {
  return {reinterpret_cast<const char*>(hash.data()), hash.size()};
}

SyncPlan make_plan(const Collection& collection, const std::vector<std::filesystem::path>& roots,
                   const PlanOptions& options) {
  Planner planner(collection, options);
  find_files(
      roots, collection.directory(),
      [&](std::variant<FoundFile, SkippedPath> entry) {
        std::visit([&](auto& found) { planner.see(std::move(found)); }, entry);
      },
      options.find);
  PathSet covered;
  for (const auto& root : roots) covered.add(absolute_path(root).string());
  return std::move(planner).finish(covered);
}

}  // namespace zeroshelf
