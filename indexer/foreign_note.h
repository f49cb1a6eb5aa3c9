#pragma once

#include <filesystem>

namespace zeroshelf {

// Says on stderr what lies in the collection's folder and is not the collection's, if there is
// anything. To be called when a command that tidies up there has ended.
void note_foreign(const std::filesystem::path& collection);

}  // namespace zeroshelf
