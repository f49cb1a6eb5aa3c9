#include "lib/report/terminal_table.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(terminal_table)

BOOST_AUTO_TEST_CASE(a_path_loses_its_beginning_where_the_line_is_too_wide) {
  const std::string path = "/home/anna/pictures/holiday/2018/a.jpg";
  BOOST_TEST(line_with_path("1 ", path, " (gone)", 0) == "1 " + path + " (gone)\n");
  BOOST_TEST(line_with_path("1 ", path, "", 80) == "1 " + path + "\n");
  BOOST_TEST(line_with_path("1 ", path, "", 24) == "1 …es/holiday/2018/a.jpg\n");
  BOOST_TEST(line_with_path("1 ", path, " (x)", 24) == "1 …oliday/2018/a.jpg (x)\n");
}

BOOST_AUTO_TEST_CASE(the_end_of_a_path_is_always_there) {
  BOOST_TEST(line_with_path(std::string(100, '-'), "/a/very/long/folder/name.jpg", "", 80)
                 .ends_with("older/name.jpg\n"));
}

BOOST_AUTO_TEST_CASE(wide_and_combined_letters_are_not_cut) {
  const std::string wide = "/日本語/日本語/日本語/日本語.jpg";
  const std::string line = line_with_path("", wide, "", 20);
  BOOST_TEST(is_utf8(line));
  BOOST_TEST(display_width(line.substr(0, line.size() - 1)) <= 20);
}

BOOST_AUTO_TEST_CASE(what_is_no_terminal_has_no_columns) {
  std::FILE* file = std::tmpfile();
  BOOST_REQUIRE(file != nullptr);
  BOOST_TEST(terminal_columns(file) == 0);
  std::fclose(file);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
