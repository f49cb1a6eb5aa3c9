// Pictures by the formats' own libraries; read back by Exiv2, and by exiftool in
// tests/programs/keywords_test.cc.

#include "lib/xmp/picture_packet.h"

#include <boost/test/unit_test.hpp>
#include <exiv2/exiv2.hpp>
#include <zlib.h>

#include <set>
#include <string>
#include <vector>

#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "lib/xmp/packet_keywords.h"
#include "tests/image/corpus.h"
#include "tests/support/draw.h"

namespace zeroshelf {
namespace {

std::string packet_of(const std::string& label) {
  return *with_keywords("", {{"zeroshelf"}, {{label}}}, PacketForm::Picture);
}

std::optional<std::string> read(const std::string& picture) {
  return packet_in(PictureBytes::of(picture));
}

std::string with_packet(const std::string& picture, const std::string& packet) {
  return edited(picture, packet_edits(picture, packet));
}

// As other programs read it.
std::string subject_by_exiv2(const std::string& picture) {
  const auto image = Exiv2::ImageFactory::open(
      reinterpret_cast<const Exiv2::byte*>(picture.data()), static_cast<long>(picture.size()));
  image->readMetadata();
  return image->xmpData()["Xmp.dc.subject"].toString();
}

std::string orientation_by_exiv2(const std::string& picture) {
  const auto image = Exiv2::ImageFactory::open(
      reinterpret_cast<const Exiv2::byte*>(picture.data()), static_cast<long>(picture.size()));
  image->readMetadata();
  return image->exifData()["Exif.Image.Orientation"].toString();
}

std::vector<uint8_t> pixels(const std::string& picture) {
  const auto decoded = decode_image(testing::as_bytes(picture), {});
  BOOST_REQUIRE(std::holds_alternative<Image>(decoded));
  return std::get<Image>(decoded).rgb;
}

// What the format's own programs call it.
bool holds_packets(const std::string& picture) {
  const std::string_view name = picture_format_name(picture);
  return name == "JPEG" || name == "PNG" || name == "WebP" || name == "TIFF";
}

BOOST_AUTO_TEST_SUITE(picture_packet)

BOOST_AUTO_TEST_CASE(every_format_holds_packets_or_says_why_not) {
  std::set<std::string_view> with;
  std::set<std::string_view> without;
  for (const testing::Sample& sample : testing::corpus()) {
    BOOST_TEST_CONTEXT(sample.name) {
      const std::string& before = sample.bytes;
      if (!holds_packets(before)) {
        without.insert(picture_format_name(before));
        BOOST_TEST(!read(before).has_value());
        BOOST_CHECK_EXCEPTION(
            packet_edits(before, packet_of("cat")), Error, [&](const Error& error) {
              return error.code() == ErrorCode::InvalidArgument &&
                     error.cause().ends_with(picture_format_name(before));
            });
        continue;
      }
      with.insert(picture_format_name(before));
      BOOST_TEST(!read(before).has_value());
      BOOST_TEST((with_packet(before, "") == before));
      std::string now = before;
      std::vector<ByteEdits> back;
      // Longer, shorter, none, and again.
      for (const std::string& label :
           {std::string("cat"), std::string(3000, 'x'), std::string("dog"), std::string()}) {
        const std::string packet = label.empty() ? "" : packet_of(label);
        const ByteEdits edits = packet_edits(now, packet);
        back.push_back(inverse(now, edits));
        now = edited(now, edits);
        BOOST_TEST((pixels(now) == pixels(before)));
        if (label.empty()) {
          const auto left = read(now);
          BOOST_TEST((!left || others_keywords(*left, {"zeroshelf"}).empty()));
          continue;
        }
        BOOST_REQUIRE(read(now).has_value());
        BOOST_TEST((trimmed(*read(now)) == packet));
        BOOST_TEST(subject_by_exiv2(now) == label);
        BOOST_TEST(orientation_by_exiv2(now) == orientation_by_exiv2(before));
      }
      for (auto edits = back.rbegin(); edits != back.rend(); ++edits) now = edited(now, *edits);
      BOOST_TEST((now == before));
    }
  }
  BOOST_TEST((with == std::set<std::string_view>{"JPEG", "PNG", "TIFF", "WebP"}));
  BOOST_TEST(without.contains("GIF"));
  BOOST_TEST(without.contains("BMP"));
}

BOOST_AUTO_TEST_CASE(packets_that_exiv2_wrote_are_found_and_replaced) {
  for (const testing::Sample& sample : testing::corpus()) {
    if (!holds_packets(sample.bytes)) continue;
    BOOST_TEST_CONTEXT(sample.name) {
      const auto image = Exiv2::ImageFactory::open(
          reinterpret_cast<const Exiv2::byte*>(sample.bytes.data()),
          static_cast<long>(sample.bytes.size()));
      image->readMetadata();
      Exiv2::XmpArrayValue theirs(Exiv2::xmpBag);
      theirs.read(std::string("theirs"));
      image->xmpData()["Xmp.dc.subject"].setValue(&theirs);
      image->writeMetadata();
      Exiv2::BasicIo& io = image->io();
      io.open();
      const auto* bytes = io.mmap();
      const std::string written(reinterpret_cast<const char*>(bytes), io.size());
      const auto packet = read(written);
      BOOST_REQUIRE(packet.has_value());
      const auto merged =
          with_keywords(*packet, {{"zeroshelf"}, {{"cat"}}}, PacketForm::Picture);
      const std::string after = with_packet(written, *merged);
      BOOST_TEST(subject_by_exiv2(after) == "theirs, cat");
      BOOST_TEST((pixels(after) == pixels(sample.bytes)));
    }
  }
}

BOOST_AUTO_TEST_CASE(what_a_jpeg_cannot_hold_is_refused) {
  const std::string jpeg = testing::jpeg_bytes(testing::plain_image(8, 8, {1, 2, 3}));
  BOOST_TEST(read(with_packet(jpeg, std::string(65'504, ' '))).has_value());
  BOOST_CHECK_EXCEPTION(packet_edits(jpeg, std::string(65'505, ' ')), Error,
                        [](const Error& error) {
                          return error.code() == ErrorCode::InvalidArgument;
                        });
  // Further pictures, whose places are counted from a segment that stands before the packet.
  std::string with_more = jpeg;
  with_more.insert(2, std::string("\xff\xe2\x00\x08MPF\0II", 10));
  const std::string in_front = with_packet(with_more, packet_of("cat"));
  BOOST_TEST(in_front.find("adobe.com/xap") < in_front.find(std::string("MPF\0", 4)));
  std::string behind = with_packet(jpeg, packet_of("cat"));
  behind.insert(2, std::string("\xff\xe2\x00\x08MPF\0II", 10));
  BOOST_CHECK_THROW(packet_edits(behind, packet_of("a longer label")), Error);
}

BOOST_AUTO_TEST_CASE(a_compressed_packet_in_a_png_is_read) {
  const std::string png = testing::png_bytes(testing::plain_image(8, 8, {1, 2, 3}));
  const std::string packet = packet_of(std::string(9000, 'x'));
  std::string compressed(packet.size() + 1000, '\0');
  uLongf size = compressed.size();
  BOOST_REQUIRE(::compress(reinterpret_cast<Bytef*>(compressed.data()), &size,
                           reinterpret_cast<const Bytef*>(packet.data()), packet.size()) == Z_OK);
  compressed.resize(size);
  const std::string content = std::string("iTXtXML:com.adobe.xmp\0\1\0\0\0", 26) + compressed;
  std::string chunk(4, '\0');
  for (int i = 0; i < 4; ++i) chunk[i] = static_cast<char>((content.size() - 4) >> (24 - 8 * i));
  chunk += content + std::string(4, '\0');
  std::string with = png;
  with.insert(33, chunk);
  BOOST_TEST((read(with) == packet));
  // A bomb.
  std::string zeros(size_t{20} << 20, '\0');
  std::string bomb(zeros.size() / 100, '\0');
  size = bomb.size();
  BOOST_REQUIRE(::compress(reinterpret_cast<Bytef*>(bomb.data()), &size,
                           reinterpret_cast<const Bytef*>(zeros.data()), zeros.size()) == Z_OK);
  bomb.resize(size);
  const std::string bomb_content = std::string("iTXtXML:com.adobe.xmp\0\1\0\0\0", 26) + bomb;
  for (int i = 0; i < 4; ++i) chunk[i] = static_cast<char>((bomb_content.size() - 4) >> (24 - 8 * i));
  with = png;
  with.insert(33, chunk.substr(0, 4) + bomb_content + std::string(4, '\0'));
  BOOST_CHECK_THROW(read(with), Error);
}

BOOST_AUTO_TEST_CASE(no_damage_is_believed) {
  for (const testing::Sample& sample : testing::corpus()) {
    if (!holds_packets(sample.bytes)) continue;
    const std::string with = with_packet(sample.bytes, packet_of("cat"));
    const auto try_it = [](const std::string& bytes) {
      try {
        read(bytes);
        edited(bytes, packet_edits(bytes, packet_of("dog")));
      } catch (const Error&) {
      }
    };
    for (size_t size = 0; size < std::min<size_t>(with.size(), 600); ++size)
      try_it(with.substr(0, size));
    uint32_t random = 1;
    for (int turn = 0; turn < 300; ++turn) {
      std::string damaged = with;
      for (int i = 0; i < 4; ++i) {
        random = random * 1664525 + 1013904223;
        damaged[random % std::min<size_t>(damaged.size(), 400)] = static_cast<char>(random >> 24);
      }
      try_it(damaged);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
