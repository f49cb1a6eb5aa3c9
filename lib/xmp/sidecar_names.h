#pragma once

// Which sidecar is a picture's: a.jpg.xmp of a.jpg, as digiKam, darktable and Immich name it; or
// a.xmp, as Lightroom does, where that is there, a.jpg.xmp is not, and a.jpg is the only file with
// that stem: beside a raw picture it is the raw one's.
//
// Threads: one at a time. Pictures of a folder that come one after the other cost least.

#include <filesystem>
#include <string>
#include <unordered_map>

namespace zeroshelf {

class SidecarNames {
 public:
  // Which may not be there; then a.jpg.xmp.
  std::filesystem::path of(const std::filesystem::path& picture);

 private:
  unsigned files_with_stem(const std::filesystem::path& picture);

  std::filesystem::path listed_;  // the folder whose names were counted last
  std::unordered_map<std::string, unsigned> stems_;
};

}  // namespace zeroshelf
