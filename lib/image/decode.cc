// Which decoder reads a file, and what the decoders share.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.

#include "lib/image/decode.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <exception>
#include <new>
#include <string_view>

#include "lib/image/blank.h"
#include "lib/image/decoders.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using namespace std::string_view_literals;
using Decoder = Decoded (*)(Bytes, const DecodeLimits&);

constexpr size_t kHeadBytes = 512;  // of a file, that tell what it is

bool is_heif(std::string_view head) {
  if (head.size() < 12 || head.substr(4, 4) != "ftyp") return false;
  constexpr std::string_view kBrands[] = {"heic", "heix", "hevc", "heim", "heis",
                                          "mif1", "msf1", "avif", "avis"};
  // The major brand, the minor version, and the compatible brands, four bytes each.
  const size_t end = std::min<size_t>(head.size(), 64);
  for (size_t at = 8; at + 4 <= end; at += 4) {
    for (std::string_view brand : kBrands) {
      if (head.substr(at, 4) == brand) return true;
    }
  }
  return false;
}

bool is_webp(std::string_view head) {
  return head.size() >= 12 && head.starts_with("RIFF") && head.substr(8, 4) == "WEBP";
}

bool is_pnm(std::string_view head) {
  return head.size() > 2 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' &&
         (head[2] == '#' || " \t\r\n\v\f"sv.find(head[2]) != std::string_view::npos);
}

bool is_tiff(std::string_view head) {
  return head.starts_with("II*\0"sv) || head.starts_with("MM\0*"sv) ||
         head.starts_with("II+\0"sv) || head.starts_with("MM\0+"sv);
}

Decoder decoder_for(std::string_view head) {
  if (head.starts_with("\xff\xd8\xff"sv)) return decode_jpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n"sv)) return decode_png;
  if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) return decode_gif;
  if (is_webp(head)) return decode_webp;
  if (is_heif(head)) return decode_heif;
  if (is_tiff(head)) return decode_tiff;
  if (head.starts_with("BM")) return decode_bmp;
  if (is_pnm(head)) return decode_pnm;
  return nullptr;
}

// What a file is that cannot be read, where its beginning tells.
struct Unreadable {
  std::string_view name;
  size_t at;  // of the bytes that tell
  std::string_view bytes;
};
constexpr Unreadable kUnreadable[] = {
    {"JPEG XL", 0, "\xff\x0a"sv},
    {"JPEG XL", 4, "JXL \r\n\x87\n"sv},
    {"JPEG 2000", 4, "jP  \r\n\x87\n"sv},
    {"JPEG 2000", 0, "\xff\x4f\xff\x51"sv},
    {"Photoshop", 0, "8BPS"sv},
    {"camera RAW", 4, "ftypcrx"sv},
    {"camera RAW", 0, "FUJIFILMCCD-RAW"sv},
    {"camera RAW", 0, "IIRO"sv},
    {"camera RAW", 0, "IIRS"sv},
    {"camera RAW", 0, "MMOR"sv},
    {"camera RAW", 0, "IIU\0"sv},
    {"camera RAW", 0, "FOVb"sv},
    {"camera RAW", 0, "\0MRM"sv},
    {"camera RAW", 6, "HEAPCCDR"sv},
    {"a Gimp picture", 0, "gimp xcf"sv},
    {"an icon", 0, "\0\0\1\0"sv},
    {"an OpenEXR picture", 0, "\x76\x2f\x31\x01"sv},
    {"a Radiance picture", 0, "#?RADIANCE"sv},
    {"a DirectDraw texture", 0, "DDS "sv},
    {"a PDF document", 0, "%PDF"sv},
    {"a PostScript document", 0, "%!PS"sv},
    {"a git-lfs pointer", 0, "version https://git-lfs"sv},
    {"a video", 4, "ftyp"sv},
    {"a video", 4, "moov"sv},
    {"a video", 4, "mdat"sv},
    {"a video", 0, "\x1a\x45\xdf\xa3"sv},
    {"a video", 8, "AVI "sv},
    {"a sound", 8, "WAVE"sv},
    {"a ZIP archive", 0, "PK\3\4"sv},
};

// A text, which may begin with white space: the page that a server sent in a picture's place,
// or a drawing.
std::string_view kind_of_markup(std::string_view head) {
  const size_t start = head.find_first_not_of("\xef\xbb\xbf \t\r\n"sv);
  if (start == std::string_view::npos || head[start] != '<') return "";
  std::string text(head.substr(start));
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  if (text.find("<svg") != std::string::npos) return "an SVG drawing";
  if (text.find("html") != std::string::npos) return "a web page";
  return text.starts_with("<?xml") ? "XML" : "";
}

std::string_view name_of(std::string_view head) {
  for (const Unreadable& known : kUnreadable) {
    if (head.size() >= known.at && head.substr(known.at).starts_with(known.bytes))
      return known.name;
  }
  return kind_of_markup(head);
}

std::string cure_for(std::string_view name) {
  if (name == "a git-lfs pointer") return "fetch the picture with git lfs pull";
  if (name == "a web page") return "download the picture again";
  return "convert it to JPEG, PNG, WebP, GIF, TIFF, BMP, PNM, HEIC or AVIF";
}

// For people: what a file that is no picture is, or begins with.
Skip not_a_picture(std::string_view head) {
  const std::string_view name = name_of(head);
  const std::string what = name.empty()
                               ? fmt::format("it begins with \"{}\"", printable(head.substr(0, 8)))
                               : std::string(name);
  return unsupported(what, cure_for(name));
}

}  // namespace

Skip damaged(const std::string& cause) {
  return {SkipReason::Damaged, "damaged: " + cause};
}

Skip unsupported(const std::string& what, const std::string& cure) {
  return {SkipReason::NotAPicture,
          fmt::format("not a picture that can be read: {}; {}", what, cure)};
}

Skip cut_short() {
  return damaged("the file is cut short");
}

std::optional<Skip> refusal(uint64_t width_px, uint64_t height_px, const DecodeLimits& limits) {
  if (width_px == 0 || height_px == 0) return damaged("a width or height of 0 pixels");
  if (height_px <= limits.max_pixels / width_px && width_px <= INT32_MAX &&
      height_px <= INT32_MAX) {
    if (limits.gate != nullptr) limits.gate->before_pixels(width_px * height_px);
    return std::nullopt;
  }
  return Skip{SkipReason::TooManyPixels,
              fmt::format("{} x {} pixels, at most {} are decoded; raise --max-pixels",
                          with_thousands(width_px), with_thousands(height_px),
                          with_thousands(limits.max_pixels))};
}

Image blank_image(uint64_t width_px, uint64_t height_px, int channels) {
  return {static_cast<int>(width_px), static_cast<int>(height_px),
          std::vector<uint8_t>(width_px * height_px * channels)};
}

namespace {

constexpr int kWhite = 255;
constexpr int kBlack = 0;

// The least and the largest value of each channel so far.
class Contrast {
 public:
  static constexpr int kLeastVisible = 16;

  void add(size_t channel, int value) {
    least_[channel] = std::min(least_[channel], value);
    most_[channel] = std::max(most_[channel], value);
  }
  int value() const {
    return std::max({most_[0] - least_[0], most_[1] - least_[1], most_[2] - least_[2], 0});
  }
  bool is_visible() const { return value() >= kLeastVisible; }

 private:
  std::array<int, 3> least_{255, 255, 255};
  std::array<int, 3> most_{};
};

uint8_t laid(int sample, int alpha, int ground, Alpha kind) {
  const int colour = kind == Alpha::Straight ? sample * alpha : sample * 255;
  return static_cast<uint8_t>(std::min(255, (colour + ground * (255 - alpha) + 127) / 255));
}

// The contrast of the picture on that ground; stops where there is enough.
int contrast_on(const std::vector<uint8_t>& rgba, int ground, Alpha kind) {
  Contrast contrast;
  for (size_t i = 0; i + 3 < rgba.size() && !contrast.is_visible(); i += 4) {
    for (size_t c = 0; c < 3; ++c) contrast.add(c, laid(rgba[i + c], rgba[i + 3], ground, kind));
  }
  return contrast.value();
}

}  // namespace

bool is_blank(const Image& image) {
  Contrast contrast;
  for (size_t i = 0; i + 2 < image.rgb.size(); i += 3) {
    for (size_t c = 0; c < 3; ++c) contrast.add(c, image.rgb[i + c]);
    if (contrast.is_visible()) return false;
  }
  return true;
}

bool is_blank_on_ground(const std::vector<uint8_t>& rgba) {
  return contrast_on(rgba, kWhite, Alpha::Straight) < Contrast::kLeastVisible &&
         contrast_on(rgba, kBlack, Alpha::Straight) < Contrast::kLeastVisible;
}

void lay_on_ground(std::vector<uint8_t>& rgba, Alpha kind) {
  int ground = kWhite;
  if (const int on_white = contrast_on(rgba, kWhite, kind); on_white < Contrast::kLeastVisible)
    ground = contrast_on(rgba, kBlack, kind) > on_white ? kBlack : kWhite;
  const size_t pixels = rgba.size() / 4;
  for (size_t i = 0; i < pixels; ++i) {
    const int alpha = rgba[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) rgba[3 * i + c] = laid(rgba[4 * i + c], alpha, ground, kind);
  }
  rgba.resize(3 * pixels);
}

namespace {

// Runs the decoder of the file's format: decode(decoder), whose failures become skips.
template <class Result, class Decode>
std::variant<Result, Skip> with_decoder(Bytes file, const DecodeLimits& limits, Decode decode) {
  if (file.empty()) return Skip{SkipReason::Empty, "the file is empty"};
  if (file.size() > limits.max_bytes) {
    return Skip{SkipReason::TooManyBytes,
                fmt::format("{} bytes, at most {} are read; raise --max-bytes",
                            with_thousands(file.size()), with_thousands(limits.max_bytes))};
  }
  const std::string_view head(reinterpret_cast<const char*>(file.data()),
                              std::min<size_t>(file.size(), kHeadBytes));
  const Decoder decoder = decoder_for(head);
  if (decoder == nullptr) return not_a_picture(head);
  try {
    return decode(decoder);
  } catch (const std::bad_alloc&) {
    return Skip{SkipReason::TooManyPixels,
                "not enough memory to decode it; lower --max-pixels or free memory"};
  } catch (const std::exception& error) {
    return damaged(error.what());
  }
}

}  // namespace

std::variant<Image, Skip> decode_image(std::span<const std::byte> file,
                                       const DecodeLimits& limits) {
  return with_decoder<Image>(file, limits, [&](Decoder decode) { return decode(file, limits); });
}

std::variant<ReducedImage, Skip> decode_reduced(std::span<const std::byte> file,
                                                const DecodeLimits& limits,
                                                const EnoughPixels& enough) {
  using Result = std::variant<ReducedImage, Skip>;
  return with_decoder<ReducedImage>(file, limits, [&](Decoder decode) -> Result {
    if (decode == decode_jpeg) return decode_jpeg_reduced(file, limits, enough);
    Decoded decoded = decode(file, limits);
    if (Skip* skip = std::get_if<Skip>(&decoded)) return std::move(*skip);
    ReducedImage whole{std::move(std::get<Image>(decoded))};
    whole.width_px = whole.image.width_px;
    whole.height_px = whole.image.height_px;
    return whole;
  });
}

}  // namespace zeroshelf
