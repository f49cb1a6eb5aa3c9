// Pictures of every kind, and the EXIF blocks in them.

#include <zlib.h>

#include "lib/image/decode.h"
#include "tests/fuzz/file_targets.h"
#include "tests/image/corpus.h"
#include "tests/support/draw.h"

namespace zeroshelf::testing {
namespace {

using namespace std::string_literals;

constexpr DecodeLimits kLimits{.max_bytes = 1 << 20, .max_pixels = 1'000'000};
constexpr size_t kPngSignature = 8;

bool is_heif(const Sample& sample) {
  return sample.name == "heic" || sample.name == "avif";
}

std::vector<std::string> heif_seeds() {
  std::vector<std::string> seeds;
  for (const Sample& sample : corpus()) {
    if (is_heif(sample)) seeds.push_back(sample.bytes);
  }
  for (const HeifCodec codec : {HeifCodec::Hevc, HeifCodec::Av1}) {
    if (const auto clear = heif(shapes_image(40, 24, 3), codec, HeifAlpha::Half))
      seeds.push_back(*clear);
    if (const auto tile = heif(shapes_image(64, 64, 3), codec))
      seeds.push_back(heif_grid(*tile, codec, 2, 2, 100, 100));
  }
  if (seeds.empty()) seeds.emplace_back();  // libheif has no encoder here
  return seeds;
}

std::vector<std::string> seeds() {
  std::vector<std::string> seeds;
  for (const Sample& sample : corpus()) {
    if (!is_heif(sample)) seeds.push_back(sample.bytes);
  }
  const Image image = shapes_image(24, 16, 5);
  for (const int orientation : {3, 5, 8}) {
    seeds.push_back(jpeg(image, {.exif = exif_block(orientation)}));
    seeds.push_back(tiff(image, orientation));
  }
  seeds.push_back(jpeg(image, {.colours = JpegColours::Grey, .exif = {}}));
  const std::vector<uint8_t> rows(24 * 16 * 8, 0x5a);
  const auto rows_of = [&](size_t bytes) {
    return std::vector<uint8_t>(rows.begin(), rows.begin() + static_cast<ptrdiff_t>(bytes));
  };
  seeds.push_back(png(24, 16, rows, {.colour_type = 6, .depth = 16}));
  seeds.push_back(png(24, 16, rows_of(24 * 16 * 4), {.colour_type = 4, .depth = 16}));
  seeds.push_back(png(24, 16, rows_of(24 * 16 / 8), {.colour_type = 0, .depth = 1}));
  seeds.push_back(png(24, 16, rows_of(24 * 16),
                      {.colour_type = 3,
                       .palette = std::vector<uint8_t>(256 * 3, 7),
                       .palette_alpha = {0, 128},
                       .exif = exif_block(6).substr(6)}));
  seeds.push_back(gif(24, 16, {std::vector<uint8_t>(24 * 16, 1)}, /*interlaced=*/true));
  for (const char* text : {"P1 3 2 101 010", "P2 2 2 65535 1 2 3 65535", "P3 1 1 9 1 2 3",
                           "P4 9 1 \xff\x80", "P5 2 1 65535 abcd", "P6 1 1 255 abc"}) {
    seeds.emplace_back(text);
  }
  return seeds;
}

// The checksum of every chunk, as far as the lengths can be followed.
void seal_png(std::string& bytes) {
  if (!bytes.starts_with("\x89PNG\r\n\x1a\n"s)) return;
  const auto number_at = [&](size_t at) {
    uint32_t value = 0;
    for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint8_t>(bytes[at + i]);
    return value;
  };
  for (size_t at = kPngSignature; at + 12 <= bytes.size();) {
    const uint32_t size = number_at(at);
    if (size > bytes.size() - at - 12) return;
    const auto crc = static_cast<uint32_t>(
        ::crc32(0, reinterpret_cast<const Bytef*>(bytes.data() + at + 4), size + 4));
    for (size_t i = 0; i < 4; ++i)
      bytes[at + 8 + size + i] = static_cast<char>(crc >> (24 - 8 * i));
    at += size_t{12} + size;
  }
}

std::string read(const std::string& bytes) {
  const auto result = decode_image(as_bytes(bytes), kLimits);
  if (const auto* skip = std::get_if<Skip>(&result)) {
    promise(!skip->detail.empty(), "a skip says why");
    promise(skip->detail.find("not enough memory") == std::string::npos,
            "small limits need little memory");
    // Its detail has the file's first bytes, which are new each time.
    return skip->reason == SkipReason::NotAPicture ? "not a picture" : skip->detail;
  }
  const auto& image = std::get<Image>(result);
  promise(image.width_px > 0 && image.height_px > 0, "a picture has pixels");
  const uint64_t pixels = uint64_t(image.width_px) * uint64_t(image.height_px);
  promise(pixels <= kLimits.max_pixels, "no picture has more pixels than the limit");
  promise(image.rgb.size() == 3 * pixels, "three samples a pixel");
  return "accepted";
}

}  // namespace

Target picture_target() {
  return {"",
          seeds(),
          {"IHDR",        "PLTE",        "tRNS",        "IDAT",        "IEND",        "eXIf",
           "zTXt",        "iCCP",        "acTL",        "VP8 ",        "VP8L",        "VP8X",
           "ANIM",        "ANMF",        "ALPH",        "EXIF",        "ftypheic",    "ftypavif",
           "meta",        "iloc",        "iinf",        "iprp",        "ipco",        "ipma",
           "ispe",        "hvcC",        "av1C",        "mdat",        "grid",        "iref",
           "idat",        "irot",        "imir",        "auxC",        "\xff\xd8",    "\xff\xc0",
           "\xff\xc2",    "\xff\xc4",    "\xff\xda",    "\xff\xdb",    "\xff\xdd",    "\xff\xe1",
           "\xff\xee",    "Exif\0\0"s,   "II*\0"s,      "MM\0*"s,      "\x21\xf9",    "\x2c",
           "\0\1\3\0"s,   "\1\1\3\0"s,   "\2\1\3\0"s,   "\3\1\3\0"s,   "\6\1\3\0"s,   "\x11\1\4\0"s,
           "\x15\1\3\0"s, "\x16\1\4\0"s, "\x17\1\4\0"s, "\x1c\1\3\0"s, "\x42\1\4\0"s, "\x43\1\4\0"s,
           "\x44\1\4\0"s, "\x52\1\3\0"s, "\x53\1\3\0"s, "\x08\0\0\0"s, "\x01\0\0\0"s},
          seal_png,
          read};
}

Target heif_target() {
  Target target = picture_target();
  target.seeds = heif_seeds();
  target.seal = nullptr;
  return target;
}

}  // namespace zeroshelf::testing
