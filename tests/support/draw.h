#pragma once

// Pictures for tests, drawn by code: the same arguments give the same pixels on every machine.
// CMake target: zeroshelf_test_draw.

#include <cstdint>
#include <string>

#include "lib/image/image.h"

namespace zeroshelf::testing {

struct Colour {
  uint8_t r = 0;
  uint8_t g = 0;
  uint8_t b = 0;
};

Image plain_image(int width_px, int height_px, Colour colour);

// A smooth two-dimensional gradient between colours chosen by the seed.
Image gradient_image(int width_px, int height_px, uint32_t seed);

// A gradient with count circles, rectangles and lines on it, all chosen by the seed. Equal seeds
// give equal pictures, others differ in nearly every pixel.
Image shapes_image(int width_px, int height_px, uint32_t seed, int count = 12);

// Every sample random and independent.
Image noise_image(int width_px, int height_px, uint32_t seed);

// Writes one line of ASCII text, its baseline starting at x, y; letter_px is the height of a
// capital letter.
void draw_text(Image& image, const std::string& text, int x, int y, int letter_px, Colour colour);

// A white picture just large enough for the text in black, with a margin: one line for each '\n'
// separated part.
Image text_image(const std::string& text, int letter_px = 24);

// The bytes of a file. PNG is lossless; quality is 1 to 100.
std::string png_bytes(const Image& image);
std::string jpeg_bytes(const Image& image, int quality = 90);

}  // namespace zeroshelf::testing
