// Draws the pictures of the OCR benchmark.

#include "benchmarks/ocr_set.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numbers>
#include <span>
#include <sstream>
#include <stdexcept>
#include <variant>

#include "lib/image/decode.h"
#include "lib/image/encode_jpeg.h"
#include "lib/image/preprocess.h"
#include "lib/lexicon/tokens.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/random.h"
#include "lib/util/text.h"
#include "models/train/canvas.h"
#include "models/train/fonts.h"

namespace zeroshelf::bench {
namespace {

namespace fs = std::filesystem;
using train::Colour;
using train::Letter;
using train::TextFont;
using zeroshelf::Random;

constexpr Colour kWhite = {255, 255, 255};
constexpr Colour kBlack = {0, 0, 0};

// --- pixels --------------------------------------------------------------------------------------

void blend(Image& image, int x, int y, Colour colour, double alpha) {
  if (x < 0 || y < 0 || x >= image.width_px || y >= image.height_px) return;
  uint8_t* pixel = image.rgb.data() + 3 * (static_cast<size_t>(y) * image.width_px + x);
  const uint8_t target[3] = {colour.r, colour.g, colour.b};
  for (int c = 0; c < 3; ++c)
    pixel[c] = static_cast<uint8_t>(std::lround(pixel[c] + alpha * (target[c] - pixel[c])));
}

struct Rectangle {
  int x = 0, y = 0, width = 0, height = 0;
};

void fill(Image& image, const Rectangle& area, Colour colour, double alpha = 1) {
  for (int y = area.y; y < area.y + area.height; ++y) {
    for (int x = area.x; x < area.x + area.width; ++x) blend(image, x, y, colour, alpha);
  }
}

void paste(Image& onto, const Image& image, int left, int top) {
  for (int y = 0; y < image.height_px; ++y) {
    for (int x = 0; x < image.width_px; ++x) {
      const uint8_t* pixel = image.rgb.data() + 3 * (static_cast<size_t>(y) * image.width_px + x);
      blend(onto, left + x, top + y, {pixel[0], pixel[1], pixel[2]}, 1);
    }
  }
}

// The panel seen by a camera that is turned and does not look straight at it; edge: what lies
// outside of it, or nothing, which leaves the scene.
void paste_in_perspective(Image& onto, const Image& panel, double centre_x, double centre_y,
                          double angle, double tilt_x, double tilt_y) {
  const double cosine = std::cos(angle);
  const double sine = std::sin(angle);
  for (int y = 0; y < onto.height_px; ++y) {
    for (int x = 0; x < onto.width_px; ++x) {
      const double dx = x - centre_x;
      const double dy = y - centre_y;
      double u = cosine * dx + sine * dy;
      double v = cosine * dy - sine * dx;
      const double depth = 1 + tilt_x * u / panel.width_px + tilt_y * v / panel.height_px;
      u = u / depth + panel.width_px / 2.0;
      v = v / depth + panel.height_px / 2.0;
      const int left = static_cast<int>(std::floor(u));
      const int top = static_cast<int>(std::floor(v));
      if (left < 0 || top < 0 || left + 1 >= panel.width_px || top + 1 >= panel.height_px) continue;
      uint8_t colour[3];
      for (int c = 0; c < 3; ++c) {
        const auto at = [&](int i, int j) {
          return static_cast<double>(
              panel.rgb[3 * (static_cast<size_t>(j) * panel.width_px + i) + c]);
        };
        const double fx = u - left;
        const double fy = v - top;
        colour[c] =
            static_cast<uint8_t>((at(left, top) * (1 - fx) + at(left + 1, top) * fx) * (1 - fy) +
                                 (at(left, top + 1) * (1 - fx) + at(left + 1, top + 1) * fx) * fy);
      }
      blend(onto, x, y, {colour[0], colour[1], colour[2]}, 1);
    }
  }
}

// Turned about its centre; what comes in from outside repeats the edge.
Image turned(const Image& image, double angle) {
  const int margin =
      static_cast<int>(std::max(image.width_px, image.height_px) * std::abs(std::sin(angle))) + 2;
  Image padded = train::blank(image.width_px + 2 * margin, image.height_px + 2 * margin, kBlack);
  for (int y = 0; y < padded.height_px; ++y) {
    for (int x = 0; x < padded.width_px; ++x) {
      const int from_x = std::clamp(x - margin, 0, image.width_px - 1);
      const int from_y = std::clamp(y - margin, 0, image.height_px - 1);
      std::copy_n(
          image.rgb.begin() + 3 * (static_cast<ptrdiff_t>(from_y) * image.width_px + from_x), 3,
          padded.rgb.begin() + 3 * (static_cast<ptrdiff_t>(y) * padded.width_px + x));
    }
  }
  Image result = image;
  paste_in_perspective(result, padded, image.width_px / 2.0, image.height_px / 2.0, angle, 0, 0);
  return result;
}

// --- text ----------------------------------------------------------------------------------------

struct Pen {
  const TextFont* font = nullptr;
  int em_px = 20;
  Colour ink = kBlack;
  int outline_px = 0;
  Colour edge = kBlack;
};

double width_of(const std::string& text, const Pen& pen) {
  double width = 0;
  for (const char32_t c : code_points(text))
    width += pen.font->letter(c, pen.em_px, pen.outline_px).advance_px;
  return width;
}

void put(Image& image, const Letter::Coverage& glyph, double x, int base, Colour colour) {
  const int left = static_cast<int>(std::lround(x)) + glyph.left_px;
  for (int j = 0; j < glyph.height_px; ++j) {
    for (int i = 0; i < glyph.width_px; ++i) {
      const uint8_t alpha = glyph.alpha[static_cast<size_t>(j) * glyph.width_px + i];
      if (alpha > 0) blend(image, left + i, base - glyph.top_px + j, colour, alpha / 255.0);
    }
  }
}

void write_line(Image& image, const std::string& text, double x, int base, const Pen& pen) {
  for (const bool outline : {true, false}) {
    if (outline && pen.outline_px == 0) continue;
    double at = x;
    for (const char32_t c : code_points(text)) {
      const Letter& letter = pen.font->letter(c, pen.em_px, pen.outline_px);
      put(image, outline ? letter.outlined : letter.body, at, base, outline ? pen.edge : pen.ink);
      at += letter.advance_px;
    }
  }
}

std::vector<std::string> wrapped(const std::string& text, const Pen& pen, double width) {
  std::vector<std::string> lines(1);
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    std::string& line = lines.back();
    const std::string longer = line.empty() ? word : line + " " + word;
    if (line.empty() || width_of(longer, pen) <= width) {
      line = longer;
    } else {
      lines.push_back(word);
    }
  }
  return lines;
}

// For a script without blanks: a line may end after every letter.
std::vector<std::string> wrapped_anywhere(const std::string& text, const Pen& pen, double width) {
  std::vector<std::string> lines(1);
  for (size_t begin = 0, end = 0; begin < text.size(); begin = end) {
    end = begin + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) ++end;
    const std::string letter = text.substr(begin, end - begin);
    if (!lines.back().empty() && width_of(lines.back() + letter, pen) > width) lines.emplace_back();
    lines.back() += letter;
  }
  return lines;
}

enum class Align { Left, Centre };

// The lines from top on; returns where the next would begin.
int write_block(Image& image, const std::vector<std::string>& lines, int left, int width, int top,
                const Pen& pen, Align align, double spacing = 1.18) {
  double y = top;
  for (const std::string& line : lines) {
    const double x = align == Align::Left ? left : left + (width - width_of(line, pen)) / 2;
    write_line(image, line, x, static_cast<int>(y + 0.92 * pen.em_px), pen);
    y += spacing * pen.em_px;
  }
  return static_cast<int>(y);
}

// Clockwise.
Image quarter_turned(const Image& image) {
  Image result = train::blank(image.height_px, image.width_px, kBlack);
  for (int y = 0; y < image.height_px; ++y) {
    for (int x = 0; x < image.width_px; ++x) {
      const auto from = image.rgb.begin() + 3 * (static_cast<ptrdiff_t>(y) * image.width_px + x);
      const ptrdiff_t to = static_cast<ptrdiff_t>(x) * result.width_px + (result.width_px - 1 - y);
      std::copy_n(from, 3, result.rgb.begin() + 3 * to);
    }
  }
  return result;
}

Image opened(const fs::path& path) {
  const std::string bytes = read_file(path, 1 << 24);
  return std::get<Image>(decode_image(std::as_bytes(std::span(bytes)), {}));
}

std::string upper(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::toupper(c); });
  return text;
}

void add_words(std::vector<std::string>& words, const std::string& text) {
  std::istringstream in(text);
  for (std::string word; in >> word;) words.push_back(word);
}

Colour colour_between(Random& random, int low, int high) {
  const auto one = [&] { return static_cast<uint8_t>(random.between(low, high)); };
  return {one(), one(), one()};
}

constexpr Colour kLoud[] = {{255, 225, 30},  {255, 240, 120}, {120, 230, 255},
                            {140, 255, 120}, {255, 150, 60},  {255, 110, 160}};

}  // namespace

const std::vector<std::string>& ocr_styles() {
  static const std::vector<std::string> styles = {"outlined caption",
                                                  "plain white caption",
                                                  "black on white bar",
                                                  "tinted bar",
                                                  "coloured letters",
                                                  "turned caption",
                                                  "panels",
                                                  "chat",
                                                  "post",
                                                  "sign",
                                                  "receipt",
                                                  "document",
                                                  "label",
                                                  "long screenshot",
                                                  "turned picture",
                                                  "Russian caption",
                                                  "Greek caption",
                                                  "Polish caption",
                                                  "German caption",
                                                  "Korean caption",
                                                  "Japanese caption",
                                                  "Chinese caption"};
  return styles;
}

struct OcrSet::Content {
  const OcrMaterial& material;
  std::vector<Image> photographs;
  std::vector<fs::path> small_textless;
  std::vector<fs::path> large_textless;
  std::map<const char*, std::unique_ptr<TextFont>> fonts;

  explicit Content(Split split) : material(ocr_material(split)) {}

  const TextFont* font(Random& random, const std::vector<FontChoice>& choices) const {
    return fonts.at(random.pick(choices).path).get();
  }

  // --- what lies below
  // ----------------------------------------------------------------------------

  Image background(Random& random, int width, int height) const {
    if (photographs.empty() || random.chance(0.2)) return scene(random, width, height);
    return photograph(random, width, height);
  }

  static Image scene(Random& random, int width, int height) {
    static constexpr const char* kNames[] = {"cave", "field", "sea",    "room",   "space", "snow",
                                             "city", "night", "desert", "forest", "sky"};
    Image image = train::blank(width, height, kWhite);
    if (random.chance(0.5)) {
      train::draw_scenery(image, kNames[random.below(std::size(kNames))], random);
    } else {
      train::draw_plain_backdrop(image, random);
    }
    for (int i = random.between(0, 5); i > 0; --i) {
      const Colour colour = colour_between(random, 0, 255);
      const train::Place place{random.uniform(), random.uniform(), random.uniform(0.08, 0.4),
                               random.uniform(0, 3)};
      train::draw_shape(image, random.pick(train::kShapes), place, colour);
    }
    return image;
  }

  // Some part of some photograph, mirrored half the time.
  Image photograph(Random& random, int width, int height) const {
    const Image& whole = random.pick(photographs);
    const double fit = std::max(static_cast<double>(width) / whole.width_px,
                                static_cast<double>(height) / whole.height_px) *
                       random.uniform(1.0, 1.4);
    const Image large =
        resize_bicubic(whole, std::max(width, static_cast<int>(whole.width_px * fit)),
                       std::max(height, static_cast<int>(whole.height_px * fit)));
    const int left = random.between(0, large.width_px - width);
    const int top = random.between(0, large.height_px - height);
    const bool mirrored = random.chance(0.5);
    Image image = train::blank(width, height, kBlack);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const int from = left + (mirrored ? width - 1 - x : x);
        std::copy_n(
            large.rgb.begin() + 3 * (static_cast<ptrdiff_t>(top + y) * large.width_px + from), 3,
            image.rgb.begin() + 3 * (static_cast<ptrdiff_t>(y) * width + x));
      }
    }
    return image;
  }

  // --- the styles
  // ---------------------------------------------------------------------------------

  std::string sentence(Random& random) const { return random.pick(material.sentences); }

  // One or two captions over a picture, with letters of this look.
  void captions(Random& random, OcrSample& sample, Pen pen, bool shadow) const {
    Image& image = sample.image;
    pen.font = font(random, material.headline);
    pen.em_px = std::max(18, static_cast<int>(image.width_px * random.uniform(0.055, 0.105)));
    if (pen.outline_px > 0)
      pen.outline_px = std::max(1, static_cast<int>(pen.em_px * random.uniform(0.035, 0.07)));
    const bool capitals = random.chance(0.6);
    const int margin = image.width_px / 20;
    const size_t count = random.chance(0.5) ? 2 : 1;
    const bool first_top = random.chance(0.5);
    for (size_t i = 0; i < count; ++i) {
      std::string text = sentence(random);
      if (capitals) text = upper(text);
      const auto lines = wrapped(text, pen, image.width_px - 2 * margin);
      const int height = static_cast<int>(1.18 * pen.em_px * static_cast<double>(lines.size()));
      const bool top = (i == 0) == first_top;
      if (i > 0 && height > image.height_px / 2 - margin) break;  // they would meet
      const int y = top ? margin / 2 : image.height_px - margin / 2 - height;
      if (shadow) {
        Pen dark = pen;
        dark.ink = kBlack;
        write_block(image, lines, margin + std::max(1, pen.em_px / 22), image.width_px - 2 * margin,
                    y + std::max(1, pen.em_px / 22), dark, Align::Centre);
      }
      write_block(image, lines, margin, image.width_px - 2 * margin, y, pen, Align::Centre);
      add_words(sample.words, text);
    }
  }

  Image picture(Random& random) const {
    const int width = random.between(400, 1000);
    return background(random, width, static_cast<int>(width * random.uniform(0.7, 1.2)));
  }

  void outlined(Random& random, OcrSample& sample) const {
    sample.image = picture(random);
    captions(random, sample, {nullptr, 0, kWhite, 1, kBlack}, false);
  }

  void plain_white(Random& random, OcrSample& sample) const {
    sample.image = picture(random);
    // What people do so that it can be read: the picture is darker, or there is a shadow.
    const bool shadow = random.chance(0.5);
    if (!shadow)
      fill(sample.image, {0, 0, sample.image.width_px, sample.image.height_px}, kBlack,
           random.uniform(0.25, 0.5));
    captions(random, sample, {nullptr, 0, kWhite, 0, kBlack}, shadow);
  }

  void coloured(Random& random, OcrSample& sample) const {
    sample.image = picture(random);
    const Colour ink = kLoud[random.below(std::size(kLoud))];
    const bool shadow = random.chance(0.8);
    captions(random, sample, {nullptr, 0, ink, random.chance(0.7) ? 1 : 0, kBlack}, shadow);
  }

  void turned_caption(Random& random, OcrSample& sample) const {
    if (random.chance(0.6)) {
      outlined(random, sample);
    } else {
      tinted_bar(random, sample);
    }
    const int way = random.chance(0.5) ? 1 : -1;
    sample.image = turned(sample.image, way * random.uniform(1, 5) * std::numbers::pi / 180);
  }

  // A picture that lies on its side or on its head.
  void turned_picture(Random& random, OcrSample& sample) const {
    using Draw = void (Content::*)(Random&, OcrSample&) const;
    static constexpr Draw kUpright[] = {&Content::white_bar, &Content::outlined, &Content::chat,
                                        &Content::post, &Content::receipt};
    (this->*kUpright[random.below(std::size(kUpright))])(random, sample);
    for (int quarters = random.between(1, 3); quarters > 0; --quarters)
      sample.image = quarter_turned(sample.image);
  }

  const Tongue& tongue(const std::string& style) const {
    return *std::ranges::find_if(material.tongues,
                                 [&](const Tongue& tongue) { return tongue.style == style; });
  }

  // A caption in another language, over the picture or above it.
  void foreign(Random& random, OcrSample& sample) const {
    const Tongue& tongue = this->tongue(sample.style);
    sample.languages = tongue.languages;
    sample.has_blanks = tongue.has_blanks;
    const std::string text = random.pick(tongue.sentences);
    const Image below = picture(random);
    const bool is_over = random.chance(0.5);
    Pen pen{font(random, tongue.fonts), 0, is_over ? kWhite : kBlack, 0, kBlack};
    pen.em_px = std::max(18, static_cast<int>(below.width_px * random.uniform(0.05, 0.09)));
    if (is_over)
      pen.outline_px = std::max(1, static_cast<int>(pen.em_px * random.uniform(0.04, 0.07)));
    const int margin = below.width_px / 20;
    const double room = below.width_px - 2 * margin;
    const auto lines =
        tongue.has_blanks ? wrapped(text, pen, room) : wrapped_anywhere(text, pen, room);
    const int height =
        static_cast<int>(1.25 * pen.em_px * static_cast<double>(lines.size())) + margin;
    const int bar = is_over ? 0 : height;
    sample.image = train::blank(below.width_px, below.height_px + bar, kWhite);
    paste(sample.image, below, 0, bar);
    const int top = is_over && random.chance(0.5) ? sample.image.height_px - height : 0;
    write_block(sample.image, lines, margin, below.width_px - 2 * margin, top + margin / 2, pen,
                Align::Centre, 1.25);
    add_words(sample.words, text);
  }

  void bar(Random& random, OcrSample& sample, Colour paper, Colour ink) const {
    const Image below = picture(random);
    Pen pen{font(random, random.chance(0.5) ? material.headline : material.text), 0, ink, 0,
            kBlack};
    pen.em_px = std::max(15, static_cast<int>(below.width_px * random.uniform(0.035, 0.075)));
    const std::string more = random.chance(0.4) ? " " + sentence(random) : "";
    const std::string text = sentence(random) + more;
    const int margin = below.width_px / 25;
    const auto lines = wrapped(text, pen, below.width_px - 2 * margin);
    const int height =
        static_cast<int>(1.18 * pen.em_px * static_cast<double>(lines.size())) + margin;
    sample.image = train::blank(below.width_px, below.height_px + height, paper);
    const bool top = random.chance(0.75);
    paste(sample.image, below, 0, top ? height : 0);
    write_block(sample.image, lines, margin, below.width_px - 2 * margin,
                (top ? 0 : below.height_px) + margin / 2, pen,
                random.chance(0.5) ? Align::Left : Align::Centre);
    add_words(sample.words, text);
  }

  void white_bar(Random& random, OcrSample& sample) const { bar(random, sample, kWhite, kBlack); }

  void tinted_bar(Random& random, OcrSample& sample) const {
    Image& image = sample.image = picture(random);
    const bool dark = random.chance(0.6);
    Pen pen{font(random, random.chance(0.5) ? material.headline : material.text), 0,
            dark ? colour_between(random, 225, 255) : colour_between(random, 0, 50), 0, kBlack};
    pen.em_px = std::max(16, static_cast<int>(image.width_px * random.uniform(0.04, 0.08)));
    const std::string text = sentence(random);
    const int margin = image.width_px / 20;
    const auto lines = wrapped(text, pen, image.width_px - 2 * margin);
    const int height = static_cast<int>(1.18 * pen.em_px * static_cast<double>(lines.size()));
    const int top = random.between(margin, std::max(margin + 1, image.height_px - height - margin));
    const double opacity = random.uniform(0.55, 1);
    fill(image, {0, top - pen.em_px / 3, image.width_px, height + 2 * pen.em_px / 3},
         dark ? colour_between(random, 0, 110) : colour_between(random, 170, 255), opacity);
    write_block(image, lines, margin, image.width_px - 2 * margin, top, pen, Align::Centre);
    add_words(sample.words, text);
  }

  // Two to four panels with a caption beside or inside each.
  void panels(Random& random, OcrSample& sample) const {
    const int width = random.between(560, 1000);
    const int rows = random.between(2, 3);
    const int height = width / 3;
    Image& image = sample.image = train::blank(width, rows * height, kWhite);
    Pen pen{font(random, random.chance(0.5) ? material.headline : material.text), 0, kBlack, 0,
            kBlack};
    pen.em_px = std::max(18, static_cast<int>(width * random.uniform(0.035, 0.05)));
    for (int row = 0; row < rows; ++row) {
      paste(image, background(random, width / 2, height - 3), 0, row * height);
      const std::string text = sentence(random);
      const auto lines = wrapped(text, pen, width / 2 - 40);
      const int block = static_cast<int>(1.18 * pen.em_px * static_cast<double>(lines.size()));
      write_block(image, lines, width / 2 + 20, width / 2 - 40, row * height + (height - block) / 2,
                  pen, Align::Centre);
      add_words(sample.words, text);
    }
  }

  void chat(Random& random, OcrSample& sample) const {
    const int width = random.between(400, 760);
    conversation(random, sample, width, {1.0, 1.5}, 2.0 / 3);
  }

  // As phones make of a chat that is scrolled: as long as it gets.
  void long_screenshot(Random& random, OcrSample& sample) const {
    const int width = random.between(400, 1080);
    conversation(random, sample, width, {7, 14}, random.uniform(0.7, 8));
  }

  struct Range {
    double least = 0;
    double most = 0;
  };

  // tall: height in widths. gap: between messages, in heights of the letters.
  void conversation(Random& random, OcrSample& sample, int width, Range tall, double gap) const {
    const bool night = random.chance(0.4);
    Image& image = sample.image =
        train::blank(width, static_cast<int>(width * random.uniform(tall.least, tall.most)),
                     night ? Colour{18, 20, 24} : Colour{236, 232, 224});
    const Colour other = night ? Colour{48, 50, 58} : kWhite;
    const Colour own = night ? Colour{0, 92, 75} : Colour{214, 248, 198};
    const Colour ink = night ? Colour{235, 235, 235} : Colour{20, 20, 20};
    const TextFont* face = font(random, material.text);
    const Pen pen{face, static_cast<int>(width * random.uniform(0.036, 0.046)), ink, 0, kBlack};
    const Pen small{face, static_cast<int>(pen.em_px * 0.85), {40, 140, 190}, 0, kBlack};
    fill(image, {0, 0, width, 3 * pen.em_px}, night ? Colour{30, 33, 38} : Colour{7, 94, 84});
    Pen head = pen;
    head.ink = kWhite;
    head.em_px = static_cast<int>(pen.em_px * 1.15);
    const std::string title = random.pick(material.names);
    write_line(image, title, 3 * pen.em_px, 2 * pen.em_px, head);
    add_words(sample.words, title);
    int y = 4 * pen.em_px;
    for (int i = 0;; ++i) {
      const bool mine = random.chance(0.5);
      const std::string text = sentence(random);
      const auto lines = wrapped(text, pen, width * 0.66);
      double widest = 0;
      for (const std::string& line : lines) widest = std::max(widest, width_of(line, pen));
      const std::string name = random.pick(material.names);
      if (!mine) widest = std::max(widest, width_of(name, small));
      const int block = static_cast<int>(1.18 * pen.em_px * static_cast<double>(lines.size())) +
                        pen.em_px + (mine ? 0 : small.em_px * 5 / 4);
      if (y + block > image.height_px - pen.em_px) break;
      const int bubble = static_cast<int>(widest) + pen.em_px;
      const int left = mine ? width - bubble - pen.em_px : pen.em_px;
      fill(image, {left, y, bubble, block}, mine ? own : other);
      int at = y + pen.em_px / 3;
      if (!mine) {
        at = write_block(image, {name}, left + pen.em_px / 2, 0, at, small, Align::Left);
        add_words(sample.words, name);
      }
      write_block(image, lines, left + pen.em_px / 2, 0, at, pen, Align::Left);
      add_words(sample.words, text);
      y += block + static_cast<int>(pen.em_px * gap);
    }
  }

  void post(Random& random, OcrSample& sample) const {
    const int width = random.between(480, 760);
    const bool night = random.chance(0.4);
    const TextFont* face = font(random, material.text);
    const Pen pen{face, std::max(14, static_cast<int>(width * random.uniform(0.028, 0.042))),
                  night ? Colour{231, 233, 234} : Colour{15, 20, 25}, 0, kBlack};
    Pen grey = pen;
    grey.ink = night ? Colour{130, 138, 145} : Colour{100, 112, 122};
    grey.em_px = std::max(12, static_cast<int>(pen.em_px * 0.85));
    const std::string name = random.pick(material.names);
    std::string text = sentence(random);
    for (int i = random.between(0, 2); i > 0; --i) text += ". " + sentence(random);
    const auto lines = wrapped(text, pen, width - 4 * pen.em_px);
    const int block = static_cast<int>(1.3 * pen.em_px * static_cast<double>(lines.size()));
    const Image below =
        random.chance(0.5) ? background(random, width - 4 * pen.em_px, width / 2) : Image{};
    Image& image = sample.image =
        train::blank(width, 7 * pen.em_px + block + below.height_px + pen.em_px,
                     night ? Colour{0, 0, 0} : kWhite);
    fill(image, {2 * pen.em_px, pen.em_px, 2 * pen.em_px, 2 * pen.em_px},
         colour_between(random, 60, 200));
    write_line(image, name, 4.6 * pen.em_px, 2 * pen.em_px - pen.em_px / 4, pen);
    const std::string when = std::to_string(random.between(2, 59)) + " minutes ago";
    write_line(image, when, 4.6 * pen.em_px, 3 * pen.em_px, grey);
    const int after =
        write_block(image, lines, 2 * pen.em_px, 0, 4 * pen.em_px, pen, Align::Left, 1.3);
    if (below.width_px > 0) paste(image, below, 2 * pen.em_px, after + pen.em_px / 2);
    const int replies = random.between(11, 98);
    const int likes = random.between(11, 980);
    const std::string counts =
        std::to_string(likes) + " likes and " + std::to_string(replies) + " replies";
    write_line(image, counts, 2 * pen.em_px, image.height_px - pen.em_px, grey);
    for (const std::string& part : {name, when, text, counts}) add_words(sample.words, part);
  }

  void sign(Random& random, OcrSample& sample) const {
    Image& image = sample.image = picture(random);
    std::vector<std::string> lines;
    std::istringstream in(random.pick(material.notices));
    for (std::string line; std::getline(in, line, '|');) lines.push_back(line);
    Pen pen{font(random, material.headline),
            std::max(22, static_cast<int>(image.width_px * random.uniform(0.06, 0.095))), kWhite, 0,
            kBlack};
    const bool dark = random.chance(0.6);
    static constexpr Colour kDark[] = {
        {20, 90, 50}, {30, 60, 140}, {160, 30, 35}, {60, 45, 35}, {30, 30, 30}};
    static constexpr Colour kPale[] = {{250, 215, 70}, {240, 240, 235}, {225, 205, 165}};
    const Colour paper =
        dark ? kDark[random.below(std::size(kDark))] : kPale[random.below(std::size(kPale))];
    pen.ink = dark ? kWhite : Colour{25, 25, 25};
    double widest = 0;
    for (;;) {
      widest = 0;
      for (const std::string& line : lines) widest = std::max(widest, width_of(line, pen));
      if (widest < image.width_px * 0.72) break;
      pen.em_px = pen.em_px * 9 / 10;
    }
    Image panel = train::blank(
        static_cast<int>(widest) + 2 * pen.em_px,
        static_cast<int>(1.2 * pen.em_px * static_cast<double>(lines.size())) + pen.em_px, paper);
    const int line_px = std::max(2, pen.em_px / 12);
    for (const Rectangle& edge :
         {Rectangle{pen.em_px / 5, pen.em_px / 5, panel.width_px - 2 * pen.em_px / 5, line_px},
          Rectangle{pen.em_px / 5, panel.height_px - pen.em_px / 5 - line_px,
                    panel.width_px - 2 * pen.em_px / 5, line_px}})
      fill(panel, edge, pen.ink);
    write_block(panel, lines, 0, panel.width_px, pen.em_px / 2, pen, Align::Centre);
    const double room_x = std::max(0.0, (image.width_px - panel.width_px) / 2.0 - 20);
    const double room_y = std::max(0.0, (image.height_px - panel.height_px) / 2.0 - 20);
    const double tilt_y = random.uniform(-0.12, 0.12);
    const double tilt_x = random.uniform(-0.12, 0.12);
    const double angle = random.uniform(-5, 5) * std::numbers::pi / 180;
    const double y = image.height_px / 2.0 + random.uniform(-room_y, room_y);
    const double x = image.width_px / 2.0 + random.uniform(-room_x, room_x);
    paste_in_perspective(image, panel, x, y, angle, tilt_x, tilt_y);
    for (const std::string& line : lines) add_words(sample.words, line);
  }

  void receipt(Random& random, OcrSample& sample) const {
    const int width = random.between(420, 700);
    Pen pen{font(random, material.monospace), width / 22, {45, 45, 50}, 0, kBlack};
    std::vector<std::string> lines = {upper(random.pick(material.names)) + " STORE", ""};
    constexpr size_t kColumns = 26;
    const auto row = [&](const std::string& what, const std::string& price) {
      lines.push_back(what +
                      std::string(kColumns - std::min(kColumns, what.size() + price.size()), ' ') +
                      price);
    };
    const auto money = [&] {
      const std::string cents = std::to_string(100 + random.between(0, 99)).substr(1);
      return std::to_string(random.between(1, 29)) + "." + cents;
    };
    for (int i = random.between(5, 9); i > 0; --i) {
      const std::string price = money();
      row(random.pick(material.goods), price);
    }
    lines.emplace_back();
    row("TOTAL", money());
    row("CARD", money());
    lines.emplace_back("THANK YOU");
    Image paper = train::blank(
        width,
        static_cast<int>(1.35 * pen.em_px * static_cast<double>(lines.size())) + 4 * pen.em_px,
        {244, 242, 236});
    write_block(paper, lines, 2 * pen.em_px, 0, 2 * pen.em_px, pen, Align::Left, 1.35);
    sample.image = background(random, width + 60, paper.height_px + 60);
    const double tilt_y = random.uniform(-0.05, 0.05);
    const double tilt_x = random.uniform(-0.05, 0.05);
    const double angle = random.uniform(-4, 4) * std::numbers::pi / 180;
    paste_in_perspective(sample.image, paper, sample.image.width_px / 2.0,
                         sample.image.height_px / 2.0, angle, tilt_x, tilt_y);
    for (const std::string& line : lines) add_words(sample.words, line);
  }

  void document(Random& random, OcrSample& sample) const {
    const int width = random.between(600, 1000);
    Pen pen{font(random, material.text),
            std::max(17, static_cast<int>(width * random.uniform(0.024, 0.032))),
            {15, 15, 15},
            0,
            kBlack};
    Image& image = sample.image =
        train::blank(width, static_cast<int>(width * random.uniform(0.8, 1.3)), kWhite);
    const int margin = width / 10;
    int y = margin;
    Pen title = pen;
    title.em_px = pen.em_px * 3 / 2;
    const std::string heading = sentence(random);
    y = write_block(image, wrapped(heading, title, width - 2 * margin), margin, 0, y, title,
                    Align::Left) +
        pen.em_px;
    add_words(sample.words, heading);
    for (;;) {
      std::string text;
      for (int i = random.between(2, 5); i > 0; --i) text += sentence(random) + ". ";
      const auto lines = wrapped(text, pen, width - 2 * margin);
      if (y + 1.35 * pen.em_px * static_cast<double>(lines.size()) > image.height_px - margin)
        break;
      y = write_block(image, lines, margin, 0, y, pen, Align::Left, 1.35) + pen.em_px * 2 / 3;
      add_words(sample.words, text);
    }
  }

  void label(Random& random, OcrSample& sample) const {
    const int width = random.between(400, 800);
    const Colour paper =
        random.chance(0.5) ? colour_between(random, 200, 255) : colour_between(random, 10, 110);
    const bool dark = paper.r + paper.g + paper.b < 400;
    Image front =
        train::blank(width * 2 / 3, static_cast<int>(width * random.uniform(0.55, 0.8)), paper);
    Pen big{font(random, material.headline), width / 11, dark ? kWhite : Colour{30, 30, 40}, 0,
            kBlack};
    Pen small{font(random, material.text), std::max(15, width / 30), big.ink, 0, kBlack};
    const std::string name = upper(random.pick(material.goods));
    int y = front.height_px / 10;
    y = write_block(front, wrapped(name, big, front.width_px * 0.9), 0, front.width_px, y, big,
                    Align::Centre);
    const Colour band = dark ? Colour{230, 190, 60} : Colour{170, 40, 40};
    fill(front, {0, y + small.em_px / 2, front.width_px, small.em_px * 2}, band);
    Pen on_band = small;
    on_band.ink = dark ? Colour{20, 20, 20} : kWhite;
    const std::string weight = "NET WEIGHT " + std::to_string(random.between(100, 999)) + " g";
    write_block(front, {weight}, 0, front.width_px, y + small.em_px, on_band, Align::Centre);
    const std::string maker = std::string("made with care by ") + random.pick(material.names);
    write_block(front, wrapped(maker, small, front.width_px * 0.9), 0, front.width_px,
                y + small.em_px * 7 / 2, small, Align::Centre);
    sample.image = background(random, width, front.height_px + width / 4);
    const double tilt_x = random.uniform(-0.08, 0.08);
    const double angle = random.uniform(-4, 4) * std::numbers::pi / 180;
    paste_in_perspective(sample.image, front, width / 2.0, sample.image.height_px / 2.0, angle,
                         tilt_x, 0);
    for (const std::string& text : {name, weight, maker}) add_words(sample.words, text);
  }

  void without_text(Random& random, OcrSample& sample) const {
    const int width = 800;
    const int height = static_cast<int>(width * random.uniform(0.7, 1.1));
    sample.image = sample.style == kDrawnStyle ? scene(random, width, height)
                                               : photograph(random, width, height);
  }
};

OcrSet::OcrSet(Split split, const fs::path& shared) : content_(std::make_unique<Content>(split)) {
  const OcrMaterial& material = content_->material;
  std::vector<const std::vector<FontChoice>*> all = {&material.headline, &material.text,
                                                     &material.monospace};
  for (const Tongue& tongue : material.tongues) all.push_back(&tongue.fonts);
  for (const auto* choices : all) {
    for (const FontChoice& choice : *choices) {
      if (!fs::exists(choice.path))
        throw Error(ErrorCode::NotFound, choice.path,
                    "a font that the pictures are drawn with is not installed",
                    std::string("apt-get install ") + choice.package);
      content_->fonts.emplace(choice.path, std::make_unique<TextFont>(choice.path, choice.squeeze));
    }
  }
  if (shared.empty()) return;
  for (const char* name : material.photographs)
    content_->photographs.push_back(opened(shared / name));
  if (!fs::exists(shared / "textless")) return;
  for (const auto& entry : fs::directory_iterator(shared / "textless")) {
    const std::string name = entry.path().filename();
    if (name.starts_with("small_")) content_->small_textless.push_back(entry.path());
    if (name.starts_with("large_")) content_->large_textless.push_back(entry.path());
  }
  std::ranges::sort(content_->small_textless);
  std::ranges::sort(content_->large_textless);
}

OcrSet::~OcrSet() = default;

bool OcrSet::has_photographs() const {
  return !content_->photographs.empty();
}

size_t OcrSet::count(const std::string& style, size_t drawn) const {
  if (style == kSmallTextlessStyle) return content_->small_textless.size();
  if (style == kLargeTextlessStyle) return content_->large_textless.size();
  return drawn;
}

OcrSample OcrSet::draw(const std::string& style, size_t index) const {
  using Draw = void (Content::*)(Random&, OcrSample&) const;
  static const std::map<std::string, Draw> kDraw = {{"outlined caption", &Content::outlined},
                                                    {"plain white caption", &Content::plain_white},
                                                    {"black on white bar", &Content::white_bar},
                                                    {"tinted bar", &Content::tinted_bar},
                                                    {"coloured letters", &Content::coloured},
                                                    {"turned caption", &Content::turned_caption},
                                                    {"panels", &Content::panels},
                                                    {"chat", &Content::chat},
                                                    {"post", &Content::post},
                                                    {"sign", &Content::sign},
                                                    {"receipt", &Content::receipt},
                                                    {"document", &Content::document},
                                                    {"label", &Content::label},
                                                    {"long screenshot", &Content::long_screenshot},
                                                    {"turned picture", &Content::turned_picture},
                                                    {kPhotographStyle, &Content::without_text},
                                                    {kDrawnStyle, &Content::without_text}};
  uint64_t seed = 6;
  for (const char c : style) seed = seed * 131 + static_cast<unsigned char>(c);
  Random random = Random::of_item(seed, index);
  OcrSample sample{style, {}, {}};
  if (style == kSmallTextlessStyle || style == kLargeTextlessStyle) {
    const auto& files =
        style == kSmallTextlessStyle ? content_->small_textless : content_->large_textless;
    sample.image = opened(files.at(index));
    return sample;
  }
  const auto draw = kDraw.find(style);
  (content_.get()->*(draw == kDraw.end() ? &Content::foreign : draw->second))(random, sample);
  const std::string jpeg = encode_jpeg(sample.image, random.between(60, 92));
  sample.image = std::get<Image>(decode_image(std::as_bytes(std::span(jpeg)), {}));
  return sample;
}

}  // namespace zeroshelf::bench
