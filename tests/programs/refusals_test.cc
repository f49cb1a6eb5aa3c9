// What cannot be done is said clearly, gives exit code 2 and changes nothing.

#include <boost/test/unit_test.hpp>

#include <fstream>

#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::TemporaryDirectory;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

// A collection of one picture, and the picture's folder.
struct Shelf {
  Shelf() {
    fs::create_directory(directory / "pictures");
    testing::write_file(fs::path(pictures) / "a.png",
                        testing::png_bytes(testing::shapes_image(40, 30, 1)));
    const ProgramResult result = zeroshelf_index(
        {"add", collection, pictures, "--no-ocr", "--model", bundled_model().string()});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  }

  TemporaryDirectory directory;
  std::string collection = (directory / "collection").string();
  std::string pictures = (directory / "pictures").string();
};

// Exit code 2, a line with this text that starts with the program's name, nothing on stdout, and
// every file as before.
void check_refused(const Shelf& shelf, ProgramResult (*program)(std::vector<std::string>),
                   std::vector<std::string> arguments, const std::string& message) {
  const auto before = testing::files_below(shelf.directory.path());
  const ProgramResult result = program(arguments);
  BOOST_TEST_CONTEXT(result.err) {
    BOOST_TEST(result.exit_code == 2);
    BOOST_TEST(result.out == "");
    const size_t found = result.err.find(message);
    BOOST_TEST(found != std::string::npos);
    BOOST_TEST(result.err.starts_with("zeroshelf"));
    BOOST_TEST(result.err.substr(result.err.rfind('\n', found) + 1).starts_with("zeroshelf-"));
    BOOST_TEST((testing::files_below(shelf.directory.path()) == before));
  }
}

BOOST_FIXTURE_TEST_SUITE(refusals, Shelf)

BOOST_AUTO_TEST_CASE(a_collection_that_is_absent) {
  const std::string none = (directory / "none").string();
  check_refused(*this, zeroshelf_query, {"classify", none, "--labels", "a, b"}, none);
  check_refused(*this, zeroshelf_query, {"search", none, "x"}, none);
  check_refused(*this, zeroshelf_query,
                {"export", none, "--labels", "a", "--to", (directory / "to").string()}, none);
  for (const char* command : {"stats", "skips", "verify", "repair", "compact"}) {
    check_refused(*this, zeroshelf_index, {command, none}, none);
  }
}

BOOST_AUTO_TEST_CASE(a_collection_that_is_a_file_or_a_foreign_folder) {
  const std::string file = pictures + "/a.png";
  for (const std::string& not_one : {file, pictures}) {
    check_refused(*this, zeroshelf_query, {"classify", not_one, "--labels", "a, b"}, not_one);
    check_refused(*this, zeroshelf_index, {"stats", not_one}, not_one);
    check_refused(*this, zeroshelf_index,
                  {"add", not_one, pictures, "--model", bundled_model().string()}, not_one);
  }
}

BOOST_AUTO_TEST_CASE(a_model_that_is_absent_or_another_than_the_collections) {
  const std::string fresh = (directory / "fresh").string();
  check_refused(*this, zeroshelf_index, {"add", fresh, pictures, "--model", "no-such-model"},
                "no-such-model");
  check_refused(*this, zeroshelf_index, {"add", fresh, pictures, "--model", "/no/such/model"},
                "/no/such/model");
  const TemporaryDirectory beside;
  const std::string other = (beside / "other").string();
  fs::copy(bundled_model(), other);
  std::fstream(fs::path(other) / "model.safetensors", std::ios::in | std::ios::out)
      .seekp(-1, std::ios::end)
      .put('?');
  check_refused(*this, zeroshelf_index, {"add", collection, pictures, "--model", other}, other);
  check_refused(*this, zeroshelf_query, {"search", collection, "x", "--model", other}, other);
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", "a", "--model", other},
                other);
}

BOOST_AUTO_TEST_CASE(labels_that_are_empty_or_stand_twice) {
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", ""}, "label");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", " , "}, "label");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", "a, b, a"}, "'a'");
  testing::write_file(directory / "labels", "# none\n");
  check_refused(*this, zeroshelf_query,
                {"classify", collection, "--labels-file", (directory / "labels").string()},
                "labels");
  check_refused(*this, zeroshelf_query, {"classify", collection}, "--labels");
}

BOOST_AUTO_TEST_CASE(paths_that_cannot_be_read) {
  const std::string none = pictures + "/none";
  check_refused(*this, zeroshelf_index, {"add", collection, none}, none);
  check_refused(*this, zeroshelf_index,
                {"add", (directory / "fresh").string(), none, "--model", bundled_model().string()},
                none);
  check_refused(*this, zeroshelf_query, {"search", collection, "--image", none}, none);
}

BOOST_AUTO_TEST_CASE(a_command_line_that_makes_no_sense) {
  check_refused(*this, zeroshelf_query,
                {"classify", collection, "--labels", "a", "--fusion", "best"}, "best");
  check_refused(*this, zeroshelf_query, {"search", collection, "x", "-k", "0"}, "-k");
  check_refused(*this, zeroshelf_query, {"search", collection}, "nothing to search for");
  for (const char* text : {"  ", "\"\"", " \" ", "- ", "?!"}) {
    check_refused(*this, zeroshelf_query, {"search", collection, text},
                  "blanks and punctuation alone");
  }
  for (const char* row : {"-1", "1x"}) {
    check_refused(*this, zeroshelf_query, {"search", collection, "--vector", "v.npy", "--row", row},
                  "is no row; rows are numbered from 0");
  }
  check_refused(*this, zeroshelf_query, {"dance"}, "dance");
  check_refused(*this, zeroshelf_query, {}, "subcommand");
  check_refused(*this, zeroshelf_query, {"serach", collection, "x"}, "did you mean 'search'?");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--lables", "a, b"},
                "--lables: no such flag; did you mean '--labels'?");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", "a", "--fromat=csv"},
                "did you mean '--format'?");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", "a", "--qqqqq"},
                "--qqqqq: no such flag; see zeroshelf-query classify --help");
  check_refused(*this, zeroshelf_query, {"embed", "--model", bundled_model().string()},
                "nothing to embed");
  check_refused(*this, zeroshelf_query, {"classify", collection},
                "see zeroshelf-query classify --help");
  check_refused(*this, zeroshelf_query, {"search", collection, "two", "dogs"}, "quotes");
}

BOOST_AUTO_TEST_CASE(what_has_no_letters_is_shown_as_that) {
  const std::string none = (directory / "none").string();
  check_refused(*this, zeroshelf_index, {"stats", ""}, "zeroshelf-index: '': no such collection");
  check_refused(*this, zeroshelf_index, {"add", collection, ""}, "zeroshelf-index: '': ");
  check_refused(*this, zeroshelf_index, {"add", "", pictures}, "zeroshelf-index: '': ");
  check_refused(*this, zeroshelf_index, {"import", none, "--npy", "", "--paths", ""},
                "--npy: its value is empty");
  const ProgramResult unread = zeroshelf_index({"ocr", ""});
  BOOST_TEST(unread.exit_code == 3);
  BOOST_TEST(unread.err.find("'': cannot open") != std::string::npos, unread.err);
  check_refused(*this, zeroshelf_query, {"search", "", "x"}, "zeroshelf-query: '': ");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", "a", "--template", ""},
                "--template: its value is empty");
  check_refused(*this, zeroshelf_query, {"classify", collection, "--labels-file", ""},
                "--labels-file: its value is empty");
  for (const char* flag : {"--image", "--run", "--since", "--like", "--vector", "--model"}) {
    check_refused(*this, zeroshelf_query, {"search", collection, "x", flag, ""},
                  std::string(flag) + ": its value is empty; give one, or leave the flag out");
  }
  check_refused(*this, zeroshelf_query, {"search", collection, "nosuch.shelf"},
                "nosuch.shelf: no such collection");
  check_refused(*this, zeroshelf_query, {"search", collection, "x", "--weight", "5"},
                "--weight: has no effect without --plus or --minus");
  for (const char* flag : {"--save", "--calibration", "--classifier"}) {
    check_refused(*this, zeroshelf_query, {"classify", collection, "--labels", "a", flag, ""},
                  std::string(flag) + ": its value is empty");
  }
  check_refused(*this, zeroshelf_query, {"undo", ""}, "zeroshelf-query: '': ");
}

BOOST_AUTO_TEST_CASE(a_value_that_a_flag_does_not_have_is_answered_with_those_that_it_has) {
  check_refused(*this, zeroshelf_query, {"search", collection, "x", "--format", "josnl"},
                "--format: 'josnl' is none of its values; did you mean 'jsonl'?");
  check_refused(*this, zeroshelf_query, {"search", collection, "x", "--in", "everything"},
                "use picture, text, both");
  check_refused(*this, zeroshelf_query, {"search", collection, "x", "--device", "gpu"},
                "--device: 'gpu' is none of its values");
  for (const char* size : {"lots", "5 parsecs", "", "99999999999999999999GB"}) {
    check_refused(*this, zeroshelf_query, {"search", collection, "x", "--min-size", size},
                  "is no size; write it as 800000, 500KB or 2.5MB");
  }
}

BOOST_AUTO_TEST_CASE(an_export_into_a_folder_with_something_in_it) {
  check_refused(*this, zeroshelf_query, {"export", collection, "--labels", "a", "--to", pictures},
                pictures);
}

BOOST_AUTO_TEST_CASE(a_picture_whose_text_takes_too_long_is_named_with_cause_and_cure) {
  Image image = testing::plain_image(900, 400, {255, 255, 255});
  for (int line = 0; line < 6; ++line)
    testing::draw_text(image, "MANY WORDS TO READ", 30, 60 + 60 * line, 30, {});
  const std::string slow = (directory / "slow.png").string();
  testing::write_file(slow, testing::png_bytes(image));
  const std::string message = slow +
                              ": not done after 0.001 s of processor time; give it more with "
                              "--ocr-timeout, or index it with "
                              "--no-ocr";

  // The others are read all the same.
  const std::string plain = (directory / "plain.png").string();
  testing::write_file(plain, testing::png_bytes(testing::plain_image(16, 16, {9, 9, 9})));
  const ProgramResult read = zeroshelf_index({"ocr", slow, plain, "--ocr-timeout", "0.001"});
  BOOST_TEST(read.exit_code == 3);
  BOOST_TEST(read.err.find(message) != std::string::npos);
  BOOST_TEST(testing::json_lines(read.out).size() == 1u);
  BOOST_TEST(zeroshelf_index({"ocr", slow}).exit_code == 0);
  const ProgramResult absent = zeroshelf_index({"ocr", "/no/such/picture"});
  BOOST_TEST(absent.exit_code == 3);
  BOOST_TEST(absent.err.starts_with("zeroshelf-index: warning: /no/such/picture: cannot open"));

  const std::string shelf = (directory / "reading").string();
  const ProgramResult added = zeroshelf_index(
      {"add", shelf, slow, "--ocr-timeout", "0.001", "--model", bundled_model().string()});
  BOOST_TEST(added.exit_code == 3);
  BOOST_TEST(added.err.find(message) != std::string::npos);
  BOOST_TEST(zeroshelf_index({"skips", shelf}).out.find("--ocr-timeout") != std::string::npos);
  check_refused(*this, zeroshelf_index, {"ocr", slow, "--ocr-timeout", "0"}, "--ocr-timeout");
}

BOOST_AUTO_TEST_CASE(help_tells_the_exit_codes_that_the_program_has) {
  BOOST_TEST(zeroshelf_query({"--help"})
                 .out.ends_with("\nExit codes: 0 done, 1 nothing found, 2 could not do it, 3 done "
                                "without some files or collections.\n"));
  BOOST_TEST(
      zeroshelf_index({"--help"})
          .out.ends_with("\nExit codes: 0 done, 2 could not do it, 3 done without some files or "
                         "collections.\n"));
}

BOOST_AUTO_TEST_CASE(help_and_version_are_no_failures) {
  for (const char* flag : {"--help", "--version"}) {
    for (auto* program : {&zeroshelf_index, &zeroshelf_query}) {
      const ProgramResult result = program({flag});
      BOOST_TEST(result.exit_code == 0);
      BOOST_TEST(!result.out.empty());
      BOOST_TEST(result.err == "");
    }
  }
}

BOOST_AUTO_TEST_CASE(version_tells_the_compiler_and_the_libraries) {
  const std::string out = zeroshelf_query({"--version"}).out;
  BOOST_TEST(out.starts_with("zeroshelf-query 0."), out);
  BOOST_TEST(out.find("\nbuilt by ") != std::string::npos, out);
  BOOST_TEST(out.find("  ") == std::string::npos, out);
  for (const char* library : {"FAISS 1.", "RocksDB ", "OpenCV ", "Tesseract "})
    BOOST_TEST(out.find(library) != std::string::npos, out);
}

BOOST_AUTO_TEST_CASE(a_closed_pipe_is_a_quiet_success) {
  const ProgramResult result = testing::run_program(
      {"/bin/bash", "-c",
       "set -o pipefail; \"$0\" classify \"$1\" --labels a,b --format jsonl 2>/dev/null | true",
       ZEROSHELF_QUERY_PROGRAM, collection});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.err == "");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
