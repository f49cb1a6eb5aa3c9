#include <array>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <vector>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(bytes)

BOOST_AUTO_TEST_CASE(what_is_written_is_read_back) {
  ByteWriter writer;
  writer.varint(0);
  writer.varint(~uint64_t{0});
  writer.number(int64_t{-5});
  writer.text("a\0b");
  writer.text(std::string("x\0y", 3));
  const std::string bytes = std::move(writer).bytes();
  ByteReader reader(bytes, "test");
  BOOST_TEST(reader.varint() == 0u);
  BOOST_TEST(reader.varint() == ~uint64_t{0});
  BOOST_TEST(reader.number<int64_t>() == -5);
  BOOST_TEST(reader.text() == "a");
  BOOST_TEST(reader.text() == std::string("x\0y", 3));
  BOOST_CHECK_NO_THROW(reader.expect_end());
}

BOOST_AUTO_TEST_CASE(a_reader_never_reads_past_the_end) {
  ByteWriter writer;
  writer.varint(uint64_t{1} << 60);  // a text of an absurd length
  ByteReader reader(writer.bytes(), "test");
  BOOST_CHECK_THROW(reader.text(), Error);
  ByteReader empty("", "test");
  BOOST_CHECK_THROW(empty.number<uint32_t>(), Error);
  const std::string ones(20, '\xff');
  ByteReader endless(ones, "test");
  BOOST_CHECK_THROW(endless.varint(), Error);
}

BOOST_AUTO_TEST_CASE(a_number_has_one_form) {
  for (const uint64_t value : {uint64_t{0}, uint64_t{127}, uint64_t{128}, UINT64_MAX}) {
    ByteWriter writer;
    writer.varint(value);
    ByteReader reader(writer.bytes(), "test");
    BOOST_TEST(reader.varint() == value);
    reader.expect_end();
  }
  const std::string zero_in_two_bytes("\x80\0", 2);
  ByteReader reader(zero_in_two_bytes, "test");
  BOOST_CHECK_THROW(reader.varint(), Error);
}

BOOST_AUTO_TEST_CASE(big_endian_keys_sort_as_numbers) {
  BOOST_TEST((big_endian_key(255) < big_endian_key(256)));
  BOOST_TEST(from_big_endian_key(big_endian_key(0x0123456789abcdef)) == 0x0123456789abcdefu);
}

BOOST_AUTO_TEST_CASE(content_hash_is_sha256) {
  // FIPS 180-4, example "abc".
  const std::string abc = "abc";
  BOOST_TEST(to_hex(content_hash(std::as_bytes(std::span(abc)))) ==
             "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

BOOST_AUTO_TEST_CASE(checksum_keeps_fields_apart) {
  Checksum128 one;
  one.update("ab");
  one.update("c");
  Checksum128 other;
  other.update("a");
  other.update("bc");
  BOOST_TEST(one.hex() != other.hex());
  BOOST_TEST(one.hex().size() == 32u);
}

BOOST_AUTO_TEST_CASE(arrays_are_aligned_and_read_in_place_as_far_as_they_go) {
  ByteWriter writer;
  writer.array(std::span<const uint16_t>(std::array<uint16_t, 3>{1, 2, 3}));
  writer.array(std::span<const uint64_t>(std::array<uint64_t, 1>{4}));
  BOOST_TEST(writer.bytes().size() == 16u);
  const std::vector<uint64_t> aligned = {0x0000'0003'0002'0001, 4};
  BOOST_TEST(std::memcmp(writer.bytes().data(), aligned.data(), 16) == 0);
  ArrayReader reader(std::as_bytes(std::span(aligned)));
  std::span<const uint16_t> first;
  std::span<const uint64_t> second;
  BOOST_TEST(!reader.next(first, 9));
  BOOST_TEST(!reader.next(second, ~uint64_t{0}));
  BOOST_REQUIRE(reader.next(first, 3));
  BOOST_TEST((std::vector<uint16_t>(first.begin(), first.end()) == std::vector<uint16_t>{1, 2, 3}));
  BOOST_TEST(!reader.next(second, 2));
  BOOST_REQUIRE(reader.next(second, 1));
  BOOST_TEST(second[0] == 4u);
  BOOST_TEST(reader.left().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
