// Tested by tests/serve/thumbnails_test.cc.

#include "query/serve/thumbnails.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <system_error>
#include <utility>
#include <vector>

#include "lib/export/indexed_picture.h"
#include "lib/files/descriptor.h"
#include "lib/image/thumbnail.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/parallel.h"
#include "lib/util/temporary_name.h"
#include "lib/util/user_folders.h"

namespace zeroshelf::serve {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kPixelBudget = uint64_t{1} << 30;
constexpr uint64_t kMostKept = uint64_t{512} << 20;
constexpr uint64_t kLargestKept = uint64_t{4} << 20;
constexpr int kQuality = 82;

// The file's bytes and its pixels, as many bytes as decoding may take.
class BudgetGate : public PixelGate {
 public:
  BudgetGate(MemoryBudget& budget, uint64_t order, uint64_t file_bytes)
      : lease_(budget, order), file_bytes_(file_bytes) {}
  void before_pixels(uint64_t pixels) override { lease_.raise(file_bytes_ + 2 * 3 * pixels); }

 private:
  MemoryBudget::Lease lease_;
  uint64_t file_bytes_;
};

}  // namespace

class Thumbnails::Turn {
 public:
  explicit Turn(Thumbnails& owner) : owner_(owner) {
    std::unique_lock lock(owner.mutex_);
    owner.freed_.wait(lock, [&] { return owner.turns_ < available_cores(); });
    ++owner.turns_;
    order_ = owner.orders_++;
  }
  ~Turn() {
    {
      const std::lock_guard lock(owner_.mutex_);
      --owner_.turns_;
    }
    owner_.freed_.notify_one();
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  uint64_t order() const { return order_; }

 private:
  Thumbnails& owner_;
  uint64_t order_ = 0;
};

Thumbnails::Thumbnails(fs::path folder) : folder_(std::move(folder)), budget_(kPixelBudget) {}

fs::path Thumbnails::default_folder() {
  return user_cache_folder("thumbnails");
}

int Thumbnails::step_of(uint64_t size) {
  for (const int step : {160, 320, 640, 1280}) {
    if (size <= static_cast<uint64_t>(step)) return step;
  }
  return 2048;
}

fs::path Thumbnails::place_of(const PictureRecord& record, int longer_side_px) const {
  if (folder_.empty()) return {};
  const std::string name = to_hex(record.content_hash);
  return folder_ / std::to_string(longer_side_px) / name.substr(0, 2) / (name + ".jpg");
}

std::variant<std::string, Skip> Thumbnails::get(const PictureRecord& record, int longer_side_px) {
  const fs::path place = place_of(record, longer_side_px);
  if (!place.empty()) {
    try {
      std::string kept = read_file(place, kLargestKept);
      if (kept.starts_with("\xff\xd8\xff")) return kept;
    } catch (const Error&) {  // not made yet
    }
  }
  auto made = make(record, longer_side_px);
  if (const auto* jpeg = std::get_if<std::string>(&made); jpeg != nullptr && !place.empty())
    keep(place, *jpeg);
  return made;
}

std::variant<std::string, Skip> Thumbnails::make(const PictureRecord& record, int longer_side_px) {
  const Turn turn(*this);
  const auto file = indexed_file(record);
  if (const Skip* skip = std::get_if<Skip>(&file)) return *skip;
  const std::string& bytes = std::get<std::string>(file);
  BudgetGate gate(budget_, turn.order(), bytes.size());
  DecodeLimits limits = limits_for(record);
  limits.gate = &gate;
  // As many pixels as leave the longer side long enough whatever the proportions.
  const uint64_t shorter = std::min(record.width_px, record.height_px);
  const uint64_t longer = std::max<uint64_t>({record.width_px, record.height_px, 1});
  const EnoughPixels enough{
      std::max<uint64_t>(1, shorter * static_cast<uint64_t>(longer_side_px) / longer), 1};
  const auto decoded = decode_reduced(std::as_bytes(std::span(bytes)), limits, enough);
  if (const Skip* skip = std::get_if<Skip>(&decoded)) return *skip;
  return make_thumbnail(std::get<ReducedImage>(decoded).image, {longer_side_px, kQuality}).jpeg;
}

std::variant<std::string, Skip> Thumbnails::file(const PictureRecord& record) {
  const Turn turn(*this);
  return indexed_file(record);
}

void Thumbnails::keep(const fs::path& place, const std::string& jpeg) const {
  std::error_code ignored;
  fs::create_directories(place.parent_path(), ignored);
  const fs::path unfinished = place.string() + temporary_suffix();
  bool written = false;
  {
    const Descriptor file(
        ::open(unfinished.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!file.is_open()) return;
    written = ::write(file.get(), jpeg.data(), jpeg.size()) == static_cast<ssize_t>(jpeg.size());
  }
  if (!written || ::rename(unfinished.c_str(), place.c_str()) != 0) ::unlink(unfinished.c_str());
}

void Thumbnails::tidy() const {
  struct Kept {
    fs::file_time_type made;
    uint64_t bytes = 0;
    fs::path path;
  };
  if (folder_.empty()) return;
  std::vector<Kept> kept;
  uint64_t bytes = 0;
  std::error_code error;
  for (auto entry = fs::recursive_directory_iterator(folder_, error);
       !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    std::error_code gone;
    if (!entry->is_regular_file(gone) || entry->is_symlink(gone)) continue;
    const std::string ending = entry->path().extension().string();
    if (ending != ".jpg" && ending != ".new") continue;
    const Kept one{entry->last_write_time(gone), entry->file_size(gone), entry->path()};
    if (gone) continue;
    bytes += one.bytes;
    kept.push_back(one);
  }
  if (bytes <= kMostKept) return;
  std::ranges::sort(kept, {}, &Kept::made);
  for (const Kept& one : kept) {
    if (bytes <= kMostKept / 4 * 3) return;
    if (fs::remove(one.path, error)) bytes -= one.bytes;
  }
}

std::string picture_type(std::string_view file) {
  if (file.starts_with("\xff\xd8\xff")) return "image/jpeg";
  if (file.starts_with("\x89PNG\r\n\x1a\n")) return "image/png";
  if (file.starts_with("GIF87a") || file.starts_with("GIF89a")) return "image/gif";
  if (file.starts_with("BM")) return "image/bmp";
  if (file.starts_with(std::string_view("II*\0", 4)) || file.starts_with(std::string_view("MM\0*", 4)))
    return "image/tiff";
  if (file.size() < 12) return "application/octet-stream";
  if (file.starts_with("RIFF") && file.substr(8, 4) == "WEBP") return "image/webp";
  if (file.substr(4, 4) == "ftyp")
    return file.substr(8, 4) == "avif" || file.substr(8, 4) == "avis" ? "image/avif" : "image/heic";
  return "application/octet-stream";
}

}  // namespace zeroshelf::serve
