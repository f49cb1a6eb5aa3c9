#pragma once

// The files on disk against the collection: what is new, what is gone.

#include <filesystem>
#include <functional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"

namespace zeroshelf {

struct SyncPlan {
  std::vector<FoundFile> work;        // new or changed, in the order they were found
  std::vector<SkippedPath> unusable;  // FIFOs, unreadable folders, ...
  // Of known pictures whose folder no longer tells about them: they stay as they are.
  std::vector<SkippedPath> unseen;
  // Rows whose file is gone, by content. Several pictures may have the same content.
  std::unordered_multimap<std::string, Row> missing;
  std::vector<std::string> forgotten_skips;  // in the ledger, but no longer on disk
  std::unordered_set<std::string> contents;  // content hashes of all live rows, as raw bytes
  uint64_t unchanged = 0;
  uint64_t known_skips = 0;  // skipped before and not changed since
};

enum class KnownSkips { PassOver, TryAgain };

struct PlanOptions {
  KnownSkips known_skips = KnownSkips::PassOver;
  // With PassOver: whether a file that was skipped before and has not changed since is tried again
  // all the same. None is where this is empty.
  std::function<bool(const SkippedFile&)> is_worth_trying;
  FindOptions find;
};

// Walks the roots. Only pictures under the roots are judged missing, and none under a folder that
// could not be listed or a link that was not followed. Throws as find_files does.
SyncPlan make_plan(const Collection& collection, const std::vector<std::filesystem::path>& roots,
                   const PlanOptions& options);

// The bytes of a hash, as a key.
std::string content_bytes(const ContentHash& hash);

}  // namespace zeroshelf
