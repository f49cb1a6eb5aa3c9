#pragma once

// Drawing on pixels: shapes, sprites, backdrops, captions, and what cameras and websites do to
// pictures. All sizes and places are fractions of the picture, so that one scene can be drawn at
// any size; all chance comes from the Random that is passed in.

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "lib/image/image.h"
#include "lib/util/random.h"
#include "models/train/fonts.h"

namespace zeroshelf::train {

struct Colour {
  uint8_t r = 0;
  uint8_t g = 0;
  uint8_t b = 0;
};

struct NamedColour {
  const char* name;
  Colour colour;
};
inline constexpr std::array<NamedColour, 12> kColours = {{{"red", {214, 40, 40}},
                                                          {"orange", {245, 130, 32}},
                                                          {"yellow", {250, 214, 40}},
                                                          {"green", {46, 150, 62}},
                                                          {"blue", {38, 84, 200}},
                                                          {"purple", {126, 52, 170}},
                                                          {"pink", {244, 143, 187}},
                                                          {"brown", {121, 78, 44}},
                                                          {"black", {18, 18, 18}},
                                                          {"white", {246, 246, 246}},
                                                          {"gray", {128, 128, 128}},
                                                          {"turquoise", {52, 190, 186}}}};

inline constexpr std::array<const char*, 10> kShapes = {"circle", "square", "triangle", "star",
                                                        "ring",   "cross",  "diamond",  "hexagon",
                                                        "stripe", "oval"};

// A sprite at several resolutions, so that it can be drawn small without aliasing.
class Sticker {
 public:
  explicit Sticker(Sprite sprite);
  // The level whose larger side is at least the wanted one, or the largest.
  const Sprite& level_for(double side_px) const;

 private:
  std::vector<Sprite> levels_;  // each half of the one before
};

struct Place {
  double x = 0.5;  // of the centre
  double y = 0.5;
  double size = 0.5;  // of the larger side, as a fraction of the picture's shorter side
  double angle = 0;   // radians, clockwise
};

Image blank(int width_px, int height_px, Colour colour);

void draw_sticker(Image& image, const Sticker& sticker, const Place& place);
// shape: one of kShapes.
void draw_shape(Image& image, const std::string& shape, const Place& place, Colour colour);

// What lies behind single things. Smooth: plain colours and gradients; All: also stripes, checks,
// clouds of noise, and blobs.
enum class PlainBackdrops { All, Smooth };
void draw_plain_backdrop(Image& image, Random& random, PlainBackdrops which = PlainBackdrops::All);
// A scenery by name: cave, field, sea, room, space, snow, plain, city, night, sky, water, desert,
// forest. Another name is a logic error.
void draw_scenery(Image& image, const std::string& name, Random& random);

struct CaptionStyle {
  enum class Kind { Outlined, Bar, Box, Plain } kind = Kind::Outlined;
  Colour ink = {255, 255, 255};
  double letter_height = 0.09;  // of the em square, as a fraction of the picture's height
};
CaptionStyle random_caption_style(Random& random);

// The text, wrapped and centred, at the top or at the bottom; smaller where it does not fit. Bar
// covers the picture behind the text with white or black.
void draw_caption(Image& image, const std::string& text, const TextFont& font,
                  const CaptionStyle& style, bool at_top);

// Some of: noise, blur, less or more light and contrast, JPEG. strength: 0 nothing, 1 as much as
// still leaves the picture readable.
void weather(Image& image, Random& random, double strength);

}  // namespace zeroshelf::train
