#pragma once

// Where programs keep things of a user's, as the XDG Base Directory Specification has it.

#include <filesystem>
#include <string_view>

namespace zeroshelf {

// $XDG_CACHE_HOME/zeroshelf/NAME, by default below ~/.cache; $XDG_STATE_HOME/zeroshelf/NAME, by
// default below ~/.local/state. Empty: the user has no home, so nothing is kept. Nothing is made.
std::filesystem::path user_cache_folder(std::string_view name);
std::filesystem::path user_state_folder(std::string_view name);

}  // namespace zeroshelf
