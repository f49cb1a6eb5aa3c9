// BMP, read here: no Debian library reads it but OpenCV's, which takes 32 bits for blue, green,
// red, whatever their masks say, and with which 90 others are loaded. Tested by
// tests/image/decode_test.cc and tests/image/hostile_test.cc.
//
// The fourth byte of 32-bit pixels is padding far more often than alpha, so it is alpha only where
// a mask says so.

#include <algorithm>
#include <array>
#include <bit>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <vector>

#include "lib/image/decoders.h"

namespace zeroshelf {
namespace {

constexpr size_t kFileHeaderBytes = 14;
constexpr uint32_t kOldHeaderBytes = 12;  // of OS/2 1.x, with 16-bit dimensions
constexpr uint32_t kHeaderBytes = 40;

constexpr uint32_t kAlphaHeaderBytes = 56;  // from version 3 on a header has a mask of alpha
constexpr size_t kMasksAt = 54;             // behind or in the header, in all versions

enum Compression : uint32_t {
  kPlain = 0,
  kRle8 = 1,
  kRle4 = 2,
  kBitFields = 3,
  kAlphaBitFields = 6
};

struct Header {
  uint32_t pixel_offset = 0;
  uint64_t width = 0;
  uint64_t height = 0;
  bool is_top_down = false;
  uint16_t bits = 0;
  uint32_t compression = kPlain;
  uint32_t pixel_bytes = 0;  // of compressed pixels
  uint32_t colours = 0;      // of the palette

  // For rows that are not compressed, each of which ends at a multiple of four.
  uint64_t row_bytes() const { return (width * bits + 31) / 32 * 4; }
  // Where row y from the top is stored, or the other way round.
  uint64_t stored_row(uint64_t y) const { return is_top_down ? y : height - 1 - y; }
};

template <class T>
T number_at(Bytes file, size_t offset) {
  T value;
  std::memcpy(&value, file.data() + offset, sizeof value);
  return value;
}

// The file has at least both headers.
Header read_header(Bytes file) {
  Header header;
  header.pixel_offset = number_at<uint32_t>(file, 10);
  if (number_at<uint32_t>(file, 14) == kOldHeaderBytes) {
    header.width = number_at<uint16_t>(file, 18);
    header.height = number_at<uint16_t>(file, 20);
    header.bits = number_at<uint16_t>(file, 24);
    return header;
  }
  header.width = static_cast<uint64_t>(std::max(number_at<int32_t>(file, 18), 0));
  // Negative where the top row comes first.
  header.height = static_cast<uint64_t>(std::llabs(number_at<int32_t>(file, 22)));
  header.is_top_down = number_at<int32_t>(file, 22) < 0;
  header.bits = number_at<uint16_t>(file, 28);
  header.compression = number_at<uint32_t>(file, 30);
  header.pixel_bytes = number_at<uint32_t>(file, 34);
  header.colours = number_at<uint32_t>(file, 46);
  return header;
}

uint64_t stored_bytes(const Header& header) {
  if (header.compression == kRle8 || header.compression == kRle4) return header.pixel_bytes;
  return header.row_bytes() * header.height;
}

// The bits of a pixel that are one channel, and what they are at most.
struct Mask {
  uint32_t bits = 0;

  uint8_t value_of(uint32_t pixel) const {
    if (bits == 0) return 0;
    const int shift = std::countr_zero(bits);
    const uint64_t most = bits >> shift;
    return static_cast<uint8_t>((uint64_t{(pixel & bits) >> shift} * 255 + most / 2) / most);
  }
};
using Masks = std::array<Mask, 4>;  // red, green, blue, alpha

bool has_masks(const Header& header) {
  return header.compression == kBitFields || header.compression == kAlphaBitFields;
}

// Nothing where the file has no room for what it says.
std::optional<Masks> masks_of(Bytes file, const Header& header, uint32_t header_bytes) {
  if (!has_masks(header)) {
    if (header.bits == 16) return Masks{{{0x7c00}, {0x3e0}, {0x1f}, {0}}};
    return Masks{{{0xff0000}, {0xff00}, {0xff}, {0}}};
  }
  const bool has_alpha = header_bytes >= kAlphaHeaderBytes || header.compression == kAlphaBitFields;
  const size_t count = has_alpha ? 4 : 3;
  if (file.size() < kMasksAt + count * sizeof(uint32_t)) return std::nullopt;
  Masks masks;
  for (size_t i = 0; i < count; ++i)
    masks.at(i).bits = number_at<uint32_t>(file, kMasksAt + i * sizeof(uint32_t));
  return masks;
}

// Pixels of 16 or 32 bits, all of which the file has.
Image decode_masked(Bytes file, const Header& header, const Masks& masks) {
  Image image = blank_image(header.width, header.height, 4);
  const size_t pixel_bytes = header.bits / 8;
  bool has_alpha = false;
  for (uint64_t y = 0; y < header.height; ++y) {
    const size_t line = header.pixel_offset + header.stored_row(y) * header.row_bytes();
    uint8_t* rgba = image.rgb.data() + y * header.width * 4;
    for (uint64_t x = 0; x < header.width; ++x, rgba += 4) {
      const size_t at = line + x * pixel_bytes;
      const uint32_t pixel =
          pixel_bytes == 2 ? number_at<uint16_t>(file, at) : number_at<uint32_t>(file, at);
      for (size_t c = 0; c < masks.size(); ++c) rgba[c] = masks.at(c).value_of(pixel);
      has_alpha = has_alpha || rgba[3] != 0;
    }
  }
  // An alpha that is zero everywhere was never written.
  if (!has_alpha) {
    for (size_t i = 3; i < image.rgb.size(); i += 4) image.rgb[i] = 255;
  }
  lay_on_ground(image.rgb);
  return image;
}

// Pixels of 24 bits, all of which the file has.
Image decode_plain(Bytes file, const Header& header) {
  Image image = blank_image(header.width, header.height, 3);
  uint8_t* rgb = image.rgb.data();
  for (uint64_t y = 0; y < header.height; ++y) {
    const uint8_t* bgr =
        as_uint8(file) + header.pixel_offset + header.stored_row(y) * header.row_bytes();
    for (uint64_t x = 0; x < header.width; ++x, rgb += 3, bgr += 3) {
      rgb[0] = bgr[2];
      rgb[1] = bgr[1];
      rgb[2] = bgr[0];
    }
  }
  return image;
}

// The places of colours in the palette, [height, width] from the top.
struct Places {
  const Header& header;
  std::vector<uint8_t> places = std::vector<uint8_t>(header.width * header.height);

  // Row 0 is the first that is stored. What lies outside is left out.
  void put(uint64_t x, uint64_t stored, uint8_t place) {
    if (x < header.width && stored < header.height)
      places[header.stored_row(stored) * header.width + x] = place;
  }
};

void read_places(Bytes file, const Header& header, Places& places) {
  const size_t in_byte = 8u / header.bits;
  const unsigned mask = (1u << header.bits) - 1;
  for (uint64_t stored = 0; stored < header.height; ++stored) {
    const uint8_t* line = as_uint8(file) + header.pixel_offset + stored * header.row_bytes();
    for (uint64_t x = 0; x < header.width; ++x) {
      const size_t right = in_byte - 1 - x % in_byte;  // pixels of the same byte
      places.put(x, stored,
                 static_cast<uint8_t>((line[x / in_byte] >> (right * header.bits)) & mask));
    }
  }
}

// Runs of one colour (of two in turn, with 4 bits), stretches as they are, and jumps. What is not
// written has the first colour.
void read_runs(Bytes runs, const Header& header, Places& places) {
  constexpr uint8_t kEndOfLine = 0;
  constexpr uint8_t kEnd = 1;
  constexpr uint8_t kJump = 2;
  const bool is_nibbles = header.bits == 4;
  const uint8_t* bytes = as_uint8(runs);
  uint64_t x = 0;
  uint64_t y = 0;
  const auto put = [&](size_t i, uint8_t byte) {
    const auto nibble = static_cast<uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15);
    places.put(x++, y, is_nibbles ? nibble : byte);
  };
  for (size_t at = 0; at + 2 <= runs.size() && y < header.height;) {
    const uint8_t count = bytes[at];
    const uint8_t what = bytes[at + 1];
    at += 2;
    if (count > 0) {
      for (size_t i = 0; i < count; ++i) put(i, what);
    } else if (what == kEndOfLine) {
      x = 0;
      ++y;
    } else if (what == kEnd) {
      return;
    } else if (what == kJump) {
      if (at + 2 > runs.size()) return;
      x += bytes[at];
      y += bytes[at + 1];
      at += 2;
    } else {
      const size_t size = is_nibbles ? (what + 1u) / 2 : what;
      if (at + size > runs.size()) return;
      for (size_t i = 0; i < what; ++i) put(i, bytes[at + (is_nibbles ? i / 2 : i)]);
      at += size + size % 2;
    }
  }
}

// Nothing where the file has no room for the palette.
std::optional<Image> decode_palette(Bytes file, const Header& header, uint32_t header_bytes) {
  const size_t entry_bytes = header_bytes == kOldHeaderBytes ? 3 : 4;
  const size_t colours = header.colours == 0 ? size_t{1} << header.bits : header.colours;
  const size_t palette_at = kFileHeaderBytes + size_t{header_bytes};
  if (file.size() < palette_at + colours * entry_bytes) return std::nullopt;
  std::array<std::array<uint8_t, 3>, 256> palette{};
  for (size_t i = 0; i < colours; ++i) {
    const uint8_t* bgr = as_uint8(file) + palette_at + i * entry_bytes;
    palette.at(i) = {bgr[2], bgr[1], bgr[0]};
  }
  Places places{header};
  if (header.compression == kPlain) {
    read_places(file, header, places);
  } else {
    read_runs(file.subspan(header.pixel_offset, header.pixel_bytes), header, places);
  }
  Image image = blank_image(header.width, header.height, 3);
  for (size_t i = 0; i < places.places.size(); ++i)
    std::ranges::copy(palette.at(places.places[i]), image.rgb.data() + 3 * i);
  return image;
}

}  // namespace

Decoded decode_bmp(Bytes file, const DecodeLimits& limits) {
  if (file.size() < kFileHeaderBytes + kOldHeaderBytes) return cut_short();
  const uint32_t header_bytes = number_at<uint32_t>(file, 14);
  if (header_bytes != kOldHeaderBytes && header_bytes < kHeaderBytes) {
    return unsupported("a kind of BMP of old OS/2", "convert it to PNG");
  }
  if (file.size() < uint64_t{kFileHeaderBytes} + header_bytes) return cut_short();
  const Header header = read_header(file);
  if (auto refused = refusal(header.width, header.height, limits)) return *refused;
  constexpr std::array kBits = {1, 4, 8, 16, 24, 32};
  const bool masked = header.bits == 16 || header.bits == 32;
  if ((header.compression > kBitFields && header.compression != kAlphaBitFields) ||
      std::ranges::find(kBits, header.bits) == kBits.end() || (has_masks(header) && !masked) ||
      (header.compression == kRle8 && header.bits != 8) ||
      (header.compression == kRle4 && header.bits != 4)) {
    return unsupported("an unusual kind of BMP", "convert it to PNG");
  }
  if (header.bits <= 8 && header.colours > 256)
    return damaged("a palette of more than 256 colours");
  if (header.pixel_offset + stored_bytes(header) > file.size()) return cut_short();
  if (masked) {
    const auto masks = masks_of(file, header, header_bytes);
    return masks ? Decoded(decode_masked(file, header, *masks)) : Decoded(cut_short());
  }
  if (header.bits == 24) return decode_plain(file, header);
  std::optional<Image> image = decode_palette(file, header, header_bytes);
  return image ? Decoded(*std::move(image)) : Decoded(cut_short());
}

}  // namespace zeroshelf
