#pragma once

// Bytes of a picture file -> pixels.
//
// The format is recognised by content, never by name: JPEG (grey, YCbCr, CMYK, YCCK, progressive),
// PNG, WebP and GIF (the first frame of an animation that is not blank), HEIC and AVIF (the primary
// picture), TIFF (the largest page), BMP, and PNM
// (P1 to P6). The pixels are those that PIL gives, except where it is lossy or unclear: orientation
// (EXIF, the TIFF tag, HEIF's own) is applied; palettes become RGB first; 16-bit samples keep their
// high byte; samples stored as floats run from 0 to 1; transparency, and what a GIF's frame leaves
// open, is white, or black where nothing would be seen on white. Colour profiles are not applied,
// as PIL does not.
//
// Cost: besides the result, up to twice its size while decoding; what a header promises is checked
// against the limits, and against what the file could hold, before pixels are allocated.
//
// Threads: any number of calls may run together. Nothing is printed, whatever the input
// (but see decode_heif.cc for a line that a crafted HEIC or AVIF can cause).

#include <cstddef>
#include <cstdint>
#include <span>
#include <variant>

#include "lib/image/image.h"
#include "lib/util/skip.h"

namespace zeroshelf {

// Told of the pixels before they are allocated, from the thread that decodes; may wait.
class PixelGate {
 public:
  virtual ~PixelGate() = default;
  virtual void before_pixels(uint64_t pixels) = 0;
};

struct DecodeLimits {
  uint64_t max_bytes = uint64_t{256} << 20;  // of the file
  uint64_t max_pixels = 200'000'000;         // width x height, checked before decoding
  PixelGate* gate = nullptr;                 // outlives the call
};

// The picture, or why it cannot be had: Empty, NotAPicture, Damaged (a file that is cut short is
// damaged, even when a part of it could be shown; one that lacks nothing but the mark of its end is
// whole), TooManyBytes, TooManyPixels.
std::variant<Image, Skip> decode_image(std::span<const std::byte> file, const DecodeLimits& limits);

// How much of a picture is needed: the least pixels on its shorter side, and in all.
struct EnoughPixels {
  uint64_t shorter_side_px = 0;
  uint64_t pixels = 0;
};

struct ReducedImage {
  Image image;
  // The size of the whole picture, upright.
  int width_px = 0;
  int height_px = 0;
};

// As decode_image, but a JPEG that has more than enough is decoded at 1/2, 1/4 or 1/8 of its size,
// which takes a fraction of the time and the memory. max_pixels counts the whole picture.
std::variant<ReducedImage, Skip> decode_reduced(std::span<const std::byte> file,
                                                const DecodeLimits& limits,
                                                const EnoughPixels& enough);

}  // namespace zeroshelf
