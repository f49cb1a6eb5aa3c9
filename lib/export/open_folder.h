#pragma once

// Folders that are held open while an export writes to them: what is put into one goes into that
// very folder, whatever others put in the place of its name meanwhile. No link is followed but in
// the path of the export's folder itself, whose parents are the user's own choice.
// Threads: any.

#include <filesystem>
#include <string>

#include "lib/files/descriptor.h"
#include "lib/files/exclusive.h"

namespace zeroshelf {

// Throws InvalidArgument when there is something in the way of an export into a folder: a file, a
// link, a folder with something in it, or one that every user of the machine may write to. Changes
// nothing.
void check_export_folder(const std::filesystem::path& folder);

// Makes the folder, and those above it, where they are absent, and opens it. Throws what
// check_export_folder does, and Io.
Descriptor open_export_folder(const std::filesystem::path& folder);

// Who else may change what is put into the folder, or put another in its place; empty when nobody
// may. "its group may write to it (users)"
std::string exposure_of(const std::filesystem::path& folder);

// A folder in an open folder, which must be there. Throws NotFound, InvalidArgument for a link or
// what is no folder, Io.
Descriptor enter_folder(const Place& place, const std::filesystem::path& shown);

// The same, made where there is none. InvalidArgument also when it is another user's, or every user
// may write to it: then somebody has put it there.
Descriptor make_folder(const Place& place, const std::filesystem::path& shown);

// Throws Io.
void sync_folder(const Descriptor& folder, const std::filesystem::path& shown);

}  // namespace zeroshelf
