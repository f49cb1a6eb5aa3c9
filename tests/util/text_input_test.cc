#include "lib/util/text_input.h"

#include <sys/stat.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <thread>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kLimit = 1000;

struct Input {
  std::string read(std::string_view bytes) const {
    testing::write_file(directory / "list", bytes);
    return read_text_input(directory / "list", kLimit);
  }
  testing::TemporaryDirectory directory;
};

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> result;
  for_each_line(text, [&](size_t number, std::string_view line) {
    BOOST_TEST(number == result.size() + 1);
    result.emplace_back(line);
  });
  return result;
}

BOOST_FIXTURE_TEST_SUITE(text_input, Input)

BOOST_AUTO_TEST_CASE(byte_order_marks_are_understood) {
  BOOST_TEST(read("plain\n") == "plain\n");
  BOOST_TEST(read("\xef\xbb\xbf" "caf\xc3\xa9") == "caf\xc3\xa9");
  BOOST_TEST(read(std::string("\xff\xfe" "a\0\xe9\0\x3d\xd8\x00\xde", 10)) == "a\xc3\xa9\xf0\x9f\x98\x80");
  BOOST_TEST(read(std::string("\xfe\xff" "\0a\0\xe9", 6)) == "a\xc3\xa9");
  BOOST_TEST(read(std::string("\xff\xfe" "\x3d\xd8", 4)) == "\xef\xbf\xbd");
  BOOST_CHECK_THROW(read(std::string("a\0b", 3)), Error);
}

BOOST_AUTO_TEST_CASE(a_pipe_is_read_to_its_end_and_no_further_than_the_limit) {
  const auto pipe = directory / "pipe";
  BOOST_REQUIRE(::mkfifo(pipe.c_str(), 0600) == 0);
  std::thread writer([&] { std::ofstream(pipe) << "a\nb\n"; });
  BOOST_TEST(read_text_input(pipe, kLimit) == "a\nb\n");
  writer.join();
  std::thread much([&] { std::ofstream(pipe) << std::string(kLimit + 1, 'x'); });
  BOOST_CHECK_THROW(read_text_input(pipe, kLimit), Error);
  much.join();
  BOOST_TEST(folder_of_input(pipe) == folder_of_input("-"));
  testing::write_file(directory / "list", "x");
  BOOST_TEST(folder_of_input(directory / "list") == directory.path());
}

BOOST_AUTO_TEST_CASE(lines_end_in_any_way) {
  const std::vector<std::string> expected = {"a", "", "b", "c"};
  for (const char* text : {"a\n\nb\nc\n", "a\r\n\r\nb\r\nc", "a\r\rb\rc\r", "a\n\rb\r\nc\n"})
    BOOST_TEST(lines(text) == expected, boost::test_tools::per_element());
  BOOST_TEST(lines("").empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
