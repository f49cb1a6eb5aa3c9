// WebP: a chunk "XMP ", of the extended form. Tested by tests/xmp/picture_packet_test.cc.

#include <algorithm>

#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet_formats.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kHeadBytes = 12;
constexpr uint32_t kHasXmp = 4;
constexpr uint32_t kHasAlpha = 16;
constexpr uint64_t kMostRiffBytes = 0xfffffffe;

struct Chunk {
  std::string name;
  uint64_t offset = 0;  // of its name
  uint64_t length = 0;  // of its content

  uint64_t end() const { return offset + 8 + length + length % 2; }
};

struct WebpPlaces {
  uint64_t end = 0;  // of the chunks
  std::optional<Chunk> extended;
  std::optional<Chunk> plain;  // the pixels of the form that is not extended
  std::optional<Chunk> packet;
};

WebpPlaces webp_places(const PicturePieces& picture) {
  WebpPlaces places;
  const uint64_t end = uint64_t{picture.little(4, 4)} + 8;
  if (end > picture.size() || end < kHeadBytes) picture_is_damaged("WebP");
  uint64_t at = kHeadBytes;
  while (at + 8 <= end) {
    Chunk chunk{picture.take(at, 4), at, picture.little(at + 4, 4)};
    // The last one's padding may lack.
    if (chunk.length > end - at - 8) picture_is_damaged("WebP");
    if (chunk.name == "VP8X" && chunk.length >= 10 && at == kHeadBytes) places.extended = chunk;
    if ((chunk.name == "VP8 " || chunk.name == "VP8L") && at == kHeadBytes) places.plain = chunk;
    if (chunk.name == "XMP " && !places.packet) places.packet = chunk;
    at = chunk.end();
  }
  places.end = std::min(at, end);
  if (!places.extended && !places.plain) picture_is_damaged("WebP");
  return places;
}

// What the extended form says of a picture that is not yet of it.
std::string extended_chunk(const PicturePieces& picture, const Chunk& plain) {
  const uint64_t content = plain.offset + 8;
  uint32_t width_px = 0;
  uint32_t height_px = 0;
  bool has_alpha = false;
  if (plain.name == "VP8L") {
    if (plain.length < 5) picture_is_damaged("WebP");
    const uint32_t bits = picture.little(content + 1, 4);
    width_px = (bits & 0x3fff) + 1;
    height_px = (bits >> 14 & 0x3fff) + 1;
    has_alpha = (bits >> 28 & 1) != 0;
  } else {
    if (plain.length < 10) picture_is_damaged("WebP");
    width_px = picture.little(content + 6, 2) & 0x3fff;
    height_px = picture.little(content + 8, 2) & 0x3fff;
    if (width_px == 0 || height_px == 0) picture_is_damaged("WebP");
  }
  return "VP8X" + little_bytes(10, 4) + little_bytes(kHasXmp | (has_alpha ? kHasAlpha : 0), 4) +
         little_bytes(width_px - 1, 3) + little_bytes(height_px - 1, 3);
}

std::string packet_chunk(std::string_view packet) {
  std::string chunk = "XMP " + little_bytes(static_cast<uint32_t>(packet.size()), 4);
  chunk += packet;
  if (packet.size() % 2 != 0) chunk += '\0';
  return chunk;
}

}  // namespace

std::optional<std::string> packet_in_webp(const PicturePieces& picture) {
  const auto chunk = webp_places(picture).packet;
  if (!chunk) return std::nullopt;
  if (chunk->length > kMostPacketBytes) picture_is_damaged("WebP");
  return picture.take(chunk->offset + 8, chunk->length);
}

ByteEdits webp_edits(const PicturePieces& picture, std::string_view packet) {
  const WebpPlaces places = webp_places(picture);
  if (packet.empty() && !places.packet) return {};
  ByteEdits edits;
  if (!places.extended) {
    edits.push_back({kHeadBytes, 0, extended_chunk(picture, *places.plain)});
  } else {
    const uint64_t at = places.extended->offset + 8;
    const uint32_t flags = picture.little(at, 1);
    const uint32_t wanted = packet.empty() ? flags & ~kHasXmp : flags | kHasXmp;
    if (wanted != flags) edits.push_back({at, 1, little_bytes(wanted, 1)});
  }
  ByteEdit edit{places.end, 0, ""};
  if (places.packet) {
    edit.offset = places.packet->offset;
    edit.length = std::min(places.packet->end(), places.end) - edit.offset;
  }
  // A last chunk without its padding would hide what comes behind it.
  if (!places.packet && places.end % 2 != 0) edit.bytes += '\0';
  if (!packet.empty()) edit.bytes += packet_chunk(packet);
  edits.push_back(edit);

  uint64_t riff = picture.little(4, 4);
  for (const ByteEdit& one : edits) riff += one.bytes.size() - one.length;
  if (riff > kMostRiffBytes) packet_is_too_large("WebP", packet.size(), kMostRiffBytes);
  edits.insert(edits.begin(), {4, 4, little_bytes(static_cast<uint32_t>(riff), 4)});
  return edits;
}

}  // namespace zeroshelf
