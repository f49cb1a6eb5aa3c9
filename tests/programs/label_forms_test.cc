// What a label can be beside a name with prompts, through the real program, on vectors whose
// answers are known.

#include <boost/test/unit_test.hpp>

#include <map>
#include <string>
#include <vector>

#include "lib/files/npy.h"
#include "tests/programs/programs.h"
#include "tests/support/checks.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::has;
using testing::json_lines;
using testing::ProgramResult;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

using Vectors = std::vector<std::vector<float>>;

// An imported collection; labels come from a file, their vectors from another.
struct Imported {
  std::string at(const std::string& name) const { return (directory / name).string(); }

  void write_npy(const std::string& name, const Vectors& rows) const {
    fs::remove(directory / name);
    Matrix matrix(rows.size(), rows.front().size());
    for (size_t i = 0; i < rows.size(); ++i) std::ranges::copy(rows[i], matrix.row(i).begin());
    NpyWriter writer(directory / name, matrix.columns());
    writer.append(matrix);
    writer.finish();
  }

  void import(const std::vector<std::string>& names, const Vectors& rows) const {
    write_npy("pictures.npy", rows);
    std::string paths;
    for (const std::string& name : names) paths += at(name) + "\n";
    testing::write_file(directory / "paths.txt", paths);
    const ProgramResult result =
        zeroshelf_index({"import", at("shelf"), "--npy", at("pictures.npy"), "--paths",
                         at("paths.txt"), "--allow-missing"});
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  }

  ProgramResult ask(const std::string& command, const std::string& labels, const Vectors& vectors,
                    std::vector<std::string> flags = {}) const {
    testing::write_file(directory / "labels.txt", labels);
    write_npy("labels.npy", vectors);
    flags.insert(flags.begin(), {command, at("shelf"), "--labels-file", at("labels.txt"),
                                 "--label-vectors", at("labels.npy")});
    return zeroshelf_query(flags);
  }

  // By the file's name.
  std::map<std::string, json> answers(const std::string& labels, const Vectors& vectors,
                                      std::vector<std::string> flags = {}) const {
    flags.insert(flags.end(), {"--format", "jsonl"});
    const ProgramResult result = ask("classify", labels, vectors, flags);
    BOOST_REQUIRE_MESSAGE(result.exit_code <= 1, result.err);
    std::map<std::string, json> by_name;
    for (json& line : json_lines(result.out))
      by_name[fs::path(line["path"].get<std::string>()).filename()] = line;
    return by_name;
  }

  testing::TemporaryDirectory directory;
};

// --- vetoes -------------------------------------------------------------------------------------

const char* const kPeople = "people: a person | - a statue\nsea: the sea\n";
const Vectors kPeopleVectors = {{1, 0, 0}, {0, 0, 1}, {0.6f, 0.8f, 0}};

struct Statues : Imported {
  Statues() {
    import({"person", "statue", "sea"}, {{1, 0, 0}, {0.8f, 0.6f, 0}, { 0, 0, 1 }});
  }
};

BOOST_FIXTURE_TEST_SUITE(label_vetoes, Statues)

BOOST_AUTO_TEST_CASE(a_veto_takes_its_label_and_says_so) {
  for (const char* rule : {"image", "mix", "max"}) {
    BOOST_TEST_CONTEXT(rule) {
      auto lines = answers(kPeople, kPeopleVectors, {"--fusion", rule});
      BOOST_TEST(lines["person"]["label"] == "people");
      BOOST_TEST(lines["person"]["veto"]["taken"] == false);
      BOOST_TEST(lines["person"]["veto"]["prompt"] == "a statue");
      BOOST_TEST(lines["person"]["veto"]["score"].get<double>() < 0.01);
      BOOST_TEST(lines["statue"]["label"] == "sea");
      BOOST_TEST(lines["statue"]["score"].get<double>() < 0.01);  // the label's share is nobody's
      BOOST_TEST(lines["statue"]["runner_up"].is_null());
      BOOST_TEST(lines["statue"]["image"]["label"] == "people");
      BOOST_TEST(lines["statue"]["veto"]["label"] == "people");
      BOOST_TEST(lines["statue"]["veto"]["taken"] == true);
      BOOST_TEST(lines["statue"]["veto"]["score"].get<double>() > 0.99);
      BOOST_TEST(!lines["sea"].contains("veto"));
      BOOST_TEST(lines["sea"]["label"] == "sea");
    }
  }
}

BOOST_AUTO_TEST_CASE(an_only_label_that_is_taken_leaves_no_answer) {
  const Vectors vectors = {{1, 0, 0}, {0.6f, 0.8f, 0}};
  auto lines = answers("people: a person | - a statue\n", vectors);
  BOOST_TEST(lines["person"]["label"] == "people");
  BOOST_TEST(lines["statue"]["label"].is_null());
  BOOST_TEST(lines["statue"]["score"].is_null());
  BOOST_TEST(lines["statue"]["veto"]["taken"] == true);
}

BOOST_AUTO_TEST_CASE(a_threshold_leaves_what_was_taken_unsure) {
  BOOST_TEST(answers(kPeople, kPeopleVectors)["statue"]["label"] == "sea");
  BOOST_TEST(answers(kPeople, kPeopleVectors, {"--threshold", "0.5"})["statue"]["label"].is_null());
  auto several = answers(kPeople, kPeopleVectors, {"--multi", "--threshold", "0.5"});
  BOOST_TEST(several["statue"]["labels"].empty());
  BOOST_TEST(several["person"]["labels"].size() == 1u);
}

BOOST_AUTO_TEST_CASE(tables_and_csv_show_the_veto) {
  const ProgramResult table = ask("classify", kPeople, kPeopleVectors);
  BOOST_TEST(has(table.out, "(not people: a statue 1.000)"), table.out);
  const ProgramResult csv = ask("classify", kPeople, kPeopleVectors, {"--format", "csv"});
  BOOST_TEST(has(csv.out, ",veto_label,veto,veto_score,veto_taken\r\n"));
  BOOST_TEST(has(csv.out, ",true\r\n"));
  const ProgramResult plain =
      ask("classify", "people\nsea\n", {{1, 0, 0}, {0, 0, 1}}, {"--format", "csv"});
  BOOST_TEST(!has(plain.out, "veto"));
  const ProgramResult counts =
      ask("classify", kPeople, kPeopleVectors, {"--summary", "--format", "csv"});
  BOOST_TEST(has(counts.out, "people,1,"), counts.out);
  BOOST_TEST(has(counts.out, "sea,2,"));
}

BOOST_AUTO_TEST_CASE(evaluate_runs_and_exports_go_by_what_is_left) {
  testing::write_file(directory / "truth.csv", "path,label\n" + at("person") + ",people\n" +
                                                   at("statue") + ",sea\n" + at("sea") + ",sea\n");
  const ProgramResult measured =
      ask("evaluate", kPeople, kPeopleVectors, {"--truth", at("truth.csv"), "--format", "jsonl"});
  BOOST_REQUIRE_MESSAGE(measured.exit_code == 0, measured.err);
  for (const json& line : json_lines(measured.out)) {
    if (line["type"] == "accuracy" && line["label"].is_null()) BOOST_TEST(line["accuracy"] == 1.0);
  }
  BOOST_TEST(ask("classify", kPeople, kPeopleVectors, {"--save", "vetoed"}).exit_code == 0);
  BOOST_TEST(
      ask("classify", "people\nsea\n", {{1, 0, 0}, {0, 0, 1}}, {"--save", "plain"}).exit_code == 0);
  const ProgramResult moved =
      zeroshelf_query({"diff", at("shelf"), "plain", "vetoed", "--format", "jsonl"});
  BOOST_TEST(has(moved.out, R"("from":"people","to":"sea","pictures":1)"), moved.out);
  const ProgramResult exported =
      ask("export", kPeople, kPeopleVectors, {"--to", at("labels.jsonl"), "--format", "jsonl"});
  BOOST_TEST(exported.exit_code == 0, exported.err);
}

BOOST_AUTO_TEST_CASE(vectors_of_labels_have_a_row_a_veto) {
  const ProgramResult result = ask("classify", kPeople, {{1, 0, 0}, {0, 0, 1}});
  BOOST_TEST(result.exit_code == 2);
  BOOST_TEST(has(result.err, "2 rows for 2 labels and 1 vetoes"), result.err);
}

BOOST_AUTO_TEST_SUITE_END()

// --- pictures -----------------------------------------------------------------------------------

struct Gulls : Imported {
  Gulls() {
    import({"gulls/1", "gulls/2", "gulls/3", "boats/1", "boats/2", "boats/3"}, {{0.8f, 0.6f, 0},
                                                                                {0.8f, 0.55f, 0.1f},
                                                                                {0.8f, 0.5f, 0.1f},
                                                                                {0.8f, 0, 0.6f},
                                                                                {0.8f, 0.1f, 0.55f},
                                                                                { 0.8f,
                                                                                  0.1f,
                                                                                  0.5f }});
  }

  ProgramResult classify(const std::string& labels, std::vector<std::string> flags = {}) const {
    testing::write_file(directory / "labels.txt", labels);
    flags.insert(flags.begin(),
                 {"classify", at("shelf"), "--labels-file", at("labels.txt"), "--format", "jsonl"});
    return zeroshelf_query(flags);
  }
};

BOOST_FIXTURE_TEST_SUITE(label_pictures, Gulls)

BOOST_AUTO_TEST_CASE(pictures_of_the_collection_are_labels_without_a_model) {
  for (const char* labels : {"gull: @gulls/1\nboat: @boats/1\n", "gull: @gulls/\nboat: @boats\n",
                             "gull: @gulls/1 | @gulls/2\nboat: @boats/3\n"}) {
    const ProgramResult result = classify(labels);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    for (const json& line : json_lines(result.out)) {
      const bool is_gull = has(line["path"].get<std::string>(), "/gulls/");
      BOOST_TEST(line["label"] == (is_gull ? "gull" : "boat"));
    }
  }
  // A template with a picture's place needs no file at all.
  const ProgramResult by_template =
      zeroshelf_query({"classify", at("shelf"), "--labels", "gulls, boats", "--template",
                       "@" + directory.path().string() + "/{}/", "--format", "csv"});
  BOOST_TEST(by_template.exit_code == 0, by_template.err);
  BOOST_TEST(has(by_template.out, "/gulls/3,gulls,"), by_template.out);
}

BOOST_AUTO_TEST_CASE(what_is_no_picture_is_refused_by_its_name) {
  const ProgramResult absent = classify("gull: @gulls/1\nboat: @nowhere/1.jpg\n");
  BOOST_TEST(absent.exit_code == 2);
  BOOST_TEST(has(absent.err, "nowhere/1.jpg"), absent.err);
  const ProgramResult empty = classify("gull: @\n");
  BOOST_TEST(empty.exit_code == 2);
  BOOST_TEST(has(empty.err, "line 1"), empty.err);
}

BOOST_AUTO_TEST_CASE(evaluate_leaves_examples_out_and_says_so) {
  std::string truth = "path,label\n";
  for (const char* name : {"gulls/1", "gulls/2", "gulls/3"}) truth += at(name) + ",gull\n";
  for (const char* name : {"boats/1", "boats/2", "boats/3"}) truth += at(name) + ",boat\n";
  testing::write_file(directory / "truth.csv", truth);
  testing::write_file(directory / "labels.txt", "gull: @gulls/1\nboat: @boats/1\n");
  const ProgramResult result =
      zeroshelf_query({"evaluate", at("shelf"), "--labels-file", at("labels.txt"), "--truth",
                       at("truth.csv"), "--format", "jsonl"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  BOOST_TEST(has(result.err, "2 pictures of the truth are examples of labels"), result.err);
  for (const json& line : json_lines(result.out)) {
    if (line["type"] != "accuracy" || !line["label"].is_null()) continue;
    BOOST_TEST(line["pictures"] == 4);
    BOOST_TEST(line["accuracy"] == 1.0);
  }
  testing::write_file(directory / "labels.txt", "gull: @gulls/\nboat: @boats/\n");
  const ProgramResult nothing = zeroshelf_query(
      {"evaluate", at("shelf"), "--labels-file", at("labels.txt"), "--truth", at("truth.csv")});
  BOOST_TEST(nothing.exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

// --- levels -------------------------------------------------------------------------------------

const char* const kBirds = "animal/bird/petrel\nanimal/bird/gull\nanimal/cat\ncar\n";
const Vectors kBirdVectors = {{1, 0.1f, 0, 0}, {1, -0.1f, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}};

struct Birds : Imported {
  Birds() {
    int number = 0;
    for (const char* name : {"petrel", "bird", "animal", "car"})
      testing::write_file(directory / name, testing::tinted_pixmap(number++));
    // A petrel, a bird of which nobody knows, something between a bird and a cat, and a car.
    import({"petrel", "bird", "animal", "car"}, {{1, 0.5f, 0, 0},
                                                 {1, 0, 0, 0},
                                                 {0.707f, 0, 0.705f, 0},
                                                 { 0,
                                                   0,
                                                   0,
                                                   1 }});
  }
};

BOOST_FIXTURE_TEST_SUITE(label_levels, Birds)

BOOST_AUTO_TEST_CASE(an_answer_stops_where_it_is_sure) {
  auto lines = answers(kBirds, kBirdVectors, {"--fusion", "image"});
  BOOST_TEST(lines["petrel"]["label"] == "animal/bird/petrel");
  BOOST_TEST(lines["bird"]["label"] == "animal/bird");
  BOOST_TEST(lines["bird"]["score"].get<double>() > 0.99);  // the two add up
  BOOST_TEST(lines["bird"]["runner_up"]["label"] == "animal/cat");
  BOOST_TEST(lines["bird"]["image"]["label"].get<std::string>().starts_with("animal/bird/"));
  BOOST_TEST(lines["animal"]["label"].get<std::string>().starts_with("animal"));
  BOOST_TEST(lines["car"]["label"] == "car");
  auto shallow = answers(kBirds, kBirdVectors, {"--fusion", "image", "--depth", "1"});
  for (const char* name : {"petrel", "bird", "animal"})
    BOOST_TEST(shallow[name]["label"] == "animal");
  auto sure = answers(kBirds, kBirdVectors, {"--fusion", "image", "--threshold", "0.95"});
  BOOST_TEST(sure["bird"]["label"] == "animal/bird");
  BOOST_TEST(sure["animal"]["label"] == "animal");
  auto flat = answers(kBirds, kBirdVectors, {"--fusion", "image", "--flat"});
  BOOST_TEST(flat["bird"]["label"].get<std::string>().starts_with("animal/bird/"));
  BOOST_TEST(flat["bird"]["score"].get<double>() < 0.51);
}

BOOST_AUTO_TEST_CASE(counts_and_several_labels_tell_levels) {
  auto lines =
      answers(kBirds, kBirdVectors, {"--fusion", "image", "--multi", "--threshold", "0.9"});
  std::vector<std::string> had;
  for (const json& one : lines["bird"]["labels"]) had.push_back(one["label"]);
  BOOST_TEST(had == (std::vector<std::string>{"animal", "animal/bird"}));
  const ProgramResult counts =
      ask("classify", kBirds, kBirdVectors, {"--fusion", "image", "--summary", "--format", "csv"});
  BOOST_TEST(has(counts.out, "animal/bird,2,"), counts.out);
  BOOST_TEST(has(counts.out, "car,1,"), counts.out);
  BOOST_TEST(ask("classify", kBirds, kBirdVectors, {"--multi", "--depth", "1"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(evaluate_counts_by_level) {
  testing::write_file(directory / "truth.csv", "path,label\n" + at("petrel") +
                                                   ",animal/bird/petrel\n" + at("bird") +
                                                   ",animal/bird/gull\n" + at("car") + ",car\n");
  const ProgramResult result =
      ask("evaluate", kBirds, kBirdVectors, {"--truth", at("truth.csv"), "--format", "jsonl"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  size_t levels = 0;
  for (const json& line : json_lines(result.out)) {
    if (line["type"] != "level" || line["fusion"] != "image") continue;
    ++levels;
    BOOST_TEST(line["pictures"] == (line["level"] == 1 ? 3 : 2));
    BOOST_TEST(line["right"] == (line["level"] == 1 ? 3 : line["level"] == 2 ? 2 : 1));
    BOOST_TEST(line["stopped"] == (line["level"] == 3 ? 1 : 0));
  }
  BOOST_TEST(levels == 3u);
  const ProgramResult table = ask("evaluate", kBirds, kBirdVectors, {"--truth", at("truth.csv")});
  BOOST_TEST(has(table.out, "LEVEL"), table.out);
}

BOOST_AUTO_TEST_CASE(exports_make_a_folder_in_a_folder_for_each_level) {
  const ProgramResult result = ask("export", kBirds, kBirdVectors,
                                   {"--fusion", "image", "--to", at("sorted"), "--mode", "copy"});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  for (const char* placed : {"animal/bird/petrel/petrel", "animal/bird/bird", "car/car"})
    BOOST_TEST(fs::is_regular_file(directory / "sorted" / placed), placed);
  // A name that would lead elsewhere is no tree, and one folder.
  const ProgramResult odd = ask("export", "a/../../b\na/..\na\n/x\n", kBirdVectors,
                                {"--fusion", "image", "--to", at("odd"), "--mode", "copy"});
  BOOST_REQUIRE_MESSAGE(odd.exit_code == 0, odd.err);
  for (const auto& entry : fs::directory_iterator(directory / "odd")) {
    if (!entry.is_directory()) continue;
    for (const auto& below : fs::directory_iterator(entry.path()))
      BOOST_TEST(!below.is_directory());
  }
  BOOST_TEST(!fs::exists(directory / "b"));
}

BOOST_AUTO_TEST_CASE(runs_keep_levels) {
  BOOST_TEST(
      ask("classify", kBirds, kBirdVectors, {"--fusion", "image", "--save", "birds"}).exit_code ==
      0);
  const ProgramResult told = zeroshelf_query({"review", at("shelf"), "birds", "--format", "jsonl"});
  BOOST_TEST(has(told.out, R"("label":"animal/bird")"), told.out);
}

BOOST_AUTO_TEST_CASE(a_slash_that_parts_nothing_is_a_letter) {
  auto lines = answers("AC/DC\ncar\n", {{1, 0, 0, 0}, {0, 0, 0, 1}});
  BOOST_TEST(lines["bird"]["label"] == "AC/DC");
  BOOST_TEST(lines.size() == 4u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
