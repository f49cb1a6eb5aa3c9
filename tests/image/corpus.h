#pragma once

// Odd pictures, encoded in memory by the formats' own libraries.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/image/decode.h"
#include "lib/image/image.h"
#include "lib/util/skip.h"

namespace zeroshelf::testing {

using Bytes = std::span<const std::byte>;
inline Bytes as_bytes(const std::string& text) {
  return {reinterpret_cast<const std::byte*>(text.data()), text.size()};
}

// An EXIF block, "Exif" prefix included, that says nothing but the orientation.
std::string exif_block(int orientation);

enum class JpegColours { Grey, Rgb, AdobeCmyk };
struct JpegOptions {
  JpegColours colours = JpegColours::Rgb;
  bool progressive = false;
  std::string exif = {};
};
// Samples as they are stored: for CMYK, C, M, Y of the picture's R, G, B, and K of 255 (no black in
// Adobe's inverted notation).
std::string jpeg(const Image& image, const JpegOptions& options);

// color_type and depth as libpng counts them; samples as the file stores them, rows one after
// another, 16 bits big endian; palette entries R, G, B; alpha one byte a palette entry.
struct PngOptions {
  int colour_type = 2;
  int depth = 8;
  std::vector<uint8_t> palette = {};
  std::vector<uint8_t> palette_alpha = {};
  std::string exif = {};  // without the prefix
  bool interlaced = false;
};
std::string png(int width_px, int height_px, const std::vector<uint8_t>& rows,
                const PngOptions& options);

// Frames of one palette, 2 colours and one transparent: index 0 red, 1 green, 2 transparent.
std::string gif(int width_px, int height_px, const std::vector<std::vector<uint8_t>>& frames,
                bool interlaced = false);

std::string webp(const Image& image);                         // lossless
std::string animated_webp(const std::vector<Image>& frames);  // lossless
std::string bmp(const Image& image);
std::string tiff(const Image& image, int orientation = 1);
std::string tiff16(const Image& image);  // 16 bits: the sample and 0x80
std::string pnm(const Image& image);

// Nothing where libheif has no encoder.
enum class HeifCodec { Hevc, Av1 };
enum class HeifAlpha { None, Half };  // Half: every pixel half transparent
std::optional<std::string> heif(const Image& image, HeifCodec codec,
                                HeifAlpha alpha = HeifAlpha::None);
// A HEIF grid of columns x rows times the one coded picture of a file that heif() made, with
// another size of the whole than the tiles make, if wanted.
//
// GainMap: as telephones write it: beside the grid a gain map, an item that is made of both, and
// references of the gain map to both of them.
enum class HeifExtras { None, GainMap };
std::string heif_grid(const std::string& tile, HeifCodec codec, int columns, int rows,
                      uint32_t width_px, uint32_t height_px, HeifExtras extras = HeifExtras::None);

// One picture in every format above, with the format's name.
struct Sample {
  std::string name;
  std::string bytes;
};
const std::vector<Sample>& corpus();

// What decode_image says, with the test's default limits.
Image decoded(const std::string& bytes);  // throws std::runtime_error with the skip's detail
std::optional<Skip> skip_of(const std::string& bytes, const DecodeLimits& limits = {});

// The greatest difference of two samples at the same place; 256 where the sizes differ.
int greatest_difference(const Image& a, const Image& b);

}  // namespace zeroshelf::testing
