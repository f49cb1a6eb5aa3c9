#include "lib/report/output_format.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {

BOOST_AUTO_TEST_CASE(formats_have_the_names_of_the_flag) {
  BOOST_TEST(output_format_name(OutputFormat::Table) == "table");
  BOOST_TEST(output_format_name(OutputFormat::Jsonl) == "jsonl");
  BOOST_TEST(output_format_name(OutputFormat::Csv) == "csv");
  BOOST_TEST(output_format_name(OutputFormat::Paths) == "paths");
}

}  // namespace zeroshelf
