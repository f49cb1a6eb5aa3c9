// Tested by tests/image/coded_format_test.cc and, with whole pictures, tests/image/hostile_test.cc.

#include "lib/image/coded_format.h"

#include <string>
#include <utility>

namespace zeroshelf {
namespace {

// Big-endian bits. Past the end it gives zeros and is no longer good().
class BitReader {
 public:
  explicit BitReader(Bytes bytes) : bytes_(bytes) {}

  uint64_t bits(int count) {
    uint64_t value = 0;
    for (; count > 0; --count) value = value << 1 | bit();
    return value;
  }
  bool flag() { return bit() != 0; }
  void skip(uint64_t count) {
    at_ += count;
    good_ = good_ && at_ <= 8 * bytes_.size();
  }
  // Exp-Golomb of at most 32 bits, as H.265 (9.2) and AV1 (4.10.3) have it.
  uint64_t golomb() {
    int zeros = 0;
    while (good_ && !flag()) {
      if (++zeros > 31) good_ = false;
    }
    return good_ ? (uint64_t{1} << zeros) - 1 + bits(zeros) : 0;
  }
  bool good() const { return good_; }

 private:
  uint64_t bit() {
    const uint64_t byte = at_ / 8;
    if (byte >= bytes_.size()) {
      good_ = false;
      return 0;
    }
    return as_uint8(bytes_)[byte] >> (7 - at_++ % 8) & 1;
  }

  Bytes bytes_;
  uint64_t at_ = 0;
  bool good_ = true;
};

// --- HEVC ---------------------------------------------------------------------------------------

constexpr int kFirstParameterSet = 32;  // smaller types are slices
constexpr int kSequenceParameterSet = 33;
constexpr size_t kUnitHeaderBytes = 2;

// Without the bytes that keep start codes out of a unit: 0 0 3 -> 0 0.
std::string unescaped(Bytes unit) {
  std::string result;
  result.reserve(unit.size());
  int zeros = 0;
  for (const std::byte byte : unit) {
    if (zeros >= 2 && byte == std::byte{3}) {
      zeros = 0;
      continue;
    }
    zeros = byte == std::byte{0} ? zeros + 1 : 0;
    result += static_cast<char>(byte);
  }
  return result;
}

void skip_profile_tier_level(BitReader& reader, int sub_layers) {
  constexpr int kProfileBits = 88;
  constexpr int kLevelBits = 8;
  reader.skip(kProfileBits + kLevelBits);
  std::vector<std::pair<bool, bool>> present;
  for (int i = 0; i < sub_layers; ++i) {
    const bool profile = reader.flag();
    present.emplace_back(profile, reader.flag());
  }
  if (sub_layers > 0) reader.skip(2 * static_cast<uint64_t>(8 - sub_layers));
  for (const auto& [profile, level] : present)
    reader.skip((profile ? kProfileBits : 0) + (level ? kLevelBits : 0));
}

std::optional<CodedFormat> read_sequence_parameter_set(Bytes payload) {
  const std::string plain = unescaped(payload);
  BitReader reader(std::as_bytes(std::span(plain)));
  reader.skip(4);  // of the video parameter set
  const auto sub_layers = static_cast<int>(reader.bits(3));
  reader.skip(1);
  skip_profile_tier_level(reader, sub_layers);
  reader.golomb();  // its own number
  const uint64_t chroma = reader.golomb();
  if (chroma > 3) return std::nullopt;
  if (chroma == 3) reader.skip(1);
  CodedFormat format;
  format.chroma = static_cast<Chroma>(chroma);
  format.width_px = format.shown_width_px = reader.golomb();
  format.height_px = format.shown_height_px = reader.golomb();
  if (reader.flag()) {
    const uint64_t unit_width = chroma == 1 || chroma == 2 ? 2 : 1;
    const uint64_t unit_height = chroma == 1 ? 2 : 1;
    const uint64_t left = reader.golomb();
    const uint64_t right = reader.golomb();
    const uint64_t top = reader.golomb();
    const uint64_t bottom = reader.golomb();
    format.shown_width_px -= unit_width * (left + right);
    format.shown_height_px -= unit_height * (top + bottom);
  }
  format.bits = static_cast<int>(8 + reader.golomb());
  // A difference below zero has wrapped round.
  if (!reader.good() || format.shown_width_px - 1 >= format.width_px ||
      format.shown_height_px - 1 >= format.height_px || format.bits > 16) {
    return std::nullopt;
  }
  return format;
}

// --- AV1 ----------------------------------------------------------------------------------------

constexpr int kSequenceHeader = 1;
constexpr uint64_t kBt709 = 1;
constexpr uint64_t kSrgb = 13;
constexpr uint64_t kUnspecified = 2;
constexpr uint64_t kIdentity = 0;

struct OperatingPoints {
  bool decoder_model = false;
  int delay_bits = 0;
};

OperatingPoints read_timing(BitReader& reader) {
  OperatingPoints points;
  if (!reader.flag()) return points;
  reader.skip(64);
  if (reader.flag()) reader.golomb();
  points.decoder_model = reader.flag();
  if (points.decoder_model) {
    points.delay_bits = static_cast<int>(reader.bits(5)) + 1;
    reader.skip(32 + 5 + 5);
  }
  return points;
}

void skip_operating_points(BitReader& reader) {
  const OperatingPoints points = read_timing(reader);
  const bool display_delay = reader.flag();
  const uint64_t count = reader.bits(5) + 1;
  for (uint64_t i = 0; i < count; ++i) {
    reader.skip(12);
    if (reader.bits(5) > 7) reader.skip(1);
    if (points.decoder_model && reader.flag())
      reader.skip(2 * static_cast<uint64_t>(points.delay_bits) + 1);
    if (display_delay && reader.flag()) reader.skip(4);
  }
}

void skip_tools(BitReader& reader) {
  reader.skip(4);
  const bool order_hint = reader.flag();
  if (order_hint) reader.skip(2);
  const bool screen_content = reader.flag() || reader.flag();
  if (screen_content && !reader.flag()) reader.skip(1);
  if (order_hint) reader.skip(3);
}

void read_colours(BitReader& reader, uint64_t profile, CodedFormat& format) {
  const bool high = reader.flag();
  format.bits = !high ? 8 : profile == 2 && reader.flag() ? 12 : 10;
  const bool grey = profile != 1 && reader.flag();
  uint64_t primaries = kUnspecified;
  uint64_t transfer = kUnspecified;
  uint64_t matrix = kUnspecified;
  if (reader.flag()) {
    primaries = reader.bits(8);
    transfer = reader.bits(8);
    matrix = reader.bits(8);
  }
  if (grey) {
    format.chroma = Chroma::Grey;
  } else if (primaries == kBt709 && transfer == kSrgb && matrix == kIdentity) {
    format.chroma = Chroma::Full;
  } else {
    reader.skip(1);
    if (profile == 0) {
      format.chroma = Chroma::Half;
    } else if (profile == 1) {
      format.chroma = Chroma::Full;
    } else if (format.bits == 12) {
      const bool half_wide = reader.flag();
      format.chroma = !half_wide ? Chroma::Full : reader.flag() ? Chroma::Half : Chroma::HalfWide;
    } else {
      format.chroma = Chroma::HalfWide;
    }
  }
}

std::optional<CodedFormat> read_sequence_header(Bytes payload) {
  BitReader reader(payload);
  const uint64_t profile = reader.bits(3);
  reader.skip(1);
  const bool reduced = reader.flag();
  if (reduced) {
    reader.skip(5);
  } else {
    skip_operating_points(reader);
  }
  const auto width_bits = static_cast<int>(reader.bits(4)) + 1;
  const auto height_bits = static_cast<int>(reader.bits(4)) + 1;
  CodedFormat format;
  format.width_px = format.shown_width_px = reader.bits(width_bits) + 1;
  format.height_px = format.shown_height_px = reader.bits(height_bits) + 1;
  if (!reduced && reader.flag()) reader.skip(4 + 3);
  reader.skip(3);
  if (!reduced) skip_tools(reader);
  reader.skip(3);
  read_colours(reader, profile, format);
  if (!reader.good() || profile > 2) return std::nullopt;
  return format;
}

// The size in front of a unit: little endian, 7 bits a byte. Takes it from the bytes.
std::optional<uint64_t> take_leb128(Bytes& bytes) {
  uint64_t value = 0;
  for (int i = 0; i < 8 && !bytes.empty(); ++i) {
    const auto byte = static_cast<uint64_t>(bytes.front());
    bytes = bytes.subspan(1);
    value |= (byte & 0x7f) << (7 * i);
    if (byte < 0x80) return value;
  }
  return std::nullopt;
}

}  // namespace

std::optional<CodedStream> read_hevc_stream(Bytes units) {
  CodedStream stream;
  while (!units.empty()) {
    BitReader sizes(units);
    const uint64_t size = sizes.bits(32);
    if (!sizes.good() || size > units.size() - 4) return std::nullopt;
    const Bytes unit = units.subspan(4, size);
    units = units.subspan(4 + size);
    BitReader header(unit);
    header.skip(1);
    const auto type = static_cast<int>(header.bits(6));
    const uint64_t layer = header.bits(6);
    if (unit.size() <= kUnitHeaderBytes || layer > 0) continue;
    const Bytes payload = unit.subspan(kUnitHeaderBytes);
    if (type == kSequenceParameterSet) {
      const auto format = read_sequence_parameter_set(payload);
      if (!format) return std::nullopt;
      stream.sequences.push_back(*format);
    } else if (type < kFirstParameterSet) {
      stream.pictures += BitReader(payload).bits(1);  // the first slice of one
    }
  }
  return stream;
}

std::optional<CodedStream> read_av1_stream(Bytes units) {
  CodedStream stream;
  while (!units.empty()) {
    const auto header = static_cast<unsigned>(units.front());
    const bool has_extension = (header >> 2 & 1) != 0;
    const bool has_size = (header >> 1 & 1) != 0;
    if (units.size() < 1u + has_extension) return std::nullopt;
    units = units.subspan(1u + has_extension);
    uint64_t size = units.size();
    if (has_size) {
      const std::optional<uint64_t> said = take_leb128(units);
      if (!said || *said > units.size()) return std::nullopt;
      size = *said;
    }
    if ((header >> 3 & 15) == kSequenceHeader) {
      const auto format = read_sequence_header(units.first(size));
      if (!format) return std::nullopt;
      stream.sequences.push_back(*format);
    }
    units = units.subspan(size);
  }
  return stream;
}

}  // namespace zeroshelf
