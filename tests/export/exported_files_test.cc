#include "lib/export/exported_files.h"

#include <boost/test/unit_test.hpp>

#include <string>
#include <vector>

#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(exported_files)

BOOST_AUTO_TEST_CASE(a_share_of_several_processes_has_a_name_of_its_own) {
  BOOST_TEST(share_name(ShareFile::Journal, {3, 16}) == "moves-00003-of-00016.journal");
  BOOST_TEST(share_name(ShareFile::Manifest, {0, 4}) == "manifest-00000-of-00004.jsonl.unfinished");
  BOOST_TEST(share_name(ShareFile::Partial, {15, 16}) == ".moving-00015-of-00016");
  for (const ShareFile file : {ShareFile::Journal, ShareFile::Manifest, ShareFile::Partial}) {
    for (const ExportShare share : {ExportShare{0, 1}, {3, 16}, {99'998, kMostProcesses}}) {
      BOOST_TEST((share_of_name(file, share_name(file, share)) == share));
      BOOST_TEST(is_share_name(share_name(file, share)));
    }
  }
}

BOOST_AUTO_TEST_CASE(other_names_are_no_shares) {
  for (const char* name :
       {"moves.journal", "moves-00003-of-00003.journal", "moves-00000-of-00000.journal",
        "moves-3-of-16.journal", "moves-00003-of-000160.journal", "moves-+0003-of-00016.journal",
        "moves-00003-of-00016.journal.old", "a/moves-00003-of-00016.journal", "moves--of-.journal",
        "moves-00003-or-00016.journal", "", "moves-18446-of-74407.3709551615.journal"}) {
    BOOST_TEST(!share_of_name(ShareFile::Journal, name), name);
  }
}

BOOST_AUTO_TEST_CASE(shares_are_found_in_their_order) {
  const testing::TemporaryDirectory directory;
  for (const char* name : {"moves-00002-of-00003.journal", "moves-00000-of-00003.journal",
                           "moves.journal", "manifest-00001-of-00003.jsonl.unfinished"})
    testing::write_file(directory / name, "");
  BOOST_TEST((shares_in(directory.path(), ShareFile::Journal) ==
              std::vector<ExportShare>{{0, 3}, {2, 3}}));
  BOOST_TEST(shares_in(directory / "none", ShareFile::Journal).empty());
}

BOOST_AUTO_TEST_CASE(a_manifest_says_where_files_were_and_of_which_collection) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "manifest.jsonl",
                      R"({"path": "/a", "exported": "cat/a.jpg", "collection": "/shelf"}
not JSON
{"path": "/b", "exported": "cat/b.jpg"}
["a"]
{"path": "?", "path_base64": "L8M=", "exported": "cat/c.jpg", "collection": "/shelf"})");
  const std::vector<ExportedFile> files = read_exported_files(directory.path());
  BOOST_REQUIRE(files.size() == 3u);
  BOOST_TEST(files[0].original == "/a");
  BOOST_TEST(files[0].collection == "/shelf");
  BOOST_TEST(files[1].collection.empty());
  BOOST_TEST(files[2].original == "/\xc3");
  BOOST_TEST(read_exported_files(directory / "none").empty());
}

BOOST_AUTO_TEST_CASE(manifests_of_all_processes_are_read) {
  const testing::TemporaryDirectory directory;
  const auto line = [](const std::string& name) {
    return "{\"type\":\"exported\",\"path\":\"/" + name + "\",\"exported\":\"cat/" + name + "\"}\n";
  };
  testing::write_file(directory / "manifest-00000-of-00002.jsonl.unfinished", line("a"));
  testing::write_file(directory / "manifest-00001-of-00002.jsonl.unfinished",
                      line("b") + "no json\n" + line("c"));
  std::vector<std::string> exported;
  for (const ExportedFile& file : read_exported_files(directory.path()))
    exported.push_back(file.exported + " " + file.original);
  BOOST_TEST((exported == std::vector<std::string>{"cat/a /a", "cat/b /b", "cat/c /c"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
