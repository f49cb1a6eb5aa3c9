#pragma once

// What the decoders of single formats share; private to lib/image.
//
// Every decoder checks the declared dimensions with refusal() before it allocates pixels, reports
// damage as a Skip, applies EXIF orientation where the format has it, and prints nothing.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "lib/image/decode.h"
#include "lib/image/image.h"
#include "lib/util/skip.h"

namespace zeroshelf {

using Bytes = std::span<const std::byte>;
using Decoded = std::variant<Image, Skip>;

Decoded decode_bmp(Bytes file, const DecodeLimits& limits);
Decoded decode_gif(Bytes file, const DecodeLimits& limits);
Decoded decode_heif(Bytes file, const DecodeLimits& limits);
Decoded decode_jpeg(Bytes file, const DecodeLimits& limits);
std::variant<ReducedImage, Skip> decode_jpeg_reduced(Bytes file, const DecodeLimits& limits,
                                                     const EnoughPixels& enough);
Decoded decode_png(Bytes file, const DecodeLimits& limits);
Decoded decode_pnm(Bytes file, const DecodeLimits& limits);
Decoded decode_tiff(Bytes file, const DecodeLimits& limits);
Decoded decode_webp(Bytes file, const DecodeLimits& limits);

// A picture that is a broken or shortened instance of a known format.
Skip damaged(const std::string& cause);
Skip cut_short();
// A file, sound or not, of a kind that is not read. what: its name, "JPEG XL".
Skip unsupported(const std::string& what, const std::string& cure);

// Why a picture of this size is not decoded: no pixels at all, or more than the limit.
std::optional<Skip> refusal(uint64_t width_px, uint64_t height_px, const DecodeLimits& limits);

// The picture with uninitialised meaning but allocated (zero) pixels of channels bytes each.
Image blank_image(uint64_t width_px, uint64_t height_px, int channels);

// R, G, B, A -> R, G, B over white, in place: the vector becomes a quarter shorter. What would be
// blank on white is laid on black, if there is something to see then.
enum class Alpha { Straight, Multiplied };  // whether colours are multiplied by alpha already
void lay_on_ground(std::vector<uint8_t>& rgba, Alpha alpha = Alpha::Straight);
// Whether there is nothing to see then, of straight alpha.
bool is_blank_on_ground(const std::vector<uint8_t>& rgba);

// How many frames of an animation are looked at for one that is not blank.
class FrameBudget {
 public:
  explicit FrameBudget(uint64_t pixels_a_frame) : pixels_a_frame_(pixels_a_frame) {}
  bool allows_one_more() {
    constexpr uint64_t kMostPixels = 400'000'000;
    constexpr uint64_t kMostFrames = 100;
    pixels_ += pixels_a_frame_;
    return ++frames_ < kMostFrames && pixels_ < kMostPixels;
  }

 private:
  uint64_t pixels_a_frame_;
  uint64_t pixels_ = 0;
  uint64_t frames_ = 0;
};

// The orientation, 1 to 8, that an EXIF block (with or without its "Exif" prefix) asks for; 1 when
// it is absent or damaged.
int exif_orientation(Bytes exif);

// The picture turned and mirrored as the EXIF orientation says; 1 and unknown values change
// nothing.
Image upright(Image image, int orientation);

inline const uint8_t* as_uint8(Bytes bytes) {
  return reinterpret_cast<const uint8_t*>(bytes.data());
}

}  // namespace zeroshelf
