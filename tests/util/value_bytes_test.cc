#include "lib/util/value_bytes.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/checks.h"

namespace zeroshelf {
namespace {

using testing::is_corruption;

struct Plain {
  uint32_t a;
  float b;
};

std::string written() {
  ByteWriter out;
  write_texts(out, {"one", "", std::string("\0\xff", 2)});
  write_plain(out, Plain{7, 0.5f});
  write_floats(out, std::vector<float>{1, -2.5f});
  Matrix matrix(2, 3);
  for (size_t i = 0; i < 2; ++i) {
    for (size_t j = 0; j < 3; ++j) matrix.row(i)[j] = static_cast<float>(10 * i + j);
  }
  write_matrix(out, matrix);
  return std::move(out).bytes();
}

// Reads all of it. Throws Corruption.
void read(std::string_view bytes) {
  ByteReader in(bytes, "values");
  read_texts(in);
  read_plain<Plain>(in);
  read_floats(in);
  read_matrix(in);
  in.expect_end();
}

BOOST_AUTO_TEST_SUITE(value_bytes)

BOOST_AUTO_TEST_CASE(values_come_back_as_they_were) {
  const std::string bytes = written();
  ByteReader in(bytes, "values");
  BOOST_TEST((read_texts(in) == std::vector<std::string>{"one", "", std::string("\0\xff", 2)}));
  const Plain plain = read_plain<Plain>(in);
  BOOST_TEST(plain.a == 7u);
  BOOST_TEST(plain.b == 0.5f);
  BOOST_TEST((read_floats(in) == std::vector<float>{1, -2.5f}));
  const Matrix matrix = read_matrix(in);
  BOOST_REQUIRE(matrix.rows() == 2u);
  BOOST_REQUIRE(matrix.columns() == 3u);
  BOOST_TEST(matrix.row(0)[2] == 2.0f);
  BOOST_TEST(matrix.row(1)[0] == 10.0f);
  in.expect_end();
}

BOOST_AUTO_TEST_CASE(empty_values_come_back_empty) {
  ByteWriter out;
  write_texts(out, {});
  write_floats(out, {});
  write_matrix(out, Matrix(0, 0));
  write_matrix(out, Matrix(0, 5));
  ByteReader in(out.bytes(), "values");
  BOOST_TEST(read_texts(in).empty());
  BOOST_TEST(read_floats(in).empty());
  BOOST_TEST(read_matrix(in).rows() == 0u);
  BOOST_TEST(read_matrix(in).columns() == 5u);
  in.expect_end();
}

BOOST_AUTO_TEST_CASE(bytes_that_are_cut_short_are_refused) {
  const std::string bytes = written();
  for (size_t size = 0; size < bytes.size(); ++size)
    BOOST_CHECK_EXCEPTION(read(std::string_view(bytes).substr(0, size)), Error, is_corruption);
}

// Before anything is allocated for them.
BOOST_AUTO_TEST_CASE(sizes_that_cannot_be_are_refused) {
  const auto expect_refused = [](uint64_t rows, uint64_t columns) {
    ByteWriter out;
    out.varint(rows);
    out.varint(columns);
    out.number(1.0f);
    BOOST_CHECK_EXCEPTION(
        {
          ByteReader in(out.bytes(), "values");
          read_matrix(in);
        },
        Error, is_corruption);
  };
  expect_refused(uint64_t{1} << 62, 4);
  expect_refused(uint64_t{1} << 32, uint64_t{1} << 32);
  expect_refused(1, UINT64_MAX);
  expect_refused(UINT64_MAX, 0);
  for (const uint64_t count : {uint64_t{2}, uint64_t{1} << 62, UINT64_MAX}) {
    ByteWriter out;
    out.varint(count);
    out.number(1.0f);
    BOOST_CHECK_EXCEPTION(
        {
          ByteReader in(out.bytes(), "values");
          read_floats(in);
        },
        Error, is_corruption);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
