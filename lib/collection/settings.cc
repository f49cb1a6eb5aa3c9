// Tested by tests/collection/settings_test.cc.

#include "lib/collection/settings.h"

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>

#include "lib/util/below.h"
#include "lib/util/drop_repeated.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kKind = "settings";
constexpr std::string_view kModelPath = "model_path";
constexpr std::string_view kTextModel = "text_model";
constexpr std::string_view kTextLanguages = "text_languages";
constexpr std::string_view kRoots = "roots";
constexpr std::string_view kAllRoots = "all_roots";
constexpr std::string_view kShard = "shard";
constexpr std::string_view kUnfinished = "unfinished";

std::string joined(const std::vector<std::string>& paths) {
  std::string list;
  for (const std::string& path : paths) list += path + '\0';
  return list;
}

bool is_gone(const std::string& path) {
  std::error_code error;
  return !path.empty() && !std::filesystem::exists(path, error) && !error;
}

bool is_among(const std::string& path, const std::vector<std::string>& roots) {
  return std::ranges::any_of(roots, [&](const std::string& root) {
    return path == root || (!path.empty() && !root.empty() && is_below(path, root));
  });
}

}  // namespace

Settings::Settings(std::filesystem::path collection) : attachments_(std::move(collection)) {}

std::optional<std::string> Settings::get(std::string_view name) const {
  try {
    return attachments_.get(kKind, name);
  } catch (const Error&) {
    return std::nullopt;  // verify tells
  }
}

void Settings::put(std::string_view name, const std::string& value) const {
  if (get(name) != value) attachments_.put(kKind, name, value);
}

std::optional<std::string> Settings::model_path() const {
  return get(kModelPath);
}
void Settings::remember_model_path(const std::string& path) const {
  put(kModelPath, path);
}

// Two texts, each ended by NUL; empty where it was forgotten.
std::optional<Settings::TextModel> Settings::text_model() const {
  const std::vector<std::string> texts = get_list(kTextModel);
  if (texts.size() != 2 || texts[1].empty()) return std::nullopt;
  return TextModel{texts[0], texts[1]};
}
void Settings::remember_text_model(const TextModel& model) const {
  put(kTextModel, joined({model.path, model.fingerprint}));
}
void Settings::forget_text_model() const {
  if (text_model()) put(kTextModel, "");
}

std::optional<std::string> Settings::text_languages() const {
  return get(kTextLanguages);
}
void Settings::remember_text_languages(const std::string& languages) const {
  put(kTextLanguages, languages);
}

std::optional<std::string> Settings::shard() const {
  return attachments_.get(kKind, kShard);
}
void Settings::remember_shard(const std::string& shard) const {
  put(kShard, shard);
}

// Each path is ended by NUL, which no path contains.
std::vector<std::string> Settings::get_list(std::string_view name) const {
  std::vector<std::string> paths;
  const std::string list = get(name).value_or("");
  for (size_t start = 0; start < list.size();) {
    const size_t end = std::min(list.find('\0', start), list.size());
    paths.push_back(list.substr(start, end - start));
    start = end + 1;
  }
  return paths;
}

std::vector<std::string> Settings::roots() const {
  return get_list(kRoots);
}
std::vector<std::string> Settings::all_roots() const {
  return get_list(kAllRoots);
}
std::vector<std::string> Settings::unfinished() const {
  return get_list(kUnfinished);
}
void Settings::begin_adding(const std::vector<std::string>& roots) const {
  const std::vector<std::string> known = unfinished();
  std::vector<std::string> all = known;
  all.insert(all.end(), roots.begin(), roots.end());
  std::ranges::sort(all);
  drop_repeated(all);
  if (all != known) put(kUnfinished, joined(all));
}
void Settings::end_adding(const std::vector<std::string>& roots) const {
  std::vector<std::string> left = unfinished();
  std::erase_if(left,
                [&](const std::string& path) { return is_among(path, roots) || is_gone(path); });
  if (!left.empty()) {
    put(kUnfinished, joined(left));
  } else {
    attachments_.remove(kKind, kUnfinished);
  }
}
void Settings::remember_roots(const std::vector<std::string>& roots) const {
  constexpr size_t kMostRoots = 4096;
  std::vector<std::string> all = all_roots();
  all.insert(all.end(), roots.begin(), roots.end());
  std::ranges::sort(all);
  drop_repeated(all);
  put(kRoots, joined(roots));
  if (all.size() <= kMostRoots) put(kAllRoots, joined(all));
}

}  // namespace zeroshelf
