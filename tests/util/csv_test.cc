#include "lib/util/csv.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

using Cells = std::vector<std::string>;

// All rows behind the first, with "|" between cells.
Cells rows(const std::string& text) {
  CsvTable table(text, "t.csv", "mend it");
  Cells rows;
  while (const auto row = table.next()) {
    std::string line;
    for (const std::string& cell : *row) line += (line.empty() ? "" : "|") + cell;
    rows.push_back(line);
  }
  return rows;
}

std::string failure(const std::string& text) {
  try {
    CsvTable table(text, "t.csv", "mend it");
    table.column("path");
    while (table.next()) continue;
  } catch (const Error& error) {
    return error.what();
  }
  return "";
}

BOOST_AUTO_TEST_SUITE(csv)

BOOST_AUTO_TEST_CASE(what_spreadsheets_and_people_write_is_one_table) {
  const Cells expected = {"a.png|circle", "b.png|square"};
  for (const char* text :
       {"path,label\na.png,circle\nb.png,square\n", "path;label\na.png;circle\nb.png;square",
        "path\tlabel\na.png\tcircle\nb.png\tsquare\n", "path, label\na.png, circle\nb.png ,square \n",
        "Path,LABEL\r\na.png,circle\r\n\r\nb.png,square\r\n", "path,label\ra.png,circle\rb.png,square\r",
        "\"path\" ; \"label\"\n\"a.png\" ; \"circle\"\nb.png;square\n", "\npath,label\n,\na.png,circle\n\nb.png,square",
        "sep=;\r\npath;label\r\na.png;circle\r\nb.png;square\r\n"}) {
    BOOST_TEST_CONTEXT(text)
    BOOST_TEST(rows(text) == expected, boost::test_tools::per_element());
    CsvTable table(text, "t.csv", "");
    BOOST_TEST(table.column("path") == 0u);
    BOOST_TEST(table.column("label") == 1u);
  }
}

BOOST_AUTO_TEST_CASE(quoted_cells_keep_what_is_in_them) {
  const Cells expected = {" a,\"b\"\nc |x"};
  BOOST_TEST(rows("path,label\n\" a,\"\"b\"\"\nc \",x\n") == expected,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(what_is_guarded_against_spreadsheets_comes_back_as_it_was) {
  for (const char* cell : {"=1+1", "-x", "@a", "'=x", "''-y", "plain", "'tis", "", "'"}) {
    BOOST_TEST(unguarded_cell(guarded_cell(cell)) == cell);
  }
  BOOST_TEST(guarded_cell("=1+1") == "'=1+1");
  BOOST_TEST(guarded_cell("'tis") == "'tis");
  const Cells expected = {"-a|=b"};
  BOOST_TEST(rows("path,label\n'-a,'=b\n") == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(mistakes_are_told_with_their_line_and_what_there_is) {
  BOOST_TEST(failure("") == "t.csv:1: the file is empty; mend it");
  BOOST_TEST(failure("datei;klasse\n") ==
             "t.csv:1: there is no column \"path\" but \"datei\", \"klasse\"; mend it");
  BOOST_TEST(failure("path,Path\n") == "t.csv:1: there are several columns \"path\"; mend it");
  BOOST_TEST(failure("path\na\n\"b\n").starts_with("t.csv:3: a quoted cell does not end"));
  BOOST_TEST(failure("path\n\"a\" b\n").starts_with("t.csv:2: a quoted cell goes on"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
