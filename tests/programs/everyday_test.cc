// What people's disks, spreadsheets and cameras do, through the real programs: docs/everyday.md
// lists it.

#include <unistd.h>

#include <boost/test/unit_test.hpp>
#include <csignal>
#include <filesystem>
#include <set>

#include "lib/collection/collection.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::json_lines;
using testing::ProgramResult;
using testing::write_file;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

constexpr const char* kComposed = "caf\xc3\xa9.ppm";
constexpr const char* kDecomposed = "cafe\xcc\x81.ppm";

struct Everyday {
  explicit Everyday(int pictures = 4) {
    for (int i = 0; i < pictures; ++i) put(std::to_string(i) + ".ppm", testing::tinted_pixmap(i));
  }

  void put(const std::string& name, const std::string& bytes) const {
    write_file(folder / name, bytes);
  }

  ProgramResult index(const std::string& command, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {command, shelf.string()});
    return zeroshelf_index(arguments);
  }
  ProgramResult add(std::vector<std::string> arguments) const { return index("add", arguments); }
  // The folder, without reading text.
  ProgramResult add_plainly(std::vector<std::string> more = {}) const {
    more.insert(more.begin(), {folder.string(), "--no-ocr", "--model", model});
    return add(more);
  }
  ProgramResult ask(const std::string& command, std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {command, shelf.string()});
    return zeroshelf_query(arguments);
  }

  uint64_t pictures() const { return Collection::open(shelf).counts().pictures; }

  std::string truth(const std::string& text) const {
    write_file(folder / "truth.csv", text);
    return (folder / "truth.csv").string();
  }
  ProgramResult evaluate(const std::string& truth_text) const {
    return ask("evaluate", {"--labels", "red,blue", "--truth", truth(truth_text)});
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "pictures";
  fs::path shelf = directory / "collection";
  std::string model = bundled_model().string();
};

bool says(const ProgramResult& result, const std::string& text) {
  return (result.out + result.err).find(text) != std::string::npos;
}

std::set<std::string> split_at_nul(const std::string& text) {
  std::set<std::string> parts;
  for (size_t start = 0; start < text.size();) {
    const size_t end = text.find('\0', start);
    BOOST_TEST(parts.insert(text.substr(start, end - start)).second);
    start = end + 1;
  }
  return parts;
}

BOOST_FIXTURE_TEST_SUITE(everyday, Everyday)

// --- absence is not deletion --------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_share_that_is_not_mounted_loses_nothing) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  fs::rename(folder, directory / "away");
  fs::create_directory(folder);
  ProgramResult result = add_plainly();
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(says(result, "4 of its 4 pictures are gone; none was removed"), result.err);
  BOOST_TEST(says(result, "--confirm-missing"));
  BOOST_TEST(pictures() == 4u);
  result = add_plainly({"--confirm-missing"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(pictures() == 0u);
  fs::remove(folder);
  fs::rename(directory / "away", folder);
  result = add_plainly({"--json"});
  const auto summary = json_lines(result.out).back();
  BOOST_TEST(summary["restored"] == 4);
  BOOST_TEST(summary["added"] == 0);
}

BOOST_AUTO_TEST_CASE(a_renamed_folder_is_followed_and_its_old_name_may_be_given) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const fs::path photos = directory / "photos";
  fs::rename(folder, photos);
  ProgramResult result = add({folder.string(), photos.string(), "--no-ocr", "--json"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(json_lines(result.out).back()["moved"] == 4);
  BOOST_TEST(pictures() == 4u);
  fs::rename(photos, folder);
  result = add({folder.string(), "--no-ocr", "--json"});
  BOOST_TEST(json_lines(result.out).back()["moved"] == 4);
  BOOST_TEST(add({(directory / "never").string()}).exit_code == 2);
  BOOST_TEST(add({(directory / "never").string(), folder.string(), "--no-ocr"}).exit_code == 2);
  // Once named, and nothing of it left.
  BOOST_TEST(add({photos.string(), folder.string(), "--no-ocr"}).exit_code == 0);
  BOOST_TEST(add({photos.string()}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(pictures_are_forgotten_on_purpose_whether_their_files_are_there_or_not) {
  put("sub/5.ppm", testing::tinted_pixmap(5));
  put("sub/broken.png", "broken");
  BOOST_REQUIRE(add_plainly().exit_code == 3);
  fs::remove_all(folder / "sub");
  ProgramResult result = index("forget", {(folder / "sub").string()});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(result.out == "1 pictures forgotten, 4 in the collection\n");
  BOOST_TEST(Collection::open(shelf).counts().skips == 0u);
  result = index("forget", {(folder / "0.ppm").string(), (folder / "none").string()});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(says(result, "not in the collection, nor is anything below it"));
  BOOST_TEST(pictures() == 4u);
  BOOST_TEST(index("forget", {(folder / "0.ppm").string()}).exit_code == 0);
  BOOST_TEST(fs::exists(folder / "0.ppm"));
  BOOST_TEST(pictures() == 3u);
}

BOOST_AUTO_TEST_CASE(roots_of_last_time_are_taken_up_and_quiet_says_nothing) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  put("new.ppm", testing::tinted_pixmap(40));
  ProgramResult result = add({});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(says(result, "as last time"));
  BOOST_TEST(pictures() == 5u);
  put("newer.ppm", testing::tinted_pixmap(41));
  result = add({"--quiet"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(!says(result, "added"), result.err);
  BOOST_TEST(pictures() == 6u);
}

BOOST_AUTO_TEST_CASE(a_root_of_last_time_that_is_gone_with_its_pictures_is_not_named) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const std::string sorted = (directory / "sorted").string();
  BOOST_REQUIRE(
      ask("export", {"--labels", "red,blue", "--to", sorted, "--mode", "move"}).exit_code == 0);
  BOOST_REQUIRE(add({folder.string(), sorted, "--no-ocr"}).exit_code == 0);
  BOOST_REQUIRE(zeroshelf_query({"undo", sorted}).exit_code == 0);
  const ProgramResult left = add({"--no-ocr"});
  BOOST_TEST(left.exit_code == 0, left.err);
  BOOST_TEST(says(left, "indexing " + folder.string() + ", as last time"), left.err);
  BOOST_TEST(!says(left, sorted), left.err);
  BOOST_TEST(pictures() == 4u);

  fs::create_directory(directory / "other");
  BOOST_REQUIRE(add({(directory / "other").string(), "--no-ocr"}).exit_code == 0);
  fs::remove(directory / "other");
  const ProgramResult none = add({"--no-ocr"});
  BOOST_TEST(none.exit_code == 2);
  BOOST_TEST(says(none, "what was indexed last time is gone"), none.err);
  BOOST_TEST(says(none, "name the folders to index"), none.err);
}

BOOST_AUTO_TEST_CASE(verify_compares_contents_with_the_disk) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  BOOST_TEST(index("verify", {"--files"}).exit_code == 0);
  const auto time = fs::last_write_time(folder / "1.ppm");
  put("1.ppm", testing::tinted_pixmap(77));
  fs::last_write_time(folder / "1.ppm", time);
  fs::remove(folder / "2.ppm");
  const ProgramResult result = index("verify", {"--files"});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(says(result, "1.ppm: the file has another content"), result.out);
  BOOST_TEST(says(result, "2.ppm: the file is gone"), result.out);
  BOOST_TEST(json_lines(add_plainly({"--json"}).out).back()["added"] == 1);
}

// --- what a run was told ------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(text_is_read_later_when_a_language_is_named) {
  put("written.png", testing::png_bytes(testing::text_image("INVOICE NUMBER 4711")));
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const auto with_text = [&] { return Collection::open(shelf).counts().with_text; };
  BOOST_TEST(add({folder.string()}).exit_code == 0);
  BOOST_TEST(with_text() == 0u);  // as the collection was told
  const ProgramResult refused = add({folder.string(), "--ocr-lang", "xyz"});
  BOOST_TEST(refused.exit_code == 2);
  BOOST_TEST(says(refused, "xyz"));
  BOOST_TEST(add({folder.string(), "--ocr-lang", "eng"}).exit_code == 0);
  BOOST_TEST(with_text() == 1u);
  put("more.png", testing::png_bytes(testing::text_image("TOTAL AMOUNT DUE")));
  BOOST_TEST(add({folder.string()}).exit_code == 0);  // told once
  BOOST_TEST(with_text() == 2u);
  BOOST_TEST(says(index("stats", {}), "OCR          eng"));
}

BOOST_AUTO_TEST_CASE(a_models_new_place_is_remembered) {
  const fs::path first = directory / "model";
  const fs::path second = directory / "moved model";
  fs::copy(bundled_model(), first, fs::copy_options::recursive);
  model = first.string();
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  fs::rename(first, second);
  BOOST_TEST(ask("classify", {"--labels", "dog,cat"}).exit_code == 2);
  BOOST_TEST(ask("classify", {"--labels", "dog,cat", "--model", second.string()}).exit_code == 0);
  BOOST_TEST(ask("classify", {"--labels", "horse,cow"}).exit_code == 0);
}

// --- text that people and spreadsheets write ----------------------------------------------------

BOOST_AUTO_TEST_CASE(a_truth_may_come_from_any_spreadsheet_and_from_a_pipe) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  for (const char* text :
       {"path;label\n0.ppm;red\n1.ppm;blue\n", "path\tlabel\r\n0.ppm\tred\r\n1.ppm\tblue\r\n",
        "\xef\xbb\xbfPath, Label\r0.ppm, red\r1.ppm, blue \r"}) {
    const ProgramResult result = evaluate(text);
    BOOST_TEST(result.exit_code == 0, result.err);
  }
}

BOOST_AUTO_TEST_CASE(a_blank_label_is_not_known) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult result = evaluate("path,label\n0.ppm,red\n1.ppm,\n2.ppm, \n3.ppm,blue\n");
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(says(result, "2 pictures of the truth have no label"));
}

BOOST_AUTO_TEST_CASE(wrong_labels_are_told_all_at_once_with_what_was_meant) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult result =
      evaluate("path,label\n0.ppm,Red\n1.ppm,blu\n2.ppm,blu\n3.ppm,zebra\n");
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(says(result, "'Red' (1 picture; did you mean 'red'?)"), result.err);
  BOOST_TEST(says(result, "'blu' (2 pictures; did you mean 'blue'?)"), result.err);
  BOOST_TEST(says(result, "'zebra' (1 picture)"), result.err);
}

BOOST_AUTO_TEST_CASE(names_from_a_mac_are_found_as_people_type_them) {
  put(kDecomposed, testing::tinted_pixmap(50));
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult known = evaluate(std::string("path,label\n") + kComposed + ",red\n");
  BOOST_TEST(known.exit_code == 0, known.err);
  BOOST_TEST(ask("search", {"--like", (folder / kComposed).string()}).exit_code == 0);
  BOOST_TEST(ask("search", {"red", "--all", "--path", kComposed}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(names_are_found_without_their_folder_and_their_capitals) {
  put("a/One.PPM", testing::tinted_pixmap(60));
  put("a/two.ppm", testing::tinted_pixmap(61));
  put("b/two.ppm", testing::tinted_pixmap(62));
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  BOOST_TEST(ask("search", {"--like", "One.PPM"}).exit_code == 0);
  const ProgramResult several = ask("search", {"--like", "two.ppm"});
  BOOST_TEST(several.exit_code == 2);
  BOOST_TEST(says(several, "a/two.ppm"));
  BOOST_TEST(ask("search", {"red", "--all", "--path", "one.ppm"}).exit_code == 0);
  BOOST_TEST(ask("search", {"red", "--all", "--path", "one.ppm", "--path-case"}).exit_code == 1);
}

BOOST_AUTO_TEST_CASE(a_csv_is_utf8_whatever_the_names_are_and_is_read_back) {
  put("caf\xe9.ppm", testing::tinted_pixmap(70));
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult csv = ask("classify", {"--labels", "red,blue", "--format", "csv"});
  BOOST_REQUIRE(csv.exit_code == 0);
  BOOST_TEST(csv.out.find('\xe9') == std::string::npos);
  const ProgramResult back = evaluate(csv.out);
  BOOST_TEST(back.exit_code == 0, back.err);
  BOOST_TEST(!says(back, "not in the"), back.err);  // every picture was found again
}

BOOST_AUTO_TEST_CASE(lists_and_pictures_are_taken_from_pipes) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const std::string program = std::string(ZEROSHELF_QUERY_PROGRAM) + " ";
  const auto shell = [&](const std::string& command) {
    return testing::run_program({"/bin/bash", "-c", command});
  };
  const std::string on_shelf = " '" + shelf.string() + "' ";
  BOOST_TEST(shell("printf 'red\\nblue\\n' | " + program + "classify" + on_shelf +
                   "--labels-file - --summary")
                 .exit_code == 0);
  BOOST_TEST(shell(program + "classify" + on_shelf +
                   "--labels-file <(printf 'red\\r\\nblue\\r\\n') --summary")
                 .exit_code == 0);
  BOOST_TEST(shell("cd '" + folder.string() + "'; printf 'path,label\\n0.ppm,red\\n' | " + program +
                   "evaluate" + on_shelf + "--labels red,blue --truth -")
                 .exit_code == 0);
  BOOST_TEST(
      shell(program + "embed --image <(cat '" + (folder / "0.ppm").string() + "')").exit_code == 0);
}

// --- labels that the model cannot tell apart ----------------------------------------------------

BOOST_AUTO_TEST_CASE(labels_that_are_the_same_to_the_model_are_told) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  std::string list;
  for (const char* name : {"A", "B"}) {
    list += std::string(name) + ": ";
    for (int i = 0; i < 60; ++i) list += "red green blue ";
    list += std::string(name) + "\n";
  }
  write_file(folder / "labels.txt", list);
  for (int i = 0; i < 2; ++i) {  // from the cache too
    const ProgramResult cut = ask("classify", {"--labels-file", (folder / "labels.txt").string()});
    BOOST_TEST(cut.exit_code == 0);
    BOOST_TEST(says(cut, "'A', 'B' are the same to the model"), cut.err);
    if (i == 0) BOOST_TEST(says(cut, "is longer than the"), cut.err);
  }
  BOOST_TEST(says(ask("classify", {"--labels", "circle,Circle"}), "are the same to the model"));
  BOOST_TEST(!says(ask("classify", {"--labels", "circle,square"}), "warning"));
  BOOST_TEST(says(ask("classify", {"--labels", "circle"}), "'circle' is the only label"));
}

// --- known labels -------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(folders_may_be_the_labels) {
  for (int i = 0; i < 4; ++i) {
    put("Dark_red/" + std::to_string(i) + ".ppm", testing::tinted_pixmap(100 + i));
    put("blue/" + std::to_string(i) + ".ppm", testing::tinted_pixmap(200 + i));
  }
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult result =
      ask("evaluate", {"--labels", "dark red,Blue", "--truth-from-folders", "--format", "jsonl"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(json_lines(result.out)[0]["pictures"] == 8);
  BOOST_TEST(says(result, "4 pictures lie in folders that are no label: pictures (4)"), result.err);
  const ProgramResult trained = ask("train", {"--truth-from-folders", "--save", "colours"});
  BOOST_TEST(trained.exit_code == 0, trained.err);
  BOOST_TEST(ask("evaluate", {"--labels", "a,b"}).exit_code == 2);  // neither
  BOOST_TEST(
      ask("evaluate", {"--labels", "a,b", "--truth-from-folders", "--truth", "-"}).exit_code == 2);

  // Its own pictures, and what it is called.
  const ProgramResult own = ask("evaluate", {"--classifier", "colours", "--truth-from-folders"});
  BOOST_TEST(own.exit_code == 0, own.err);
  BOOST_TEST(says(own, "was learned from"), own.err);
  BOOST_REQUIRE(ask("classify", {"--classifier", "colours", "--save", "run"}).exit_code == 0);
  BOOST_TEST(says(ask("runs", {}), "classifier colours"));
  const std::string page = (directory / "page.html").string();
  BOOST_REQUIRE(ask("export", {"--classifier", "colours", "--to", page}).exit_code == 0);
  BOOST_TEST(read_file(page, 1 << 24).find("classifier colours") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(many_labels_are_summed_up) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  std::string labels = "red,blue";
  for (int i = 0; i < 40; ++i) labels += ",thing" + std::to_string(i);
  const std::string known = truth("path,label\n0.ppm,red\n1.ppm,thing7\n2.ppm,thing8\n");
  const ProgramResult summary = ask("evaluate", {"--labels", labels, "--truth", known});
  BOOST_TEST(summary.exit_code == 0, summary.err);
  BOOST_TEST(summary.out.find("thing30") == std::string::npos);
  BOOST_TEST(summary.out.find("text ") == std::string::npos);  // no picture has text
  BOOST_TEST(says(summary, "--per-label"));
  BOOST_TEST(says(summary, "right for"), summary.err);  // hardly more often than by chance
  const ProgramResult each = ask("evaluate", {"--labels", labels, "--truth", known, "--per-label"});
  BOOST_TEST(each.out.find("thing30") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_classifier_is_learned_where_no_model_is_and_names_labels_without_examples) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const std::string npy = (directory / "v.npy").string();
  const std::string list = (directory / "paths").string();
  const ProgramResult twice = ask("vectors", {"--npy", npy, "--text-npy", npy});
  BOOST_TEST(twice.exit_code == 2);
  BOOST_TEST(twice.err.find("named twice") != std::string::npos);
  BOOST_TEST(!std::filesystem::exists(npy));
  BOOST_REQUIRE(ask("vectors", {"--npy", npy, "--paths", list}).exit_code == 0);
  const std::string imported = (directory / "imported").string();
  BOOST_REQUIRE(zeroshelf_index({"import", imported, "--npy", npy, "--paths", list}).exit_code ==
                0);
  const std::string known = truth("path,label\n0.ppm,a\n1.ppm,a\n2.ppm,b\n3.ppm,b\n");
  const ProgramResult result =
      zeroshelf_query({"train", imported, "--truth", known, "--labels", "a,b,c", "--save", "mine"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(says(result, "no example was given of 'c'"), result.err);
  BOOST_TEST(says(result, "not compared with zero-shot answers"), result.err);
  BOOST_TEST(zeroshelf_query({"classify", imported, "--classifier", "mine"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_review_is_filled_in_and_read_back) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult review = ask("review", {"--labels", "red,blue", "--format", "csv"});
  BOOST_REQUIRE(review.exit_code == 0);
  std::string filled = review.out;
  filled.replace(filled.find(",,"), 2, ",red,");
  const ProgramResult result = evaluate(filled);
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(says(result, "3 pictures of the truth have no label"), result.err);
}

// --- exports that fail --------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_failed_export_is_in_nobodys_way) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  fs::rename(folder, directory / "away");
  for (const char* mode : {"copy", "symlink", "hardlink", "move"}) {
    const std::string target = (directory / "out").string();
    const ProgramResult failed =
        ask("export", {"--labels", "red,blue", "--to", target, "--mode", mode});
    BOOST_TEST(failed.exit_code == 2);
    BOOST_TEST(!fs::exists(target), mode);
    BOOST_TEST(says(failed, "1 more could not be exported: the picture is gone"), failed.err);
  }
}

BOOST_AUTO_TEST_CASE(an_export_of_no_picture_leaves_no_folder) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const std::string target = (directory / "out").string();
  for (const std::string format : {"folders", "fiftyone"}) {
    for (const char* mode : {"symlink", "copy", "move"}) {
      const ProgramResult none = ask("export", {"--labels", "red,blue", "--min-score", "2", "--to",
                                                target, "--format", format, "--mode", mode});
      BOOST_TEST(none.exit_code == 1, none.err);
      BOOST_TEST(!fs::exists(target), format << ' ' << mode);
      BOOST_TEST(says(none, "stays as it was"), none.err);
    }
  }
  fs::create_directory(target);  // not the export's
  ask("export", {"--labels", "red,blue", "--min-score", "2", "--to", target});
  BOOST_TEST(fs::is_empty(target));
}

// --- moves --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_collection_follows_a_move_and_an_undo) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const std::string sorted = (directory / "sorted").string();
  BOOST_REQUIRE(
      ask("export", {"--labels", "red,blue", "--to", sorted, "--mode", "move"}).exit_code == 0);
  const auto paths = [&] {
    std::set<std::string> found;
    Collection::open(shelf).for_each_record(
        [&](Row, const PictureRecord& record) { found.insert(record.file.path); });
    return found;
  };
  for (const std::string& path : paths()) {
    BOOST_TEST(path.starts_with(sorted + "/"));
    BOOST_TEST(fs::exists(path));
  }
  // Both folders are as the collection knows them.
  ProgramResult result = add({folder.string(), sorted, "--no-ocr", "--json"});
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(json_lines(result.out).back()["unchanged"] == 4);
  BOOST_REQUIRE(zeroshelf_query({"undo", sorted}).exit_code == 0);
  for (const std::string& path : paths()) BOOST_TEST(fs::path(path).parent_path() == folder);
  result = add({folder.string(), "--no-ocr", "--json"});
  BOOST_TEST(json_lines(result.out).back()["unchanged"] == 4);
  BOOST_TEST(pictures() == 4u);
}

BOOST_AUTO_TEST_CASE(classes_of_an_image_folder_are_in_both_halves_or_left_out) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const fs::path set = directory / "set";
  const ProgramResult result = ask("export", {"--labels", "red,green,blue,yellow,black,white",
                                              "--to", set.string(), "--format", "imagefolder"});
  const auto classes = [&](const char* half) {
    std::set<std::string> names;
    std::error_code ignored;
    for (const auto& entry : fs::directory_iterator(set / half, ignored))
      names.insert(entry.path().filename().string());
    return names;
  };
  BOOST_TEST((classes("train") == classes("validation")), result.err);
}

// --- earlier versions ---------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_collection_of_an_earlier_version_answers_everything) {
  fs::copy(ZEROSHELF_OLD_COLLECTION, shelf, fs::copy_options::recursive);
  for (const char* command : {"stats", "skips", "verify"})
    BOOST_TEST(index(command, {}).exit_code == 0, command);
  // Nothing of this needs the model, whose place is gone.
  BOOST_TEST(says(ask("runs", {}), "monday"));
  BOOST_TEST(says(ask("runs", {"--kind", "classifiers"}), "pets"));
  BOOST_TEST(ask("review", {"monday"}).exit_code == 0);
  BOOST_TEST(ask("diff", {"monday", "monday"}).exit_code == 1);
  BOOST_TEST(ask("classify", {"--classifier", "pets"}).exit_code == 0);
  BOOST_TEST(ask("search", {"--like", "1.ppm", "--all"}).exit_code == 0);
  BOOST_TEST(ask("duplicates", {}).exit_code != 2);
  BOOST_TEST(
      ask("export", {"--classifier", "pets", "--to", (directory / "o.csv").string()}).exit_code ==
      0);
  BOOST_TEST(ask("vectors", {"--npy", (directory / "v.npy").string()}).exit_code == 0);
  const std::string known = (directory / "known.csv").string();
  write_file(known, "path,label\n/pictures/0.ppm,a\n/pictures/1.ppm,b\n");
  BOOST_TEST(ask("evaluate", {"--classifier", "pets", "--truth", known}).exit_code == 0);
  BOOST_TEST(ask("search", {"invoice", "--model", model}).exit_code == 0);
  BOOST_TEST(ask("classify", {"--labels", "red, blue", "--summary"}).exit_code == 0);
  BOOST_TEST(ask("evaluate", {"--labels", "a,b", "--truth", known, "--model", model}).exit_code ==
             0);

  // Its pictures are found again where they are now, and it goes on.
  put("4.ppm", testing::tinted_pixmap(4));
  put("new.ppm", testing::tinted_pixmap(40));
  const ProgramResult added = add_plainly({"--json"});
  BOOST_TEST(added.exit_code == 0, added.err);
  const auto summary = json_lines(added.out).back();
  BOOST_TEST(summary["moved"] == 5);
  BOOST_TEST(summary["added"] == 1);
  BOOST_TEST(index("compact", {}).exit_code == 0);
  BOOST_TEST(index("repair", {}).exit_code == 0);
  BOOST_TEST(index("verify", {}).exit_code == 0);
  BOOST_TEST(ask("classify", {"--classifier", "pets"}).exit_code == 0);
  BOOST_TEST(index("forget", {"/pictures"}).exit_code == 0);
  BOOST_TEST(pictures() == 6u);
}

// --- links --------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(a_link_is_no_duplicate_and_the_last_copy_is_never_handed_on) {
  fs::create_hard_link(folder / "0.ppm", folder / "hard.ppm");
  fs::create_symlink("0.ppm", folder / "soft.ppm");
  fs::create_directory_symlink(folder, directory / "alias");
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  BOOST_REQUIRE(add({(directory / "alias").string(), "--no-ocr"}).exit_code == 0);
  const std::vector<std::string> same = {"--kind", "same_picture", "--cosine", "1"};
  BOOST_TEST(ask("duplicates", same).exit_code == 1);
  const ProgramResult links = ask("duplicates", {"--kind", "same_file", "--cosine", "1"});
  BOOST_TEST(links.exit_code == 0);
  BOOST_TEST(says(links, "hard.ppm"));

  put("copy.ppm", testing::tinted_pixmap(0));
  put("sub/copy.ppm", testing::tinted_pixmap(0));
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  const ProgramResult listed =
      ask("duplicates", {"--kind", "same_picture", "--cosine", "1", "-0", "--omit-first"});
  BOOST_TEST(listed.exit_code == 0);
  const std::set<std::string> doomed = split_at_nul(listed.out);
  BOOST_TEST(doomed.size() == 2u);
  for (const std::string& path : doomed) fs::remove(path);
  std::error_code ignored;
  size_t left = 0;
  for (const char* name : {"0.ppm", "hard.ppm", "soft.ppm", "copy.ppm", "sub/copy.ppm"})
    left += fs::exists(folder / name, ignored) ? 1 : 0;
  BOOST_TEST(left >= 1u);
  // What is gone is said, and pairs with nothing.
  const ProgramResult after = ask("duplicates", same);
  BOOST_TEST(says(after, "because their file is gone"), after.err);
}

// --- numbers ------------------------------------------------------------------------------------

BOOST_AUTO_TEST_CASE(no_flag_takes_what_is_no_finite_number) {
  BOOST_REQUIRE(add_plainly().exit_code == 0);
  for (const char* number : {"nan", "NaN", "inf", "-inf", "infinity"}) {
    const std::vector<std::vector<std::string>> queries = {
        {"classify", "--labels", "red,blue", "--threshold", number},
        {"search", "red", "--plus", "blue", "--weight", number},
        {"duplicates", "--cosine", number},
        {"duplicates", "--same-words", number}};
    for (const auto& query : queries) {
      const ProgramResult result = ask(query[0], {query.begin() + 1, query.end()});
      BOOST_TEST_CONTEXT(query[0] << " " << number)
      BOOST_TEST(result.exit_code == 2);
    }
    BOOST_TEST(add({folder.string(), "--ocr-timeout", number}).exit_code == 2);
  }
}

BOOST_AUTO_TEST_CASE(sizes_have_fractions_and_units) {
  for (const char* size : {"2.5MB", "300k", "1GiB", "800000", " 1 MB"})
    BOOST_TEST(add_plainly({"--max-bytes", size}).exit_code == 0, size);
  for (const char* size : {"much", "1XB", "-1MB", "nan", "1e999"})
    BOOST_TEST(add_plainly({"--max-bytes", size}).exit_code == 2, size);
}

BOOST_AUTO_TEST_CASE(what_stands_beside_pictures_is_counted_in_one_line) {
  for (const char* name : {"0.ppm.json", "1.xmp", "clip.mp4"}) put(name, "x");
  const ProgramResult result = add_plainly();
  BOOST_TEST(result.exit_code == 0, result.err);
  BOOST_TEST(says(result, "ignored: 2 sidecars, 1 video or sound"), result.err);
}

BOOST_AUTO_TEST_CASE(many_skips_are_summed_up) {
  for (int i = 0; i < 10; ++i) put("broken" + std::to_string(i) + ".png", "no picture");
  const ProgramResult result = add_plainly();
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(says(result, "skipped 7 more: not_a_picture"), result.err);
  BOOST_TEST(says(result, "zeroshelf-index skips"), result.err);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
