// classify as a user calls it: lines, counts, `none`, several labels, and prompts that are kept.

#include <boost/test/unit_test.hpp>

#include <map>

#include "models/clip/load.h"
#include "tests/programs/programs.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::json_lines;
using testing::ProgramResult;
using testing::zeroshelf_query;

// A few pictures, indexed with a model that lies where it can be taken away.
struct Shelf {
  Shelf() {
    fs::copy(bundled_model(), directory / "model", fs::copy_options::recursive);
    fs::create_directory(directory / "pictures");
    for (int i = 0; i < 8; ++i) {
      testing::write_file(directory / "pictures" / ("p" + std::to_string(i) + ".ppm"),
                          testing::tinted_pixmap(i));
    }
    const ProgramResult added =
        testing::zeroshelf_index({"add", collection, (directory / "pictures").string(), "--no-ocr",
                                  "--model", (directory / "model").string()});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }

  ProgramResult classify(std::vector<std::string> flags) const {
    flags.insert(flags.begin(), {"classify", collection});
    return zeroshelf_query(flags);
  }
  std::vector<json> lines(std::vector<std::string> flags) const {
    flags.insert(flags.end(), {"--format", "jsonl"});
    const ProgramResult result = classify(flags);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return json_lines(result.out);
  }

  testing::TemporaryDirectory directory;
  std::string collection = (directory / "collection").string();
};

BOOST_FIXTURE_TEST_SUITE(classify_program, Shelf)

BOOST_AUTO_TEST_CASE(lines_carry_the_evidence_and_the_summary_counts_them) {
  for (const std::string rule : {"max", "mix", "image"}) {
    std::map<std::string, size_t> counts;
    size_t pictures = 0;
    for (const json& line : lines({"--labels", "cat, dog, fox", "--fusion", rule})) {
      ++counts[line["label"]];
      ++pictures;
      BOOST_TEST(line["runner_up"]["label"] != line["label"]);
      const double lead = line["score"].get<double>() - line["runner_up"]["score"].get<double>();
      BOOST_TEST(std::abs(line["margin"].get<double>() - lead) < 1e-6);
      BOOST_TEST(lead >= 0);
      BOOST_TEST(line["image"]["margin"].get<double>() >= 0);
      BOOST_TEST(line["text"].is_null());
      BOOST_TEST(line["ocr"].is_null());
    }
    BOOST_TEST(pictures == 8u);
    for (const json& line : lines({"--labels", "cat, dog, fox", "--fusion", rule, "--summary"})) {
      BOOST_TEST(line["type"] == "count");
      BOOST_TEST(line["pictures"] == counts[line["label"]]);
    }
  }
}

BOOST_AUTO_TEST_CASE(known_prompts_need_no_model_and_others_do) {
  const auto with_model = lines({"--labels", "cat, dog"});
  fs::remove_all(directory / "model");
  BOOST_TEST((lines({"--labels", "cat, dog"}) == with_model));
  BOOST_TEST(lines({"--labels", "dog"}).size() == with_model.size());
  BOOST_TEST(classify({"--labels", "cat, dog", "--template", "photo"}).exit_code == 2);
  BOOST_TEST(testing::zeroshelf_index({"verify", collection}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(none_is_a_class_of_its_own_and_a_threshold_leaves_without_answer) {
  for (const json& line : lines({"--labels", "cat, dog", "--threshold", "1", "--none"}))
    BOOST_TEST(line["label"] == "none");
  const ProgramResult unanswered =
      classify({"--labels", "cat, dog", "--threshold", "1", "--format", "jsonl"});
  BOOST_TEST(unanswered.exit_code == 1);
  for (const json& line : json_lines(unanswered.out)) BOOST_TEST(line["label"].is_null());
  // A prompt that says the same as a label ties with it, and the label is named first.
  for (const json& line : lines({"--labels", "cat", "--none-prompt", "cat"}))
    BOOST_TEST(line["label"] == "cat");
  BOOST_TEST(classify({"--labels", "none, dog", "--none"}).exit_code == 2);
}

BOOST_AUTO_TEST_CASE(multi_gives_every_label_above_the_threshold_best_first) {
  for (const json& line : lines({"--labels", "a, b, c, d", "--multi", "--threshold", "0.2"})) {
    double last = 1;
    for (const json& label : line["labels"]) {
      BOOST_TEST(label["score"].get<double>() >= 0.2);
      BOOST_TEST(label["score"].get<double>() <= last);
      last = label["score"];
    }
    if (!line["labels"].empty()) BOOST_TEST(line["labels"][0]["label"] == line["image"]["label"]);
  }
}

BOOST_AUTO_TEST_CASE(csv_is_one_line_a_picture_and_runs_no_formula) {
  const ProgramResult result = classify({"--labels", "=1+1, dog", "--format", "csv"});
  BOOST_TEST(result.exit_code == 0);
  BOOST_TEST(result.out.find(",=1+1") == std::string::npos);
  BOOST_TEST(result.out.find("'=1+1") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(mistyped_names_are_answered_with_what_was_meant) {
  BOOST_TEST(classify({"--labels", "a", "--fusion", "mxi"}).err.find("did you mean 'mix'") !=
             std::string::npos);
  BOOST_TEST(classify({"--labels", "a", "--template", "phto"}).err.find("did you mean 'photo'") !=
             std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
