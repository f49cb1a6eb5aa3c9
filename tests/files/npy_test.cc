#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstring>
#include <random>

#include "lib/files/npy.h"
#include "lib/files/npy_reader.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::TemporaryDirectory;

std::string npy(const std::string& header, const std::string& data, char version = 1) {
  std::string file("\x93NUMPY", 6);
  file += version;
  file += '\0';
  const auto size = static_cast<uint32_t>(header.size());
  file.append(reinterpret_cast<const char*>(&size), version == 1 ? 2 : 4);
  return file + header + data;
}

std::string floats(std::initializer_list<float> values) {
  std::string bytes;
  for (const float value : values) bytes.append(reinterpret_cast<const char*>(&value), 4);
  return bytes;
}

struct Folder {
  TemporaryDirectory directory;
  std::filesystem::path path = directory / "a.npy";

  NpyReader read(const std::string& bytes) const {
    testing::write_file(path, bytes);
    return NpyReader(path);
  }
  ErrorCode refusal(const std::string& bytes) const {
    try {
      read(bytes);
    } catch (const Error& error) {
      BOOST_TEST(error.subject() == path.string());
      return error.code();
    }
    BOOST_ERROR("it was read");
    return ErrorCode::Io;
  }
};

BOOST_FIXTURE_TEST_SUITE(npy_reader, Folder)

BOOST_AUTO_TEST_CASE(other_programs_read_what_was_written_and_an_abandoned_file_leaves_nothing) {
  Matrix rows(2, 3);
  for (int i = 0; i < 6; ++i) rows.data()[i] = static_cast<float>(i) / 3;
  {
    NpyWriter writer(directory / "a.npy", 3);
    writer.append(rows);
    writer.append(rows);
    BOOST_TEST(!std::filesystem::exists(directory / "a.npy"));
    writer.finish();
  }
  const testing::NpyArray array = testing::read_npy(directory / "a.npy");
  BOOST_TEST((array.shape == std::vector<size_t>{4, 3}));
  BOOST_TEST(std::memcmp(array.values.data(), rows.data(), 24) == 0);
  { NpyWriter abandoned(directory / "b.npy", 3); }
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(the_writer_never_overwrites) {
  testing::write_file(path, "kept");
  BOOST_CHECK_EXCEPTION(NpyWriter(path, 5), Error, [](const Error& error) {
    return error.code() == ErrorCode::InvalidArgument;
  });
  BOOST_TEST(read_file(path, 100) == "kept");
  NpyWriter late(directory / "late.npy", 5);
  testing::write_file(directory / "late.npy", "kept");
  BOOST_CHECK_THROW(late.finish(), Error);
  BOOST_TEST(read_file(directory / "late.npy", 100) == "kept");
}

BOOST_AUTO_TEST_CASE(what_the_writer_wrote_is_read_back) {
  Matrix rows(3, 5);
  for (size_t i = 0; i < 15; ++i) rows.data()[i] = static_cast<float>(i) - 7.25f;
  NpyWriter writer(path, 5);
  writer.append(rows);
  writer.finish();
  const Matrix read_back = NpyReader(path).matrix();
  BOOST_REQUIRE(read_back.rows() == 3u);
  BOOST_TEST(std::memcmp(read_back.data(), rows.data(), 15 * 4) == 0);
}

BOOST_AUTO_TEST_CASE(headers_as_others_write_them_are_read) {
  const std::string data = floats({1, 2, 3, 4});
  for (const std::string header :
       {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }          \n",
        "{'shape':(2,2),'descr':\"<f4\",'fortran_order':False}",
        " { 'fortran_order' : False , 'shape' : ( 2 , 2 , ) , 'descr' : '<f4' } "}) {
    for (const char version : {1, 2, 3}) {
      const NpyReader reader = read(npy(header, data, version));
      BOOST_TEST(reader.rows() == 2u);
      BOOST_TEST(reader.matrix().row(1)[0] == 3);
    }
  }
  const NpyReader halves = read(
      npy("{'descr': '<f2', 'fortran_order': False, 'shape': (1, 2), }", {"\x00\x3c\x00\xc0", 4}));
  BOOST_TEST(halves.matrix().row(0)[0] == 1);
  BOOST_TEST(halves.matrix().row(0)[1] == -2);
}

BOOST_AUTO_TEST_CASE(other_arrays_are_refused_as_such) {
  const std::string data = floats({1, 2, 3, 4});
  for (const std::string header :
       {"{'descr': '<f8', 'fortran_order': False, 'shape': (2, 1), }",
        "{'descr': '>f4', 'fortran_order': False, 'shape': (2, 2), }",
        "{'descr': '|O', 'fortran_order': False, 'shape': (2, 2), }",
        "{'descr': '<f4', 'fortran_order': True, 'shape': (2, 2), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (4,), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (), }",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 2), }"}) {
    BOOST_TEST((refusal(npy(header, data)) == ErrorCode::Incompatible), header);
  }
  BOOST_TEST((refusal(npy("{}", data, 9)) == ErrorCode::Incompatible));
}

BOOST_AUTO_TEST_CASE(hostile_headers_are_refused_before_anything_is_allocated) {
  const std::string data = floats({1, 2, 3, 4});
  const std::string begin = "{'descr': '<f4', 'fortran_order': False, 'shape': ";
  for (const std::string& header :
       {begin + "(3, 2), }", begin + "(2, 3), }", begin + "(0, 2), }",
        begin + "(4294967296, 4294967297), }", begin + "(999999999999999, 999999999999999), }",
        begin + "(99999999999999999999999, 2), }", begin + "(-2, 2), }", begin + "(2, 2)",
        begin + "(2 2), }", begin + "(2, 2), } x", begin + "(2, 2), 'shape': (2, 2), }",
        begin + "(2, 2), 'more': 1, }", std::string("{'shape': (2, 2), }"), std::string("{"),
        std::string("{'descr': '<f4"), std::string(), std::string(5000, '(')}) {
    BOOST_TEST((refusal(npy(header, data)) == ErrorCode::Corruption), header);
  }
  BOOST_TEST((refusal("") == ErrorCode::Corruption));
  BOOST_TEST((refusal("\x93NUMPY") == ErrorCode::Corruption));
  BOOST_TEST((refusal(std::string("\x93NUMPY\x01\x00\xff\xff{", 11)) == ErrorCode::Corruption));
  BOOST_TEST(
      (refusal(std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff{", 13)) == ErrorCode::Corruption));
}

BOOST_AUTO_TEST_CASE(mutated_files_are_read_or_refused_and_nothing_else) {
  const std::string sound =
      npy("{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }  \n", floats({1, 2, 3, 4}));
  std::mt19937 random(1);
  for (int i = 0; i < 3000; ++i) {
    std::string mutated = sound;
    for (int edits = static_cast<int>(random() % 3) + 1; edits > 0; --edits)
      mutated[random() % mutated.size()] = static_cast<char>(random());
    if (random() % 4 == 0) mutated.resize(random() % mutated.size());
    testing::write_file(path, mutated);
    try {
      const Matrix matrix = NpyReader(path).matrix();
      BOOST_TEST(matrix.rows() * matrix.columns() <= 8u);
    } catch (const Error&) {
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
