#pragma once

// One of each format; private to lib/xmp. See picture_packet.h.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "lib/xmp/picture_packet.h"

namespace zeroshelf {

// Numbers and pieces of a picture, of which not one byte is believed to be there.
class PicturePieces {
 public:
  explicit PicturePieces(const PictureBytes& picture) : picture_(picture) {}

  uint64_t size() const { return picture_.size; }
  // Throws Corruption where it is cut short.
  std::string take(uint64_t offset, uint64_t length) const;
  uint32_t big(uint64_t offset, int bytes) const;     // 1 to 4 bytes
  uint32_t little(uint64_t offset, int bytes) const;

 private:
  const PictureBytes& picture_;
};

[[noreturn]] void picture_is_damaged(std::string_view format);
// Throws InvalidArgument.
[[noreturn]] void packet_is_too_large(std::string_view format, uint64_t size, uint64_t most);

std::string big_bytes(uint32_t value, int bytes);
std::string little_bytes(uint32_t value, int bytes);

std::optional<std::string> packet_in_png(const PicturePieces& picture);
ByteEdits png_edits(const PicturePieces& picture, std::string_view packet);

std::optional<std::string> packet_in_webp(const PicturePieces& picture);
ByteEdits webp_edits(const PicturePieces& picture, std::string_view packet);

std::optional<std::string> packet_in_tiff(const PicturePieces& picture);
ByteEdits tiff_edits(std::string_view bytes, const PicturePieces& picture,
                     std::string_view packet);

}  // namespace zeroshelf
