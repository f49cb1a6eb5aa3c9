// Exports to disks without links, exclusive renames and free names (FAT, exFAT, SMB, many of FUSE),
// through the real programs: tests/support/poor_disk.cc makes a folder such a disk.
// other_disks_test.sh does the same on real ones where it may mount them.

#include <stdlib.h>

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <set>

#include "lib/collection/collection.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::json_lines;
using testing::ProgramResult;

constexpr int kPictures = 6;

struct PoorDisk {
  PoorDisk() {
    for (int i = 0; i < kPictures; ++i) {
      testing::write_file(folder / ("what? " + std::to_string(i) + ".ppm"),
                          testing::tinted_pixmap(i));
    }
    // Names that one folder cannot have there together.
    testing::write_file(folder / "a" / "IMG.ppm", testing::tinted_pixmap(50));
    testing::write_file(folder / "b" / "img.ppm", testing::tinted_pixmap(51));
    fs::create_directory(disk);
    const ProgramResult added =
        testing::zeroshelf_index({"add", shelf.string(), folder.string(), "--no-ocr", "--model",
                                  bundled_model().string()});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
    ::setenv("LD_PRELOAD", ZEROSHELF_POOR_DISK, 1);
    ::setenv("ASAN_OPTIONS", "verify_asan_link_order=0", 1);
    ::setenv("ZEROSHELF_POOR_BELOW", disk.c_str(), 1);
  }
  ~PoorDisk() { ::unsetenv("LD_PRELOAD"); }
  PoorDisk(const PoorDisk&) = delete;
  PoorDisk& operator=(const PoorDisk&) = delete;

  ProgramResult to_disk(const std::string& target, std::vector<std::string> more,
                        const std::string& labels = "red,blue,green") const {
    more.insert(more.begin(), {"export", shelf.string(), "--labels", labels, "--to",
                               (disk / target).string()});
    return testing::zeroshelf_query(more);
  }

  static std::set<std::string> files_below(const fs::path& root) {
    std::set<std::string> names;
    for (const auto& [name, content] : testing::files_below(root)) {
      if (!fs::is_directory(root / name)) names.insert(name);
    }
    return names;
  }
  std::set<std::string> on_disk() const { return files_below(disk); }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  fs::path shelf = directory / "collection";
  fs::path disk = directory / "disk";
};

bool says(const ProgramResult& result, const std::string& text) {
  return (result.out + result.err).find(text) != std::string::npos;
}

bool can_be_there(const std::string& path) {
  return path.find_first_of("?:\"*|<>") == std::string::npos;
}

BOOST_FIXTURE_TEST_SUITE(poor_disk, PoorDisk)

BOOST_AUTO_TEST_CASE(every_list_and_page_is_written_there) {
  for (const char* format : {"csv", "jsonl", "coco", "html", "labelstudio"}) {
    const ProgramResult result = to_disk(std::string("o.") + format, {"--format", format});
    BOOST_TEST(result.exit_code == 0, format << ": " << result.err);
  }
  const ProgramResult again = to_disk("o.csv", {"--format", "csv"});
  BOOST_TEST(again.exit_code == 2);
  BOOST_TEST(says(again, "it exists already"));
  for (const std::string& name : on_disk()) BOOST_TEST(name.find("unfinished") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(pictures_are_copied_there_under_names_that_can_be) {
  for (const std::string format : {"folders", "imagefolder", "fiftyone"}) {
    std::vector<std::string> flags = {"--mode", "copy", "--format", format};
    if (format == "imagefolder") flags.insert(flags.end(), {"--validation", "0"});
    const ProgramResult result = to_disk(format, flags);
    BOOST_TEST(result.exit_code == 0, format << ": " << result.err);
    size_t pictures = 0;
    for (const std::string& name : files_below(disk / format)) {
      BOOST_TEST(can_be_there(name));
      pictures += name.ends_with(".ppm") ? 1 : 0;
    }
    BOOST_TEST(pictures == kPictures + 2u);
  }
}

BOOST_AUTO_TEST_CASE(links_are_refused_once_and_leave_nothing) {
  for (const char* mode : {"symlink", "hardlink"}) {
    const ProgramResult result = to_disk("links", {"--mode", mode});
    BOOST_TEST(result.exit_code == 2);
    BOOST_TEST(says(result, "its file system has no"), result.err);
    BOOST_TEST(says(result, "use --mode copy"), result.err);
    BOOST_TEST(!says(result, "cannot place"), result.err);
    BOOST_TEST(!fs::exists(disk / "links"));
  }
  BOOST_TEST(to_disk("links", {"--mode", "copy"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(labels_get_folders_that_can_be_there_and_are_told_apart) {
  const ProgramResult result = to_disk("sorted", {"--mode", "copy"},
                                       "who?, red, Red, CON, end., a:b, \"so\", manifest.JSONL");
  BOOST_TEST(result.exit_code == 0, result.err);
  uint64_t pictures = 0;
  std::set<std::string> folders;
  const std::string manifest = read_file(disk / "sorted" / "manifest.jsonl", 1 << 20);
  for (const auto& line : json_lines(manifest)) {
    const fs::path placed = line["exported"].get<std::string>();
    folders.insert(placed.parent_path().string() + " of " + line["label"].get<std::string>());
    BOOST_TEST(can_be_there(placed.string()));
    BOOST_TEST(fs::exists(disk / "sorted" / placed));
    ++pictures;
  }
  BOOST_TEST(pictures == kPictures + 2u);
  BOOST_TEST(on_disk().size() == pictures + 1);
}

BOOST_AUTO_TEST_CASE(a_move_there_and_its_undo_bring_every_file_back) {
  const std::set<std::string> before = files_below(folder);
  ProgramResult result = to_disk("sorted", {"--mode", "move"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(files_below(folder).empty());
  BOOST_TEST(on_disk().size() == before.size() + 2);  // and the manifest, and the journal
  result = testing::zeroshelf_query({"undo", (disk / "sorted").string()});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST((files_below(folder) == before));
  BOOST_TEST(on_disk().empty());
  result = testing::zeroshelf_index({"add", shelf.string(), folder.string(), "--no-ocr", "--json"});
  BOOST_TEST(json_lines(result.out).back()["unchanged"] == kPictures + 2);
}

// A name that was taken for a move that then was cut short.
BOOST_AUTO_TEST_CASE(an_undo_knows_names_that_were_only_taken) {
  const std::set<std::string> before = files_below(folder);
  BOOST_REQUIRE(to_disk("sorted", {"--mode", "move"}).exit_code == 0);
  const std::string taken =
      "zeroshelf was ended while it gave a file this name; this file may be removed\n.0123.new";
  testing::write_file(folder / "what? 0.ppm", taken);
  BOOST_REQUIRE(testing::zeroshelf_query({"undo", (disk / "sorted").string()}).exit_code == 0);
  BOOST_TEST((files_below(folder) == before));
  BOOST_TEST(read_file(folder / "what? 0.ppm", 1 << 20) != taken);
}

BOOST_AUTO_TEST_CASE(a_collection_may_be_kept_there) {
  const std::string there = (disk / "collection").string();
  ProgramResult result = testing::zeroshelf_index(
      {"add", there, folder.string(), "--no-ocr", "--model", bundled_model().string()});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(testing::zeroshelf_query({"classify", there, "--labels", "red,blue", "--save", "one"})
                 .exit_code == 0);
  BOOST_TEST(testing::zeroshelf_index({"compact", there}).exit_code == 0);
  BOOST_TEST(testing::zeroshelf_index({"verify", there}).exit_code == 0);
  const std::string npy = (disk / "v.npy").string();
  const std::string paths = (disk / "paths").string();
  result = testing::zeroshelf_query({"vectors", there, "--npy", npy, "--paths", paths});
  BOOST_TEST(result.exit_code == 0, result.err);
  result = testing::zeroshelf_index(
      {"import", (disk / "imported").string(), "--npy", npy, "--paths", paths});
  BOOST_TEST(result.exit_code == 0, result.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
