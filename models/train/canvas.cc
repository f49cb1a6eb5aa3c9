// Tested by tests/train/generator_test.cc.

#include "models/train/canvas.h"

#include <unicode/unistr.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numbers>
#include <span>
#include <string_view>
#include <variant>

#include "lib/image/decode.h"
#include "lib/image/encode_jpeg.h"

namespace zeroshelf::train {
namespace {

using std::numbers::pi;

uint8_t to_byte(double value) {
  return static_cast<uint8_t>(std::clamp(value, 0.0, 255.0) + 0.5);
}

Colour mixed(Colour a, Colour b, double t) {
  const auto mix = [t](uint8_t from, uint8_t to) { return to_byte(from + (to - from) * t); };
  return {mix(a.r, b.r), mix(a.g, b.g), mix(a.b, b.b)};
}

Colour random_colour(Random& random) {
  return {to_byte(random.uniform(0, 255)), to_byte(random.uniform(0, 255)),
          to_byte(random.uniform(0, 255))};
}

Colour jittered(Colour colour, Random& random, double by) {
  const auto shift = [&](uint8_t value) { return to_byte(value + random.uniform(-by, by)); };
  return {shift(colour.r), shift(colour.g), shift(colour.b)};
}

uint8_t* pixel(Image& image, int x, int y) {
  return image.rgb.data() + (static_cast<size_t>(y) * image.width_px + x) * 3;
}

void blend(uint8_t* to, Colour colour, double alpha) {
  to[0] = to_byte(to[0] + (colour.r - to[0]) * alpha);
  to[1] = to_byte(to[1] + (colour.g - to[1]) * alpha);
  to[2] = to_byte(to[2] + (colour.b - to[2]) * alpha);
}

// colour_at(x, y): of the point, both 0 to 1.
template <class ColourAt>
void fill(Image& image, double top, double bottom, const ColourAt& colour_at) {
  const int first = static_cast<int>(std::lround(top * image.height_px));
  const int last =
      std::min(static_cast<int>(std::lround(bottom * image.height_px)), image.height_px);
  for (int y = std::max(first, 0); y < last; ++y) {
    for (int x = 0; x < image.width_px; ++x) {
      const Colour colour = colour_at((x + 0.5) / image.width_px, (y + 0.5) / image.height_px);
      uint8_t* to = pixel(image, x, y);
      to[0] = colour.r;
      to[1] = colour.g;
      to[2] = colour.b;
    }
  }
}

// Smooth noise, about 0 to 1: a grid of random values, interpolated.
class Clouds {
 public:
  Clouds(Random& random, int cells) : cells_(cells), values_((cells + 2) * (cells + 2)) {
    for (float& value : values_) value = static_cast<float>(random.uniform());
  }

  double at(double x, double y) const {
    const double gx = x * cells_;
    const double gy = y * cells_;
    const int ix = std::min(static_cast<int>(gx), cells_);
    const int iy = std::min(static_cast<int>(gy), cells_);
    const double fx = smooth(gx - ix);
    const double fy = smooth(gy - iy);
    const auto value = [&](int i, int j) {
      return values_[static_cast<size_t>((iy + j) * (cells_ + 2) + ix + i)];
    };
    const double upper = value(0, 0) + (value(1, 0) - value(0, 0)) * fx;
    const double lower = value(0, 1) + (value(1, 1) - value(0, 1)) * fx;
    return upper + (lower - upper) * fy;
  }

 private:
  static double smooth(double t) { return t * t * (3 - 2 * t); }

  int cells_;
  std::vector<float> values_;
};

// Two colours that something goes over between.
struct Tones {
  Colour from;
  Colour to;
};

void gradient(Image& image, double top, double bottom, const Tones& tones) {
  fill(image, top, bottom, [&](double, double y) {
    return mixed(tones.from, tones.to, (y - top) / std::max(bottom - top, 1e-6));
  });
}

void clouded(Image& image, double top, double bottom, const Tones& tones, Random& random,
             int cells) {
  const Clouds clouds(random, cells);
  fill(image, top, bottom,
       [&](double x, double y) { return mixed(tones.from, tones.to, clouds.at(x, y)); });
}

double box_side(const Image& image) {
  return std::min(image.width_px, image.height_px);
}

// Distance outside the shape of half size 1 around 0; negative inside.
double outside(std::string_view shape, double x, double y) {
  const double radius = std::hypot(x, y);
  const auto box = [&](double half_x, double half_y) {
    return std::max(std::abs(x) - half_x, std::abs(y) - half_y);
  };
  const auto polygon = [&](int corners) {
    const double sector = 2 * pi / corners;
    const double angle = std::atan2(x, -y);
    const double off = angle - sector * std::round(angle / sector);
    return radius * std::cos(std::abs(off) - sector / 2) - std::cos(sector / 2);
  };
  if (shape == "circle") return radius - 1;
  if (shape == "square") return box(0.9, 0.9);
  if (shape == "triangle") return polygon(3);
  if (shape == "ring") return std::abs(radius - 0.75) - 0.25;
  if (shape == "cross") return std::min(box(0.3, 1), box(1, 0.3));
  if (shape == "diamond") return std::abs(x) + std::abs(y) - 1;
  if (shape == "hexagon") return polygon(6);
  if (shape == "stripe") return box(1, 0.22);
  if (shape == "oval") return std::hypot(x, y / 0.6) - 1;
  // star: five points, the inner corners at 0.45 of the outer ones
  const double sector = 2 * pi / 5;
  const double angle = std::atan2(x, -y);
  const double off = std::abs(angle - sector * std::round(angle / sector)) / (sector / 2);
  return radius - (1 - 0.55 * off) * (0.9 + 0.1 * (1 - off));
}

// body(x, y, pixel): for every pixel of a turned square around place; x and y run from -1 to 1.
template <class Body>
void for_turned_square(Image& image, const Place& place, double reach, const Body& body) {
  const double half = place.size * box_side(image) / 2;
  const double centre_x = place.x * image.width_px;
  const double centre_y = place.y * image.height_px;
  const double extent = half * reach;
  const double cosine = std::cos(place.angle) / half;
  const double sine = std::sin(place.angle) / half;
  const auto clamp_to = [](double value, int end) {
    return std::clamp(static_cast<int>(value), 0, end);
  };
  for (int y = clamp_to(centre_y - extent, image.height_px);
       y < clamp_to(centre_y + extent + 1, image.height_px); ++y) {
    for (int x = clamp_to(centre_x - extent, image.width_px);
         x < clamp_to(centre_x + extent + 1, image.width_px); ++x) {
      const double dx = x + 0.5 - centre_x;
      const double dy = y + 0.5 - centre_y;
      body(cosine * dx + sine * dy, cosine * dy - sine * dx, pixel(image, x, y));
    }
  }
}

Sprite halved(const Sprite& sprite) {
  Sprite half{std::max(sprite.width_px / 2, 1), std::max(sprite.height_px / 2, 1), {}};
  half.rgba.reserve(static_cast<size_t>(half.width_px) * half.height_px * 4);
  const auto sample = [&](int x, int y, int channel) {
    x = std::min(x, sprite.width_px - 1);
    y = std::min(y, sprite.height_px - 1);
    return static_cast<int>(
        sprite.rgba[(static_cast<size_t>(y) * sprite.width_px + x) * 4 + channel]);
  };
  for (int y = 0; y < half.height_px; ++y) {
    for (int x = 0; x < half.width_px; ++x) {
      for (int channel = 0; channel < 4; ++channel) {
        const int sum = sample(2 * x, 2 * y, channel) + sample(2 * x + 1, 2 * y, channel) +
                        sample(2 * x, 2 * y + 1, channel) + sample(2 * x + 1, 2 * y + 1, channel);
        half.rgba.push_back(static_cast<uint8_t>((sum + 2) / 4));
      }
    }
  }
  return half;
}

void add_blobs(Image& image, Random& random, int count, double smallest, double largest) {
  for (int i = 0; i < count; ++i) {
    const Place place{random.uniform(), random.uniform(), random.uniform(smallest, largest), 0};
    const Colour colour = random_colour(random);
    draw_shape(image, random.chance(0.5) ? "circle" : "square", place, colour);
  }
}

// --- captions -----------------------------------------------------------------------------------

double width_of(const std::u32string& text, const TextFont& font, int height_px, int outline_px) {
  double width = 0;
  for (const char32_t c : text) width += font.letter(c, height_px, outline_px).advance_px;
  return width;
}

std::vector<std::u32string> wrapped(const std::u32string& text, const TextFont& font, int height_px,
                                    int outline_px, double limit_px) {
  std::vector<std::u32string> lines;
  std::u32string line;
  for (size_t start = 0; start < text.size();) {
    const size_t end = std::min(text.find(U' ', start), text.size());
    const std::u32string word = text.substr(start, end - start);
    const std::u32string longer = line.empty() ? word : line + U' ' + word;
    if (!line.empty() && width_of(longer, font, height_px, outline_px) > limit_px) {
      lines.push_back(line);
      line = word;
    } else {
      line = longer;
    }
    start = end + 1;
  }
  if (!line.empty()) lines.push_back(line);
  return lines;
}

void draw_coverage(Image& image, const Letter::Coverage& coverage, int x, int y, Colour colour) {
  for (int row = 0; row < coverage.height_px; ++row) {
    const int to_y = y - coverage.top_px + row;
    if (to_y < 0 || to_y >= image.height_px) continue;
    for (int column = 0; column < coverage.width_px; ++column) {
      const int to_x = x + coverage.left_px + column;
      const uint8_t alpha = coverage.alpha[static_cast<size_t>(row * coverage.width_px + column)];
      if (alpha == 0 || to_x < 0 || to_x >= image.width_px) continue;
      blend(pixel(image, to_x, to_y), colour, alpha / 255.0);
    }
  }
}

void draw_line(Image& image, const std::u32string& line, const TextFont& font, int height_px,
               int outline_px, int base_y, Colour ink, Colour edge) {
  const double start = (image.width_px - width_of(line, font, height_px, outline_px)) / 2;
  for (const bool is_outline : {true, false}) {
    if (is_outline && outline_px == 0) continue;
    double x = start;
    for (const char32_t c : line) {
      const Letter& letter = font.letter(c, height_px, outline_px);
      draw_coverage(image, is_outline ? letter.outlined : letter.body,
                    static_cast<int>(std::lround(x)), base_y, is_outline ? edge : ink);
      x += letter.advance_px;
    }
  }
}

bool is_light(Colour colour) {
  return colour.r * 0.3 + colour.g * 0.6 + colour.b * 0.1 > 128;
}

// --- wear ---------------------------------------------------------------------------------------

void add_noise(Image& image, Random& random, double deviation) {
  for (size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    const uint64_t bits = random.next();
    for (size_t c = 0; c < 3; ++c) {
      // The sum of two 8-bit numbers, centred: a triangle of deviation 104.
      const int sum = static_cast<int>((bits >> (c * 16)) & 255) +
                      static_cast<int>((bits >> (c * 16 + 8)) & 255) - 255;
      image.rgb[i + c] = to_byte(image.rgb[i + c] + sum * deviation / 104);
    }
  }
}

// The mean of each pixel and its neighbours.
void blur(Image& image) {
  const Image source = image;
  for (int y = 0; y < image.height_px; ++y) {
    const int above = std::max(y - 1, 0);
    const int below = std::min(y + 1, image.height_px - 1);
    for (int x = 0; x < image.width_px; ++x) {
      const int left = std::max(x - 1, 0);
      const int right = std::min(x + 1, image.width_px - 1);
      for (int c = 0; c < 3; ++c) {
        int sum = 0;
        for (const int row : {above, y, below}) {
          const auto samples = source.row(row);
          sum += samples[static_cast<size_t>(left * 3 + c)] +
                 samples[static_cast<size_t>(x * 3 + c)] +
                 samples[static_cast<size_t>(right * 3 + c)];
        }
        pixel(image, x, y)[c] = static_cast<uint8_t>(sum / 9);
      }
    }
  }
}

void change_light(Image& image, Random& random, double strength) {
  const double contrast = 1 + random.uniform(-0.3, 0.3) * strength;
  std::array<std::array<uint8_t, 256>, 3> table;
  for (auto& channel : table) {
    const double offset = random.uniform(-30, 30) * strength;
    for (int value = 0; value < 256; ++value) {
      channel[static_cast<size_t>(value)] = to_byte((value - 128) * contrast + 128 + offset);
    }
  }
  for (size_t i = 0; i < image.rgb.size(); ++i) image.rgb[i] = table[i % 3][image.rgb[i]];
}

void pass_through_jpeg(Image& image, int quality) {
  const std::string file = encode_jpeg(image, quality);
  image = std::get<Image>(decode_image(std::as_bytes(std::span(file)), {}));
}

}  // namespace

Sticker::Sticker(Sprite sprite) {
  levels_.push_back(std::move(sprite));
  while (std::max(levels_.back().width_px, levels_.back().height_px) > 12) {
    levels_.push_back(halved(levels_.back()));
  }
}

const Sprite& Sticker::level_for(double side_px) const {
  size_t level = 0;
  while (level + 1 < levels_.size() &&
         std::max(levels_[level + 1].width_px, levels_[level + 1].height_px) >= side_px) {
    ++level;
  }
  return levels_[level];
}

Image blank(int width_px, int height_px, Colour colour) {
  Image image{width_px, height_px, {}};
  image.rgb.resize(static_cast<size_t>(width_px) * height_px * 3);
  fill(image, 0, 1, [&](double, double) { return colour; });
  return image;
}

void draw_sticker(Image& image, const Sticker& sticker, const Place& place) {
  const Sprite& sprite = sticker.level_for(place.size * box_side(image));
  const double half_side = std::max(sprite.width_px, sprite.height_px) / 2.0;
  for_turned_square(image, place, 1.5, [&](double x, double y, uint8_t* to) {
    // The four nearest samples; those outside are transparent.
    const double sx = x * half_side + sprite.width_px / 2.0 - 0.5;
    const double sy = y * half_side + sprite.height_px / 2.0 - 0.5;
    if (sx <= -1 || sy <= -1 || sx >= sprite.width_px || sy >= sprite.height_px) return;
    const int left = static_cast<int>(std::floor(sx));
    const int top = static_cast<int>(std::floor(sy));
    double sum[4] = {};
    for (int j = 0; j < 2; ++j) {
      for (int i = 0; i < 2; ++i) {
        const int px = left + i;
        const int py = top + j;
        if (px < 0 || py < 0 || px >= sprite.width_px || py >= sprite.height_px) continue;
        const double weight =
            (i == 0 ? left + 1 - sx : sx - left) * (j == 0 ? top + 1 - sy : sy - top);
        const uint8_t* sample =
            sprite.rgba.data() + (static_cast<size_t>(py) * sprite.width_px + px) * 4;
        for (int c = 0; c < 4; ++c) sum[c] += weight * sample[c];
      }
    }
    const double through = 1 - sum[3] / 255;
    for (int c = 0; c < 3; ++c) to[c] = to_byte(to[c] * through + sum[c]);
  });
}

void draw_shape(Image& image, const std::string& shape, const Place& place, Colour colour) {
  const double half_px = place.size * box_side(image) / 2;
  for_turned_square(image, place, 1.5, [&](double x, double y, uint8_t* to) {
    const double coverage = std::clamp(0.5 - outside(shape, x, y) * half_px, 0.0, 1.0);
    if (coverage > 0) blend(to, colour, coverage);
  });
}

void draw_plain_backdrop(Image& image, Random& random, PlainBackdrops which) {
  const Colour a = random_colour(random);
  const Colour b = random_colour(random);
  switch (random.below(which == PlainBackdrops::Smooth ? 4 : 8)) {
    case 0:
      fill(image, 0, 1, [&](double, double) { return Colour{255, 255, 255}; });
      break;
    case 1:
      fill(image, 0, 1, [&](double, double) { return a; });
      break;
    case 2: {
      const double angle = random.uniform(0, 2 * pi);
      fill(image, 0, 1, [&](double x, double y) {
        return mixed(a, b, 0.5 + 0.7 * ((x - 0.5) * std::cos(angle) + (y - 0.5) * std::sin(angle)));
      });
      break;
    }
    case 3:
      fill(image, 0, 1,
           [&](double x, double y) { return mixed(a, b, std::hypot(x - 0.5, y - 0.5) * 1.4); });
      break;
    case 4: {
      const double angle = random.uniform(0, pi);
      const double frequency = random.uniform(3, 12);
      fill(image, 0, 1, [&](double x, double y) {
        const double along = (x * std::cos(angle) + y * std::sin(angle)) * frequency;
        return along - std::floor(along) < 0.5 ? a : b;
      });
      break;
    }
    case 5: {
      const double cells = random.uniform(3, 10);
      fill(image, 0, 1, [&](double x, double y) {
        return (static_cast<int>(x * cells) + static_cast<int>(y * cells)) % 2 == 0 ? a : b;
      });
      break;
    }
    case 6:
      clouded(image, 0, 1, {a, b}, random, random.between(2, 14));
      break;
    default:
      clouded(image, 0, 1, {a, b}, random, 3);
      add_blobs(image, random, random.between(3, 14), 0.05, 0.4);
  }
}

void draw_scenery(Image& image, const std::string& name, Random& random) {
  const auto tone = [&](Colour colour) { return jittered(colour, random, 22); };
  const auto tones = [&](Colour from, Colour to) {
    to = tone(to);  // first: so the drawn pictures have it from the beginning
    return Tones{tone(from), to};
  };
  const double horizon = random.uniform(0.45, 0.7);
  const auto sky = [&](const Tones& high_and_low) { gradient(image, 0, horizon, high_and_low); };
  const auto ground = [&](const Tones& of_ground, int cells) {
    clouded(image, horizon, 1, of_ground, random, cells);
  };
  const auto dots = [&](int count, double largest, Colour colour, double lowest) {
    for (int i = 0; i < count; ++i) {
      draw_shape(
          image, "circle",
          {random.uniform(), random.uniform(0, lowest), random.uniform(largest / 3, largest), 0},
          colour);
    }
  };
  const auto blocks = [&](Colour colour, double smallest, double largest) {
    for (int i = 0; i < 7; ++i) {
      const double size = random.uniform(smallest, largest);
      const Colour own = jittered(colour, random, 30);
      draw_shape(image, "square", {random.uniform(), horizon - size * 0.35, size, 0}, own);
    }
  };
  if (name == "cave") {
    const int cells = random.between(3, 7);
    clouded(image, 0, 1, tones({60, 14, 12}, {18, 10, 14}), random, cells);
    const Tones lava = tones({240, 90, 20}, {160, 30, 12});
    clouded(image, random.uniform(0.75, 0.9), 1, lava, random, 8);
  } else if (name == "field") {
    sky(tones({120, 190, 245}, {205, 232, 250}));
    ground(tones({96, 178, 76}, {140, 208, 96}), 6);
  } else if (name == "sea") {
    sky(tones({110, 190, 245}, {200, 235, 250}));
    gradient(image, horizon, 0.8, tones({30, 120, 190}, {60, 170, 200}));
    clouded(image, 0.8, 1, tones({235, 212, 150}, {246, 228, 178}), random, 9);
  } else if (name == "water") {
    gradient(image, 0, 1, tones({60, 170, 220}, {8, 50, 110}));
    dots(8, 0.06, tone({170, 220, 245}), 1);
  } else if (name == "room") {
    sky(tones({230, 218, 196}, {218, 204, 182}));
    ground(tones({150, 108, 70}, {132, 92, 58}), 3);
    const Colour window = tone({190, 222, 245});
    draw_shape(image, "square", {random.uniform(0.15, 0.85), 0.22, 0.26, 0}, window);
  } else if (name == "night") {
    gradient(image, 0, horizon, tones({12, 14, 44}, {36, 34, 84}));
    ground(tones({24, 36, 30}, {16, 22, 26}), 5);
    dots(14, 0.02, {235, 235, 220}, horizon);
  } else if (name == "space") {
    clouded(image, 0, 1, {{6, 6, 16}, tone({34, 22, 64})}, random, 3);
    dots(28, 0.02, {240, 240, 240}, 1);
  } else if (name == "snow") {
    sky(tones({170, 200, 226}, {222, 234, 244}));
    ground({{250, 252, 255}, tone({222, 232, 244})}, 4);
    dots(16, 0.03, {255, 255, 255}, 1);
  } else if (name == "city") {
    sky(tones({160, 190, 216}, {214, 222, 230}));
    blocks(tone({120, 122, 132}), 0.2, 0.6);
    ground(tones({92, 92, 96}, {108, 108, 112}), 3);
  } else if (name == "sky") {
    gradient(image, 0, 1, tones({84, 148, 226}, {206, 226, 244}));
    for (int i = 0; i < 4; ++i) {
      const Colour cloud = tone({236, 240, 246});
      draw_shape(image, "oval",
                 {random.uniform(), random.uniform(0, 0.8), random.uniform(0.2, 0.5), 0}, cloud);
    }
  } else if (name == "desert") {
    sky(tones({130, 190, 236}, {246, 226, 180}));
    ground(tones({222, 176, 104}, {204, 152, 84}), 4);
  } else if (name == "forest") {
    clouded(image, 0, 1, tones({28, 84, 40}, {74, 136, 62}), random, 8);
    for (int i = 0; i < 4; ++i) {
      const Colour trunk = tone({84, 58, 36});
      draw_shape(image, "stripe", {random.uniform(), random.uniform(0.4, 0.7), 0.9, pi / 2}, trunk);
    }
    ground(tones({52, 92, 40}, {70, 110, 50}), 6);
  } else {
    assert(name == "plain");
    clouded(image, 0, 1, tones({238, 214, 226}, {214, 226, 240}), random, 2);
  }
}

CaptionStyle random_caption_style(Random& random) {
  CaptionStyle style;
  style.kind = static_cast<CaptionStyle::Kind>(random.below(4));
  style.letter_height = random.uniform(0.07, 0.11);
  if (style.kind == CaptionStyle::Kind::Bar || style.kind == CaptionStyle::Kind::Box) {
    style.ink = random.chance(0.6) ? Colour{10, 10, 10} : Colour{250, 250, 250};
  } else if (random.chance(0.25)) {
    style.ink = {255, 232, 60};
  }
  return style;
}

void draw_caption(Image& image, const std::string& text, const TextFont& font,
                  const CaptionStyle& style, bool at_top) {
  using Kind = CaptionStyle::Kind;
  icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(text);
  if (style.kind == Kind::Outlined) unicode.toUpper();
  std::u32string letters;
  for (int32_t i = 0; i < unicode.length(); i = unicode.moveIndex32(i, 1)) {
    letters.push_back(static_cast<char32_t>(unicode.char32At(i)));
  }

  int height_px = std::max(static_cast<int>(style.letter_height * image.height_px), 6);
  const double limit_px = image.width_px * 0.94;
  int outline_px = 0;
  std::vector<std::u32string> lines;
  for (;; height_px = height_px * 9 / 10) {
    const bool has_edge = style.kind == Kind::Outlined || style.kind == Kind::Plain;
    outline_px = has_edge ? std::max(height_px / 14, 1) : 0;
    lines = wrapped(letters, font, height_px, outline_px, limit_px);
    const bool fits = std::all_of(lines.begin(), lines.end(), [&](const std::u32string& line) {
      return width_of(line, font, height_px, outline_px) <= limit_px;
    });
    if ((fits && static_cast<double>(lines.size()) * height_px * 1.2 < image.height_px * 0.4) ||
        height_px <= 6) {
      break;
    }
  }

  const double line_px = height_px * 1.18;
  const double block_px = line_px * static_cast<double>(lines.size()) + height_px * 0.4;
  const double top = at_top ? 0 : image.height_px - block_px;
  const Colour contrast = is_light(style.ink) ? Colour{0, 0, 0} : Colour{255, 255, 255};
  if (style.kind == Kind::Bar || style.kind == Kind::Box) {
    const double opacity = style.kind == Kind::Bar ? 1 : 0.75;
    for (int y = std::max(static_cast<int>(top), 0);
         y < std::min(static_cast<int>(top + block_px), image.height_px); ++y) {
      for (int x = 0; x < image.width_px; ++x) blend(pixel(image, x, y), contrast, opacity);
    }
  }
  double base = top + height_px * 0.2 + height_px * 0.92;
  for (const std::u32string& line : lines) {
    draw_line(image, line, font, height_px, outline_px, static_cast<int>(base), style.ink,
              contrast);
    base += line_px;
  }
}

void weather(Image& image, Random& random, double strength) {
  if (random.chance(0.5 * strength)) change_light(image, random, strength);
  if (random.chance(0.25 * strength)) blur(image);
  if (random.chance(0.4 * strength)) add_noise(image, random, random.uniform(2, 18) * strength);
  if (random.chance(0.3 * strength)) {
    pass_through_jpeg(image, random.between(90 - static_cast<int>(60 * strength), 95));
  }
}

}  // namespace zeroshelf::train
