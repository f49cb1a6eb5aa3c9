#include "lib/files/path_list.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using namespace std::string_literals;

struct List {
  std::vector<std::string> paths(const std::string& content) const {
    testing::write_file(directory / "list", content);
    return read_path_list((directory / "list").string());
  }
  void expect_refused(const std::string& content, const std::string& cause) const {
    BOOST_CHECK_EXCEPTION(paths(content), Error, [&](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument &&
             error.cause().find(cause) != std::string::npos &&
             error.cure().find("-print0") != std::string::npos;
    });
  }

  testing::TemporaryDirectory directory;
};

BOOST_FIXTURE_TEST_SUITE(path_list, List)

BOOST_AUTO_TEST_CASE(paths_may_hold_anything_but_nul) {
  BOOST_TEST(paths("a\0b c\n\xff\0"s) == (std::vector<std::string>{"a", "b c\n\xff"}));
  BOOST_TEST(paths("a\0b"s) == (std::vector<std::string>{"a", "b"}));
  BOOST_TEST(paths("").empty());
}

BOOST_AUTO_TEST_CASE(lists_that_are_not_separated_by_nul_are_refused) {
  expect_refused("a\nb\n", "lines");
  expect_refused("a\0\0b"s, "path 2 of the list is empty");
  expect_refused(std::string(5000, 'a'), "longer");
}

BOOST_AUTO_TEST_CASE(a_list_that_is_absent_is_named) {
  BOOST_CHECK_EXCEPTION(
      read_path_list((directory / "none").string()), Error, [](const Error& error) {
        return error.code() == ErrorCode::NotFound && error.subject().ends_with("none");
      });
}

BOOST_AUTO_TEST_CASE(a_path_may_lie_across_the_blocks_that_are_read) {
  std::string content;
  std::vector<std::string> expected;
  for (size_t size = 1; content.size() < size_t{5} << 20; size = size % 4'000 + 7) {
    expected.emplace_back(size, 'a');
    content += expected.back() + '\0';
  }
  BOOST_TEST((paths(content) == expected));
}

BOOST_AUTO_TEST_CASE(a_list_without_an_end_is_refused_when_its_first_fault_is_read) {
  BOOST_CHECK_EXCEPTION(read_path_list("/dev/zero"), Error, [](const Error& error) {
    return error.cause() == "path 1 of the list is empty";
  });
  expect_refused(std::string(100 << 20, 'a'), "longer");
}

BOOST_AUTO_TEST_CASE(a_list_above_the_limits_is_refused_with_the_limit) {
  testing::write_file(directory / "list", "a\0b\0c\0"s);
  const std::string list = (directory / "list").string();
  BOOST_TEST(read_path_list(list, {.paths = 3, .bytes = 6}).size() == 3u);
  const auto says = [](const char* cause) {
    return [cause](const Error& error) {
      return error.code() == ErrorCode::InvalidArgument && error.cause() == cause &&
             error.cure() == "split it";
    };
  };
  BOOST_CHECK_EXCEPTION(read_path_list(list, {.paths = 2}), Error,
                        says("a list of more than 2 paths"));
  BOOST_CHECK_EXCEPTION(read_path_list(list, {.bytes = 5}), Error,
                        says("a list of more than 5 bytes"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
