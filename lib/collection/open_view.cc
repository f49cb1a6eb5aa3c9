// Tested by tests/collection/open_view_test.cc.

#include "lib/collection/open_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "lib/collection/elsewhere.h"
#include "lib/collection/layout.h"
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

// Nothing where it is passed over.
std::optional<Identity> identity_of(const Candidate& candidate) {
  if (candidate.is_entry && !is_part(candidate.path)) return std::nullopt;
  if (!candidate.line_of.empty() && is_set_file(candidate.path))
    throw Error(ErrorCode::InvalidArgument, candidate.line_of, "a set in a set",
                "name the collections themselves, one a line");
  std::error_code error;
  const fs::path real = fs::weakly_canonical(absolute_path(candidate.path), error);
  return (error ? absolute_path(candidate.path) : real).string();
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
  Identity identity;
  bool is_late = false;      // its file system does not answer: it is not opened
  std::string line_of = {};  // where a set file names it
};

Part late_part(const fs::path& path, const std::string& line_of = {}) {
  return {path, absolute_path(path).string(), true, line_of};
}

std::vector<Part> parts_among(const std::vector<Candidate>& candidates, const Deadline& deadline) {
  std::vector<std::function<std::optional<Identity>()>> looks;
  for (const Candidate& candidate : candidates)
    looks.emplace_back([candidate] { return identity_of(candidate); });
  const auto outcomes = outcomes_of(looks, deadline);
  std::vector<Part> parts;
  for (size_t i = 0; i < candidates.size(); ++i) {
    const auto& look = *outcomes[i];
    if (look.error) std::rethrow_exception(look.error);
    // What hangs in a folder of collections may be one.
    const auto& [path, is_entry, line_of] = candidates[i];
    if (look.is_late()) parts.push_back(late_part(path, line_of));
    if (look.result && *look.result) parts.push_back({path, **look.result, false, line_of});
  }
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

// Each once. One that hangs keeps none of the others waiting.
std::vector<Part> find_parts(std::span<const fs::path> named, const Deadline& deadline) {
  constexpr unsigned kWaitingThreads = 64;  // they wait, and do nothing
  std::vector<std::vector<Part>> of_each(named.size());
  parallel_chunks(named.size(), 1, deadline ? kWaitingThreads : 1, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) of_each[i] = parts_of_one(named[i], deadline);
  });
  std::vector<Part> parts;
  std::unordered_set<Identity> seen;
  for (std::vector<Part>& of_one : of_each) {
    for (Part& part : of_one) {
      if (seen.insert(part.identity).second) parts.push_back(std::move(part));
    }
  }
  if (parts.size() > kMostParts)
    throw Error(ErrorCode::InvalidArgument, named.front().string(),
                fmt::format("{} collections; {} can be asked together", parts.size(), kMostParts));
  return parts;
}

std::vector<fs::path> paths_of(std::span<const Part> parts) {
  std::vector<fs::path> paths;
  for (const Part& part : parts) paths.push_back(part.path);
  return paths;
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
  return paths_of(find_parts(named, std::nullopt));
}

namespace {

// Parts that could be opened, in their order, and why the others could not.
struct Opened {
  std::vector<Collection> there;
  std::vector<Error> away;
};

Error too_late(const fs::path& what, std::chrono::nanoseconds deadline) {
  return {ErrorCode::Unavailable, what.string(),
          fmt::format("has not opened within {:.3g} s",
                      std::chrono::duration<double>(deadline).count()),
          "look at its file system, or raise --deadline"};
}

Error named_by(const Error& error, const std::string& line_of) {
  if (line_of.empty()) return error;
  return {error.code(), error.subject(), fmt::format("{} (named by {})", error.cause(), line_of),
          error.cure()};
}

// Throws the first error that is not to be left out.
Opened open_parts(std::span<const Part> parts, const OpenOptions& options) {
  std::vector<std::function<Collection()>> work;
  for (const Part& part : parts) {
    if (!part.is_late) work.emplace_back([path = part.path] { return Collection::open(path); });
  }
  const auto outcomes = outcomes_of(work, options.deadline);
  Opened result;
  auto outcome = outcomes.begin();
  for (const Part& part : parts) {
    try {
      if (part.is_late || (*outcome)->is_late()) throw too_late(part.path, *options.deadline);
      if ((*outcome)->error) std::rethrow_exception((*outcome)->error);
      result.there.push_back(*std::move((*outcome)->result));
    } catch (const Error& error) {
      Error told = named_by(error, part.line_of);
      if (options.lost == LostParts::Refuse || !may_be_left_out(error)) throw Error(told);
      result.away.push_back(std::move(told));
    }
    if (!part.is_late) ++outcome;
  }
  return result;
}

// The first rank lists them, so that all share out the same.
std::vector<Part> parts_of_all(std::span<const fs::path> named, const OpenOptions& options) {
  const std::string listed = options.ranks->made_by_first([&] {
    ByteWriter out;
    for (const Part& part : find_parts(named, options.deadline)) {
      out.text(part.path.string());
      out.number<uint8_t>(part.is_late);
      out.text(part.line_of);
    }
    return std::move(out).bytes();
  });
  std::vector<Part> parts;
  ByteReader in(listed, kRanksMessage);
  while (in.left() > 0) {
    const fs::path path = in.text();
    const bool is_late = in.number<uint8_t>() != 0;
    parts.push_back({path, {}, is_late, std::string(in.text())});
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
  std::string names;
  for (size_t i = 0; i < std::min(parts.size(), kMostNamed); ++i)
    names += (i == 0 ? "" : ", ") + parts[i].path.string();
  if (parts.size() > kMostNamed) names += fmt::format(" and {} more", parts.size() - kMostNamed);
  return names;
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
  return {std::move(view), parts.size(), lost_of_all(own.away, ranks)};
}

}  // namespace

OpenedView open_view(std::span<const fs::path> named, const OpenOptions& options) {
  if (options.ranks != nullptr) return open_together(named, options);
  const std::vector<Part> parts = find_parts(named, options.deadline);
  Opened opened = open_parts(parts, options);
  if (opened.there.empty()) throw opened.away.front();
  return {View(std::move(opened.there)), parts.size(), std::move(opened.away)};
}

OpenedView open_view(std::span<const fs::path> named, LostParts lost) {
  return open_view(named, OpenOptions{.lost = lost});
}

OpenedView open_view(const fs::path& named, LostParts lost) {
  return open_view(std::span(&named, 1), lost);
}

}  // namespace zeroshelf
