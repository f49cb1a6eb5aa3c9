#pragma once

// Small pictures, made when they are first looked at and kept in the user's cache folder
// ($XDG_CACHE_HOME or ~/.cache, then zeroshelf/thumbnails), named by the content of the picture.

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <condition_variable>
#include <string>
#include <variant>

#include "lib/collection/records.h"
#include "lib/ingest/memory_budget.h"
#include "lib/util/skip.h"

namespace zeroshelf::serve {

// Pixels that are decoded at the same time share a budget, and at most as many pictures are decoded
// at once as there are cores. Threads: any.
class Thumbnails {
 public:
  // folder: empty: nothing is kept.
  explicit Thumbnails(std::filesystem::path folder);

  static std::filesystem::path default_folder();
  // 160, 320, 640, 1280 or 2048: the first of them that is size or more.
  static int step_of(uint64_t size);

  // A JPEG file, upright, its longer side at most that number of pixels; or why there is none. What
  // was made before is there also when the file is gone.
  std::variant<std::string, Skip> get(const PictureRecord& record, int longer_side_px);

  // The file as it was indexed, or why not. At most two are read at once.
  std::variant<std::string, Skip> file(const PictureRecord& record);

  // Removes those that were made longest ago, until what is kept is below a bound (512 MiB).
  void tidy() const;

  // A turn at decoding something.
  class Turn;

 private:
  std::filesystem::path place_of(const PictureRecord& record, int longer_side_px) const;
  void keep(const std::filesystem::path& place, const std::string& jpeg) const;
  std::variant<std::string, Skip> make(const PictureRecord& record, int longer_side_px);

  std::filesystem::path folder_;
  MemoryBudget budget_;
  std::mutex mutex_;
  std::condition_variable freed_;
  unsigned turns_ = 0;
  uint64_t orders_ = 0;
};

// What the bytes of a picture file are, for Content-Type: "image/jpeg"; of what no browser shows as
// a picture "application/octet-stream".
std::string picture_type(std::string_view file);

}  // namespace zeroshelf::serve
