// Tests the steps of reading: lib/ocr/glyphs.h, text_lines.h, strip.h, plausibility.h.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "lib/ocr/glyphs.h"
#include "lib/ocr/plausibility.h"
#include "lib/ocr/strip.h"
#include "lib/ocr/text_lines.h"
#include "lib/ocr/text_reader.h"
#include "models/train/canvas.h"
#include "models/train/fonts.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

using testing::draw_text;
using testing::gradient_image;
using testing::noise_image;
using testing::plain_image;

constexpr const char* kFont = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";

cv::Mat as_mat_in_place(Image& image) {
  return {image.height_px, image.width_px, CV_8UC3, image.rgb.data()};
}

cv::Mat as_mat(const Image& image) {
  return as_mat_in_place(const_cast<Image&>(image)).clone();
}

// The best of the lines that are found in the picture, and the layers it points into.
struct Found {
  explicit Found(const Image& image) : layers(find_glyphs(as_mat(image), {})) {
    lines = find_lines(layers);
    std::ranges::sort(lines, {}, [](const TextLine& line) { return -line.quality; });
  }
  std::vector<Layer> layers;
  std::vector<TextLine> lines;
};

Image captioned(const Image& below, const std::string& text, train::CaptionStyle style) {
  const train::TextFont font(kFont, 1);
  Image image = below;
  train::draw_caption(image, text, font, style, true);
  return image;
}

std::string read(const Image& image, const TextReaderOptions& options = {}) {
  TextReader reader(options);
  return joined_text(reader.read(image));
}

void fill(Image& image, cv::Rect box, testing::Colour colour) {
  as_mat_in_place(image)(box) = cv::Scalar(colour.r, colour.g, colour.b);
}

// Dark on the left, and of this colour from the middle on.
Image two_halves(testing::Colour right) {
  Image image = plain_image(700, 200, {20, 20, 20});
  fill(image, {image.width_px / 2, 0, image.width_px / 2, image.height_px}, right);
  return image;
}

float plausibility_of(const char* text, float confidence, bool in_dictionary) {
  return plausibility({text, confidence, in_dictionary, {}, {}}, {1, 0.7f});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_line_of_text_is_found_where_it_stands) {
  Image image = gradient_image(500, 300, 3);
  draw_text(image, "SOME WORDS", 60, 150, 28, {255, 255, 255});
  const Found found(image);
  BOOST_REQUIRE(!found.lines.empty());
  const TextLine& line = found.lines[0];
  BOOST_TEST(line.quality > 0.5f);
  BOOST_TEST(std::abs(line.box.x - 60) < 10);
  BOOST_TEST(std::abs(line.box.y + line.box.height - 150) < 10);
  BOOST_TEST(std::abs(line.height_px - 28) < 8);
}

BOOST_AUTO_TEST_CASE(pictures_without_text_have_no_lines) {
  for (uint32_t seed = 0; seed < 5; ++seed) {
    BOOST_TEST(Found(gradient_image(400, 300, seed)).lines.empty());
    BOOST_TEST(read(noise_image(400, 300, seed)) == "");
  }
  BOOST_TEST(Found(plain_image(400, 300, {9, 9, 9})).lines.empty());
}

BOOST_AUTO_TEST_CASE(boxes_of_a_strip_lead_back_to_the_picture) {
  Image image = plain_image(500, 200, {30, 60, 30});
  draw_text(image, "SOME WORDS", 60, 120, 28, {255, 255, 255});
  const Found found(image);
  BOOST_REQUIRE(!found.lines.empty());
  for (const Rendering rendering : {Rendering::Isolated, Rendering::Coloured, Rendering::Plain}) {
    const Strip strip = render_line(as_mat(image), 1, found.lines[0], rendering, 20);
    const cv::Rect place = box_in_picture(strip, {0, 0, strip.grey.cols, strip.grey.rows});
    const cv::Rect line = found.lines[0].box;
    BOOST_TEST(((place & line) == line));
    // Letters are dark on white.
    BOOST_TEST(cv::mean(strip.grey)[0] > 128);
    double darkest = 255;
    cv::minMaxLoc(strip.grey, &darkest);
    BOOST_TEST(darkest < 60);
  }
}

BOOST_AUTO_TEST_CASE(letters_keep_their_size_within_bounds) {
  struct Height {
    double in_picture;  // px of rgb
    double in_strip;
  };
  const auto heights = [](int letter_px, double rgb_scale) -> Height {
    Image image = plain_image(40 * letter_px, 4 * letter_px, {30, 60, 30});
    draw_text(image, "SOME WORDS", letter_px, 3 * letter_px, letter_px, {255, 255, 255});
    const Found found(image);
    BOOST_REQUIRE(!found.lines.empty());
    cv::Mat rgb;
    cv::resize(as_mat(image), rgb, {}, rgb_scale, rgb_scale);
    const Strip strip = render_line(rgb, rgb_scale, found.lines[0], Rendering::Coloured, 20);
    const cv::Matx23d& map = strip.to_picture;
    const double found_px = found.lines[0].height_px;
    return {found_px * rgb_scale, found_px / std::hypot(map(0, 0), map(1, 0))};
  };
  BOOST_TEST(std::abs(heights(9, 1).in_strip - 20) < 0.1);
  for (const Height height : {heights(24, 1), heights(12, 2)})
    BOOST_TEST(std::abs(height.in_strip - height.in_picture) < 0.1);
  BOOST_TEST(std::abs(heights(70, 1).in_strip - 34) < 0.1);
}

BOOST_AUTO_TEST_CASE(captions_are_read_over_busy_pictures) {
  Image busy = testing::shapes_image(640, 480, 12, 60);
  using Kind = train::CaptionStyle::Kind;
  const train::CaptionStyle outlined = {Kind::Outlined, {255, 255, 255}, 0.1};
  BOOST_TEST(read(captioned(busy, "WHO ATE THE CHEESE", outlined)) == "WHO ATE THE CHEESE");
  const train::CaptionStyle yellow = {Kind::Outlined, {250, 220, 40}, 0.1};
  BOOST_TEST(read(captioned(busy, "NOBODY KNOWS", yellow)) == "NOBODY KNOWS");
  const train::CaptionStyle bar = {Kind::Bar, {0, 0, 0}, 0.07};
  BOOST_TEST(read(captioned(busy, "black on white", bar)) == "black on white");
}

BOOST_AUTO_TEST_CASE(coloured_letters_are_read_over_light_and_dark) {
  const testing::Colour yellow{255, 255, 0};
  const testing::Colour red{230, 20, 20};
  for (const testing::Colour ink : {yellow, red}) {
    Image image = two_halves({250, 250, 250});
    draw_text(image, "NOBODY KNOWS ABOUT IT", 40, 120, 30, ink);
    const Found found(image);
    BOOST_TEST(std::ranges::any_of(found.lines, [](const TextLine& line) {
      return line.layer->channel == Channel::Chroma && line.box.width > 500 && line.quality > 0.5f;
    }));
    BOOST_TEST(read(image) == "NOBODY KNOWS ABOUT IT");
  }
}

BOOST_AUTO_TEST_CASE(a_line_reaches_as_far_as_its_ink) {
  // White on this yellow is as bright as what lies around it.
  Image image = two_halves({255, 250, 170});
  draw_text(image, "NOBODY KNOWS ABOUT IT", 40, 120, 30, {255, 255, 255});
  const Found found(image);
  const auto first_half = std::ranges::find_if(found.lines, [](const TextLine& line) {
    return line.layer->channel == Channel::Luminance && line.layer->polarity == Polarity::Bright &&
           line.quality > 0.5f;
  });
  BOOST_REQUIRE((first_half != found.lines.end()));
  const float right = first_half->box.x + first_half->box.width;
  BOOST_TEST(right < 380);
  const Reach reach = reach_of(as_mat(image), 1, *first_half);
  BOOST_TEST(reach.left == 0);
  BOOST_TEST(right + reach.right > 500);
  BOOST_TEST(read(image) == "NOBODY KNOWS ABOUT IT");
}

BOOST_AUTO_TEST_CASE(a_whole_line_reaches_no_farther) {
  Image image = gradient_image(600, 200, 3);
  draw_text(image, "SOME WORDS", 150, 120, 28, {255, 255, 255});
  const Found found(image);
  BOOST_REQUIRE(!found.lines.empty());
  const Reach reach = reach_of(as_mat(image), 1, found.lines[0]);
  BOOST_TEST(reach.left == 0);
  BOOST_TEST(reach.right == 0);
}

// A letter that touches something of its colour is one glyph with that.
BOOST_AUTO_TEST_CASE(a_line_is_no_higher_than_its_letters) {
  Image image = plain_image(700, 300, {40, 60, 40});
  draw_text(image, "NOBODY KNOWS ABOUT", 40, 100, 30, {255, 255, 255});
  draw_text(image, "IT AT ALL", 40, 160, 30, {255, 255, 255});
  fill(image, {300, 98, 8, 38}, {255, 255, 255});
  const Found found(image);
  for (const TextLine& line : found.lines) {
    if (line.box.y > 90 || line.box.width < 300) continue;
    BOOST_TEST(line.box.y > 50);
    BOOST_TEST(line.box.y + line.box.height < 128);  // where the next one begins
  }
  BOOST_TEST(read(image).ends_with("IT AT ALL"));
}

BOOST_AUTO_TEST_CASE(tall_letters_stay_in_a_line_of_small_ones) {
  constexpr int kSmallPx = 24;
  constexpr int kTallPx = 48;
  Image image = plain_image(700, 200, {40, 60, 40});
  draw_text(image, "NEARSUMS", 40, 120, kSmallPx, {255, 255, 255});
  draw_text(image, "NEARSUMS", 280, 120, kSmallPx, {255, 255, 255});
  fill(image, {250, 120 - kTallPx, 7, kTallPx}, {255, 255, 255});  // l
  const Found found(image);
  const auto line = std::ranges::find_if(found.lines, [](const TextLine& one) {
    return one.layer->scale == 1 && one.box.width > 350;
  });
  BOOST_REQUIRE((line != found.lines.end()));
  BOOST_REQUIRE(1.5 * line->height_px < kTallPx);
  const Strip strip = render_line(as_mat(image), 1, *line, Rendering::Coloured, 20);
  cv::Matx23d to_strip;
  cv::invertAffineTransform(strip.to_picture, to_strip);
  const cv::Vec2d at = to_strip * cv::Vec3d(253.5, 120 - kTallPx / 2.0, 1);
  BOOST_TEST(strip.grey.at<uint8_t>(static_cast<int>(at[1]), static_cast<int>(at[0])) < 60);
}

// As of i and ú, which no tall letter stands beside.
BOOST_AUTO_TEST_CASE(dots_and_accents_stay_above_a_line_of_small_letters) {
  constexpr int kSmallPx = 24;
  constexpr int kDotPx = 7;
  constexpr int kDotY = 120 - 38;  // 1.6 times the letters' height above the base line
  Image image = plain_image(700, 200, {40, 60, 40});
  draw_text(image, "NEARSUMS", 40, 120, kSmallPx, {255, 255, 255});
  for (const int x : {50, 110, 170}) fill(image, {x, kDotY, kDotPx, kDotPx}, {255, 255, 255});
  const Found found(image);
  const auto line = std::ranges::find_if(found.lines, [](const TextLine& one) {
    return one.layer->scale == 1 && one.box.width > 100;
  });
  BOOST_REQUIRE((line != found.lines.end()));
  for (const Rendering rendering : {Rendering::Isolated, Rendering::Coloured}) {
    const Strip strip = render_line(as_mat(image), 1, *line, rendering, 20);
    cv::Matx23d to_strip;
    cv::invertAffineTransform(strip.to_picture, to_strip);
    const cv::Vec2d at = to_strip * cv::Vec3d(110 + kDotPx / 2.0, kDotY + kDotPx / 2.0, 1);
    BOOST_REQUIRE(at[1] > 0);
    BOOST_TEST(strip.grey.at<uint8_t>(static_cast<int>(at[1]), static_cast<int>(at[0])) < 60);
  }
}

BOOST_AUTO_TEST_CASE(a_descender_tilts_no_short_line) {
  for (const char* word : {"easy", "away"}) {
    Image image = plain_image(500, 200, {40, 60, 40});
    draw_text(image, word, 60, 120, 30, {255, 255, 255});
    const Found found(image);
    BOOST_TEST(std::ranges::any_of(found.lines,
                                   [](const TextLine& line) {
                                     return line.glyphs.size() == 4 && std::abs(line.slope) < 0.05f;
                                   }),
               word);
  }
}

BOOST_AUTO_TEST_CASE(letters_of_a_known_ink_are_found_where_the_background_is_nearly_as_bright) {
  Image image = plain_image(700, 200, {243, 243, 240});
  draw_text(image, "NOBODY KNOWS ABOUT IT", 40, 120, 30, {255, 255, 255});
  BOOST_TEST(Found(image).lines.empty());
  const std::vector<Layer> layers = {find_glyphs_of_ink(as_mat(image), {255, 255, 255}, 30)};
  const std::vector<TextLine> lines = find_lines(layers);
  BOOST_TEST(std::ranges::any_of(lines, [](const TextLine& line) {
    return line.box.width > 400 && std::abs(line.height_px - 30) < 8;
  }));
}

BOOST_AUTO_TEST_CASE(a_second_line_of_the_same_ink_is_read_on_a_bright_background) {
  Image image = plain_image(700, 200, {20, 20, 20});
  fill(image, {0, 100, 700, 100}, {243, 243, 240});
  draw_text(image, "NOBODY KNOWS", 40, 70, 30, {255, 255, 255});
  draw_text(image, "ABOUT IT AT ALL", 40, 160, 30, {255, 255, 255});
  TextReaderOptions without;
  without.steps.same_ink = false;
  BOOST_TEST(read(image, without) == "NOBODY KNOWS");
  BOOST_TEST(read(image) == "NOBODY KNOWS ABOUT IT AT ALL");
}

BOOST_AUTO_TEST_CASE(a_reading_is_the_same_every_time) {
  const Image image = captioned(testing::shapes_image(500, 400, 5, 40), "TWICE THE SAME",
                                {train::CaptionStyle::Kind::Outlined, {255, 255, 255}, 0.1});
  TextReader reader({});
  const std::vector<Word> first = reader.read(image);
  reader.read(noise_image(100, 100, 1));
  const std::vector<Word> second = reader.read(image);
  BOOST_REQUIRE(first.size() == second.size());
  BOOST_TEST(!first.empty());
  for (size_t i = 0; i < first.size(); ++i) {
    BOOST_TEST(first[i].text == second[i].text);
    BOOST_TEST(first[i].confidence == second[i].confidence);
    BOOST_TEST(first[i].box.x == second[i].box.x);
  }
}

BOOST_AUTO_TEST_CASE(a_second_language_is_read) {
  // Captions are drawn in capitals.
  const Image image = captioned(plain_image(700, 300, {40, 80, 40}), "VIELE GRÜNE ÄPFEL FÜR DICH",
                                {train::CaptionStyle::Kind::Bar, {0, 0, 0}, 0.12});
  for (const char* languages : {"deu", "deu+eng"})
    BOOST_TEST(read(image, {.languages = languages}) == "VIELE GRÜNE ÄPFEL FÜR DICH");
}

BOOST_AUTO_TEST_CASE(words_are_plausible_by_confidence_length_and_shape) {
  BOOST_TEST(plausibility_of("garden", 0.95f, true) > kLeastPlausibility);
  BOOST_TEST(plausibility_of("garden", 0.4f, true) < kLeastPlausibility);
  BOOST_TEST(plausibility_of("garden", 0.8f, true) > plausibility_of("gxrdzn", 0.8f, false));
  BOOST_TEST(plausibility_of("garden", 0.8f, false) > plausibility_of("gaRden", 0.8f, false));
  BOOST_TEST(plausibility_of("garden", 0.8f, false) > plausibility_of("g4rd3n", 0.8f, false));
  BOOST_TEST(plausibility_of("abc", 0.8f, false) > plausibility_of("a", 0.8f, false));
  BOOST_TEST(plausibility_of("ay", 0.75f, true) < kLeastPlausibility);
  BOOST_TEST(plausibility_of("abc", 0.8f, false) > plausibility_of("a.;-", 0.8f, false));
}

}  // namespace zeroshelf
