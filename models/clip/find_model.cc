// Where a named model is. Tested by tests/clip/checkpoint_test.cc.

#include <fmt/format.h>

#include <cstdlib>
#include <vector>

#include "lib/util/error.h"
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
  std::string tried;
  if (!name_or_path.empty() && name_or_path.find('/') == std::string::npos) {
    for (const fs::path& folder : model_folders()) {
      for (const std::string& name : {name_or_path, name_or_path + ".pt"}) {
        if (fs::exists(folder / name, ignored)) return folder / name;
      }
      tried += (tried.empty() ? "" : ", ") + folder.string();
    }
  }
  if (name_or_path == kBundledModel) return bundled_model();
  throw Error(
      ErrorCode::NotFound, name_or_path,
      tried.empty() ? "no such model" : "no such model, nor in " + tried,
      "name a checkpoint's folder or file with --model, or fetch one: models/fetch.sh --list");
}

}  // namespace zeroshelf
