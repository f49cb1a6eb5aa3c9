// What a truth file may look like.

#include "lib/labelling/truth.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

struct Fixture {
  testing::TemporaryDirectory directory;
  Truth read(const std::string& text) const {
    testing::write_file(directory / "truth.csv", text);
    return read_truth(directory / "truth.csv");
  }
  std::string path(const std::string& name) const { return (directory / name).string(); }
};

bool says(const Error& error, const std::string& text) {
  return std::string(error.what()).find(text) != std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(truth, Fixture)

BOOST_AUTO_TEST_CASE(paths_are_relative_to_the_file_and_columns_go_by_name) {
  const Truth truth =
      read("note,label,path\r\nx,Doom,a/1.jpg\r\ny,\"Animal, Crossing\",/b/2.jpg\r\n");
  BOOST_TEST(truth.size() == 2u);
  BOOST_TEST(truth.at(path("a/1.jpg")) == "Doom");
  BOOST_TEST(truth.at("/b/2.jpg") == "Animal, Crossing");
}

BOOST_AUTO_TEST_CASE(quotes_line_ends_marks_and_empty_lines_are_read) {
  const Truth truth =
      read("\xef\xbb\xbfpath,label\n\"with \"\"quotes\"\"\nand lines.jpg\",cat\n\n\nb.jpg,dog");
  BOOST_TEST(truth.at(path("with \"quotes\"\nand lines.jpg")) == "cat");
  BOOST_TEST(truth.at(path("b.jpg")) == "dog");
}

BOOST_AUTO_TEST_CASE(mistakes_are_named_with_their_line) {
  const auto fails = [this](const std::string& text, const std::string& cause) {
    BOOST_CHECK_EXCEPTION(read(text), Error,
                          [&](const Error& error) { return says(error, cause); });
  };
  fails("", "the file is empty");
  fails("file,label\na,b\n", "no column \"path\"");
  fails("path,label\na.jpg,cat\n,dog\n", "truth.csv:3: a path is missing");
  fails("path,label\na.jpg,c\xe9\n", "truth.csv:2: the label is not UTF-8");
  fails("path,label\na.jpg,cat\nb/../a.jpg,dog\n", "truth.csv:3");
  fails("path,label\n\"a.jpg,cat\n", "does not end");
  fails("path,label\n\"a.jpg\"b,cat\n", "goes on behind its quote");
  fails(std::string("path,label\na\0.jpg,cat\n", 21), "not text in UTF-8");
}

BOOST_AUTO_TEST_CASE(a_row_without_a_label_is_not_known) {
  testing::write_file(directory / "half.csv",
                      "path,label\na.jpg\nb.jpg,\nc.jpg, \nd.jpg,dog\nb.jpg,cat\nd.jpg,dog\n");
  const TruthFile file = read_truth_file(directory / "half.csv");
  BOOST_TEST(file.unlabelled == 2u);
  BOOST_TEST(file.truth.size() == 2u);
  BOOST_TEST(file.truth.at(path("b.jpg")) == "cat");
}

BOOST_AUTO_TEST_CASE(the_bytes_of_a_path_count_where_they_are_given) {
  const Truth truth = read("path,label,path_base64\n/caf?.jpg,cat,L2NhZukuanBn\n/b.jpg,dog,\n");
  BOOST_TEST(truth.at("/caf\xe9.jpg") == "cat");
  BOOST_TEST(truth.at("/b.jpg") == "dog");
}

BOOST_AUTO_TEST_CASE(a_missing_file_is_not_found) {
  BOOST_CHECK_EXCEPTION(read_truth(directory / "absent.csv"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::NotFound; });
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
