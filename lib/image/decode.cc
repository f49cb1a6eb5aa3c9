// Which decoder reads a file, and what the decoders share.
// Tested by tests/image/decode_test.cc and tests/image/hostile_test.cc.

#include "lib/image/decode.h"

#include <fmt/format.h>

#include <exception>
#include <new>
#include <string_view>

#include "lib/image/decoders.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using namespace std::string_view_literals;
using Decoder = Decoded (*)(Bytes, const DecodeLimits&);

bool is_heif(std::string_view head) {
  if (head.size() < 12 || head.substr(4, 4) != "ftyp") return false;
  constexpr std::string_view kBrands[] = {"heic", "heix", "hevc", "heim", "heis",
                                          "mif1", "msf1", "avif", "avis"};
  // The major brand, the minor version, and the compatible brands, four bytes each.
  for (size_t at = 8; at + 4 <= head.size(); at += 4) {
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

// For people: what a file that is no picture begins with.
Skip not_a_picture(std::string_view head) {
  return {SkipReason::NotAPicture,
          fmt::format("not a picture that can be read: it begins with \"{}\"; convert it to JPEG, "
                      "PNG, WebP, GIF, TIFF, BMP, PNM, HEIC or AVIF",
                      printable(head.substr(0, 8)))};
}

}  // namespace

Skip damaged(const std::string& cause) {
  return {SkipReason::Damaged, "damaged: " + cause};
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

void lay_on_white(std::vector<uint8_t>& rgba) {
  const size_t pixels = rgba.size() / 4;
  for (size_t i = 0; i < pixels; ++i) {
    const int alpha = rgba[4 * i + 3];
    for (size_t c = 0; c < 3; ++c) {
      const int sample = rgba[4 * i + c];
      rgba[3 * i + c] = static_cast<uint8_t>((sample * alpha + 255 * (255 - alpha) + 127) / 255);
    }
  }
  rgba.resize(3 * pixels);
}

namespace {

// Runs the decoder of the file's format: decode(decoder), whose failures become skips.
template <class Result, class Decode>
std::variant<Result, Skip> with_decoder(Bytes file, const DecodeLimits& limits, Decode decode) {
  if (file.empty()) return Skip{SkipReason::Empty, "0 bytes"};
  if (file.size() > limits.max_bytes) {
    return Skip{SkipReason::TooManyBytes,
                fmt::format("{} bytes, at most {} are read; raise --max-bytes",
                            with_thousands(file.size()), with_thousands(limits.max_bytes))};
  }
  const std::string_view head(reinterpret_cast<const char*>(file.data()),
                              std::min<size_t>(file.size(), 64));
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
