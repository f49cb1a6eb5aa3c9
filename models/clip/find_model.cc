// Where a named model is. Tested by tests/clip/checkpoint_test.cc.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/program_path.h"
#include "models/clip/installed_models.h"
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

// Where the models are that come with zeroshelf.
fs::path own_folder() {
  std::error_code ignored;
  const fs::path installed = installation_prefix() / "share" / "zeroshelf" / "models";
  return fs::exists(installed / kBundledModel, ignored) ? installed : ZEROSHELF_MODEL_FOLDER;
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
  const fs::path path = own_folder() / kBundledModel;
  std::error_code ignored;
  if (fs::exists(path, ignored)) return path;
  throw Error(ErrorCode::NotFound, path.string(), "the bundled model is not there",
              "install the package zeroshelf-model-mini, or name a model with --model");
}

std::string fetch_command() {
  std::error_code ignored;
  const fs::path script = own_folder() / "fetch.sh";
  return fs::exists(script, ignored) ? script.string() : "zeroshelf-fetch";
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
  throw Error(ErrorCode::NotFound, name_or_path,
              tried.empty() ? "no such model" : "no such model, nor in " + tried,
              "name a checkpoint's folder or file with --model, or fetch one: " + fetch_command() +
                  " --list");
}

std::optional<fs::path> find_installed_model(const std::string& name) {
  if (auto found = find_in_folders(name)) return found;
  if (name == kBundledModel) return bundled_model();
  return std::nullopt;
}

std::vector<InstalledModel> installed_models() {
  std::vector<InstalledModel> models;
  std::error_code error;
  for (const fs::path& folder : model_folders()) {
    for (const auto& entry : fs::directory_iterator(folder, error)) {
      const fs::path& path = entry.path();
      if (path.extension() == ".pt") {
        models.push_back({path.stem().string(), path});
      } else if (fs::exists(path / "config.json", error) ||
                 fs::exists(path / "open_clip_config.json", error) ||
                 fs::exists(path / "zeroshelf.json", error)) {
        models.push_back({path.filename().string(), path});
      }
    }
  }
  const fs::path bundled = own_folder() / kBundledModel;
  if (fs::exists(bundled, error)) models.push_back({kBundledModel, bundled});
  return models;
}

bool is_installed_model(const fs::path& named) {
  const fs::path path = absolute_path(named);
  const auto lies_in = [&](const fs::path& folder) {
    const fs::path relative = path.lexically_relative(absolute_path(folder));
    return !relative.empty() && *relative.begin() != "..";
  };
  const std::vector<fs::path> folders = model_folders();
  return lies_in(own_folder() / kBundledModel) ||
         std::any_of(folders.begin(), folders.end(), lies_in);
}

}  // namespace zeroshelf
