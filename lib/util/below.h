#pragma once

#include <filesystem>

namespace zeroshelf {

// Whether a path is the folder or lies in it, going by the names alone: both as written.
bool is_below(const std::filesystem::path& path, const std::filesystem::path& folder);

}  // namespace zeroshelf
