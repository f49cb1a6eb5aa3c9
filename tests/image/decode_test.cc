// Tests lib/image/decode.h: what good files give.

#include "lib/image/decode.h"

#include <boost/test/unit_test.hpp>

#include "lib/image/blank.h"
#include "tests/image/corpus.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

using namespace testing;

using Rgb = std::vector<uint8_t>;

Rgb pixel(const Image& image, int x, int y) {
  const auto rgb = image.row(y).subspan(size_t{3} * x, 3);
  return {rgb.begin(), rgb.end()};
}

// Where the stored pixel x, y of a picture of the given size lies once the orientation is applied.
std::pair<int, int> upright_place(int orientation, int x, int y, int width, int height) {
  const int right = width - 1 - x;
  const int below = height - 1 - y;
  switch (orientation) {
    case 2:
      return {right, y};
    case 3:
      return {right, below};
    case 4:
      return {x, below};
    case 5:
      return {y, x};
    case 6:
      return {below, x};
    case 7:
      return {below, right};
    case 8:
      return {y, right};
    default:
      return {x, y};
  }
}

Image turned(const Image& image, int orientation) {
  const bool swap = orientation >= 5;
  Image result = plain_image(swap ? image.height_px : image.width_px,
                             swap ? image.width_px : image.height_px, {});
  for (int y = 0; y < image.height_px; ++y) {
    for (int x = 0; x < image.width_px; ++x) {
      const auto [to_x, to_y] = upright_place(orientation, x, y, image.width_px, image.height_px);
      const Rgb rgb = pixel(image, x, y);
      std::copy(rgb.begin(), rgb.end(),
                result.rgb.begin() + (static_cast<ptrdiff_t>(to_y) * result.width_px + to_x) * 3);
    }
  }
  return result;
}

const Image kPicture = shapes_image(61, 43, 9);
const std::vector<uint8_t> kRows = kPicture.rgb;

}  // namespace

BOOST_AUTO_TEST_CASE(lossless_formats_give_back_every_pixel) {
  BOOST_TEST(greatest_difference(decoded(png(61, 43, kRows, {})), kPicture) == 0);
  BOOST_TEST(greatest_difference(decoded(png(61, 43, kRows, {.interlaced = true})), kPicture) == 0);
  BOOST_TEST(greatest_difference(decoded(webp(kPicture)), kPicture) == 0);
  BOOST_TEST(greatest_difference(decoded(bmp(kPicture)), kPicture) == 0);
  BOOST_TEST(greatest_difference(decoded(tiff(kPicture)), kPicture) == 0);
  BOOST_TEST(greatest_difference(decoded(pnm(kPicture)), kPicture) == 0);
}

BOOST_AUTO_TEST_CASE(lossy_formats_come_close) {
  const Image smooth = gradient_image(64, 48, 2);
  BOOST_TEST(greatest_difference(decoded(jpeg(smooth, {})), smooth) < 12);
  BOOST_TEST(greatest_difference(decoded(jpeg(smooth, {.progressive = true})), smooth) < 12);
  for (HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    const auto file = heif(smooth, codec);
    if (!file) continue;
    BOOST_TEST(greatest_difference(decoded(*file), smooth) < 24);
  }
}

BOOST_AUTO_TEST_CASE(heif_of_odd_sizes_with_transparency_and_in_tiles) {
  for (HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    const Image odd = gradient_image(61, 43, 2);
    const auto file = heif(odd, codec);
    if (!file) continue;
    BOOST_TEST(greatest_difference(decoded(*file), odd) < 24);

    const auto half = heif(plain_image(64, 48, {100, 100, 100}), codec, HeifAlpha::Half);
    BOOST_REQUIRE(half.has_value());
    BOOST_TEST(pixel(decoded(*half), 30, 20)[0] > 160);  // half of it is the white below

    const Image even = gradient_image(64, 64, 2);
    const Image tiled = decoded(heif_grid(*heif(even, codec), codec, 3, 2, 180, 100));
    BOOST_REQUIRE(tiled.width_px == 180);
    BOOST_REQUIRE(tiled.height_px == 100);
    for (const auto& [x, y] : {std::pair(5, 7), std::pair(63, 63), std::pair(64, 0),
                               std::pair(179, 99), std::pair(130, 70)}) {
      for (int i = 0; i < 3; ++i)
        BOOST_TEST(std::abs(pixel(tiled, x, y)[i] - pixel(even, x % 64, y % 64)[i]) < 24);
    }
  }
}

BOOST_AUTO_TEST_CASE(grey_jpeg_becomes_rgb) {
  const Image grey = plain_image(16, 16, {90, 90, 90});
  const Image image = decoded(jpeg(grey, {.colours = JpegColours::Grey}));
  BOOST_TEST(pixel(image, 8, 8) == (Rgb{90, 90, 90}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(adobe_cmyk_is_inverted_ink) {
  const Image colour = plain_image(16, 16, {200, 100, 50});
  const Image image = decoded(jpeg(colour, {.colours = JpegColours::AdobeCmyk}));
  BOOST_TEST(greatest_difference(image, colour) < 4);
}

BOOST_AUTO_TEST_CASE(exif_orientation_is_applied) {
  const Image plain_jpeg = decoded(jpeg(kPicture, {}));
  for (int orientation = 1; orientation <= 8; ++orientation) {
    const Image expected = turned(kPicture, orientation);
    const std::string exif = exif_block(orientation);
    BOOST_TEST(greatest_difference(decoded(jpeg(kPicture, {.exif = exif})),
                                   turned(plain_jpeg, orientation)) == 0);
    BOOST_TEST(
        greatest_difference(decoded(png(61, 43, kRows, {.exif = exif.substr(6)})), expected) == 0);
    BOOST_TEST(greatest_difference(decoded(tiff(kPicture, orientation)), expected) == 0);
  }
}

BOOST_AUTO_TEST_CASE(senseless_exif_changes_nothing) {
  const Image plain = decoded(jpeg(kPicture, {}));
  for (int orientation : {0, 9, 255, 65535}) {
    BOOST_TEST(greatest_difference(decoded(jpeg(kPicture, {.exif = exif_block(orientation)})),
                                   plain) == 0);
  }
  const std::string exif = exif_block(6);
  for (size_t size = 0; size < 24; ++size) {
    BOOST_TEST(
        greatest_difference(decoded(jpeg(kPicture, {.exif = exif.substr(0, size)})), plain) == 0);
  }
}

BOOST_AUTO_TEST_CASE(sixteen_bits_keep_the_high_byte) {
  const std::vector<uint8_t> rows = {0x12, 0xff, 0x34, 0xff, 0xab, 0xff};
  const Image image = decoded(png(1, 1, rows, {.depth = 16}));
  BOOST_TEST(image.rgb == (Rgb{0x12, 0x34, 0xab}), boost::test_tools::per_element());
  BOOST_TEST(greatest_difference(decoded(tiff16(kPicture)), kPicture) == 0);
}

BOOST_AUTO_TEST_CASE(grey_and_few_bits_become_rgb) {
  const Image grey = decoded(png(2, 1, {7, 250}, {.colour_type = 0}));
  BOOST_TEST(grey.rgb == (Rgb{7, 7, 7, 250, 250, 250}), boost::test_tools::per_element());
  const Image bits = decoded(png(2, 1, {0x40}, {.colour_type = 0, .depth = 1}));
  BOOST_TEST(bits.rgb == (Rgb{0, 0, 0, 255, 255, 255}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(transparency_is_laid_on_white) {
  const Image rgba =
      decoded(png(3, 1, {10, 20, 30, 0, 10, 20, 30, 255, 0, 0, 0, 51}, {.colour_type = 6}));
  BOOST_TEST(rgba.rgb == (Rgb{255, 255, 255, 10, 20, 30, 204, 204, 204}),
             boost::test_tools::per_element());
  const Image grey = decoded(png(2, 1, {9, 0, 9, 255}, {.colour_type = 4}));
  BOOST_TEST(grey.rgb == (Rgb{255, 255, 255, 9, 9, 9}), boost::test_tools::per_element());
  const Image palette = decoded(png(
      2, 1, {0, 1}, {.colour_type = 3, .palette = {1, 2, 3, 4, 5, 6}, .palette_alpha = {0, 255}}));
  BOOST_TEST(palette.rgb == (Rgb{255, 255, 255, 4, 5, 6}), boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_white_on_transparency_is_laid_on_black) {
  const Image white = decoded(
      png(3, 1, {255, 255, 255, 0, 255, 255, 255, 255, 250, 250, 250, 255}, {.colour_type = 6}));
  BOOST_TEST(white.rgb == (Rgb{0, 0, 0, 255, 255, 255, 250, 250, 250}),
             boost::test_tools::per_element());
  // Nothing is to be seen on either.
  const Image nothing = decoded(png(2, 1, {9, 9, 9, 0, 200, 1, 7, 0}, {.colour_type = 6}));
  BOOST_TEST(nothing.rgb == (Rgb{255, 255, 255, 255, 255, 255}), boost::test_tools::per_element());
  BOOST_TEST(is_blank(nothing));
  BOOST_TEST(!is_blank(white));
}

BOOST_AUTO_TEST_CASE(an_animation_shows_its_first_frame_that_is_not_blank) {
  const std::vector<uint8_t> blank = {2, 2, 2, 2};
  const std::vector<uint8_t> seen = {0, 1, 2, 0};
  const Rgb expected = {255, 0, 0, 0, 255, 0, 255, 255, 255, 255, 0, 0};
  BOOST_TEST(decoded(gif(2, 2, {blank, blank, seen, {1, 1, 1, 1}})).rgb == expected,
             boost::test_tools::per_element());
  BOOST_TEST(is_blank(decoded(gif(2, 2, {blank, blank}))));
  const Image plain = plain_image(61, 43, {1, 2, 3});
  BOOST_TEST(greatest_difference(decoded(animated_webp({plain, kPicture})), kPicture) == 0);
  BOOST_TEST(is_blank(decoded(animated_webp({plain, plain}))));
}

namespace {

std::string little_endian(uint64_t value, int bytes) {
  std::string result;
  for (int i = 0; i < bytes; ++i) result += static_cast<char>(value >> 8 * i);
  return result;
}

// One row of red, blue, white; a pixel has these masks, of red, green, blue and perhaps alpha.
std::string masked_bmp(int bits, const std::vector<uint32_t>& masks, uint32_t header_bytes) {
  const Rgb colours = {255, 0, 0, 0, 0, 255, 255, 255, 255};
  std::string row;
  for (size_t x = 0; x < 3; ++x) {
    uint32_t pixel = masks.size() > 3 ? masks[3] : 0;
    for (size_t c = 0; c < 3; ++c) pixel |= colours[3 * x + c] != 0 ? masks[c] : 0;
    row += little_endian(pixel, bits / 8);
  }
  while (row.size() % 4 != 0) row += '\0';
  std::string header = little_endian(header_bytes, 4) + little_endian(3, 4) + little_endian(1, 4) +
                       little_endian(1, 2) + little_endian(static_cast<uint64_t>(bits), 2) +
                       little_endian(3, 4) + little_endian(row.size(), 4) + std::string(16, '\0');
  for (const uint32_t mask : masks) header += little_endian(mask, 4);
  if (header.size() < header_bytes) header.resize(header_bytes);
  const size_t offset = 14 + header.size();
  return "BM" + little_endian(offset + row.size(), 4) + std::string(4, '\0') +
         little_endian(offset, 4) + header + row;
}

}  // namespace

BOOST_AUTO_TEST_CASE(bmp_masks_are_obeyed_behind_every_header) {
  const Rgb expected = {255, 0, 0, 0, 0, 255, 255, 255, 255};
  for (const uint32_t header : {40u, 52u, 56u, 108u, 124u}) {
    BOOST_TEST_CONTEXT("a header of " << header) {
      for (const std::vector<uint32_t>& masks : {std::vector<uint32_t>{0xff0000, 0xff00, 0xff},
                                                 {0xff000000, 0xff0000, 0xff00},
                                                 {0xff, 0xff00, 0xff0000},
                                                 {0x3ff00000, 0xffc00, 0x3ff}}) {
        BOOST_TEST(decoded(masked_bmp(32, masks, header)).rgb == expected,
                   boost::test_tools::per_element());
      }
      for (const std::vector<uint32_t>& masks : {std::vector<uint32_t>{0xf800, 0x7e0, 0x1f},
                                                 {0x7c00, 0x3e0, 0x1f},
                                                 {0xf00, 0xf0, 0xf}}) {
        BOOST_TEST(decoded(masked_bmp(16, masks, header)).rgb == expected,
                   boost::test_tools::per_element());
      }
    }
  }
  BOOST_TEST(decoded(masked_bmp(32, {0xff0000, 0xff00, 0xff, 0xff000000}, 124)).rgb == expected,
             boost::test_tools::per_element());
  const auto unusual = skip_of(masked_bmp(32, {0xff0000, 0xff00, 0xff}, 40).replace(30, 1, "\5"));
  BOOST_REQUIRE(unusual.has_value());
  BOOST_TEST((unusual->reason == SkipReason::NotAPicture));
}

namespace {

// Places of a palette, from the top.
struct PlacesPicture {
  int width = 0;
  int height = 0;
  int bits = 8;
  std::vector<uint8_t> places = {};

  uint8_t at(int x, int y) const { return places[static_cast<size_t>(y * width + x)]; }
};

PlacesPicture random_places(int width, int height, int bits) {
  PlacesPicture picture{width, height, bits};
  uint32_t random = 12345;
  for (int i = 0; i < width * height; ++i) {
    random = random * 1664525 + 1013904223;
    // Runs and stretches.
    picture.places.push_back(i % 7 < 4 && i > 0
                                 ? picture.places.back()
                                 : static_cast<uint8_t>(random >> 24 & ((1 << bits) - 1)));
  }
  return picture;
}

uint8_t colour_at(uint8_t place, int channel) {
  return static_cast<uint8_t>(place * (channel == 0 ? 1 : channel == 1 ? 3 : 7) + 5 * channel);
}

// pixels: as they are stored. height: negative where the first row is the top one.
std::string palette_bmp(const PlacesPicture& picture, int height, uint32_t compression,
                        const std::string& pixels, uint32_t header_bytes) {
  const bool is_old = header_bytes == 12;
  const int side = is_old ? 2 : 4;
  std::string header = little_endian(header_bytes, 4) +
                       little_endian(static_cast<uint64_t>(picture.width), side) +
                       little_endian(static_cast<uint64_t>(height), side) + little_endian(1, 2) +
                       little_endian(static_cast<uint64_t>(picture.bits), 2);
  if (!is_old) header += little_endian(compression, 4) + little_endian(pixels.size(), 4);
  header.resize(header_bytes);
  for (int place = 0; place < 1 << picture.bits; ++place) {
    for (const int channel : {2, 1, 0})
      header += static_cast<char>(colour_at(static_cast<uint8_t>(place), channel));
    if (!is_old) header += '\0';
  }
  const size_t offset = 14 + header.size();
  return "BM" + little_endian(offset + pixels.size(), 4) + std::string(4, '\0') +
         little_endian(offset, 4) + header + pixels;
}

std::string packed_rows(const PlacesPicture& picture, bool from_top) {
  std::string all;
  for (int row = 0; row < picture.height; ++row) {
    std::string line(static_cast<size_t>((picture.width * picture.bits + 31) / 32 * 4), '\0');
    for (int x = 0; x < picture.width; ++x) {
      const int value = picture.at(x, from_top ? row : picture.height - 1 - row);
      const int bit = x * picture.bits;
      line[static_cast<size_t>(bit / 8)] = static_cast<char>(line[static_cast<size_t>(bit / 8)] |
                                                             value << (8 - picture.bits - bit % 8));
    }
    all += line;
  }
  return all;
}

// Runs where neighbours are alike, else stretches of three or more; the last row with jumps over
// its first colour.
std::string run_lengths(const PlacesPicture& picture) {
  std::string all;
  const bool is_nibbles = picture.bits == 4;
  for (int y = picture.height - 1; y >= 0; --y) {
    for (int x = 0; x < picture.width;) {
      int run = 1;
      while (x + run < picture.width && run < 255 && picture.at(x + run, y) == picture.at(x, y))
        ++run;
      int stretch = std::min(picture.width - x, 5);
      if (picture.at(x, y) == 0) {
        all += std::string{0, 2, static_cast<char>(run), 0};
        x += run;
      } else if (run > 2 || stretch < 3) {
        const int value = picture.at(x, y);
        all += std::string{static_cast<char>(run),
                           static_cast<char>(is_nibbles ? value << 4 | value : value)};
        x += run;
      } else {
        std::string bytes;
        for (int i = 0; i < stretch; ++i) {
          const int value = picture.at(x + i, y);
          if (!is_nibbles)
            bytes += static_cast<char>(value);
          else if (i % 2 == 0)
            bytes += static_cast<char>(value << 4);
          else
            bytes.back() = static_cast<char>(bytes.back() | value);
        }
        if (bytes.size() % 2 != 0) bytes += '\0';
        all += std::string{0, static_cast<char>(stretch)} + bytes;
        x += stretch;
      }
    }
    all += std::string{0, 0};
  }
  return all + std::string{0, 1};
}

void check_places(const std::string& file, const PlacesPicture& picture) {
  const Image image = decoded(file);
  BOOST_REQUIRE(image.width_px == picture.width);
  BOOST_REQUIRE(image.height_px == picture.height);
  Rgb expected;
  for (const uint8_t place : picture.places) {
    for (const int channel : {0, 1, 2}) expected.push_back(colour_at(place, channel));
  }
  BOOST_TEST((image.rgb == expected));
}

}  // namespace

BOOST_AUTO_TEST_CASE(bmp_palettes_are_read_of_every_depth_behind_every_header) {
  for (const int bits : {1, 4, 8}) {
    for (const int width : {1, 7, 8, 33}) {
      const PlacesPicture picture = random_places(width, 9, bits);
      for (const uint32_t header : {12u, 40u, 108u, 124u}) {
        BOOST_TEST_CONTEXT(bits << " bits, " << width << " wide, a header of " << header) {
          check_places(palette_bmp(picture, 9, 0, packed_rows(picture, false), header), picture);
          if (header != 12)
            check_places(palette_bmp(picture, -9, 0, packed_rows(picture, true), header), picture);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(bmp_runs_are_read_and_never_written_outside) {
  for (const int bits : {4, 8}) {
    const PlacesPicture picture = random_places(37, 11, bits);
    const uint32_t compression = bits == 4 ? 2 : 1;
    const std::string runs = run_lengths(picture);
    check_places(palette_bmp(picture, 11, compression, runs, 40), picture);
    // A longer run than the row, a jump beyond the last row, a stretch that the file does not have.
    for (const std::string& wild :
         {std::string("\xff\x01\xff\x02\0\1", 6), std::string("\0\2\xff\xff\5\1", 6),
          std::string("\0\xfe\1\2", 4), std::string("\0\2", 2), std::string()}) {
      const Image image = decoded(palette_bmp(picture, 11, compression, wild, 40));
      BOOST_TEST(image.width_px == 37);
    }
    // Of another depth than its runs.
    PlacesPicture other = picture;
    other.bits = bits == 4 ? 8 : 4;
    BOOST_TEST(skip_of(palette_bmp(other, 11, compression, runs, 40)).has_value());
  }
  const PlacesPicture picture = random_places(8, 8, 8);
  const std::string file = palette_bmp(picture, 8, 0, packed_rows(picture, false), 40);
  BOOST_TEST(skip_of(file.substr(0, 14 + 40 + 100)).has_value());
}

namespace {

// Grey pages, each a square of one value.
struct TiffPage {
  uint32_t side_px = 0;
  uint8_t value = 0;
  uint32_t photometric = 1;
};

std::string tiff_of(const std::vector<TiffPage>& pages) {
  std::string file = "II*" + std::string(1, '\0');
  size_t next_at = file.size();  // where the place of the next directory stands
  file += little_endian(0, 4);
  for (const TiffPage& page : pages) {
    const size_t data_at = file.size();
    const size_t bytes = size_t{page.side_px} * page.side_px;
    file += std::string(bytes + bytes % 2, static_cast<char>(page.value));
    file.replace(next_at, 4, little_endian(file.size(), 4));
    const std::pair<uint16_t, size_t> entries[] = {{256, page.side_px},
                                                   {257, page.side_px},
                                                   {258, 8},
                                                   {259, 1},
                                                   {262, page.photometric},
                                                   {273, data_at},
                                                   {277, 1},
                                                   {278, page.side_px},
                                                   {279, bytes}};
    file += little_endian(std::size(entries), 2);
    for (const auto& [tag, value] : entries)
      file += little_endian(tag, 2) + little_endian(4, 2) + little_endian(1, 4) +
              little_endian(value, 4);
    next_at = file.size();
    file += little_endian(0, 4);
  }
  return file;
}

}  // namespace

BOOST_AUTO_TEST_CASE(the_largest_page_of_a_tiff_is_the_picture) {
  const auto value_of = [](const std::vector<TiffPage>& pages) {
    const Image image = decoded(tiff_of(pages));
    return std::pair(image.width_px, image.rgb.at(0));
  };
  BOOST_TEST((value_of({{8, 10}, {32, 200}, {16, 90}}) == std::pair(32, uint8_t{200})));
  BOOST_TEST((value_of({{32, 50}, {32, 200}}) == std::pair(32, uint8_t{50})));
  const auto raw = skip_of(tiff_of({{8, 10}, {32, 200, 32803}}));
  BOOST_REQUIRE(raw.has_value());
  BOOST_TEST(raw->detail.find("camera RAW") != std::string::npos, raw->detail);
}

BOOST_AUTO_TEST_CASE(gif_gives_its_first_frame_on_white) {
  const std::vector<uint8_t> first = {0, 1, 2, 0};
  const Image image = decoded(gif(2, 2, {first, {1, 1, 1, 1}}));
  BOOST_TEST(image.rgb == (Rgb{255, 0, 0, 0, 255, 0, 255, 255, 255, 255, 0, 0}),
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(interlaced_gif_puts_its_rows_in_place) {
  // Stored order of 8 rows: 0, 4, 2, 6, 1, 3, 5, 7.
  const Image image = decoded(gif(1, 8, {{0, 0, 0, 0, 1, 1, 1, 1}}, true));
  for (int y = 0; y < 8; ++y) {
    BOOST_TEST(pixel(image, 0, y) == (y % 2 == 0 ? Rgb{255, 0, 0} : Rgb{0, 255, 0}),
               boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(animated_webp_gives_its_first_frame) {
  BOOST_TEST(greatest_difference(decoded(animated_webp({kPicture, plain_image(61, 43, {1, 2, 3})})),
                                 kPicture) == 0);
}

BOOST_AUTO_TEST_CASE(every_kind_of_pnm_is_read) {
  const auto rgb_of = [](const std::string& file) { return decoded(file).rgb; };
  const Rgb black_white = {0, 0, 0, 255, 255, 255};
  BOOST_TEST(rgb_of("P1\n# a comment\n2 1\n10") == black_white, boost::test_tools::per_element());
  BOOST_TEST(rgb_of("P4 2 1\n\x80") == black_white, boost::test_tools::per_element());
  BOOST_TEST(rgb_of("P2 2 1 15\n0 15\n") == black_white, boost::test_tools::per_element());
  BOOST_TEST(rgb_of(std::string("P5 2 1 255\n\x00\xff", 13)) == black_white,
             boost::test_tools::per_element());
  BOOST_TEST(rgb_of("P3 1 1 255 1 2 3") == (Rgb{1, 2, 3}), boost::test_tools::per_element());
  BOOST_TEST(rgb_of("P6 1 1 65535 \x01\xff\x02\xff\x03\xff") == (Rgb{1, 2, 3}),
             boost::test_tools::per_element());
}

}  // namespace zeroshelf
