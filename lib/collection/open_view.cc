// Tested by tests/collection/open_view_test.cc.

#include "lib/collection/open_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "lib/collection/elsewhere.h"
#include "lib/collection/layout.h"
#include "lib/collection/shard.h"
#include "lib/collection/unfinished.h"
#include "lib/util/bytes.h"
#include "lib/util/deadline.h"
#include "lib/util/file.h"
#include "lib/util/parallel.h"
#include "lib/util/text.h"
#include "lib/util/text_input.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kSetEnding = ".set";
constexpr uint64_t kMostSetBytes = uint64_t{1} << 20;
constexpr size_t kMostParts = 4096;
constexpr size_t kLongestPath = 4096;

// One that was only begun counts too: a part that is not there yet must not be passed over.
bool is_part(const fs::path& folder) {
  try {
    const layout::Kind kind = layout::kind_of(folder);
    std::error_code error;
    return kind == layout::Kind::Unfinished ||
           (kind == layout::Kind::Collection && (fs::exists(folder / layout::kCurrentFile, error) ||
                                                 fs::exists(folder / layout::kLockFile, error)));
  } catch (const Error&) {
    return false;  // a folder that may not be listed
  }
}

bool is_set_file(const fs::path& path) {
  std::error_code error;
  return path.extension() == kSetEnding && !fs::is_directory(path, error);
}

// What is in a folder that is no collection itself, by name; nothing where it is one.
std::vector<fs::path> entries_in(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error) || is_part(folder)) return {};
  std::vector<fs::path> found;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error))
    found.push_back(entry->path());
  if (error) throw system_error(folder.string(), "list the folder", error.value());
  std::ranges::sort(found, {}, [](const fs::path& path) { return path.filename().string(); });
  return found;
}

// --- what may be a part --------------------------------------------------------------------------

struct Candidate {
  fs::path path;
  bool is_entry = false;     // of a folder that is named: passed over where it is no collection
  std::string line_of = {};  // where a set file names it
};

std::vector<Candidate> candidates_of_set(const fs::path& set) {
  const fs::path folder = folder_of_input(set);
  std::vector<Candidate> parts;
  for_each_line(read_text_input(set, kMostSetBytes), [&](size_t number, std::string_view line) {
    const std::string_view path = trimmed(line);
    if (path.empty() || path.front() == '#') return;
    const std::string where = fmt::format("{}, line {}", set.string(), number);
    if (path.size() > kLongestPath)
      throw Error(ErrorCode::InvalidArgument, where, fmt::format("a path of {} bytes", path.size()),
                  "name one collection a line");
    if (parts.size() == kMostParts)
      throw Error(ErrorCode::InvalidArgument, where,
                  fmt::format("names more than {} collections", kMostParts));
    parts.push_back({folder / path, false, where});
  });
  if (parts.empty())
    throw Error(ErrorCode::InvalidArgument, set.string(), "names no collection",
                "write one collection a line, relative to the file's folder");
  return parts;
}

// Looks at nothing but what is named itself; nothing where that is not of several.
std::vector<Candidate> candidates_of(const fs::path& named) {
  if (is_set_file(named)) return candidates_of_set(named);
  std::vector<Candidate> candidates;
  for (fs::path& entry : entries_in(named)) candidates.push_back({std::move(entry), true});
  return candidates;
}

// By which the same folder is known under any of its names.
using Identity = std::string;

// An entry of a folder behind which a part may lie that is not there now: a link that leads
// nowhere, or a place that the system cannot look into, of a mount that has died say. Folders that
// may not be listed are others', as lost+found is.
std::optional<Error> why_away(const fs::path& entry) {
  if (entry.filename().string().starts_with('.')) return std::nullopt;  // an editor's lock, say
  std::error_code error;
  const fs::file_type type = fs::status(entry, error).type();
  if (type == fs::file_type::not_found) {
    if (!fs::is_symlink(fs::symlink_status(entry, error))) return std::nullopt;  // just removed
    return Error(ErrorCode::Unavailable, entry.string(),
                 "a link that leads nowhere: " + fs::read_symlink(entry, error).string(),
                 "mount what it leads to, or remove it where it is no part any more");
  }
  if (type == fs::file_type::directory) fs::directory_iterator(entry, error);
  if (!error || error == std::errc::permission_denied ||
      error == std::errc::no_such_file_or_directory)
    return std::nullopt;
  return Error(ErrorCode::Unavailable, entry.string(),
               "cannot look what is there: " + errno_text(error.value()),
               "look at its file system, or remove it where it is no part any more");
}

// What a candidate turns out to be.
struct Found {
  Identity identity;
  std::optional<Error> away = {};
  std::optional<Shard> shard = {};
  bool tells_shard = false;  // that it has this one, or none
};

// Nothing where it is passed over.
std::optional<Found> look_at(const Candidate& candidate) {
  Found found;
  if (candidate.is_entry) found.away = why_away(candidate.path);
  if (candidate.is_entry && !found.away && !is_part(candidate.path)) return std::nullopt;
  if (!candidate.line_of.empty() && is_set_file(candidate.path))
    throw Error(ErrorCode::InvalidArgument, candidate.line_of, "a set in a set",
                "name the collections themselves, one a line");
  std::error_code error;
  const fs::path real = fs::weakly_canonical(absolute_path(candidate.path), error);
  found.identity = (error ? absolute_path(candidate.path) : real).string();
  if (found.away) return found;
  try {
    found.shard = shard_of(candidate.path);
    found.tells_shard = found.shard || fs::exists(candidate.path / layout::kManifestFile, error);
  } catch (const Error&) {
    // It stands for any that is missing; opening tells what else is wrong.
  }
  return found;
}

// --- in time -------------------------------------------------------------------------------------

using Deadline = std::optional<std::chrono::nanoseconds>;

// What a thread leaves, which may be left behind itself.
template <class Result>
struct Outcome {
  std::optional<Result> result;
  std::exception_ptr error;

  bool is_late() const { return !result && !error; }
};

// What each piece of work gives, several at a time, each for so long at the most.
template <class Result>
std::vector<std::shared_ptr<Outcome<Result>>> outcomes_of(
    const std::vector<std::function<Result()>>& all, const Deadline& deadline) {
  std::vector<std::shared_ptr<Outcome<Result>>> outcomes;
  std::vector<std::function<void()>> bodies;
  for (const auto& work : all) {
    outcomes.push_back(std::make_shared<Outcome<Result>>());
    bodies.emplace_back([work, outcome = outcomes.back()] {
      try {
        outcome->result.emplace(work());
      } catch (...) {
        outcome->error = std::current_exception();
      }
    });
  }
  if (!deadline) {
    parallel_chunks(bodies.size(), 1, 0, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) bodies[i]();
    });
    return outcomes;
  }
  const std::vector<bool> ended = ended_in_time(bodies, *deadline);
  for (size_t i = 0; i < outcomes.size(); ++i) {
    if (!ended[i]) outcomes[i] = std::make_shared<Outcome<Result>>();
  }
  return outcomes;
}

struct Part {
  fs::path path;
  std::string line_of = {};  // where a set file names it
  bool is_late = false;      // its file system does not answer: it is not opened
  fs::path folder = {};      // that is named in its place
  Found found = {};

  bool is_asked() const { return !is_late && !found.away; }
};

Part late_part(const fs::path& path, const std::string& line_of = {}, const fs::path& folder = {}) {
  return {path, line_of, true, folder, {absolute_path(path).string()}};
}

std::vector<Part> parts_among(const std::vector<Candidate>& candidates, const Deadline& deadline) {
  std::vector<std::function<std::optional<Found>()>> looks;
  for (const Candidate& candidate : candidates)
    looks.emplace_back([candidate] { return look_at(candidate); });
  const auto outcomes = outcomes_of(looks, deadline);
  std::vector<Part> parts;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto& look = *outcomes[i];
    if (look.error) std::rethrow_exception(look.error);
    // What hangs in a folder of collections may be one.
    const auto& [path, is_entry, line_of] = candidates[i];
    const fs::path folder = is_entry ? path.parent_path() : fs::path();
    if (look.is_late()) parts.push_back(late_part(path, line_of, folder));
    if (look.result && *look.result) parts.push_back({path, line_of, false, folder, **look.result});
  }
  // A folder with a dead link and none of ours is somebody else's.
  const bool all_away =
      std::ranges::all_of(parts, [](const Part& part) { return part.found.away.has_value(); });
  if (all_away && parts.size() < candidates.size()) parts.clear();
  return parts;
}

std::vector<Part> parts_of_one(const fs::path& named, const Deadline& deadline) {
  if (named.empty()) throw Error(ErrorCode::NotFound, named.string(), "no such collection");
  const std::vector<std::function<std::vector<Candidate>()>> look = {
      [named] { return candidates_of(named); }};
  const auto candidates = outcomes_of(look, deadline).front();
  if (candidates->error) std::rethrow_exception(candidates->error);
  if (candidates->is_late()) return {late_part(named)};
  std::vector<Part> parts = parts_among(*candidates->result, deadline);
  return parts.empty() ? parts_among({Candidate{named}}, deadline) : parts;
}

// --- shards that are missing ---------------------------------------------------------------------

struct FolderOfShards {
  fs::path folder;
  uint32_t count = 0;  // of how many
  std::map<uint32_t, fs::path> there;

  bool is_whole() const { return there.size() == count; }
};

// Of folders that are named, one each and number of parts. Throws InvalidArgument where a folder
// has one twice.
std::vector<FolderOfShards> folders_of_shards(std::span<const Part> parts) {
  std::vector<FolderOfShards> folders;
  for (const Part& part : parts) {
    const auto& shard = part.found.shard;
    if (part.folder.empty() || !shard) continue;
    auto same = std::ranges::find_if(folders, [&](const FolderOfShards& one) {
      return one.folder == part.folder && one.count == shard->count;
    });
    if (same == folders.end())
      same = folders.insert(same, FolderOfShards{part.folder, shard->count, {}});
    const auto [first, is_new] = same->there.try_emplace(shard->number, part.path);
    if (!is_new)
      throw Error(ErrorCode::InvalidArgument, part.path.string(),
                  fmt::format("part {} of {}, as {} is", shard->number, shard->count,
                              first->second.string()),
                  "take one of them out of the folder, or name the collections one by one");
  }
  return folders;
}

// "part 2 of 5 is missing"
Error missing_shards(const fs::path& folder, const std::vector<std::string>& numbers,
                     uint32_t count) {
  constexpr size_t kMostNamed = 8;
  const bool is_one = numbers.size() == 1;
  return {ErrorCode::Unavailable, folder.string(),
          fmt::format("part{} {} of {} {} missing (counted from 0)", is_one ? "" : "s",
                      first_few(numbers, kMostNamed), count, is_one ? "is" : "are"),
          fmt::format("mount or bring back what is missing, index it with zeroshelf-index add "
                      "--shard {}/{}, or name the collections that are there one by one to ask "
                      "these alone",
                      is_one ? numbers.front() : "I", count)};
}

// A part for each shard that a folder lacks and nothing else that is named can be. Shards may lie
// in several folders that are named together.
std::vector<Part> parts_missing(std::span<const Part> parts, LostParts lost) {
  std::map<uint32_t, std::vector<FolderOfShards>> lacking;
  for (FolderOfShards& folder : folders_of_shards(parts)) {
    if (!folder.is_whole()) lacking[folder.count].push_back(std::move(folder));
  }
  auto unknown = static_cast<size_t>(
      std::ranges::count_if(parts, [](const Part& part) { return !part.found.tells_shard; }));
  std::vector<Part> missing;
  for (const auto& [count, folders] : lacking) {
    std::set<uint32_t> there;
    for (const FolderOfShards& folder : folders) {
      for (const auto& [number, path] : folder.there) there.insert(number);
    }
    for (const Part& part : parts) {
      const auto& shard = part.found.shard;
      if (part.folder.empty() && shard && shard->count == count) there.insert(shard->number);
    }
    std::vector<std::string> numbers;
    for (uint32_t number = 0; number < count; ++number) {
      if (!there.contains(number)) numbers.push_back(std::to_string(number));
    }
    // What cannot be looked at is one of them, nobody knows which.
    const size_t explained = std::min(unknown, numbers.size());
    const bool all_together = lost == LostParts::Refuse || explained > 0;
    unknown -= explained;
    for (size_t i = explained; i < numbers.size(); ++i) {
      const fs::path& folder = folders.front().folder;
      Part part{folder};
      part.found.away =
          missing_shards(folder, all_together ? numbers : std::vector{numbers[i]}, count);
      missing.push_back(std::move(part));
    }
  }
  return missing;
}

// Each once. One that hangs keeps none of the others waiting.
std::vector<Part> find_parts(std::span<const fs::path> named, const OpenOptions& options) {
  constexpr unsigned kWaitingThreads = 64;  // they wait, and do nothing
  const Deadline& deadline = options.deadline;
  std::vector<std::vector<Part>> of_each(named.size());
  parallel_chunks(named.size(), 1, deadline ? kWaitingThreads : 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) of_each[i] = parts_of_one(named[i], deadline);
  });
  std::vector<Part> parts;
  std::unordered_set<Identity> seen;
  for (std::vector<Part>& of_one : of_each) {
    for (Part& part : of_one) {
      if (seen.insert(part.found.identity).second) parts.push_back(std::move(part));
    }
  }
  if (parts.size() > kMostParts)
    throw Error(ErrorCode::InvalidArgument, named.front().string(),
                fmt::format("{} collections; {} can be asked together", parts.size(), kMostParts));
  std::ranges::move(parts_missing(parts, options.lost), std::back_inserter(parts));
  return parts;
}

// Models must agree, whatever else may be left out.
bool may_be_left_out(const Error& error) {
  return error.code() != ErrorCode::Incompatible;
}

}  // namespace

bool names_collections(const fs::path& path, const Deadline& deadline) {
  const std::vector<std::function<bool()>> look = {[path] {
    try {
      std::error_code error;
      if (is_set_file(path)) return fs::exists(path, error);
      return is_part(path) || std::ranges::any_of(entries_in(path), is_part);
    } catch (const Error&) {
      return false;
    }
  }};
  const auto outcome = outcomes_of(look, deadline).front();
  if (outcome->error) std::rethrow_exception(outcome->error);
  return outcome->result.value_or(true);
}

std::vector<fs::path> parts_of(std::span<const fs::path> named) {
  const NamedParts parts = named_parts(named);
  if (!parts.away.empty()) throw Error(parts.away.front());
  return parts.there;
}

NamedParts named_parts(std::span<const fs::path> named) {
  NamedParts result;
  for (Part& part : find_parts(named, {})) {
    if (part.found.away) {
      result.away.push_back(*std::move(part.found.away));
    } else {
      result.there.push_back(std::move(part.path));
    }
  }
  return result;
}

namespace {

// Parts that could be opened, in their order, and why the others could not.
struct Opened {
  std::vector<Collection> there;
  std::vector<Error> away;
  std::vector<std::string> unfinished;
};

struct OpenedPart {
  Collection collection;
  std::optional<std::string> unfinished;
};

Error too_late(const fs::path& what, std::chrono::nanoseconds deadline) {
  return {ErrorCode::Unavailable, what.string(),
          fmt::format("has not opened within {:.3g} s",
                      std::chrono::duration<double>(deadline).count()),
          "look at its file system, or raise --deadline"};
}

Error named_by(const Error& error, const Part& part) {
  if (part.line_of.empty()) return error;
  // It was one once: making it anew is not what is wanted.
  std::error_code ignored;
  const bool is_away =
      error.subject() == part.path.string() &&
      (error.code() == ErrorCode::NotFound ||
       (error.code() == ErrorCode::InvalidArgument && fs::is_empty(part.path, ignored)));
  return {error.code(), error.subject(),
          fmt::format("{} (named by {})", error.cause(), part.line_of),
          is_away ? "its disk may not be mounted, or its path be wrong" : error.cure()};
}

// Throws the first error that is not to be left out.
Opened open_parts(std::span<const Part> parts, const OpenOptions& options) {
  std::vector<std::function<OpenedPart()>> work;
  for (const Part& part : parts) {
    if (part.is_asked())
      work.emplace_back([path = part.path] {
        auto unfinished =
            unfinished_line(path);  // first: what it tells of is in what is opened then
        return OpenedPart{Collection::open(path), std::move(unfinished)};
      });
  }
  const auto outcomes = outcomes_of(work, options.deadline);
  Opened result;
  auto outcome = outcomes.begin();
  for (const Part& part : parts) {
    try {
      if (part.found.away) throw Error(*part.found.away);
      if (part.is_late || (*outcome)->is_late()) throw too_late(part.path, *options.deadline);
      if ((*outcome)->error) std::rethrow_exception((*outcome)->error);
      OpenedPart& opened = *(*outcome)->result;
      result.there.push_back(std::move(opened.collection));
      if (opened.unfinished) result.unfinished.push_back(*std::move(opened.unfinished));
    } catch (const Error& error) {
      Error told = named_by(error, part);
      if (options.lost == LostParts::Refuse || !may_be_left_out(error)) throw Error(told);
      result.away.push_back(std::move(told));
    }
    if (part.is_asked()) ++outcome;
  }
  return result;
}

// The first rank lists them, so that all share out the same.
std::vector<Part> parts_of_all(std::span<const fs::path> named, const OpenOptions& options) {
  const std::string listed = options.ranks->made_by_first([&] {
    ByteWriter out;
    for (const Part& part : find_parts(named, options)) {
      out.text(part.path.string());
      out.number<uint8_t>(part.is_late);
      out.text(part.line_of);
      out.text(part.found.away ? bytes_of_error(*part.found.away) : "");
    }
    return std::move(out).bytes();
  });
  std::vector<Part> parts;
  ByteReader in(listed, kRanksMessage);
  while (in.left() > 0) {
    const fs::path path = in.text();
    const bool is_late = in.number<uint8_t>() != 0;
    Part part{path, std::string(in.text()), is_late};
    if (const std::string_view away = in.text(); !away.empty())
      part.found.away = error_of_bytes(away);
    parts.push_back(std::move(part));
  }
  return parts;
}

// The parts of one rank: a run of them, in their order, as even as may be.
std::span<const Part> share_of(std::span<const Part> parts, size_t rank, size_t ranks) {
  const size_t begin = parts.size() * rank / ranks;
  return parts.subspan(begin, parts.size() * (rank + 1) / ranks - begin);
}

std::string named_together(std::span<const Part> parts) {
  constexpr size_t kMostNamed = 3;
  std::vector<std::string> names;
  for (const Part& part : parts) names.push_back(part.path.string());
  return first_few(names, kMostNamed);
}

void name_ranks(std::span<const Part> parts, Ranks& ranks) {
  std::vector<std::string> names;
  for (size_t rank = 0; rank < ranks.size(); ++rank)
    names.push_back(named_together(share_of(parts, rank, ranks.size())));
  ranks.name(std::move(names));
}

std::vector<Error> lost_of_all(const std::vector<Error>& own, Ranks& ranks) {
  ByteWriter out;
  for (const Error& error : own) out.text(bytes_of_error(error));
  std::vector<Error> all;
  for (const std::string& of_rank : ranks.gather(out.bytes())) {
    ByteReader in(of_rank, kRanksMessage);
    while (in.left() > 0) all.push_back(error_of_bytes(in.text()));
  }
  return all;
}

std::vector<std::string> gathered(const std::vector<std::string>& own, Ranks& ranks) {
  ByteWriter out;
  for (const std::string& line : own) out.text(line);
  std::vector<std::string> all;
  for (const std::string& of_rank : ranks.gather(out.bytes())) {
    ByteReader in(of_rank, kRanksMessage);
    while (in.left() > 0) all.emplace_back(in.text());
  }
  return all;
}

OpenedView open_together(std::span<const fs::path> named, const OpenOptions& options) {
  Ranks& ranks = *options.ranks;
  const std::vector<Part> parts = parts_of_all(named, options);
  name_ranks(parts, ranks);
  Opened own;
  ranks.agree_after(
      [&] { own = open_parts(share_of(parts, ranks.rank(), ranks.size()), options); });
  uint64_t opened = own.there.size();
  ranks.add_up(std::span(&opened, 1));
  if (opened == 0) ranks.agree(own.away.empty() ? std::nullopt : std::optional(own.away.front()));
  View view = joined_view(std::move(own.there), ranks);
  std::vector<Error> lost = lost_of_all(own.away, ranks);
  return {std::move(view), parts.size(), std::move(lost), gathered(own.unfinished, ranks)};
}

}  // namespace

OpenedView open_view(std::span<const fs::path> named, const OpenOptions& options) {
  if (options.ranks != nullptr) return open_together(named, options);
  const std::vector<Part> parts = find_parts(named, options);
  Opened opened = open_parts(parts, options);
  if (opened.there.empty()) throw opened.away.front();
  return {View(std::move(opened.there)), parts.size(), std::move(opened.away),
          std::move(opened.unfinished)};
}

OpenedView open_view(std::span<const fs::path> named, LostParts lost) {
  return open_view(named, OpenOptions{.lost = lost});
}

OpenedView open_view(const fs::path& named, LostParts lost) {
  return open_view(std::span(&named, 1), lost);
}

}  // namespace zeroshelf
