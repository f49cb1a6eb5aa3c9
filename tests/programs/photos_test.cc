// From a folder of real pictures to labels, hits and folders, with the real programs.

#include <boost/test/unit_test.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <sstream>

#include "lib/collection/collection.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::json_lines;
using testing::ProgramResult;
using testing::TemporaryDirectory;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

fs::path photos() {
  return testing::shared_directory() / "photos";
}

// Path (absolute) -> class, as labels.csv says.
std::map<std::string, std::string> true_labels() {
  std::map<std::string, std::string> labels;
  std::istringstream lines(read_file(photos() / "labels.csv", 1 << 20));
  std::string line;
  std::getline(lines, line);
  while (std::getline(lines, line)) {
    const size_t comma = line.find(',');
    std::string label = line.substr(comma + 1);
    if (label.ends_with('\r')) label.pop_back();
    labels[absolute_path(photos() / line.substr(0, comma)).string()] = label;
  }
  return labels;
}

std::string label_list() {
  std::set<std::string> names;
  for (const auto& [path, label] : true_labels()) names.insert(label);
  std::string list;
  for (const std::string& name : names) list += name + ", ";
  return list;
}

ProgramResult add(const fs::path& collection, const fs::path& root,
                  std::vector<std::string> more = {}) {
  std::vector<std::string> arguments = {"add", collection.string(), root.string(), "--json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return zeroshelf_index(arguments);
}

nlohmann::json summary(const ProgramResult& result) {
  const auto lines = json_lines(result.out);
  return lines.empty() ? nlohmann::json() : lines.back();
}

std::vector<nlohmann::json> skips_of(const ProgramResult& result) {
  std::vector<nlohmann::json> skips;
  for (const auto& line : json_lines(result.out)) {
    if (line["type"] == "skip") skips.push_back(line);
  }
  return skips;
}

// What embed gives for one picture, alone.
std::vector<float> embedded_alone(const std::string& path) {
  const ProgramResult result =
      zeroshelf_query({"embed", "--model", bundled_model().string(), "--image", path});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  return json_lines(result.out)[0]["embedding"];
}

std::vector<float> stored_vector(const Collection& collection, const std::string& path) {
  const auto row = collection.find_path(path);
  BOOST_REQUIRE_MESSAGE(row, path);
  std::vector<float> vector(collection.manifest().dimension);
  from_fp16(collection.image_vectors().row(*row), vector);
  return vector;
}

BOOST_AUTO_TEST_SUITE(photographs)

BOOST_AUTO_TEST_CASE(a_folder_becomes_labels_hits_and_folders) {
  const TemporaryDirectory directory;
  const fs::path collection = directory / "collection";
  const auto truth = true_labels();

  // Index, with OCR.
  const ProgramResult indexed = add(collection, photos(), {"--model", bundled_model().string()});
  BOOST_TEST(indexed.exit_code == 3);  // labels.csv and LICENSE are no pictures
  BOOST_TEST(summary(indexed)["added"] == truth.size());
  BOOST_TEST(summary(indexed)["skipped"] == 2);
  BOOST_TEST(summary(indexed)["with_text"].get<size_t>() > 10u);
  BOOST_TEST(zeroshelf_index({"verify", collection.string()}).exit_code == 0);

  // Every picture has its own vector, the one that it has alone.
  {
    const Collection opened = Collection::open(collection);
    for (const auto& [path, label] : truth) {
      if (path.ends_with("8.jpg")) {  // a sample: each costs a start of the program
        BOOST_TEST(testing::cosine(stored_vector(opened, path), embedded_alone(path)) > 0.9995);
      }
    }
  }

  // Classify by the classes, with every rule.
  for (const std::string rule : {"image", "text", "max"}) {
    const ProgramResult result =
        zeroshelf_query({"classify", collection.string(), "--labels", label_list(), "--fusion",
                         rule, "--format", "jsonl"});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    std::set<std::string> paths;
    for (const auto& line : json_lines(result.out)) {
      BOOST_TEST(truth.contains(line["path"]));
      paths.insert(line["path"]);
      BOOST_TEST(line["image"]["score"].get<double>() > 0);
      if (rule == "image") BOOST_TEST(line["source"] == "image");
      if (rule == "text") BOOST_TEST(line["label"].is_null() == line["text"].is_null());
      if (rule == "max" && line["source"] == "text") {
        BOOST_TEST(line["text"]["score"].get<double>() > line["image"]["score"].get<double>());
      }
      if (!line["source"].is_null()) {
        BOOST_TEST(line["label"] == line[line["source"].get<std::string>()]["label"]);
        BOOST_TEST(line["score"] == line[line["source"].get<std::string>()]["score"]);
      }
    }
    BOOST_TEST(paths.size() == truth.size());
  }

  // Search: a picture finds itself first, by its own vector.
  const std::string wanted = truth.begin()->first;
  const auto hits = json_lines(zeroshelf_query({"search", collection.string(), "--image", wanted,
                                                "--in", "picture", "-k", "5", "--format", "jsonl"})
                                   .out);
  BOOST_REQUIRE(hits.size() == 5u);
  BOOST_TEST(hits[0]["path"] == wanted);
  BOOST_TEST(hits[0]["image_score"].get<double>() > 0.999);
  for (size_t i = 1; i < hits.size(); ++i) BOOST_TEST(hits[i - 1]["score"] >= hits[i]["score"]);
  const ProgramResult paths = zeroshelf_query(
      {"search", collection.string(), "a banana", "-k", "7", "--all", "--format", "paths"});
  BOOST_TEST(std::count(paths.out.begin(), paths.out.end(), '\n') == 7);

  // Export: every picture in the folder of its label, and the manifest knows it.
  for (const std::string mode : {"symlink", "copy"}) {
    const fs::path to = directory / mode;
    const ProgramResult result =
        zeroshelf_query({"export", collection.string(), "--labels", label_list(), "--to",
                         to.string(), "--mode", mode});
    BOOST_TEST(result.exit_code == 0);
    const auto manifest = json_lines(read_file(to / "manifest.jsonl", 1 << 20));
    BOOST_TEST(manifest.size() == truth.size());
    for (const auto& line : manifest) {
      const fs::path placed = to / line["exported"].get<std::string>();
      BOOST_TEST(fs::is_symlink(placed) == (mode == "symlink"));
      BOOST_TEST(read_file(placed, 1 << 24) == read_file(line["path"].get<std::string>(), 1 << 24));
      BOOST_TEST(placed.parent_path().filename() == line["label"].get<std::string>());
    }
  }
}

BOOST_AUTO_TEST_CASE(broken_files_are_skipped_with_reasons_and_shift_nothing) {
  const TemporaryDirectory directory;
  const fs::path folder = directory / "pictures";
  fs::create_directory(folder);
  std::vector<std::string> good;
  const auto truth = true_labels();
  for (const auto& [path, label] : truth) {
    if (good.size() == 12) break;
    good.push_back((folder / fmt::format("{:02}.jpg", 2 * good.size())).string());
    fs::copy(path, good.back());
  }
  const std::string jpeg = read_file(good[0], 1 << 24);
  testing::write_file(folder / "05.jpg", jpeg.substr(0, jpeg.size() / 2));
  testing::write_file(folder / "07.png", "this is a text, whatever its name says\n");
  testing::write_file(folder / "11.jpg", "");
  BOOST_REQUIRE(::mkfifo((folder / "13.jpg").c_str(), 0600) == 0);

  const fs::path collection = directory / "collection";
  const ProgramResult result =
      add(collection, folder, {"--no-ocr", "--batch", "5", "--model", bundled_model().string()});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(summary(result)["added"] == good.size());
  std::map<std::string, std::string> reasons;
  for (const auto& skip : skips_of(result)) {
    reasons[fs::path(skip["path"].get<std::string>()).filename().string()] = skip["reason"];
    BOOST_TEST(!skip["detail"].get<std::string>().empty());
  }
  const std::map<std::string, std::string> expected = {{"05.jpg", "damaged"},
                                                       {"07.png", "not_a_picture"},
                                                       {"11.jpg", "empty"},
                                                       {"13.jpg", "not_regular_file"}};
  BOOST_TEST((reasons == expected));

  {
    const Collection opened = Collection::open(collection);
    BOOST_TEST(opened.counts().skips == 4u);
    for (const std::string& path : good) {
      BOOST_TEST(testing::cosine(stored_vector(opened, path), embedded_alone(path)) > 0.9995);
    }
  }
  const auto listed = json_lines(zeroshelf_index({"skips", collection.string(), "--json"}).out);
  BOOST_TEST(listed.size() == 4u);
  BOOST_TEST(json_lines(zeroshelf_index({"stats", collection.string(), "--json"})
                            .out)[0]["skip_reasons"]["damaged"] == 1);

  // Again: nothing to do, the skips are known; a repaired file is indexed.
  const ProgramResult again = add(collection, folder, {"--no-ocr"});
  BOOST_TEST(again.exit_code == 3);
  BOOST_TEST(summary(again)["added"] == 0);
  BOOST_TEST(summary(again)["unchanged"] == good.size());
  testing::write_file(folder / "05.jpg", read_file(truth.rbegin()->first, 1 << 24));
  BOOST_TEST(summary(add(collection, folder, {"--no-ocr"}))["added"] == 1);
}

BOOST_AUTO_TEST_CASE(ocr_shows_words_with_boxes) {
  const std::string photo = (photos() / "Tropicana-Apple-Juice").string();
  std::string image;
  for (const auto& entry : fs::directory_iterator(photo)) image = entry.path().string();
  const ProgramResult result = zeroshelf_index({"ocr", image, "/no/such/picture"});
  BOOST_TEST(result.exit_code == 3);
  BOOST_TEST(result.err.find("/no/such/picture") != std::string::npos);
  const auto lines = json_lines(result.out);
  BOOST_REQUIRE(lines.size() == 1u);
  BOOST_TEST(lines[0]["path"] == image);
  for (const auto& word : lines[0]["words"]) {
    BOOST_TEST(word["box"][2].get<int>() > 0);
    BOOST_TEST(word["confidence"].get<double>() <= 1);
    BOOST_TEST(lines[0]["text"].get<std::string>().find(word["text"].get<std::string>()) !=
               std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(ocr_draws_what_it_read) {
  const TemporaryDirectory directory;
  const std::string image = (photos() / "Plum" / "Plum_012.jpg").string();
  const fs::path drawing = directory / "drawn.png";
  BOOST_TEST(zeroshelf_index({"ocr", image, "--draw", drawing.string()}).exit_code == 0);
  BOOST_TEST(read_file(drawing, 1 << 24).substr(1, 3) == "PNG");
  // Never in the place of another file.
  const ProgramResult again = zeroshelf_index({"ocr", image, "--draw", drawing.string()});
  BOOST_TEST(again.exit_code == 2);
  BOOST_TEST(again.err.find("drawn.png") != std::string::npos);
  // Several pictures go into a folder, also when they have one name.
  const fs::path folder = directory / "drawings";
  BOOST_TEST(zeroshelf_index({"ocr", image, image, "--draw", folder.string()}).exit_code == 0);
  BOOST_TEST(fs::exists(folder / "Plum_012.jpg"));
  BOOST_TEST(fs::exists(folder / "Plum_012-2.jpg"));
  BOOST_TEST(zeroshelf_index({"ocr", image, "--draw", (directory / "a.gif").string()}).exit_code ==
             2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
