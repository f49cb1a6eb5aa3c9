// Labels as keywords through the real programs, read back by exiftool, and keywords as truth.

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/file.h>

#include <filesystem>
#include <map>
#include <set>
#include <sstream>

#include "lib/image/decode.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/image/corpus.h"
#include "tests/programs/programs.h"
#include "tests/support/draw.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ProgramResult;
using testing::run_program;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

void require_done(const ProgramResult& result) {
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
}

bool has_exiftool() {
  return fs::exists("/usr/bin/exiftool");
}

// What exiftool finds in files: the words of each tag, and its own "Error" and "Warning".
using Tags = std::map<std::string, std::set<std::string>>;
std::map<std::string, Tags> by_exiftool(const std::vector<std::string>& paths) {
  std::vector<std::string> arguments = {"/usr/bin/exiftool", "-json", "-XMP:all", "-Error", "-Warning"};
  arguments.insert(arguments.end(), paths.begin(), paths.end());
  std::map<std::string, Tags> found;
  for (const json& file : json::parse(run_program(arguments).out)) {
    Tags& tags = found[file["SourceFile"]];
    for (const auto& [tag, value] : file.items()) {
      if (value.is_array()) {
        for (const json& word : value) tags[tag].insert(word.get<std::string>());
      } else {
        tags[tag].insert(value.is_string() ? value.get<std::string>() : value.dump());
      }
    }
  }
  return found;
}

using Words = std::set<std::string>;

struct Shelf {
  Shelf() {
    const std::map<std::string, testing::Colour> colours = {
        {"red", {220, 20, 20}}, {"green", {20, 200, 20}}, {"blue", {20, 20, 220}}};
    for (const auto& [name, colour] : colours) {
      for (int i = 0; i < 4; ++i) {
        Image image = testing::plain_image(32, 32, colour);
        image.rgb[0] = static_cast<uint8_t>(i);  // no two are the same
        const std::string stem = name + std::to_string(i);
        if (i == 0) testing::write_file(pictures / (stem + ".jpg"), testing::jpeg_bytes(image));
        if (i == 1) testing::write_file(pictures / (stem + ".png"), testing::png_bytes(image));
        if (i == 2) testing::write_file(pictures / (stem + ".webp"), testing::webp(image));
        if (i == 3) testing::write_file(pictures / (stem + ".tif"), testing::tiff(image));
      }
    }
    index();
  }

  ProgramResult add() const {
    return zeroshelf_index({"add", collection, pictures.string(), "--no-ocr", "--model",
                            bundled_model().string()});
  }
  void index() const { require_done(add()); }

  ProgramResult write(std::vector<std::string> more = {},
                      const std::string& labels = "red, green, blue") const {
    std::vector<std::string> arguments = {"export",   collection, "--labels", labels,
                                          "--fusion", "image",    "--format", "xmp"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_query(arguments);
  }

  // path -> label, as classify gives it.
  std::map<std::string, std::string> answers(const std::string& labels = "red, green, blue") const {
    std::map<std::string, std::string> result;
    const ProgramResult said = zeroshelf_query({"classify", collection, "--labels", labels,
                                                "--fusion", "image", "--format", "jsonl"});
    for (const json& line : testing::json_lines(said.out)) result[line["path"]] = line["label"];
    BOOST_REQUIRE(result.size() == 12u);
    return result;
  }

  std::vector<std::pair<std::string, std::string>> files() const {
    return testing::files_below(pictures);
  }

  testing::TemporaryDirectory directory;
  fs::path pictures = directory / "pictures";
  std::string collection = (directory / "shelf").string();
};

BOOST_FIXTURE_TEST_SUITE(keywords, Shelf)

BOOST_AUTO_TEST_CASE(sidecars_say_the_label_and_undo_takes_them_away) {
  const auto before = files();
  const ProgramResult first = write();
  require_done(first);
  BOOST_TEST(first.err.find("12 sidecars made") != std::string::npos, first.err);
  BOOST_TEST(first.err.find("zeroshelf-query undo " + collection + "-keywords") != std::string::npos,
             first.err);
  const auto labels = answers();
  std::vector<std::string> sidecars;
  for (const auto& [path, label] : labels) {
    BOOST_REQUIRE(fs::exists(path + ".xmp"));
    sidecars.push_back(path + ".xmp");
  }
  if (has_exiftool()) {
    auto found = by_exiftool(sidecars);
    for (const auto& [path, label] : labels) {
      Tags& tags = found[path + ".xmp"];
      BOOST_TEST((tags["TagsList"] == Words{"zeroshelf/" + label}));
      BOOST_TEST((tags["HierarchicalSubject"] == Words{"zeroshelf|" + label}));
      BOOST_TEST((tags["Subject"] == Words{label}));
    }
  }
  const auto after = files();
  // Again: nothing to do.
  const ProgramResult again = write();
  require_done(again);
  BOOST_TEST(again.err.find("0 sidecars made, 0 changed, 0 removed, 12 as they were") !=
                 std::string::npos,
             again.err);
  BOOST_TEST((files() == after));
  BOOST_TEST(!fs::exists(collection + "-keywords-2"));
  // The indexer passes sidecars over.
  BOOST_TEST(add().err.find("12 unchanged") != std::string::npos);
  const ProgramResult undone = zeroshelf_query({"undo", collection + "-keywords"});
  require_done(undone);
  BOOST_TEST(undone.err.find("12 files put back") != std::string::npos, undone.err);
  BOOST_TEST((files() == before));
  BOOST_TEST(!fs::exists(collection + "-keywords"));
}

BOOST_AUTO_TEST_CASE(keywords_of_people_stay_and_trees_are_nested) {
  const fs::path picture = pictures / "red0.jpg";
  fs::path sidecar = picture;
  sidecar += ".xmp";
  if (has_exiftool()) {
    run_program({"/usr/bin/exiftool", "-XMP-dc:Subject=holiday",
                 "-XMP-lr:HierarchicalSubject=trips|holiday", "-XMP-xmp:Rating=4",
                 sidecar.string()});
    BOOST_REQUIRE(fs::exists(sidecar));
  }
  const auto before = files();
  require_done(write({"--to", (directory / "run").string(), "--root", "machine/colours"},
                     "colour/red, colour/green, blue"));
  if (has_exiftool()) {
    const std::string label = answers("colour/red, colour/green, blue").at(picture.string());
    Tags tags = by_exiftool({sidecar.string()})[sidecar.string()];
    BOOST_TEST(tags["TagsList"].contains("machine/colours/" + label));
    BOOST_TEST((tags["Subject"] == Words{"holiday", label.substr(label.find('/') + 1)}));
    BOOST_TEST(tags["HierarchicalSubject"].contains("trips|holiday"));
    BOOST_TEST((tags["Rating"] == Words{"4"}));
  }
  require_done(zeroshelf_query({"undo", (directory / "run").string()}));
  BOOST_TEST((files() == before));
}

BOOST_AUTO_TEST_CASE(keywords_in_pictures_cost_no_encoding_and_no_byte) {
  const auto before = files();
  const auto labels = answers();
  const ProgramResult judged =
      zeroshelf_query({"classify", collection, "--labels", "red, green, blue", "--fusion", "image",
                       "--save", "kept", "--format", "jsonl"});
  require_done(judged);
  const ProgramResult written = write({"--in-file", "--to", (directory / "run").string()});
  require_done(written);
  BOOST_TEST(written.err.find("12 files changed") != std::string::npos, written.err);
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : before) paths.push_back(path);
  if (has_exiftool()) {
    auto found = by_exiftool(paths);
    for (const std::string& path : paths) {
      BOOST_TEST((found[path]["TagsList"] == Words{"zeroshelf/" + labels.at(path)}), path);
      BOOST_TEST(!found[path].contains("Error"), path);
      BOOST_TEST(!found[path].contains("Warning"), path);
    }
  }
  for (const auto& [path, bytes] : before) {
    BOOST_TEST(!fs::exists(path + ".xmp"));
    BOOST_TEST((read_file(path, 1 << 24) != bytes));
    const auto was = decode_image(testing::as_bytes(bytes), {});
    const auto now = decode_image(testing::as_bytes(read_file(path, 1 << 24)), {});
    BOOST_TEST((std::get<Image>(was).rgb == std::get<Image>(now).rgb));
  }
  const auto after = files();
  // The collection knows: nothing is read again, answers are what they were, and so is what was kept.
  const ProgramResult added = add();
  require_done(added);
  BOOST_TEST(added.err.find("12 unchanged") != std::string::npos, added.err);
  require_done(zeroshelf_index({"verify", collection, "--files"}));
  BOOST_TEST((answers() == labels));
  const ProgramResult differs =
      zeroshelf_query({"review", collection, "kept", "-k", "100", "--format", "jsonl"});
  BOOST_TEST(testing::json_lines(differs.out).size() == 12u, differs.err);
  const ProgramResult again = write({"--in-file"});
  BOOST_TEST(again.err.find("0 files changed, 12 as they were") != std::string::npos, again.err);
  BOOST_TEST((files() == after));

  require_done(zeroshelf_query({"undo", (directory / "run").string()}));
  BOOST_TEST((files() == before));
  BOOST_TEST(add().err.find("12 unchanged") != std::string::npos);
  require_done(zeroshelf_index({"verify", collection}));
}

BOOST_AUTO_TEST_CASE(several_labels_give_several_keywords) {
  require_done(write({"--multi", "--threshold", "0.01"}, "red, green, blue, a red picture"));
  size_t keywords = 0;
  for (const auto& [path, bytes] : files()) {
    if (!path.ends_with(".xmp")) continue;
    for (size_t at = 0; (at = bytes.find(">zeroshelf/", at)) != std::string::npos; ++at) ++keywords;
  }
  BOOST_TEST(keywords > 12u);
}

BOOST_AUTO_TEST_CASE(labels_that_are_none_any_more_are_taken_away) {
  require_done(write({"--to", (directory / "first").string()}));
  const ProgramResult second =
      write({"--min-score", "0.9999", "--to", (directory / "second").string()});
  BOOST_TEST(second.err.find(" removed") != std::string::npos);
  const ProgramResult none = write({"--threshold", "1", "--to", (directory / "third").string()});
  BOOST_TEST(none.exit_code == 1, none.err);
  for (const auto& [path, bytes] : files()) BOOST_TEST(!path.ends_with(".xmp"), path);
}

BOOST_AUTO_TEST_CASE(keywords_are_truth_but_not_those_that_export_wrote) {
  require_done(write({}, "red, green, blue"));
  const std::vector<std::string> ask = {"evaluate",  collection,     "--labels", "red, green, blue",
                                        "--fusion",  "image",        "--format", "jsonl",
                                        "--truth-from", "xmp"};
  std::vector<std::string> without_fusion = ask;
  without_fusion.erase(without_fusion.begin() + 4, without_fusion.begin() + 6);
  const ProgramResult own = zeroshelf_query(without_fusion);
  BOOST_TEST(own.exit_code == 2, own.out);
  BOOST_TEST(own.err.find("no picture has just one keyword that is a label") != std::string::npos,
             own.err);
  // Somebody says what each is: in a sidecar, in a picture, in a tree.
  const auto said = [](const std::string& subject) {
    return R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:lr="http://ns.adobe.com/lightroom/1.0/">)" +
           subject + "</rdf:Description></rdf:RDF></x:xmpmeta>";
  };
  const auto bag = [](const std::string& name, const std::string& word) {
    return "<" + name + "><rdf:Bag><rdf:li>" + word + "</rdf:li></rdf:Bag></" + name + ">";
  };
  for (const char* colour : {"red", "green", "blue"}) {
    testing::write_file(pictures / (std::string(colour) + "0.jpg.xmp"),
                        said(bag("dc:subject", colour)));
    testing::write_file(pictures / (std::string(colour) + "1.png.xmp"),
                        said(bag("lr:hierarchicalSubject", "colours|" + std::string(colour))));
  }
  testing::write_file(pictures / "red2.webp.xmp",
                      said("<dc:subject><rdf:Bag><rdf:li>Red</rdf:li><rdf:li>blue</rdf:li></rdf:Bag>"
                           "</dc:subject>"));
  testing::write_file(pictures / "red3.tif.xmp", "no XMP");
  const ProgramResult evaluated = zeroshelf_query(without_fusion);
  require_done(evaluated);
  BOOST_TEST(evaluated.err.find("1 pictures have keywords of several labels") != std::string::npos,
             evaluated.err);
  BOOST_TEST(evaluated.err.find("red3.tif.xmp: cannot be read as XMP") != std::string::npos,
             evaluated.err);
  BOOST_TEST(evaluated.out.find("\"pictures\":6") != std::string::npos, evaluated.out);
  const ProgramResult trained =
      zeroshelf_query({"train", collection, "--truth-from", "xmp", "--labels", "red, green, blue",
                       "--save", "colours"});
  BOOST_TEST(trained.err.find("learned from") != std::string::npos, trained.err);
}

BOOST_AUTO_TEST_CASE(flags_that_mean_nothing_are_refused) {
  const auto refused = [&](std::vector<std::string> arguments, const std::string& what) {
    arguments.insert(arguments.begin(), {"export", collection, "--labels", "red, blue"});
    const ProgramResult said = zeroshelf_query(arguments);
    BOOST_TEST(said.exit_code == 2);
    BOOST_TEST(said.err.find(what) != std::string::npos, said.err);
  };
  const std::string out = (directory / "out").string();
  refused({"--format", "csv", "--to", out, "--in-file"}, "--in-file");
  refused({"--to", out, "--multi"}, "--multi");
  refused({"--format", "csv"}, "--to");
  refused({"--format", "xmp", "--unsure-to", out}, "--unsure-to");
  refused({"--format", "xmp", "--multi", "--min-score", "0.5"}, "--min-score");
  refused({"--format", "xmp", "--root", "//"}, "--root");
  refused({"--format", "xmp", "--mode", "copy"}, "--mode");
  BOOST_TEST(!fs::exists(collection + "-keywords"));
  // Another writer: nothing is changed.
  const auto before = files();
  const ProgramResult busy = [&] {
    const int lock = ::open((fs::path(collection) / "LOCK").c_str(), O_RDWR | O_CLOEXEC);
    BOOST_REQUIRE(::flock(lock, LOCK_EX | LOCK_NB) == 0);
    const ProgramResult said = write({"--in-file"});
    ::close(lock);
    return said;
  }();
  BOOST_TEST_MESSAGE(busy.err);
  if (busy.exit_code != 0) BOOST_TEST((files() == before));
  BOOST_TEST(zeroshelf_query({"undo", collection}).exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
