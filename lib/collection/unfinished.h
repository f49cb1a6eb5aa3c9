#pragma once

// What an `add` that has not come to its end means for whoever asks the collection: the answers are
// of what is there so far. Threads: any.

#include <filesystem>
#include <optional>
#include <string>

namespace zeroshelf {

// A line that names the collection, and the cure where no writer is at work any more; absent where
// every `add` has come to its end.
std::optional<std::string> unfinished_line(const std::filesystem::path& collection);

}  // namespace zeroshelf
