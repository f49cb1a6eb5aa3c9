// Tested by tests/collection/open_view_test.cc.

#include "lib/collection/open_view.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "lib/collection/layout.h"
#include "lib/util/file.h"
#include "lib/util/parallel.h"
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

std::string_view trimmed(std::string_view line) {
  constexpr std::string_view kSpace = " \t\f\v\r";
  const size_t first = line.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return line.substr(first, line.find_last_not_of(kSpace) - first + 1);
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

OpenedView open_view(std::span<const fs::path> named, LostParts lost) {
  const std::vector<fs::path> parts = parts_of(named);
  std::vector<std::optional<Collection>> opened(parts.size());
  std::vector<std::optional<Error>> errors(parts.size());
  parallel_chunks(parts.size(), 1, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      try {
        opened[i].emplace(Collection::open(parts[i]));
      } catch (const Error& error) {
        errors[i] = error;
      }
    }
  });
  std::vector<Collection> there;
  std::vector<Error> away;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (opened[i]) {
      there.push_back(*std::move(opened[i]));
      continue;
    }
    if (lost == LostParts::Refuse || !may_be_left_out(*errors[i])) throw *errors[i];
    away.push_back(*errors[i]);
  }
  if (there.empty()) throw away.front();
  return {View(std::move(there)), parts.size(), std::move(away)};
}

OpenedView open_view(const fs::path& named, LostParts lost) {
  return open_view(std::span(&named, 1), lost);
}

}  // namespace zeroshelf
