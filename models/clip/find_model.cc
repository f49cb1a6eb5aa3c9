// Where a named model is. Tested by tests/clip/checkpoint_test.cc.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/clip/load.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

std::vector<fs::path> model_folders() {
  std::vector<fs::path> folders;
  if (const char* listed = std::getenv("ZEROSHELF_MODELS")) {
    const std::string list = listed;
    for (size_t start = 0; start <= list.size();) {
      const size_t end = std::min(list.find(':', start), list.size());
      if (end > start) folders.emplace_back(list.substr(start, end - start));
      start = end + 1;
    }
  }
  if (const char* data = std::getenv("XDG_DATA_HOME"); data != nullptr && *data != '\0') {
    folders.push_back(fs::path(data) / "zeroshelf" / "models");
  } else if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') {
    folders.push_back(fs::path(home) / ".local" / "share" / "zeroshelf" / "models");
  }
  return folders;
}

std::optional<fs::path> find_in_folders(const std::string& name) {
  std::error_code ignored;
  if (name.empty() || name.find('/') != std::string::npos) return std::nullopt;
  for (const fs::path& folder : model_folders()) {
    for (const std::string& file : {name, name + ".pt"}) {
      if (fs::exists(folder / file, ignored)) return folder / file;
    }
  }
  return std::nullopt;
}

}  // namespace

fs::path bundled_model() {
  const fs::path path = ZEROSHELF_BUNDLED_MODEL;
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  throw Error(ErrorCode::NotFound, path.string(), "the bundled model is not there",
              "keep the source tree that zeroshelf was built from, or name a model with --model");
}

fs::path find_model(const std::string& name_or_path) {
  std::error_code ignored;
  if (!name_or_path.empty() && fs::exists(name_or_path, ignored)) return name_or_path;
  if (auto found = find_installed_model(name_or_path)) return *std::move(found);
  std::string tried;
  if (!name_or_path.empty() && name_or_path.find('/') == std::string::npos) {
    for (const fs::path& folder : model_folders())
      tried += (tried.empty() ? "" : ", ") + folder.string();
  }
  throw Error(
      ErrorCode::NotFound, name_or_path,
      tried.empty() ? "no such model" : "no such model, nor in " + tried,
      "name a checkpoint's folder or file with --model, or fetch one: models/fetch.sh --list");
}

std::optional<fs::path> find_installed_model(const std::string& name) {
  if (auto found = find_in_folders(name)) return found;
  if (name == kBundledModel) return bundled_model();
  return std::nullopt;
}

bool is_installed_model(const fs::path& named) {
  const fs::path path = absolute_path(named);
  const auto lies_in = [&](const fs::path& folder) {
    const fs::path relative = path.lexically_relative(absolute_path(folder));
    return !relative.empty() && *relative.begin() != "..";
  };
  const std::vector<fs::path> folders = model_folders();
  return lies_in(ZEROSHELF_BUNDLED_MODEL) || std::any_of(folders.begin(), folders.end(), lies_in);
}

}  // namespace zeroshelf
