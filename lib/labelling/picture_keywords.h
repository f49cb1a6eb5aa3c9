#pragma once

// The keywords that a picture's files carry.

#include <filesystem>
#include <functional>
#include <utility>
#include <vector>

#include "lib/util/error.h"
#include "lib/xmp/keyword_path.h"
#include "lib/xmp/sidecar_names.h"

namespace zeroshelf {

// Reads what stands in sidecars (sidecar_names.h) and in the pictures, without what an export of
// ours has written. Threads: one at a time. Pictures of a folder that come one
// after the other cost least.
class PictureKeywords {
 public:
  // on_unreadable is told of each sidecar and packet that is no XMP, or cannot be read.
  explicit PictureKeywords(std::function<void(const Error&)> on_unreadable)
      : on_unreadable_(std::move(on_unreadable)) {}

  // Ascending, each once, without those of one part that stand in a hierarchy too.
  std::vector<KeywordPath> of(const std::filesystem::path& picture);

 private:
  SidecarNames sidecars_;
  std::function<void(const Error&)> on_unreadable_;
};

}  // namespace zeroshelf
