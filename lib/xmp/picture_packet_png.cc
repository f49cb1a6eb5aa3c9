// PNG: a chunk iTXt. Tested by tests/xmp/picture_packet_test.cc.

#include <zlib.h>

#include <algorithm>
#include <new>

#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet_formats.h"

namespace zeroshelf {
namespace {

using std::string_view_literals::operator""sv;

constexpr uint64_t kSignatureBytes = 8;
constexpr uint64_t kAroundChunk = 12;  // its length, name and checksum
constexpr std::string_view kKeyword = "XML:com.adobe.xmp\0"sv;
constexpr uint32_t kMostChunkBytes = 0x7fffffff;

struct PngPlaces {
  uint64_t insert = 0;             // behind the head
  std::optional<ByteEdit> packet;  // the chunk that it stands in, without bytes
};

PngPlaces png_places(const PicturePieces& picture) {
  PngPlaces places;
  for (uint64_t at = kSignatureBytes; at + kAroundChunk <= picture.size();) {
    const uint32_t length = picture.big(at, 4);
    const std::string name = picture.take(at + 4, 4);
    if (length > kMostChunkBytes || length + kAroundChunk > picture.size() - at) break;
    const uint64_t next = at + length + kAroundChunk;
    if (name == "IHDR" && places.insert == 0) places.insert = next;
    if (name == "iTXt" && length >= kKeyword.size() &&
        picture.take(at + 8, kKeyword.size()) == kKeyword) {
      places.packet = ByteEdit{at, next - at, ""};
      break;
    }
    if (name == "IEND") break;
    at = next;
  }
  if (places.insert == 0) picture_is_damaged("PNG");
  return places;
}

std::string inflated(std::string_view compressed) {
  std::string text(std::min(kMostPacketBytes, compressed.size() * 8 + 4096), '\0');
  z_stream stream{};
  if (::inflateInit(&stream) != Z_OK) throw std::bad_alloc();
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(compressed.data()));
  stream.avail_in = static_cast<uInt>(compressed.size());
  int state = Z_OK;
  while (state == Z_OK) {
    stream.next_out = reinterpret_cast<Bytef*>(text.data()) + stream.total_out;
    stream.avail_out = static_cast<uInt>(text.size() - stream.total_out);
    state = ::inflate(&stream, Z_NO_FLUSH);
    if (state != Z_OK || stream.avail_out > 0) break;
    if (text.size() == kMostPacketBytes) break;
    text.resize(std::min(kMostPacketBytes, text.size() * 2));
  }
  text.resize(stream.total_out);
  ::inflateEnd(&stream);
  if (state != Z_STREAM_END) picture_is_damaged("PNG");
  return text;
}

}  // namespace

std::optional<std::string> packet_in_png(const PicturePieces& picture) {
  const auto chunk = png_places(picture).packet;
  if (!chunk) return std::nullopt;
  if (chunk->length > kMostPacketBytes) picture_is_damaged("PNG");
  const std::string content = picture.take(chunk->offset + 8, chunk->length - kAroundChunk);
  // Keyword, whether it is compressed and how, language, translated keyword; each text ended by NUL.
  if (content.size() < kKeyword.size() + 4) picture_is_damaged("PNG");
  const bool is_compressed = content[kKeyword.size()] != 0;
  size_t at = kKeyword.size() + 2;
  for (int texts = 0; texts < 2; ++texts) {
    at = content.find('\0', at);
    if (at == std::string::npos) picture_is_damaged("PNG");
    ++at;
  }
  return is_compressed ? inflated(std::string_view(content).substr(at)) : content.substr(at);
}

ByteEdits png_edits(const PicturePieces& picture, std::string_view packet) {
  const PngPlaces places = png_places(picture);
  if (packet.empty() && !places.packet) return {};
  ByteEdit edit = places.packet.value_or(ByteEdit{places.insert, 0, ""});
  if (!packet.empty()) {
    std::string content = "iTXt";
    content += kKeyword;
    content.append(4, '\0');  // not compressed, no language, no translated keyword
    content += packet;
    const uLong checksum = ::crc32(0, reinterpret_cast<const Bytef*>(content.data()),
                                   static_cast<uInt>(content.size()));
    edit.bytes = big_bytes(static_cast<uint32_t>(content.size() - 4), 4) + content +
                 big_bytes(static_cast<uint32_t>(checksum), 4);
  }
  return {edit};
}

}  // namespace zeroshelf
