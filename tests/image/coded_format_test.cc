// Tests lib/image/coded_format.h with streams written bit by bit.

#include <boost/test/unit_test.hpp>

#include <bit>
#include <cstdint>
#include <string>

#include "lib/image/coded_format.h"

namespace zeroshelf {
namespace {

using namespace std::string_literals;

class Bits {
 public:
  Bits& put(uint64_t value, int count) {
    for (int i = count - 1; i >= 0; --i) {
      if (used_ % 8 == 0) bytes_ += '\0';
      bytes_.back() = static_cast<char>(bytes_.back() | (value >> i & 1) << (7 - used_++ % 8));
    }
    return *this;
  }
  Bits& golomb(uint64_t value) {
    const int length = std::bit_width(value + 1);
    return put(0, length - 1).put(value + 1, length);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
  size_t used_ = 0;
};

Bytes as_bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

// --- HEVC ---------------------------------------------------------------------------------------

std::string escaped(const std::string& plain) {
  std::string result;
  int zeros = 0;
  for (const char byte : plain) {
    if (zeros == 2 && static_cast<uint8_t>(byte) <= 3) {
      result += '\3';
      zeros = 0;
    }
    result += byte;
    zeros = byte == 0 ? zeros + 1 : 0;
  }
  return result;
}

std::string unit(int type, const std::string& payload, int layer = 0) {
  const std::string content =
      Bits().put(0, 1).put(type, 6).put(layer, 6).put(1, 3).bytes() + payload;
  return Bits().put(content.size(), 32).bytes() + content;
}

struct Sps {
  uint64_t width = 64;
  uint64_t height = 48;
  int sub_layers = 0;
  uint64_t chroma = 1;
  uint64_t right = 0;  // of the conformance window
  uint64_t bottom = 0;
  uint64_t bits = 8;
};

std::string sps(const Sps& what) {
  Bits bits;
  bits.put(0, 4).put(static_cast<uint64_t>(what.sub_layers), 3).put(1, 1);
  bits.put(1, 8).put(0, 64).put(0, 16).put(93, 8);  // with runs of zeros that are escaped
  for (int i = 0; i < what.sub_layers; ++i) bits.put(3, 2);
  if (what.sub_layers > 0) bits.put(0, 2 * (8 - what.sub_layers));
  for (int i = 0; i < what.sub_layers; ++i) bits.put(1, 48).put(1, 48);
  bits.golomb(0).golomb(what.chroma);
  if (what.chroma == 3) bits.put(0, 1);
  bits.golomb(what.width).golomb(what.height);
  if (what.right + what.bottom > 0) {
    bits.put(1, 1).golomb(0).golomb(what.right).golomb(0).golomb(what.bottom);
  } else {
    bits.put(0, 1);
  }
  bits.golomb(what.bits - 8).golomb(what.bits - 8).put(0xffff, 16);
  return unit(33, escaped(bits.bytes()));
}

CodedFormat format_of(const std::optional<CodedStream>& stream) {
  BOOST_REQUIRE(stream.has_value());
  BOOST_REQUIRE(stream->sequences.size() == 1u);
  return stream->sequences[0];
}

// --- AV1 ----------------------------------------------------------------------------------------

struct Sequence {
  uint64_t profile = 0;
  uint64_t width = 64;
  uint64_t height = 48;
  bool reduced = true;
  bool high = false;
  bool grey = false;
};

std::string sequence_header(const Sequence& what) {
  Bits bits;
  bits.put(what.profile, 3).put(1, 1).put(what.reduced, 1);
  if (what.reduced) {
    bits.put(8, 5);
  } else {
    bits.put(1, 1).put(1, 32).put(25, 32).put(1, 1).golomb(6);  // timing
    bits.put(1, 1).put(9, 5).put(1, 32).put(4, 5).put(4, 5);    // decoder model
    bits.put(1, 1).put(1, 5);                                   // two operating points
    bits.put(0, 12).put(9, 5).put(1, 1).put(1, 1).put(77, 10).put(78, 10).put(0, 1).put(1, 1).put(
        3, 4);
    bits.put(1, 12).put(3, 5).put(0, 1).put(0, 1);
  }
  bits.put(15, 4).put(15, 4).put(what.width - 1, 16).put(what.height - 1, 16);
  if (!what.reduced) bits.put(1, 1).put(0, 7);
  bits.put(0, 3);
  if (!what.reduced)
    bits.put(0, 4).put(1, 1).put(0, 2).put(0, 1).put(1, 1).put(0, 1).put(1, 1).put(5, 3);
  bits.put(0, 3);
  bits.put(what.high, 1);
  if (what.profile != 1) bits.put(what.grey, 1);
  bits.put(0, 1).put(1, 1);
  return bits.put(0xffff, 16).bytes();
}

std::string obu(int type, const std::string& payload) {
  return Bits().put(static_cast<uint64_t>(type), 5).put(2, 3).bytes() +
         static_cast<char>(payload.size()) + payload;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(coded_format)

BOOST_AUTO_TEST_CASE(hevc_sizes_windows_depths_and_chroma) {
  CodedFormat format = format_of(read_hevc_stream(as_bytes_of(sps({}))));
  BOOST_TEST(format.width_px == 64u);
  BOOST_TEST(format.height_px == 48u);
  BOOST_TEST(format.bits == 8);
  BOOST_TEST((format.chroma == Chroma::Half));
  const std::string cropped =
      sps({.width = 8192, .height = 8, .sub_layers = 3, .right = 1, .bottom = 2, .bits = 10});
  format = format_of(read_hevc_stream(as_bytes_of(cropped)));
  BOOST_TEST(format.width_px == 8192u);
  BOOST_TEST(format.shown_width_px == 8190u);
  BOOST_TEST(format.shown_height_px == 4u);
  BOOST_TEST(format.bits == 10);
  format = format_of(read_hevc_stream(as_bytes_of(sps({.chroma = 3, .right = 1}))));
  BOOST_TEST(format.shown_width_px == 63u);
  BOOST_TEST((format.chroma == Chroma::Full));
}

BOOST_AUTO_TEST_CASE(hevc_pictures_are_counted_and_further_layers_ignored) {
  const std::string stream = unit(32, "x") + sps({}) + unit(19, "\x80") + unit(19, "\x00"s) +
                             unit(1, "\xff") + unit(33, "", 0) + unit(33, "nonsense", 1) +
                             unit(19, "\x80", 2);
  const auto read = read_hevc_stream(as_bytes_of(stream));
  BOOST_REQUIRE(read.has_value());
  BOOST_TEST(read->sequences.size() == 1u);
  BOOST_TEST(read->pictures == 2u);
}

BOOST_AUTO_TEST_CASE(damaged_hevc_gives_nothing) {
  const std::string good = sps({});
  for (size_t size = 1; size < good.size(); ++size)
    BOOST_TEST(!read_hevc_stream(as_bytes_of(good.substr(0, size))).has_value());
  for (const Sps& bad : {Sps{.chroma = 4}, Sps{.right = 32}, Sps{.bottom = 4'000'000'000},
                         Sps{.bits = 17}, Sps{.width = 0}}) {
    BOOST_TEST(!read_hevc_stream(as_bytes_of(sps(bad))).has_value());
  }
  BOOST_TEST(!read_hevc_stream(as_bytes_of(unit(33, "short"))).has_value());
  BOOST_TEST(!read_hevc_stream(as_bytes_of(unit(33, std::string(80, '\0')))).has_value());
  BOOST_TEST(read_hevc_stream({})->sequences.empty());
}

BOOST_AUTO_TEST_CASE(av1_sizes_depths_and_chroma_of_short_and_long_headers) {
  for (const bool reduced : {true, false}) {
    for (const uint64_t profile : {0, 1, 2}) {
      for (const bool high : {false, true}) {
        if (profile == 2 && high) continue;  // needs one bit more
        const CodedFormat format = format_of(read_av1_stream(as_bytes_of(
            obu(2, "") + obu(1, sequence_header({profile, 65'536, 300, reduced, high})) +
            obu(6, "frame"))));
        BOOST_TEST(format.width_px == 65'536u);
        BOOST_TEST(format.height_px == 300u);
        BOOST_TEST(format.bits == (high ? 10 : 8));
        BOOST_TEST((format.chroma == (profile == 0   ? Chroma::Half
                                      : profile == 1 ? Chroma::Full
                                                     : Chroma::HalfWide)));
      }
    }
  }
  BOOST_TEST(
      (format_of(read_av1_stream(as_bytes_of(obu(1, sequence_header({.grey = true}))))).chroma ==
       Chroma::Grey));
}

BOOST_AUTO_TEST_CASE(damaged_av1_gives_nothing) {
  const std::string good = sequence_header({});
  for (size_t size = 0; size < good.size() - 2; ++size)
    BOOST_TEST(!read_av1_stream(as_bytes_of(obu(1, good.substr(0, size)))).has_value());
  BOOST_TEST(!read_av1_stream(as_bytes_of("\x0a\x7f"s)).has_value());
  BOOST_TEST(!read_av1_stream(as_bytes_of("\x0a" + std::string(9, '\xff'))).has_value());
  BOOST_TEST(!read_av1_stream(as_bytes_of("\x0e"s)).has_value());
  // A unit without a size goes to the end.
  BOOST_TEST(read_av1_stream(as_bytes_of("\x08" + good))->sequences.size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf
