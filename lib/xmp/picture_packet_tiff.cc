// TIFF: the tag 700 of the first folder. What is there stays where it is, since anything in a TIFF
// may point to any place in it: what grows is put at the end. Tested by
// tests/xmp/picture_packet_test.cc.

#include "lib/xmp/packet_keywords.h"
#include "lib/xmp/picture_packet_formats.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kXmpTag = 700;
constexpr uint32_t kBytes = 1;      // the types that it may have
constexpr uint32_t kUndefined = 7;
constexpr uint64_t kEntryBytes = 12;
constexpr uint64_t kMostTiffBytes = 0xffffffff;
constexpr size_t kRoomToGrow = 2048;

class Tiff {
 public:
  explicit Tiff(const PicturePieces& picture) : picture_(picture) {
    is_little_ = picture.take(0, 2) == "II";
    folder_ = number(4, 4);
    entries_ = number(folder_, 2);
    picture_.take(entry(0), entries_ * kEntryBytes + 4);  // all of it is there
  }

  uint32_t number(uint64_t offset, int bytes) const {
    return is_little_ ? picture_.little(offset, bytes) : picture_.big(offset, bytes);
  }
  std::string bytes_of(uint32_t value, int bytes) const {
    return is_little_ ? little_bytes(value, bytes) : big_bytes(value, bytes);
  }

  uint64_t folder() const { return folder_; }
  uint64_t entries() const { return entries_; }
  uint64_t entry(uint64_t number) const { return folder_ + 2 + number * kEntryBytes; }
  // The first entry whose tag is not smaller.
  uint64_t place_of(uint32_t tag) const {
    uint64_t place = 0;
    while (place < entries_ && number(entry(place), 2) < tag) ++place;
    return place;
  }
  bool has_packet() const {
    const uint64_t place = place_of(kXmpTag);
    if (place == entries_ || number(entry(place), 2) != kXmpTag) return false;
    const uint32_t type = number(entry(place) + 2, 2);
    if (type != kBytes && type != kUndefined) picture_is_damaged("TIFF");
    return true;
  }

 private:
  const PicturePieces& picture_;
  bool is_little_ = true;
  uint64_t folder_ = 0;
  uint64_t entries_ = 0;
};

// Where the packet stands, and how long it is.
struct Stretch {
  uint64_t offset = 0;
  uint64_t length = 0;
};

Stretch packet_place(const Tiff& tiff) {
  const uint64_t entry = tiff.entry(tiff.place_of(kXmpTag));
  const uint64_t length = tiff.number(entry + 4, 4);
  return {length <= 4 ? entry + 8 : tiff.number(entry + 8, 4), length};
}

std::string entry_of(const Tiff& tiff, uint64_t length, uint64_t offset) {
  return tiff.bytes_of(kXmpTag, 2) + tiff.bytes_of(kBytes, 2) +
         tiff.bytes_of(static_cast<uint32_t>(length), 4) +
         tiff.bytes_of(static_cast<uint32_t>(offset), 4);
}

}  // namespace

std::optional<std::string> packet_in_tiff(const PicturePieces& picture) {
  const Tiff tiff(picture);
  if (!tiff.has_packet()) return std::nullopt;
  const Stretch place = packet_place(tiff);
  if (place.length > kMostPacketBytes) picture_is_damaged("TIFF");
  return picture.take(place.offset, place.length);
}

ByteEdits tiff_edits(std::string_view bytes, const PicturePieces& picture,
                     std::string_view wanted) {
  const Tiff tiff(picture);
  const bool has_packet = tiff.has_packet();
  if (wanted.empty() && !has_packet) return {};
  std::string packet(wanted.empty() ? empty_packet() : wanted);
  if (has_packet) {
    const Stretch place = packet_place(tiff);
    if (place.length > 4 && packet.size() <= place.length) {
      picture.take(place.offset, place.length);
      packet.resize(place.length, ' ');
      return {{place.offset, place.length, packet}};
    }
  }
  packet.append(kRoomToGrow, ' ');
  // Numbers of more than one byte stand at even places.
  std::string end(bytes.size() % 2, '\0');
  const uint64_t packet_offset = bytes.size() + end.size();
  end += packet;
  end.append(end.size() % 2 != bytes.size() % 2 ? 1 : 0, '\0');
  ByteEdits edits;
  if (has_packet) {
    const uint64_t entry = tiff.entry(tiff.place_of(kXmpTag));
    edits.push_back({entry, kEntryBytes, entry_of(tiff, packet.size(), packet_offset)});
  } else {
    const uint64_t folder_offset = bytes.size() + end.size();
    const uint64_t place = tiff.place_of(kXmpTag);
    if (tiff.entries() >= 0xffff) picture_is_damaged("TIFF");
    end += tiff.bytes_of(static_cast<uint32_t>(tiff.entries() + 1), 2);
    end += bytes.substr(tiff.entry(0), place * kEntryBytes);
    end += entry_of(tiff, packet.size(), packet_offset);
    end += bytes.substr(tiff.entry(place), (tiff.entries() - place) * kEntryBytes + 4);
    edits.push_back({4, 4, tiff.bytes_of(static_cast<uint32_t>(folder_offset), 4)});
  }
  if (bytes.size() + end.size() > kMostTiffBytes)
    packet_is_too_large("TIFF", packet.size(), kMostTiffBytes);
  edits.push_back({bytes.size(), 0, std::move(end)});
  return edits;
}

}  // namespace zeroshelf
