// Tested by tests/programs/foreign_test.cc.

#include "indexer/foreign_note.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>
#include <vector>

#include "lib/collection/foreign.h"
#include "lib/program/program.h"
#include "lib/util/text.h"

namespace zeroshelf {

void note_foreign(const std::filesystem::path& collection) {
  constexpr size_t kShown = 10;
  const std::vector<std::string> names = foreign_names(collection);
  if (names.empty()) return;
  warn("zeroshelf-index", fmt::format("{}: not the collection's, and left as it is: {}",
                                      collection.string(), first_few(names, kShown)));
}

}  // namespace zeroshelf
