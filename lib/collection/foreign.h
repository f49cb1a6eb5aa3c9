#pragma once

// A collection's folder is the collection's alone: what else lies in it is told, and nothing is
// made there.

#include <filesystem>
#include <string>
#include <vector>

namespace zeroshelf {

// The names of what lies in the collection's folder and is not the collection's, ascending. No
// command touches it. Throws what opening throws for the manifest and CURRENT.
std::vector<std::string> foreign_names(const std::filesystem::path& directory);

// The collection's folder that the path lies in, or is, links followed; also where the last parts
// of the path do not exist yet. Empty when there is none.
std::filesystem::path collection_around(const std::filesystem::path& path);

// Throws InvalidArgument for a file or folder that would be made in a collection's folder.
void expect_outside_collections(const std::filesystem::path& path);

// The same for a collection, of which the folder may have something already.
void expect_outside_others(const std::filesystem::path& collection);

// For a file that a user names and that is to be made: the same, and what NewFile::check throws.
void check_new_file(const std::filesystem::path& path);

}  // namespace zeroshelf
