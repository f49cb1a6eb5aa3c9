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

// The collections in a folder that is none itself; none where it is one.
std::vector<fs::path> collections_in(const fs::path& folder) {
  std::error_code error;
  if (!fs::is_directory(folder, error) || is_part(folder)) return {};
  std::vector<fs::path> found;
  for (auto entry = fs::directory_iterator(folder, error);
       !error && entry != fs::directory_iterator(); entry.increment(error)) {
    if (is_part(entry->path())) found.push_back(entry->path());
  }
  if (error) throw system_error(folder.string(), "list the folder", error.value());
  std::ranges::sort(found, {}, [](const fs::path& path) { return path.filename().string(); });
  return found;
}

std::vector<fs::path> parts_in_set(const fs::path& set) {
  const fs::path folder = folder_of_input(set);
  std::vector<fs::path> parts;
  const auto refuse = [&](size_t number, const std::string& cause, const std::string& cure) {
    throw Error(ErrorCode::InvalidArgument, fmt::format("{}, line {}", set.string(), number), cause,
                cure);
  };
  for_each_line(read_text_input(set, kMostSetBytes), [&](size_t number, std::string_view line) {
    const std::string_view path = trimmed(line);
    if (path.empty() || path.front() == '#') return;
    if (path.size() > kLongestPath)
      refuse(number, fmt::format("a path of {} bytes", path.size()), "name one collection a line");
    if (parts.size() == kMostParts)
      refuse(number, fmt::format("names more than {} collections", kMostParts), "");
    parts.push_back(folder / path);
    if (is_set_file(parts.back()))
      refuse(number, "a set in a set", "name the collections themselves, one a line");
  });
  if (parts.empty())
    throw Error(ErrorCode::InvalidArgument, set.string(), "names no collection",
                "write one collection a line, relative to the file's folder");
  return parts;
}

// By which the same folder is known under any of its names.
std::string identity_of(const fs::path& path) {
  std::error_code error;
  const fs::path real = fs::weakly_canonical(absolute_path(path), error);
  return (error ? absolute_path(path) : real).string();
}

// Models must agree, whatever else may be left out.
bool may_be_left_out(const Error& error) {
  return error.code() != ErrorCode::Incompatible;
}

}  // namespace

bool names_collections(const fs::path& path) {
  try {
    std::error_code error;
    if (is_set_file(path)) return fs::exists(path, error);
    return is_part(path) || !collections_in(path).empty();
  } catch (const Error&) {
    return false;
  }
}

std::vector<fs::path> parts_of(std::span<const fs::path> named) {
  std::vector<fs::path> parts;
  std::unordered_set<std::string> seen;
  for (const fs::path& one : named) {
    if (one.empty()) throw Error(ErrorCode::NotFound, one.string(), "no such collection");
    std::vector<fs::path> of_one = is_set_file(one) ? parts_in_set(one) : collections_in(one);
    if (of_one.empty()) of_one.push_back(one);
    for (fs::path& part : of_one) {
      if (seen.insert(identity_of(part)).second) parts.push_back(std::move(part));
    }
  }
  if (parts.size() > kMostParts)
    throw Error(ErrorCode::InvalidArgument, named.front().string(),
                fmt::format("{} collections; {} can be asked together", parts.size(), kMostParts));
  return parts;
}

namespace {

// Parts that could be opened, in their order, and why the others could not.
struct Opened {
  std::vector<Collection> there;
  std::vector<Error> away;
};

// What opening one gives. Of the thread that opens it, which may be left behind.
struct Attempt {
  std::optional<Collection> opened;
  std::optional<Error> error;
  std::exception_ptr other;  // no memory

  void open(const fs::path& part) {
    try {
      opened.emplace(Collection::open(part));
    } catch (const Error& failed) {
      error = failed;
    } catch (...) {
      other = std::current_exception();
    }
  }
};
using Attempts = std::vector<std::shared_ptr<Attempt>>;

Attempts attempts_of(size_t parts) {
  Attempts attempts;
  for (size_t i = 0; i < parts; ++i) attempts.push_back(std::make_shared<Attempt>());
  return attempts;
}

Attempts open_all(std::span<const fs::path> parts) {
  Attempts attempts = attempts_of(parts.size());
  parallel_chunks(parts.size(), 1, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) attempts[i]->open(parts[i]);
  });
  return attempts;
}

Error too_late(const fs::path& what, std::chrono::nanoseconds deadline) {
  return {ErrorCode::Unavailable, what.string(),
          fmt::format("has not opened within {:.3g} s",
                      std::chrono::duration<double>(deadline).count()),
          "look at its file system, or raise --deadline"};
}

Attempts open_in_time(std::span<const fs::path> parts, std::chrono::nanoseconds deadline) {
  Attempts attempts = attempts_of(parts.size());
  std::vector<std::function<void()>> bodies;
  for (size_t i = 0; i < parts.size(); ++i)
    bodies.emplace_back([attempt = attempts[i], part = parts[i]] { attempt->open(part); });
  const std::vector<bool> ended = ended_in_time(bodies, deadline);
  for (size_t i = 0; i < parts.size(); ++i) {
    if (ended[i]) continue;
    attempts[i] = std::make_shared<Attempt>();
    attempts[i]->error = too_late(parts[i], deadline);
  }
  return attempts;
}

// Throws the first error that is not to be left out.
Opened open_parts(std::span<const fs::path> parts, const OpenOptions& options) {
  Opened result;
  for (const auto& attempt :
       options.deadline ? open_in_time(parts, *options.deadline) : open_all(parts)) {
    if (attempt->other) std::rethrow_exception(attempt->other);
    if (attempt->opened) {
      result.there.push_back(*std::move(attempt->opened));
      continue;
    }
    if (options.lost == LostParts::Refuse || !may_be_left_out(*attempt->error))
      throw *attempt->error;
    result.away.push_back(*attempt->error);
  }
  return result;
}

// Looking for parts reads folders and files, which may hang as well.
std::vector<fs::path> parts_in_time(std::span<const fs::path> named, const OpenOptions& options) {
  if (!options.deadline) return parts_of(named);
  struct Found {
    std::vector<fs::path> parts;
    std::exception_ptr error;
  };
  const auto found = std::make_shared<Found>();
  const std::vector<bool> ended = ended_in_time(
      {[found, names = std::vector<fs::path>(named.begin(), named.end())] {
        try {
          found->parts = parts_of(names);
        } catch (...) {
          found->error = std::current_exception();
        }
      }},
      *options.deadline);
  if (!ended.front()) throw too_late(named.front(), *options.deadline);
  if (found->error) std::rethrow_exception(found->error);
  return found->parts;
}

// The first rank lists them, so that all share out the same.
std::vector<fs::path> parts_of_all(std::span<const fs::path> named, const OpenOptions& options) {
  const std::string listed = options.ranks->made_by_first([&] {
    ByteWriter out;
    for (const fs::path& part : parts_in_time(named, options)) out.text(part.string());
    return std::move(out).bytes();
  });
  std::vector<fs::path> parts;
  ByteReader in(listed, kRanksMessage);
  while (in.left() > 0) parts.emplace_back(in.text());
  return parts;
}

// The parts of one rank: a run of them, in their order, as even as may be.
std::span<const fs::path> share_of(std::span<const fs::path> parts, size_t rank, size_t ranks) {
  const size_t begin = parts.size() * rank / ranks;
  return parts.subspan(begin, parts.size() * (rank + 1) / ranks - begin);
}

std::string named_together(std::span<const fs::path> parts) {
  constexpr size_t kMostNamed = 3;
  std::string names;
  for (size_t i = 0; i < std::min(parts.size(), kMostNamed); ++i)
    names += (i == 0 ? "" : ", ") + parts[i].string();
  if (parts.size() > kMostNamed)
    names += fmt::format(" and {} more", parts.size() - kMostNamed);
  return names;
}

void name_ranks(std::span<const fs::path> parts, Ranks& ranks) {
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
  const std::vector<fs::path> parts = parts_of_all(named, options);
  name_ranks(parts, ranks);
  Opened own;
  ranks.agree_after(
      [&] { own = open_parts(share_of(parts, ranks.rank(), ranks.size()), options); });
  uint64_t opened = own.there.size();
  ranks.add_up(std::span(&opened, 1));
  if (opened == 0)
    ranks.agree(own.away.empty() ? std::nullopt : std::optional(own.away.front()));
  View view = joined_view(std::move(own.there), ranks);
  return {std::move(view), parts.size(), lost_of_all(own.away, ranks)};
}

}  // namespace

OpenedView open_view(std::span<const fs::path> named, const OpenOptions& options) {
  if (options.ranks != nullptr) return open_together(named, options);
  const std::vector<fs::path> parts = parts_in_time(named, options);
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
