// Tested by tests/util/below_test.cc.

#include "lib/util/below.h"

#include <algorithm>

namespace zeroshelf {

bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder) {
  const auto [in_path, in_folder] =
      std::mismatch(path.begin(), path.end(), folder.begin(), folder.end());
  return in_folder == folder.end();
}

}  // namespace zeroshelf
