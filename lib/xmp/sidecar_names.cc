// Tested by tests/xmp/sidecar_names_test.cc.

#include "lib/xmp/sidecar_names.h"

#include <system_error>

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".xmp";

// Whatever it is; a link that leads nowhere, too.
bool is_there(const fs::path& path) {
  std::error_code ignored;
  return fs::exists(fs::symlink_status(path, ignored));
}

}  // namespace

fs::path SidecarNames::of(const fs::path& picture) {
  fs::path own = picture;
  own += kEnding;
  fs::path by_stem = picture;
  by_stem.replace_extension(kEnding);
  if (by_stem == own || is_there(own) || !is_there(by_stem)) return own;
  return files_with_stem(picture) == 1 ? by_stem : own;
}

unsigned SidecarNames::files_with_stem(const fs::path& picture) {
  const fs::path folder = picture.parent_path();
  if (listed_ != folder) {
    stems_.clear();
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
         entry.increment(error)) {
      const fs::path name = entry->path().filename();
      if (name.extension() != kEnding) ++stems_[name.stem().string()];
    }
    listed_ = folder;
  }
  return stems_[picture.stem().string()];
}

}  // namespace zeroshelf
