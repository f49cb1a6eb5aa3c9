#pragma once

// What stands in folders of pictures and is none: sidecars, videos, other collections, exports.
//
// Threads: any.

#include <functional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace zeroshelf {

enum class Neighbour {
  Sidecar,     // of a photograph, or of a folder: IMG_1.xmp, IMG_1.jpg.json, Thumbs.db
  Recording,   // a video or a sound
  Collection,  // the folder of a zeroshelf collection
  Export,      // the folder of a zeroshelf export whose pictures are copies or links
};

// The names of one folder.
using FolderNames = std::unordered_set<std::string_view>;

// What a file with this name is beside those others, by its name alone. A text (.json, .txt, .xml
// ...) is a sidecar only where it has the name of a picture that is there.
bool is_sidecar(std::string_view name, const FolderNames& others);
bool is_recording(std::string_view name);

// Whether these are the names in a collection's folder.
bool is_collection_folder(const FolderNames& names);

// Whether the folder at this path, with a slash at its end, was exported, and what is in it stands
// elsewhere too: a folder to which pictures were moved is like any other. Reads the beginning of
// its manifest.
bool is_export_folder(const std::string& prefix, const FolderNames& names);

}  // namespace zeroshelf
