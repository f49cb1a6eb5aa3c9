#pragma once

// What a user names as a collection: one or several of them, folders of collections, set files.
//
// A folder that is no collection and holds some stands for all of them, in the order of their
// names; what else lies in it is passed over. Parts that it should have are lost: those behind
// links that lead nowhere (names that begin with a dot aside) or that the system cannot look into
// and, where it holds shards I of N (shard.h), those of the N that are in no folder that is named.
// A set file, NAME.set, is a text with one collection a line: paths relative to the file's folder,
// white space around them does not count, empty lines and lines that begin with # are passed over.
// It names at most 4,096 parts and has at most 1 MiB.
//
// Threads: any.

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/util/error.h"
#include "lib/util/ranks.h"

namespace zeroshelf {

// Whether the path is what several may be opened from: a collection, a folder of them, or a set
// file; also what has not answered by the deadline (absent: none). Throws nothing but bad_alloc.
bool names_collections(const std::filesystem::path& path,
                       const std::optional<std::chrono::nanoseconds>& deadline = {});

// The collections' folders, each once, in the order in which they are named, and why each part that
// a folder should have is away. Whether they can be opened is not asked. Throws NotFound, Io, or
// InvalidArgument: naming the line, for a set file that is none; for a folder that has a shard
// twice.
struct NamedParts {
  std::vector<std::filesystem::path> there;
  std::vector<Error> away;
};
NamedParts named_parts(std::span<const std::filesystem::path> named);
// Those that are there. Throws also where one is away (Unavailable).
std::vector<std::filesystem::path> parts_of(std::span<const std::filesystem::path> named);

enum class LostParts { Refuse, LeaveOut };

struct OpenedView {
  View view;
  size_t parts = 0;                     // that were named
  std::vector<Error> lost;              // why each part that was left out could not be opened
  std::vector<std::string> unfinished;  // unfinished_line (unfinished.h) of each part that has one

  bool is_whole() const { return lost.empty(); }
};

// Opens them, several at a time. Throws what parts_of throws and View::open for any part, or with
// LeaveOut only where no part can be opened, or two are of different models.
OpenedView open_view(std::span<const std::filesystem::path> named,
                     LostParts lost = LostParts::Refuse);
OpenedView open_view(const std::filesystem::path& named, LostParts lost = LostParts::Refuse);

struct OpenOptions {
  LostParts lost = LostParts::Refuse;
  // How long the file system of a part may take to say what is there, and how long the part then
  // may take to open: one that takes longer is lost (Unavailable), and so is, as one part, a set
  // file or folder that does not say its parts. Threads that hang there are left behind; they end
  // with the process. Absent: for ever.
  std::optional<std::chrono::nanoseconds> deadline = {};
  // Several processes, each of which opens its share: all of them call it together, and the view is
  // that of joined_view (elsewhere.h). Null: this process opens all. They outlive the view.
  Ranks* ranks = nullptr;
};
// With ranks, `lost` and `unfinished` are those of all of them, at the first rank only.
OpenedView open_view(std::span<const std::filesystem::path> named, const OpenOptions& options);

}  // namespace zeroshelf
