#pragma once

// Work that may hang where nothing can be done about it: a file system that does not answer.

#include <chrono>
#include <cstddef>
#include <functional>
#include <vector>

namespace zeroshelf {

// Calls all bodies, several at a time, each for so long at the most, and returns which have ended. One
// that has not is left behind and may go on for as long as the process lives: what it uses must live as
// long, so it owns it. Where too many hang, some may not have begun. Bodies throw nothing.
std::vector<bool> ended_in_time(const std::vector<std::function<void()>>& bodies,
                                std::chrono::nanoseconds deadline);

}  // namespace zeroshelf
