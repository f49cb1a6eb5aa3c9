#pragma once

// The files on disk against the collection: what is new, what is gone.

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"

namespace zeroshelf {

// Where pictures of the collection are looked for: a root, all files that were named one by one, or
// a folder below the roots whose file system is not there now.
struct RootPlace {
  enum class State {
    There,
    Absent,     // no such folder or file any more
    Unmounted,  // what is there now lies on another file system than the pictures did
  };
  std::string path;
  State state = State::There;
  uint64_t pictures = 0;  // that the collection has of it
};

// What was passed over, by kind.
using NeighbourCounts = std::array<uint64_t, 4>;

struct SyncPlan {
  std::vector<FoundFile> work;        // new or changed, in the order they were found
  std::vector<SkippedPath> unusable;  // FIFOs, unreadable folders, ...
  // Known pictures whose folder no longer tells about them: they stay as they are.
  std::vector<SkippedPath> unseen;
  // Rows whose file is gone, by content. Several pictures may have the same content.
  std::unordered_multimap<std::string, Row> missing;
  std::vector<RootPlace> places;
  std::unordered_map<Row, size_t> place_of;  // of the missing
  // In the ledger, but no longer on disk, with their place.
  std::vector<std::pair<std::string, size_t>> forgotten_skips;
  // Content hashes, as raw bytes, of all live rows whose text is read as it shall be.
  std::unordered_set<std::string> contents;
  std::vector<FileStamp> seen;  // unchanged files whose identity was not known
  NeighbourCounts neighbours{};
  uint64_t unchanged = 0;
  uint64_t known_skips = 0;  // skipped before and not changed since
};

enum class KnownSkips { PassOver, TryAgain };
// Whether a file with the size, the time and the identity that it had is read again.
enum class KnownFiles { Believe, Reread };

struct PlanOptions {
  KnownSkips known_skips = KnownSkips::PassOver;
  KnownFiles known_files = KnownFiles::Believe;
  // With PassOver: whether a file that was skipped before and has not changed since is tried again
  // all the same. None is where this is empty.
  std::function<bool(const SkippedFile&)> is_worth_trying;
  // Pictures whose text was not read in these languages are read again; empty: none.
  std::string text_languages;
  FindOptions find;
  // A file that somebody still writes: it is as if it had not been looked at, neither new nor changed
  // nor gone. May be empty: none is.
  std::function<bool(const FoundFile&)> is_being_written{};
};

// Walks the roots. Only pictures under the roots count as missing, and none under a folder that
// could not be listed, a link that was not followed, or a folder that is passed over. A root that
// does not exist, but of which the collection has pictures, is one without files; any other throws
// as find_files does. A collection that takes a shard (shard.h) sees the files of its own alone, and
// judges none of the others.
SyncPlan make_plan(const Collection& collection, const std::vector<std::filesystem::path>& roots,
                   const PlanOptions& options);

// The bytes of a hash, as a key.
std::string content_bytes(const ContentHash& hash);

}  // namespace zeroshelf
