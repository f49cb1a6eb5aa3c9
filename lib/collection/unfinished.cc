// Tested by tests/collection/open_view_test.cc and tests/programs/union_test.cc.

#include "lib/collection/unfinished.h"

#include <algorithm>
#include <vector>

#include "lib/collection/layout.h"
#include "lib/collection/settings.h"

namespace zeroshelf {

std::optional<std::string> unfinished_line(const std::filesystem::path& collection) {
  const Settings settings(collection);
  // The lock is looked at only where there is a mark, and the mark again behind it: its writer may
  // have taken it away and gone meanwhile.
  if (settings.unfinished().empty()) return std::nullopt;
  const bool is_being_written = layout::is_being_written(collection);
  const std::vector<std::string> unfinished = settings.unfinished();
  if (unfinished.empty()) return std::nullopt;
  const std::string name = collection.string();
  if (is_being_written) return name + ": is being indexed; the answer is of what is there so far";
  std::string command = "zeroshelf-index add " + name;
  const std::vector<std::string> last = settings.roots();
  for (const std::string& path : unfinished) {
    if (!path.empty() && std::ranges::find(last, path) == last.end()) command += " " + path;
  }
  const bool has_list = std::ranges::find(unfinished, "") != unfinished.end();
  return name +
         ": indexing it was stopped before its end; the answer is of what is there so far; run " +
         command + (has_list ? " again with --files0-from" : " again");
}

}  // namespace zeroshelf
