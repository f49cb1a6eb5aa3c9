#pragma once

// Pixels -> what an image encoder takes, with the same answer as the published preprocessing of
// OpenAI's CLIP (torchvision Resize and CenterCrop over PIL, https://github.com/openai/CLIP) and of
// its successors.

#include <array>
#include <cstdint>
#include <span>

#include "lib/image/image.h"

namespace zeroshelf {

enum class Resize {
  ShortestSide,  // to the size, the aspect kept, then the centre is cut out: CLIP
  Squash,        // both sides to the size
};
enum class Filter { Bicubic, Bilinear };

struct Preprocessing {
  int size_px = 224;  // the encoder's square input
  Resize resize = Resize::ShortestSide;
  Filter filter = Filter::Bicubic;
  // Mean and deviation of samples scaled to 0..1, per channel R, G, B.
  std::array<float, 3> mean = {0.48145466f, 0.4578275f, 0.40821073f};
  std::array<float, 3> standard_deviation = {0.26862954f, 0.26130258f, 0.27577711f};
};

// PIL's resampling with the bicubic filter (a = -0.5), antialiased, bit for bit: a horizontal pass,
// then a vertical one, each rounded to 8 bits. width_px and height_px are at least 1.
Image resize_bicubic(const Image& image, int width_px, int height_px);

// Shorter side to size_px (the longer one is size_px * longer / shorter, rounded down), then the
// centre square (offset rounded half to even, as Python's round does). Gives size_px x size_px.
Image resize_and_crop(const Image& image, int size_px);

// What the encoder takes, size_px square.
Image resize_and_crop(const Image& image, const Preprocessing& preprocessing);

// Where resize_and_crop puts a point of a width_px x height_px picture: its resized coordinates are
// the point's times the scales, minus x and y.
struct CropPlace {
  double scale_x = 1;
  double scale_y = 1;
  int64_t x = 0;
  int64_t y = 0;
};
CropPlace crop_place(int width_px, int height_px, const Preprocessing& preprocessing);

// (sample / 255 - mean) / standard deviation, as planes R, G, B: out has 3 * width * height floats.
void normalise_pixels(const Image& image, const Preprocessing& preprocessing, std::span<float> out);

}  // namespace zeroshelf
