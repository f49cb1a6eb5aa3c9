// Every format of export through the real program: bands, splits, hostile names, moving and undo.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "lib/util/file.h"
#include "lib/util/text.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

constexpr int kPictures = 24;

std::string content(const fs::path& path) {
  return read_file(path, 1 << 24);
}

// Pictures with ordinary names and hostile ones, indexed once.
struct Shelf {
  Shelf() {
    for (int i = 0; i < kPictures; ++i) {
      const std::string name = i == 3   ? "=cmd|' /C calc'!A0.ppm"
                               : i == 4 ? "bad\xff\x1b[31m.ppm"
                               : i == 5 ? "p06.ppm"
                                        : "p" + std::to_string(100 + i) + ".ppm";
      const fs::path path = fs::path(pictures) / (i % 2 == 0 ? "one" : "two") / name;
      testing::write_file(path, testing::tinted_pixmap(i));
      paths.push_back(path.string());
    }
    testing::write_file(fs::path(pictures) / "one" / "p06.ppm", testing::tinted_pixmap(99));
    const ProgramResult added = zeroshelf_index(
        {"add", collection, pictures, "--no-ocr", "--model", bundled_model().string()});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }

  ProgramResult export_to(const fs::path& target, const std::string& format,
                          std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {"export",   collection, "--labels", "red, green, blue",
                                          "--fusion", "image",    "--to",     target.string(),
                                          "--format", format};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return zeroshelf_query(arguments);
  }

  // path -> prediction, as classify gives it.
  std::map<std::string, json> predictions() const {
    std::map<std::string, json> result;
    const ProgramResult said =
        zeroshelf_query({"classify", collection, "--labels", "red, green, blue", "--fusion",
                         "image", "--format", "jsonl"});
    for (const json& line : testing::json_lines(said.out)) result[line["path"]] = line;
    return result;
  }

  testing::TemporaryDirectory directory;
  std::string pictures = (directory / "pictures").string();
  std::string collection = (directory / "collection").string();
  std::vector<std::string> paths;
};

Shelf& shelf() {
  static Shelf the_shelf;
  return the_shelf;
}

void require_done(const ProgramResult& result) {
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
}

// Manifest lines by source path.
std::map<std::string, json> manifest(const fs::path& directory) {
  std::map<std::string, json> lines;
  for (const json& line : testing::json_lines(content(directory / "manifest.jsonl")))
    lines[line["path"]] = line;
  return lines;
}

BOOST_AUTO_TEST_SUITE(exports)

BOOST_AUTO_TEST_CASE(lines_and_cells_say_what_classify_says_and_more) {
  const auto expected = shelf().predictions();
  BOOST_REQUIRE(expected.size() == kPictures + 1u);
  const fs::path jsonl = shelf().directory / "out.jsonl";
  require_done(shelf().export_to(jsonl, "jsonl"));
  const auto lines = testing::json_lines(content(jsonl));
  BOOST_TEST(lines.size() == expected.size());
  for (const json& line : lines) {
    const json& wanted = expected.at(line["path"]);
    for (const char* member : {"label", "score", "source", "image", "text"})
      BOOST_TEST(line[member] == wanted[member]);
    BOOST_TEST(line["width"] == 16);
    BOOST_TEST(line["sha256"].get<std::string>().size() == 64u);
    BOOST_TEST(line["ocr_text"] == "");
  }

  const fs::path csv = shelf().directory / "out.csv";
  require_done(shelf().export_to(csv, "csv"));
  std::istringstream rows(content(csv));
  size_t count = 0;
  for (std::string row; std::getline(rows, row); ++count) {
    BOOST_TEST(row.ends_with('\r'));
    BOOST_TEST((row.front() == '/' || row.front() == '"' || row.starts_with("path,")));
  }
  BOOST_TEST(count == expected.size() + 1);
}

BOOST_AUTO_TEST_CASE(bands_part_the_sure_from_the_unsure_and_keep_the_best) {
  const auto expected = shelf().predictions();
  std::vector<double> scores;
  for (const auto& [path, line] : expected) scores.push_back(line["score"]);
  std::ranges::sort(scores);
  const double least = scores[scores.size() / 2];
  const fs::path sure = shelf().directory / "sure";
  const fs::path unsure = shelf().directory / "unsure";
  require_done(shelf().export_to(
      sure, "folders", {"--min-score", json(least).dump(), "--unsure-to", unsure.string()}));
  const auto above = manifest(sure);
  const auto below = manifest(unsure);
  BOOST_TEST(above.size() + below.size() == expected.size());
  for (const auto& [path, line] : above) BOOST_TEST(expected.at(path)["score"] >= least);
  for (const auto& [path, line] : below) BOOST_TEST(expected.at(path)["score"] < least);

  const fs::path best = shelf().directory / "best.jsonl";
  require_done(shelf().export_to(best, "jsonl", {"--max-per-label", "2"}));
  std::map<std::string, std::vector<double>> kept;
  for (const json& line : testing::json_lines(content(best)))
    kept[line["label"]].push_back(line["score"]);
  for (const auto& [label, of_label] : kept) {
    BOOST_TEST(of_label.size() <= 2u);
    for (const auto& [path, line] : expected) {
      if (line["label"] != label) continue;
      const double score = line["score"];
      const bool better = score > *std::ranges::min_element(of_label);
      if (better) BOOST_TEST((std::ranges::find(of_label, score) != of_label.end()));
    }
  }

  const std::string label = expected.begin()->second["label"];
  const fs::path only = shelf().directory / "only.jsonl";
  require_done(shelf().export_to(only, "jsonl", {"--only", label}));
  for (const json& line : testing::json_lines(content(only))) BOOST_TEST(line["label"] == label);
  const ProgramResult mistyped =
      shelf().export_to(shelf().directory / "none", "jsonl", {"--only", "gren"});
  BOOST_TEST(mistyped.exit_code == 2);
  BOOST_TEST(mistyped.err.find("did you mean 'green'?") != std::string::npos);
  BOOST_TEST(mistyped.err.find("labelled with") == std::string::npos);  // told before
}

BOOST_AUTO_TEST_CASE(an_image_folder_has_a_split_that_does_not_depend_on_names) {
  const fs::path first = shelf().directory / "split";
  require_done(shelf().export_to(first, "imagefolder", {"--validation", "0.25", "--mode", "copy"}));
  std::map<std::string, std::map<std::string, std::set<std::string>>> contents;
  for (const auto& [path, line] : manifest(first)) {
    const std::string place = line["exported"];
    const std::string split = place.substr(0, place.find('/'));
    BOOST_TEST((split == "train" || split == "validation"));
    const std::string bytes = content(
        line.contains("path_base64") ? *from_base64(line["path_base64"].get<std::string>()) : path);
    BOOST_TEST((content(first / place) == bytes));
    contents[line["label"]][split].insert(bytes);
  }
  for (auto& [label, splits] : contents) {
    const size_t all = splits["train"].size() + splits["validation"].size();
    const auto wanted = std::max<long>(1, std::lround(0.25 * static_cast<double>(all)));
    if (all > 1) BOOST_TEST(splits["validation"].size() == static_cast<size_t>(wanted));
  }

  // The same pictures under other names, in another collection: the same split.
  const fs::path renamed = shelf().directory / "renamed";
  int number = kPictures;
  for (const std::string& path : shelf().paths)
    testing::write_file(renamed / (std::to_string(number--) + ".ppm"), content(path));
  testing::write_file(renamed / "99.ppm", testing::tinted_pixmap(99));
  const std::string other = (shelf().directory / "other").string();
  require_done(zeroshelf_index(
      {"add", other, renamed.string(), "--no-ocr", "--model", bundled_model().string()}));
  const fs::path second = shelf().directory / "split2";
  require_done(
      zeroshelf_query({"export", other, "--labels", "red, green, blue", "--fusion", "image", "--to",
                       second.string(), "--format", "imagefolder", "--validation", "0.25"}));
  for (const auto& [path, line] : manifest(second)) {
    const std::string place = line["exported"];
    BOOST_TEST(contents[line["label"]][place.substr(0, place.find('/'))].contains(content(path)));
  }
}

BOOST_AUTO_TEST_CASE(annotations_for_other_tools_name_every_picture) {
  const auto expected = shelf().predictions();
  const fs::path tasks = shelf().directory / "tasks";
  require_done(shelf().export_to(tasks, "labelstudio", {"--root", shelf().pictures}));
  const auto studio = json::parse(content(tasks / "tasks.json"));
  BOOST_TEST(studio.size() == expected.size());
  BOOST_TEST(
      studio[0]["data"]["image"].get<std::string>().starts_with("/data/local-files/?d=one/"));

  const fs::path coco = shelf().directory / "coco.json";
  for (const char* format : {"coco", "labelstudio"}) {  // no picture lies there: nothing is made
    BOOST_TEST(shelf().export_to(coco, format, {"--root", "/none"}).exit_code == 2);
    BOOST_TEST(!fs::is_regular_file(coco));
    fs::remove(coco);  // an empty folder at most
  }
  require_done(shelf().export_to(coco, "coco"));
  BOOST_TEST(json::parse(content(coco))["annotations"].size() == expected.size());

  const fs::path fiftyone = shelf().directory / "fiftyone";
  require_done(shelf().export_to(fiftyone, "fiftyone"));
  const auto labels = json::parse(content(fiftyone / "labels.json"));
  BOOST_TEST(labels["labels"].size() == expected.size());
  for (const auto& [path, line] : manifest(fiftyone)) {
    const fs::path place = line["exported"].get<std::string>();
    BOOST_TEST(fs::exists(fiftyone / place));
    const json& target = labels["labels"][place.stem().string()];
    BOOST_TEST(labels["classes"][target["label"].get<size_t>()] == line["label"]);
  }
}

BOOST_AUTO_TEST_CASE(flags_of_other_formats_and_targets_that_exist_are_refused) {
  const fs::path none = shelf().directory / "refused";
  for (const auto& [format, flag, value] :
       std::vector<std::array<std::string, 3>>{{"csv", "--mode", "copy"},
                                               {"folders", "--validation", "0.1"},
                                               {"folders", "--root", "/"},
                                               {"jsonl", "--min-score", "nan"},
                                               {"imagefolder", "--validation", "2"},
                                               {"jsonl", "--unsure-to", none.string()}}) {
    const ProgramResult refused = shelf().export_to(none, format, {flag, value});
    BOOST_TEST(refused.exit_code == 2);
    BOOST_TEST(refused.err.find(flag) != std::string::npos, refused.err);
    BOOST_TEST(!fs::exists(none));
  }
  testing::write_file(shelf().directory / "there.csv", "kept");
  BOOST_TEST(shelf().export_to(shelf().directory / "there.csv", "csv").exit_code == 2);
  BOOST_TEST(
      shelf()
          .export_to(none, "csv", {"--unsure-to", (shelf().directory / "there.csv").string()})
          .exit_code == 2);
  BOOST_TEST(content(shelf().directory / "there.csv") == "kept");
  BOOST_TEST(!fs::exists(none));
}

// The whole way: the collection follows a move and its undo by itself, so that add has nothing to
// do.
BOOST_AUTO_TEST_CASE(moved_pictures_are_followed_and_come_back_with_undo) {
  Shelf own;
  const auto before = testing::files_below(own.pictures);
  const auto expected = own.predictions();
  const fs::path moved = own.directory / "moved";
  require_done(own.export_to(moved, "folders", {"--mode", "move"}));
  for (const std::string& path : own.paths) BOOST_TEST(!fs::exists(path));

  const auto summary = [&](std::vector<std::string> roots) {
    std::vector<std::string> arguments = {"add", own.collection, "--json", "--no-ocr"};
    arguments.insert(arguments.end(), roots.begin(), roots.end());
    const ProgramResult added = zeroshelf_index(arguments);
    // 3: the manifest and the journal are no pictures.
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0 || added.exit_code == 3, added.err);
    return testing::json_lines(added.out).back();
  };
  const json followed = summary({own.pictures, moved.string()});
  BOOST_TEST(followed["unchanged"] == kPictures + 1);
  BOOST_TEST(followed["moved"] == 0);
  BOOST_TEST(followed["added"] == 0);
  BOOST_TEST(followed["removed"] == 0);

  const ProgramResult undone = zeroshelf_query({"undo", moved.string()});
  require_done(undone);
  BOOST_TEST((testing::files_below(own.pictures) == before));
  BOOST_TEST(!fs::exists(moved));
  fs::create_directory(moved);  // a root must be there
  BOOST_TEST(summary({own.pictures, moved.string()})["unchanged"] == kPictures + 1);
  BOOST_TEST((own.predictions() == expected));

  const ProgramResult nothing = zeroshelf_query({"undo", moved.string()});
  BOOST_TEST(nothing.exit_code == 2);
  BOOST_TEST(nothing.err.find("nothing to undo") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_undo_of_a_renamed_folder_is_followed_too) {
  Shelf own;
  const auto before = testing::files_below(own.pictures);
  const auto expected = own.predictions();
  const fs::path moved = own.directory / "moved";
  const fs::path renamed = own.directory / "renamed";
  require_done(own.export_to(moved, "folders", {"--mode", "move"}));
  fs::rename(moved, renamed);
  const ProgramResult missing = zeroshelf_query({"undo", moved.string()});
  BOOST_TEST(missing.exit_code == 2);
  BOOST_TEST(missing.err.find("name it as it is called now") != std::string::npos, missing.err);
  require_done(zeroshelf_query({"undo", renamed.string()}));
  BOOST_TEST((testing::files_below(own.pictures) == before));
  BOOST_TEST((own.predictions() == expected));
}

// What a full disk or a kill has kept from the manifest, the journal knows.
BOOST_AUTO_TEST_CASE(an_undo_is_followed_whatever_is_left_of_the_manifest) {
  Shelf own;
  const auto expected = own.predictions();
  const fs::path moved = own.directory / "moved";
  require_done(own.export_to(moved, "folders", {"--mode", "move"}));
  fs::remove(moved / "manifest.jsonl");
  require_done(zeroshelf_query({"undo", moved.string()}));
  BOOST_TEST((own.predictions() == expected));
}

// A CSV with what classify says as the truth, but for the least sure ones, which were wrong.
fs::path truth_with_wrong(const Shelf& shelf, const std::string& name, size_t wrong) {
  const auto predictions = shelf.predictions();
  std::vector<std::pair<float, std::string>> by_score;
  for (const auto& [path, line] : predictions)
    by_score.emplace_back(line["score"].get<float>(), path);
  std::sort(by_score.begin(), by_score.end());
  std::string csv = "path,label,path_base64\n";
  for (size_t i = 0; i < by_score.size(); ++i) {
    const json& line = predictions.at(by_score[i].second);
    const std::string label = i < wrong ? "purple" : line["label"].get<std::string>();
    const auto exact = line.find("path_base64");
    csv += "\"" + line["path"].get<std::string>() + "\"," + label + "," +
           (exact == line.end() ? "" : exact->get<std::string>()) + "\n";
  }
  const fs::path file = shelf.directory / name;
  testing::write_file(file, csv);
  return file;
}

BOOST_AUTO_TEST_CASE(a_promise_is_kept_by_what_was_judged_and_stands_in_the_manifest) {
  const std::string truth = truth_with_wrong(shelf(), "judged.csv", 3).string();
  const std::vector<std::string> promise = {"--at-most-wrong", "2%", "--truth", truth};
  const fs::path folders = shelf().directory / "promised";
  const fs::path unsure = shelf().directory / "promised-unsure";
  std::vector<std::string> more = promise;
  more.insert(more.end(), {"--unsure-to", unsure.string()});
  const ProgramResult result = shelf().export_to(folders, "folders", more);
  require_done(result);
  BOOST_TEST(result.err.find("at most 2 % wrong, with 95 % confidence: 22 of 25 pictures") !=
             std::string::npos);
  BOOST_TEST(result.err.find("'purple' (3)") != std::string::npos);
  const auto lines = testing::json_lines(content(folders / "manifest.jsonl"));
  BOOST_REQUIRE(lines.size() == 23u);
  const json& last = lines.back();
  BOOST_TEST(last["type"] == "promise");
  BOOST_TEST(last["at_most_wrong"] == 0.02);
  BOOST_TEST(last["exported"] == 22);
  BOOST_TEST(last["judged"] == 25);
  BOOST_TEST(last["wrong"] == 3);
  BOOST_TEST(last["wrong_above"] == 0);
  BOOST_TEST(last["bound"] == 0.0);
  const auto left = testing::json_lines(content(unsure / "manifest.jsonl"));
  BOOST_TEST(left.size() == 3u);
  for (const json& line : left) BOOST_TEST(line["type"] == "exported");

  // The same by a number, in each format; where there is no manifest it stands beside.
  for (const std::string format :
       {"imagefolder", "fiftyone", "jsonl", "csv", "labelstudio", "coco", "html"}) {
    const fs::path target = shelf().directory / ("promised." + format);
    require_done(shelf().export_to(target, format, {"--at-most-wrong", "0.02", "--truth", truth}));
    const bool has_manifest = format == "imagefolder" || format == "fiftyone";
    const auto told = testing::json_lines(content(
        has_manifest ? target / "manifest.jsonl" : fs::path(target.string() + ".promise.json")));
    BOOST_TEST(told.back()["type"] == "promise");
    BOOST_TEST(told.back()["exported"].get<int>() >= (format == "imagefolder" ? 1 : 22));
    BOOST_TEST(!fs::exists(target / "promise.json"));
  }
  BOOST_TEST(testing::json_lines(content(shelf().directory / "promised.jsonl")).size() == 22u);
  // Nothing is overwritten, the promise neither.
  fs::remove(shelf().directory / "promised.csv");
  BOOST_TEST(shelf().export_to(shelf().directory / "promised.csv", "csv", promise).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(a_move_with_a_promise_is_undone) {
  const Shelf own;
  const std::string truth = truth_with_wrong(own, "judged.csv", 3).string();
  const auto before = testing::files_below(own.pictures);
  const fs::path target = own.directory / "promised";
  require_done(own.export_to(target, "folders",
                             {"--at-most-wrong", "2%", "--truth", truth, "--mode", "move"}));
  BOOST_TEST(content(target / "manifest.jsonl").find("{\"type\":\"promise\",") !=
             std::string::npos);
  require_done(zeroshelf_query({"undo", target.string()}));
  BOOST_TEST(!fs::exists(target));
  BOOST_TEST((testing::files_below(own.pictures) == before));
}

BOOST_AUTO_TEST_CASE(a_promise_without_truth_is_refused_and_so_is_what_is_no_share) {
  const std::string truth = truth_with_wrong(shelf(), "judged-refused.csv", 0).string();
  const fs::path target = shelf().directory / "refused";
  BOOST_TEST(shelf().export_to(target, "folders", {"--at-most-wrong", "2%"}).exit_code == 2);
  BOOST_TEST(shelf().export_to(target, "folders", {"--truth", truth}).exit_code == 2);
  for (const char* share : {"2", "100%", "-1%", "nan", "2 percent", "%"}) {
    const ProgramResult refused =
        shelf().export_to(target, "folders", {"--truth", truth, "--at-most-wrong", share});
    BOOST_TEST(refused.exit_code == 2);
    BOOST_TEST(refused.err.find("--at-most-wrong") != std::string::npos);
  }
  // Nothing was judged on a page yet.
  const ProgramResult judged =
      shelf().export_to(target, "folders", {"--truth-judged", "--at-most-wrong", "2%"});
  BOOST_TEST(judged.exit_code == 2);
  BOOST_TEST(judged.err.find("judged") != std::string::npos);
  testing::write_file(shelf().directory / "empty.csv", "path,label\n");
  BOOST_TEST(shelf()
                 .export_to(target, "folders",
                            {"--truth", (shelf().directory / "empty.csv").string(),
                             "--at-most-wrong", "2%"})
                 .exit_code == 2);
  BOOST_TEST(!fs::exists(target));
}

BOOST_AUTO_TEST_CASE(a_sample_by_chance_is_the_same_every_time_and_fewer_are_the_first_of_more) {
  const auto drawn = [&](const std::string& count) {
    return zeroshelf_query({"review", shelf().collection, "--labels", "red, green, blue", "--by",
                            "chance", "-k", count, "--format", "csv"})
        .out;
  };
  const std::string ten = drawn("10");
  BOOST_TEST(std::count(ten.begin(), ten.end(), '\n') == 11);
  BOOST_TEST(drawn("10") == ten);
  BOOST_TEST(drawn("20").starts_with(ten));
  BOOST_TEST(!zeroshelf_query({"review", shelf().collection, "--labels", "red, green, blue", "-k",
                               "10", "--format", "csv"})
                  .out.starts_with(ten));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
