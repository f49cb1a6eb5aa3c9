#include <boost/test/unit_test.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "lib/export/folder_export.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "tests/export/export_items.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::export_item;
using testing::TemporaryDirectory;

std::string content(const fs::path& path) {
  return read_file(path, 1 << 20);
}

std::vector<nlohmann::json> manifest(const fs::path& directory) {
  std::vector<nlohmann::json> lines;
  std::istringstream file(content(directory / "manifest.jsonl"));
  for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
  return lines;
}

// Errors of single pictures are thrown.
FolderExportOptions options_for(ExportMode mode) {
  FolderExportOptions options;
  options.mode = mode;
  options.on_failure = [](const Error& error) { throw error; };
  return options;
}

BOOST_AUTO_TEST_SUITE(folder_export)

BOOST_AUTO_TEST_CASE(every_mode_places_the_picture_and_says_so_in_the_manifest) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "in" / "a.jpg", "picture");
  for (const char* mode : {"symlink", "hardlink", "copy"}) {
    FolderExport result(directory / mode, options_for(parse_export_mode(mode)));
    result.add(export_item(directory / "in" / "a.jpg", "cat", "\"score\":0.5"));
    result.finish();
    const fs::path placed = directory / mode / "cat" / "a.jpg";
    BOOST_TEST(content(placed) == "picture");
    BOOST_TEST(fs::is_symlink(placed) == (mode == std::string("symlink")));
    BOOST_TEST(manifest(directory / mode)[0]["exported"] == "cat/a.jpg");
    BOOST_TEST(manifest(directory / mode)[0]["score"] == 0.5);
    BOOST_TEST(manifest(directory / mode)[0]["path"] == (directory / "in" / "a.jpg").string());
  }
  BOOST_TEST(fs::hard_link_count(directory / "in" / "a.jpg") == 2u);
}

BOOST_AUTO_TEST_CASE(names_that_collide_are_numbered) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "x" / "a.jpg", "one");
  testing::write_file(directory / "y" / "a.jpg", "two");
  testing::write_file(directory / "z" / "a (2).jpg", "three");
  FolderExport result(directory / "out", options_for(ExportMode::Copy));
  result.add(export_item(directory / "z" / "a (2).jpg", "cat"));
  result.add(export_item(directory / "x" / "a.jpg", "cat"));
  result.add(export_item(directory / "y" / "a.jpg", "cat"));
  result.finish();
  BOOST_TEST(content(directory / "out" / "cat" / "a (2).jpg") == "three");
  BOOST_TEST(content(directory / "out" / "cat" / "a.jpg") == "one");
  BOOST_TEST(content(directory / "out" / "cat" / "a (3).jpg") == "two");
}

BOOST_AUTO_TEST_CASE(what_exists_is_never_touched) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "full" / "kept", "kept");
  testing::write_file(directory / "file", "kept");
  BOOST_CHECK_THROW(FolderExport(directory / "full", options_for(ExportMode::Copy)), Error);
  BOOST_CHECK_THROW(FolderExport(directory / "file", options_for(ExportMode::Copy)), Error);
  BOOST_TEST(content(directory / "full" / "kept") == "kept");
  BOOST_TEST(std::distance(fs::directory_iterator(directory / "full"), {}) == 1);
}

BOOST_AUTO_TEST_CASE(hostile_labels_stay_inside_the_folder) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  FolderExport result(directory / "out", options_for(ExportMode::Copy));
  for (const std::string label :
       {"../up", "..", ".", "", "a/b", "line\nbreak", "manifest.jsonl", "bad\xff", "100%"}) {
    result.add(export_item(directory / "a.jpg", label));
  }
  result.finish();
  BOOST_TEST(std::distance(fs::directory_iterator(directory.path()), {}) == 2);
  BOOST_TEST(manifest(directory / "out").size() == 9u);
  BOOST_TEST(fs::exists(directory / "out" / "%2E.%2Fup" / "a.jpg"));
  BOOST_TEST(fs::is_regular_file(directory / "out" / "manifest.jsonl"));
}

BOOST_AUTO_TEST_CASE(names_that_deceive_a_terminal_are_escaped_and_can_be_turned_back) {
  BOOST_TEST(safe_file_name("a\x1b[31m.jpg") == "a%1B[31m.jpg");
  BOOST_TEST(safe_file_name("a\u202egpj.exe") == "a%E2%80%AEgpj.exe");
  BOOST_TEST(safe_file_name("a\u0085b") == "a%C2%85b");
  BOOST_TEST(safe_file_name("\xff.jpg") == "%FF.jpg");
  BOOST_TEST(safe_file_name("50% ü.jpg") == "50%25 ü.jpg");
}

BOOST_AUTO_TEST_CASE(stems_are_kept_apart_where_that_is_wanted) {
  const TemporaryDirectory directory;
  FolderExportOptions options = options_for(ExportMode::Copy);
  options.names_differ = NamesDiffer::InStem;
  std::vector<std::string> placed;
  options.on_placed = [&](const ExportItem&, const fs::path& at) { placed.push_back(at.string()); };
  FolderExport result(directory / "out", options);
  for (const char* name : {"a.jpg", "a.png", "b.jpg"}) {
    testing::write_file(directory / name, "picture");
    result.add(export_item(directory / name, "data"));
  }
  result.finish();
  const std::vector<std::string> wanted = {"data/a.jpg", "data/a (2).png", "data/b.jpg"};
  BOOST_TEST(placed == wanted, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(folders_may_lie_in_folders) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  FolderExport result(directory / "out", options_for(ExportMode::Symlink));
  ExportItem one = export_item(directory / "a.jpg", "cat");
  one.folders = {"train", "../cat"};
  result.add(one);
  result.finish();
  BOOST_TEST(fs::exists(directory / "out" / "train" / "%2E.%2Fcat" / "a.jpg"));
  BOOST_TEST(manifest(directory / "out")[0]["exported"] == "train/%2E.%2Fcat/a.jpg");
}

BOOST_AUTO_TEST_CASE(long_names_are_cut_and_stay_different) {
  const std::string one = safe_file_name(std::string(300, 'x') + "1.jpg");
  const std::string other = safe_file_name(std::string(300, 'x') + "2.jpg");
  BOOST_TEST(one.size() <= 200u);
  BOOST_TEST(one != other);
  BOOST_TEST(one.ends_with(".jpg"));
  std::string wide;
  for (int i = 0; i < 150; ++i) wide += "日";
  BOOST_TEST(is_utf8(safe_file_name(wide)));
}

BOOST_AUTO_TEST_CASE(a_picture_that_is_gone_is_told_and_the_rest_goes_on) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  std::vector<ErrorCode> failures;
  FolderExportOptions options = options_for(ExportMode::Symlink);
  options.on_failure = [&](const Error& error) { failures.push_back(error.code()); };
  FolderExport result(directory / "out", options);
  result.add(export_item(directory / "gone.jpg", "cat"));
  BOOST_REQUIRE(failures.size() == 1u);
  BOOST_TEST((failures[0] == ErrorCode::NotFound));
  result.add(export_item(directory / "a.jpg", "cat"));
  result.finish();
  BOOST_TEST(manifest(directory / "out").size() == 1u);
}

// A collection that was handed over may name any file of this machine.
BOOST_AUTO_TEST_CASE(what_is_not_the_picture_that_was_indexed_is_placed_in_no_mode) {
  const TemporaryDirectory directory;
  const fs::path file = directory / "a.jpg";
  testing::write_file(file, "picture");
  const auto time = fs::last_write_time(file);
  for (const char* mode : {"symlink", "hardlink", "copy"}) {
    std::vector<std::string> failures;
    FolderExportOptions options = options_for(parse_export_mode(mode));
    options.on_failure = [&](const Error& error) { failures.push_back(error.what()); };
    FolderExport result(directory / mode, options);
    // A file of the same size and time, which a link need not know.
    ExportItem other = export_item(file, "cat");
    other.content[5] ^= 1;
    if (mode != std::string("symlink")) result.add(other);
    ExportItem longer = export_item(file, "cat");
    longer.size_bytes += 1;
    result.add(longer);
    ExportItem both = export_item(file, "cat");
    both.content[5] ^= 1;
    both.mtime_ns += 1;
    result.add(both);
    ExportItem folder = export_item(file, "cat");
    folder.source = directory.path();
    result.add(folder);
    const size_t expected = mode == std::string("symlink") ? 3 : 4;
    BOOST_TEST_CONTEXT(mode) {
      BOOST_TEST(failures.size() == expected);
      for (const std::string& failure : failures)
        BOOST_TEST(failure.find("changed since it was indexed") != std::string::npos);
      BOOST_TEST(result.placed() == 0u);
    }
    // The content counts: a picture that was only touched is the picture.
    ExportItem touched = export_item(file, "cat");
    touched.mtime_ns += 1;
    result.add(touched);
    BOOST_TEST(result.placed() == 1u);
    result.finish();
    BOOST_TEST(std::distance(fs::directory_iterator(directory / mode / "cat"), {}) == 1);
  }
  BOOST_TEST((fs::last_write_time(file) == time));
}

BOOST_AUTO_TEST_CASE(a_link_in_the_place_of_a_folder_is_not_followed) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "a.jpg", "picture");
  fs::create_directory(directory / "theirs");
  for (const char* mode : {"symlink", "hardlink", "copy"}) {
    std::vector<std::string> failures;
    FolderExportOptions options = options_for(parse_export_mode(mode));
    options.on_failure = [&](const Error& error) { failures.push_back(error.what()); };
    FolderExport result(directory / mode, options);
    fs::create_directory_symlink(directory / "theirs", directory / mode / "cat");
    result.add(export_item(directory / "a.jpg", "cat"));
    result.add(export_item(directory / "a.jpg", "dog"));
    result.finish();
    BOOST_TEST(fs::is_empty(directory / "theirs"));
    BOOST_REQUIRE(failures.size() == 1u);
    BOOST_TEST(failures[0].find("not followed") != std::string::npos);
    BOOST_TEST(fs::exists(directory / mode / "dog" / "a.jpg"));
  }
  fs::create_directory_symlink(directory / "theirs", directory / "link");
  BOOST_CHECK_THROW(FolderExport(directory / "link", options_for(ExportMode::Copy)), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
