#pragma once

// What is kept with a collection and said of contents: truths of people, runs, and what classifiers
// were learned from. When pictures get other bytes it is to be said of those.

#include <filesystem>
#include <functional>
#include <map>

#include "lib/util/hash.h"

namespace zeroshelf {

// contents: before -> after. What was said of a content stays said of it; in runs only where
// is_there says that some picture still has it. Attachments that are damaged, or of another version,
// stay as they are. Throws Io.
void carry_over(const std::filesystem::path& collection,
                const std::map<ContentHash, ContentHash>& contents,
                const std::function<bool(const ContentHash&)>& is_there);

}  // namespace zeroshelf
