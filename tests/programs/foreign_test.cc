// Things of other people in a collection's folder, through the real programs: every command leaves
// them as they are and the tidying ones name them; nothing is exported to there, and no picture
// taken up from there.

#include <boost/test/unit_test.hpp>

#include <sys/stat.h>

#include <map>

#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

struct Shelf {
  Shelf() {
    for (int i = 0; i < 12; ++i) testing::write_file(picture(i), testing::tinted_pixmap(i));
    require_done(zeroshelf_index(
        {"add", collection, pictures, "--no-ocr", "--model", bundled_model().string()}));
  }

  std::string picture(int i) const { return pictures + "/p" + std::to_string(i) + ".ppm"; }

  static void require_done(const ProgramResult& result) {
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  }

  void plant(const std::string& name, const std::string& content) {
    const fs::path path = fs::path(collection) / name;
    testing::write_file(path, content);
    planted[path.string()] = content;
  }

  void expect_all_there(const std::string& after) const {
    for (const auto& [path, content] : planted) {
      BOOST_TEST_CONTEXT(path << " after " << after) {
        BOOST_TEST(fs::is_regular_file(path));
        if (fs::is_regular_file(path)) BOOST_TEST((read_file(path, 1 << 24) == content));
      }
    }
  }

  // Exit code 2, this text on stderr, and every file as before.
  void expect_refused(const ProgramResult& result, const std::string& told,
                      const std::vector<std::pair<std::string, std::string>>& before) const {
    BOOST_TEST_CONTEXT(result.err) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.find(told) != std::string::npos);
      BOOST_TEST((testing::files_below(directory.path()) == before));
    }
  }

  testing::TemporaryDirectory directory;
  std::string pictures = (directory / "pictures").string();
  std::string collection = (directory / "collection").string();
  std::map<std::string, std::string> planted;
};

BOOST_FIXTURE_TEST_SUITE(foreign, Shelf)

BOOST_AUTO_TEST_CASE(every_command_leaves_what_others_put_into_a_collections_folder) {
  for (const char* name :
       {"notes.txt", "sorted/cat/a.ppm", "records-2/a.ppm", "records-3/000004.sst", "records-7",
        "records-1.old/CURRENT", "image-1-2.faiss", "rows-1-2", "rows-1-3/a.ppm", "lexicon-1-3",
        "CURRENT.new", "CURRENT.bak", "MANIFEST.json.new", "LOCK.txt", "attachments/notes.txt",
        "attachments/runs/notes.new", ".hidden/a"})
    plant(name, testing::tinted_pixmap(90));
  plant("MANIFEST.json.copy", read_file(fs::path(collection) / "MANIFEST.json", 1 << 20));
  plant("CURRENT.copy", read_file(fs::path(collection) / "CURRENT", 1 << 20));
  const std::string out = (directory / "out").string();
  const std::vector<std::string> labels = {"--labels", "red, blue", "--fusion", "image"};
  const auto with_labels = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), labels.begin(), labels.end());
    return arguments;
  };
  const auto index = [&](std::vector<std::string> arguments, int code = 0) {
    const ProgramResult result = zeroshelf_index(arguments);
    BOOST_TEST(result.exit_code == code, arguments[0] << ": " << result.err);
    expect_all_there(arguments[0]);
    return result;
  };
  const auto query = [&](std::vector<std::string> arguments) {
    const ProgramResult result = zeroshelf_query(arguments);
    // 1: it ran and found nothing.
    BOOST_TEST((result.exit_code == 0 || result.exit_code == 1),
               arguments[0] << ": " << result.err);
    expect_all_there(arguments[0]);
  };
  testing::write_file(picture(20), testing::tinted_pixmap(20));
  const ProgramResult added = index({"add", collection, pictures, "--no-ocr"});
  BOOST_TEST(added.err.find("not the collection's, and left as it is: .hidden, CURRENT.bak") !=
                 std::string::npos,
             added.err);
  fs::remove(picture(0));
  index({"add", collection, pictures, "--no-ocr"});
  for (const char* name : {"stats", "skips", "verify"}) index({name, collection});
  BOOST_TEST(index({"compact", collection}).err.find("left as it is") != std::string::npos);
  BOOST_TEST(index({"repair", collection}).err.find("left as it is") != std::string::npos);
  query(with_labels({"classify", collection, "--save", "monday"}));
  query({"runs", collection});
  query({"search", collection, "red"});
  query({"duplicates", collection, "--cosine", "0.5"});
  query({"vectors", collection, "--npy", (directory / "v.npy").string()});
  query(with_labels({"export", collection, "--to", out, "--mode", "move"}));
  // As it was when the pictures were lost: the export's folder is elsewhere, the add tidies up.
  index({"add", collection, pictures, "--no-ocr", "--keep-missing"});
  query({"undo", out});
  fs::remove(fs::path(collection) / "CURRENT");
  index({"repair", collection});
  index({"verify", collection});
  const ProgramResult again = index({"add", collection, pictures, "--no-ocr"});
  BOOST_TEST(again.err.find("12 unchanged") != std::string::npos, again.err);
}

BOOST_AUTO_TEST_CASE(nothing_is_exported_into_a_collections_folder) {
  fs::create_directory(fs::path(collection) / "empty");
  fs::create_directory_symlink(collection, directory / "link");
  const auto before = testing::files_below(directory.path());
  const std::string told = "in the folder of the collection";
  for (const std::string& inside :
       {collection + "/sorted", collection + "/empty", collection + "/a/b/c",
        (directory / "link").string() + "/sorted", collection + "/records-2",
        pictures + "/../collection/sorted"}) {
    for (const char* format :
         {"folders", "imagefolder", "fiftyone", "labelstudio", "jsonl", "csv", "coco", "html"}) {
      expect_refused(zeroshelf_query({"export", collection, "--labels", "red, blue", "--fusion",
                                      "image", "--to", inside, "--format", format}),
                     told, before);
    }
    expect_refused(
        zeroshelf_query({"export", collection, "--labels", "red, blue", "--fusion", "image", "--to",
                         (directory / "out").string(), "--unsure-to", inside}),
        told, before);
    for (const char* flag : {"--npy", "--paths", "--metadata"})
      expect_refused(zeroshelf_query({"vectors", collection, flag, inside}), told, before);
    for (const char* flag : {"--to", "--lock"})
      expect_refused(
          zeroshelf_query({"classify", collection, "--labels", "red, blue", flag, inside}), told,
          before);
    for (const char* flag : {"--to", "--pictures-to"})
      expect_refused(zeroshelf_query({"suggest", collection, flag, inside}), told, before);
    expect_refused(zeroshelf_query({"evaluate", collection, "--labels", "red, blue", "--truth",
                                    (directory / "truth.csv").string(), "--plot", inside}),
                   told, before);
    expect_refused(zeroshelf_query({"embed", "--text", "red", "--npy", inside}), told, before);
    expect_refused(zeroshelf_query({"serve", collection, "--token-file", inside + "/token"}), told, before);
  }
}

BOOST_AUTO_TEST_CASE(no_collection_is_made_in_anothers_folder) {
  const std::string npy = (directory / "v.npy").string();
  const std::string paths = (directory / "paths").string();
  require_done(zeroshelf_query({"vectors", collection, "--npy", npy, "--paths", paths}));
  fs::create_directory_symlink(collection, directory / "link");
  const auto before = testing::files_below(directory.path());
  for (const std::string& inside :
       {collection + "/inner", (directory / "link").string() + "/a/b", collection + "/records-2"}) {
    expect_refused(zeroshelf_index({"add", inside, pictures, "--no-ocr"}),
                   "in the folder of the collection", before);
    expect_refused(zeroshelf_index({"import", inside, "--npy", npy, "--paths", paths}),
                   "in the folder of the collection", before);
  }
}

BOOST_AUTO_TEST_CASE(no_picture_is_taken_up_from_the_collections_own_folder) {
  testing::write_file(fs::path(collection) / "sorted" / "a.ppm", testing::tinted_pixmap(50));
  fs::create_directory_symlink(fs::path(collection) / "sorted", directory / "link");
  const auto before = testing::files_below(directory.path());
  for (const std::string& inside :
       {collection, collection + "/sorted", collection + "/sorted/a.ppm",
        (directory / "link").string(), (directory / "link").string() + "/a.ppm"}) {
    expect_refused(zeroshelf_index({"add", collection, pictures, inside, "--no-ocr"}),
                   "the collection's own folder", before);
  }
  const std::string fresh = (directory / "fresh").string();
  fs::create_directory(fresh);
  expect_refused(zeroshelf_index({"add", fresh, fresh, "--no-ocr"}), "own folder",
                 testing::files_below(directory.path()));
  // What a walk or a list passes by on its way is passed over.
  std::string list;
  for (const std::string& path :
       {collection + "/sorted/a.ppm", collection + "/CURRENT", picture(1), picture(2)})
    list += path + '\0';
  testing::write_file(directory / "list", list);
  for (const ProgramResult& result :
       {zeroshelf_index({"add", collection, directory.path().string(), "--no-ocr", "--json"}),
        zeroshelf_index({"add", collection, "--files0-from", (directory / "list").string(),
                         "--no-ocr", "--json"})}) {
    const auto summary = testing::json_lines(result.out).back();
    BOOST_TEST(summary["added"] == 0);
    BOOST_TEST(summary["pictures"] == 12);
  }
}

BOOST_AUTO_TEST_CASE(a_list_may_name_files_of_the_working_folder) {
  testing::write_file(directory / "list", std::string("p1.ppm\0./p2.ppm\0none.ppm\0", 25));
  const ProgramResult result = testing::run_program(
      {"/usr/bin/env", "-C", pictures, ZEROSHELF_INDEX_PROGRAM, "add", collection, "--files0-from",
       (directory / "list").string(), "--no-ocr", "--json"});
  BOOST_TEST_CONTEXT(result.err) {
    BOOST_REQUIRE(!testing::json_lines(result.out).empty());
    BOOST_TEST(testing::json_lines(result.out).back()["added"] == 0);
    BOOST_TEST(testing::json_lines(result.out).back()["pictures"] == 12);
  }
}

BOOST_AUTO_TEST_CASE(an_import_leaves_what_stands_where_it_builds) {
  const std::string npy = (directory / "v.npy").string();
  const std::string paths = (directory / "paths").string();
  require_done(zeroshelf_query({"vectors", collection, "--npy", npy, "--paths", paths}));
  const fs::path shelf = directory / "imported";
  fs::copy(collection, shelf.string() + ".importing", fs::copy_options::recursive);
  const auto before = testing::files_below(shelf.string() + ".importing");
  const ProgramResult result =
      zeroshelf_index({"import", shelf.string(), "--npy", npy, "--paths", paths});
  require_done(result);
  BOOST_TEST(result.err.find("imported.importing is there") != std::string::npos);
  BOOST_TEST((testing::files_below(shelf.string() + ".importing") == before));
  BOOST_TEST(zeroshelf_index({"verify", shelf.string()}).exit_code == 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
