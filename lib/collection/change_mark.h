#pragma once

// Whether a collection may have changed since it was opened, told without opening it.

#include <filesystem>
#include <string>

namespace zeroshelf {

// A text that is another one after every commit and every compaction, by names, sizes and times of
// the collection's files; it may be another one without such, e.g. while RocksDB tidies up. Cost: a
// stat of some dozen files. Empty where the folder cannot be read.
std::string change_mark(const std::filesystem::path& collection);

}  // namespace zeroshelf
