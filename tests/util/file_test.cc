#include <boost/test/unit_test.hpp>

#include <filesystem>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::TemporaryDirectory;

BOOST_AUTO_TEST_SUITE(file)

BOOST_AUTO_TEST_CASE(read_refuses_what_is_absent_too_large_or_no_file) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a", "12345");
  BOOST_CHECK_EXCEPTION(read_file(directory / "none", 9), Error,
                        [](const Error& e) { return e.code() == ErrorCode::NotFound; });
  BOOST_CHECK_EXCEPTION(read_file(directory / "a", 4), Error,
                        [](const Error& e) { return e.code() == ErrorCode::InvalidArgument; });
  BOOST_CHECK_THROW(read_file(directory.path(), 9), Error);
}

BOOST_AUTO_TEST_CASE(mapped_file_shows_the_bytes) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a", "12345");
  testing::write_file(directory / "empty", "");
  MappedFile file(directory / "a");
  MappedFile moved = std::move(file);
  BOOST_TEST(moved.bytes().size() == 5u);
  BOOST_TEST(static_cast<char>(moved.bytes()[4]) == '5');
  BOOST_TEST(MappedFile(directory / "empty").bytes().empty());
}

BOOST_AUTO_TEST_CASE(absolute_path_is_normal_and_has_no_trailing_slash) {
  BOOST_TEST(absolute_path("/a/./b/../c/").string() == "/a/c");
  BOOST_TEST(absolute_path("/").string() == "/");
  BOOST_TEST(absolute_path("x").string() == (std::filesystem::current_path() / "x").string());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
