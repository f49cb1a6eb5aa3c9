// What the formats have in common, and JPEG. Tested by tests/xmp/picture_packet_test.cc.

#include "lib/xmp/picture_packet.h"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "lib/util/error.h"
#include "lib/util/text.h"
#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet_formats.h"

namespace zeroshelf {
namespace {

using std::string_view_literals::operator""sv;

constexpr std::string_view kJpegXmp = "http://ns.adobe.com/xap/1.0/\0"sv;
constexpr std::string_view kJpegExif = "Exif\0\0"sv;
constexpr std::string_view kJpegFurtherPictures = "MPF\0"sv;
constexpr size_t kMostJpegPacket = 65535 - 2 - kJpegXmp.size();

enum class Format { Jpeg, Png, WebP, Tiff, Other };

struct Signature {
  std::string_view begins;
  std::string_view brand;  // from byte 8 on; may be empty
  std::string_view name;
  Format format;
};

constexpr std::array kSignatures = {
    Signature{"\xff\xd8\xff", "", "JPEG", Format::Jpeg},
    Signature{"\x89PNG\r\n\x1a\n", "", "PNG", Format::Png},
    Signature{"RIFF", "WEBP", "WebP", Format::WebP},
    Signature{"II*\0"sv, "", "TIFF", Format::Tiff},
    Signature{"MM\0*"sv, "", "TIFF", Format::Tiff},
    Signature{"II+\0"sv, "", "BigTIFF", Format::Other},
    Signature{"MM\0+"sv, "", "BigTIFF", Format::Other},
    Signature{"GIF8", "", "GIF", Format::Other},
    Signature{"BM", "", "BMP", Format::Other},
};

const Signature* signature_of(std::string_view beginning) {
  for (const Signature& one : kSignatures) {
    const bool has_brand =
        one.brand.empty() || (beginning.size() >= 12 && beginning.substr(8, 4) == one.brand);
    if (beginning.starts_with(one.begins) && has_brand) return &one;
  }
  return nullptr;
}

Format format_of(const PicturePieces& picture) {
  const std::string beginning = picture.take(0, std::min<uint64_t>(picture.size(), 12));
  const Signature* const known = signature_of(beginning);
  return known != nullptr ? known->format : Format::Other;
}

// --- JPEG ---------------------------------------------------------------------------------------

struct JpegPlaces {
  uint64_t insert = 2;                       // behind JFIF and Exif
  std::optional<ByteEdit> packet;            // the segment that it stands in, without bytes
  std::optional<uint64_t> further_pictures;  // of the segment that says where they are
};

bool is_alone(uint32_t marker) {
  return marker == 0x01 || (marker >= 0xd0 && marker <= 0xd8);
}

JpegPlaces jpeg_places(const PicturePieces& picture) {
  JpegPlaces places;
  bool at_head = true;  // only JFIF and Exif so far
  for (uint64_t at = 2;;) {
    if (picture.big(at, 1) != 0xff) picture_is_damaged("JPEG");
    const uint32_t marker = picture.big(at + 1, 1);
    if (marker == 0xff) {  // padding
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return places;  // pixels, or the end
    if (is_alone(marker)) {
      at += 2;
      continue;
    }
    const uint64_t length = picture.big(at + 2, 2);
    if (length < 2 || length + 2 > picture.size() - at) picture_is_damaged("JPEG");
    const auto begins = [&](uint32_t wanted, std::string_view with) {
      return marker == wanted && length >= 2 + with.size() &&
             picture.take(at + 4, with.size()) == with;
    };
    const bool is_head = marker == 0xe0 || begins(0xe1, kJpegExif);
    if (at_head && is_head) places.insert = at + 2 + length;
    at_head = at_head && is_head;
    if (!places.packet && begins(0xe1, kJpegXmp)) places.packet = ByteEdit{at, 2 + length, ""};
    if (!places.further_pictures && begins(0xe2, kJpegFurtherPictures))
      places.further_pictures = at;
    at += 2 + length;
  }
}

std::optional<std::string> packet_in_jpeg(const PicturePieces& picture) {
  const auto segment = jpeg_places(picture).packet;
  if (!segment) return std::nullopt;
  const uint64_t head = 4 + kJpegXmp.size();
  return picture.take(segment->offset + head, segment->length - head);
}

ByteEdits jpeg_edits(const PicturePieces& picture, std::string_view packet) {
  const JpegPlaces places = jpeg_places(picture);
  if (packet.empty() && !places.packet) return {};
  if (packet.size() > kMostJpegPacket) packet_is_too_large("JPEG", packet.size(), kMostJpegPacket);
  ByteEdit edit = places.packet.value_or(ByteEdit{places.insert, 0, ""});
  // Their places are counted from there.
  if (places.further_pictures && *places.further_pictures < edit.offset) {
    throw Error(ErrorCode::InvalidArgument, "",
                "a JPEG with further pictures behind it, which would be lost",
                "leave out --in-file, for a sidecar");
  }
  if (!packet.empty()) {
    edit.bytes = "\xff\xe1";
    edit.bytes += big_bytes(static_cast<uint32_t>(2 + kJpegXmp.size() + packet.size()), 2);
    edit.bytes += kJpegXmp;
    edit.bytes += packet;
  }
  return {edit};
}

}  // namespace

// --- reading ------------------------------------------------------------------------------------

PictureBytes PictureBytes::of(std::string_view bytes) {
  return {bytes.size(), [bytes](uint64_t offset, std::span<char> out) {
            std::memcpy(out.data(), bytes.data() + offset, out.size());
            return true;
          }};
}

PictureBytes PictureBytes::of_file(int open_file) {
  struct stat status {};
  if (::fstat(open_file, &status) != 0 || !S_ISREG(status.st_mode)) return {0, {}};
  return {static_cast<uint64_t>(status.st_size), [open_file](uint64_t offset, std::span<char> out) {
            while (!out.empty()) {
              const ssize_t got =
                  ::pread(open_file, out.data(), out.size(), static_cast<off_t>(offset));
              if (got < 0 && errno == EINTR) continue;
              if (got <= 0) return false;
              offset += static_cast<uint64_t>(got);
              out = out.subspan(static_cast<size_t>(got));
            }
            return true;
          }};
}

std::string PicturePieces::take(uint64_t offset, uint64_t length) const {
  const auto cut_short = [] { return Error(ErrorCode::Corruption, "", "the file is cut short"); };
  if (offset > picture_.size || length > picture_.size - offset) throw cut_short();
  std::string bytes(length, '\0');
  if (length > 0 && !picture_.read(offset, bytes)) throw cut_short();
  return bytes;
}

uint32_t PicturePieces::big(uint64_t offset, int bytes) const {
  uint32_t value = 0;
  for (const char c : take(offset, static_cast<uint64_t>(bytes)))
    value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

uint32_t PicturePieces::little(uint64_t offset, int bytes) const {
  const std::string piece = take(offset, static_cast<uint64_t>(bytes));
  uint32_t value = 0;
  for (size_t i = piece.size(); i > 0; --i)
    value = value << 8 | static_cast<unsigned char>(piece[i - 1]);
  return value;
}

std::string big_bytes(uint32_t value, int bytes) {
  std::string text(static_cast<size_t>(bytes), '\0');
  for (size_t i = text.size(); i > 0; --i, value >>= 8) text[i - 1] = static_cast<char>(value & 0xff);
  return text;
}

std::string little_bytes(uint32_t value, int bytes) {
  std::string text(static_cast<size_t>(bytes), '\0');
  for (char& c : text) {
    c = static_cast<char>(value & 0xff);
    value >>= 8;
  }
  return text;
}

void picture_is_damaged(std::string_view format) {
  throw Error(ErrorCode::Corruption, "", fmt::format("a damaged {}", format),
              "leave out --in-file, for a sidecar");
}

void packet_is_too_large(std::string_view format, uint64_t size, uint64_t most) {
  throw Error(ErrorCode::InvalidArgument, "",
              fmt::format("{} bytes of XMP, and a {} takes {}", with_thousands(size), format,
                          with_thousands(most)),
              "leave out --in-file, for a sidecar");
}

// --- all formats --------------------------------------------------------------------------------

std::optional<std::string> packet_in(const PictureBytes& bytes) {
  const PicturePieces picture(bytes);
  switch (format_of(picture)) {
    case Format::Jpeg:
      return packet_in_jpeg(picture);
    case Format::Png:
      return packet_in_png(picture);
    case Format::WebP:
      return packet_in_webp(picture);
    case Format::Tiff:
      return packet_in_tiff(picture);
    case Format::Other:
      break;
  }
  return std::nullopt;
}

ByteEdits packet_edits(std::string_view bytes, std::string_view packet) {
  const PictureBytes source = PictureBytes::of(bytes);
  const PicturePieces picture(source);
  switch (format_of(picture)) {
    case Format::Jpeg:
      return jpeg_edits(picture, packet);
    case Format::Png:
      return png_edits(picture, packet);
    case Format::WebP:
      return webp_edits(picture, packet);
    case Format::Tiff:
      return tiff_edits(bytes, picture, packet);
    case Format::Other:
      break;
  }
  throw Error(ErrorCode::InvalidArgument, "",
              fmt::format("no keywords are written into {}", picture_format_name(bytes)),
              "leave out --in-file, for a sidecar");
}

std::string_view picture_format_name(std::string_view beginning) {
  if (const Signature* const known = signature_of(beginning)) return known->name;
  if (beginning.size() >= 12 && beginning.substr(4, 4) == "ftyp")
    return beginning.substr(8, 4) == "avif" ? "AVIF" : "HEIF";
  if (beginning.size() >= 2 && beginning[0] == 'P' && beginning[1] >= '1' && beginning[1] <= '7')
    return "PNM";
  return "an unknown format";
}

}  // namespace zeroshelf
