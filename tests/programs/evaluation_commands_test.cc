// evaluate, calibrate, train, runs, diff and review through the real program.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "tests/programs/memes.h"
#include "tests/programs/programs.h"

namespace zeroshelf {
namespace {

using testing::json_lines;
using testing::memes;
using testing::ProgramResult;
using testing::zeroshelf_query;

const std::vector<std::string> kLabels = {"--labels", "Doom, Animal Crossing"};

// zeroshelf-query COMMAND COLLECTION ARGUMENTS...
ProgramResult ask(const std::string& command, std::vector<std::string> arguments,
                  const std::vector<std::string>& more = {}) {
  arguments.insert(arguments.begin(), {command, memes().collection});
  arguments.insert(arguments.end(), more.begin(), more.end());
  return zeroshelf_query(arguments);
}

std::vector<std::string> truth() {
  return {"--truth", memes().folder + ".csv"};
}

std::vector<std::string> with_truth(std::vector<std::string> arguments) {
  const auto flag = truth();
  arguments.insert(arguments.end(), flag.begin(), flag.end());
  return arguments;
}

size_t count(const std::vector<nlohmann::json>& lines, const std::string& type) {
  return static_cast<size_t>(
      std::count_if(lines.begin(), lines.end(),
                    [&](const nlohmann::json& line) { return line["type"] == type; }));
}

BOOST_AUTO_TEST_SUITE(evaluation)

BOOST_AUTO_TEST_CASE(evaluate_tells_every_rule_in_every_format) {
  const std::string plot = (memes().directory / "plot.svg").string();
  const auto table = ask("evaluate", with_truth(kLabels), {"--plot", plot});
  BOOST_TEST(table.exit_code == 0);
  BOOST_TEST(table.out.find("MACRO F1") != std::string::npos);
  BOOST_TEST(table.out.find("max - mix") != std::string::npos);
  BOOST_TEST(read_file(plot, 1 << 20).starts_with("<svg"));
  const auto json = ask("evaluate", with_truth(kLabels), {"--format", "jsonl"});
  const auto lines = json_lines(json.out);
  BOOST_TEST(count(lines, "accuracy") % 3 == 0u);
  BOOST_TEST(count(lines, "metric") == count(lines, "accuracy"));
  BOOST_TEST(count(lines, "comparison") > 0u);
}

BOOST_AUTO_TEST_CASE(runs_are_kept_listed_compared_reviewed_and_removed) {
  BOOST_TEST(ask("runs", {}).exit_code == 1);
  BOOST_TEST(ask("classify", kLabels, {"--fusion", "image", "--save", "first"}).exit_code == 0);
  BOOST_TEST(ask("classify", kLabels, {"--fusion", "text", "--save", "second"}).exit_code == 0);
  const auto again = ask("classify", kLabels, {"--fusion", "text", "--save", "second"});
  BOOST_TEST(again.err.find("second that was kept before is replaced") != std::string::npos);
  const auto listed = json_lines(ask("runs", {"--format", "jsonl"}).out);
  BOOST_REQUIRE_EQUAL(listed.size(), 2u);
  BOOST_TEST(listed[0]["name"] == "first");
  BOOST_TEST(listed[0]["pictures"] == 60);
  BOOST_TEST(listed[1]["about"] == "text");

  // Other cases may have put copies of a picture beside the 60.
  const size_t all = json_lines(ask("classify", kLabels, {"--format", "jsonl"}).out).size();
  const auto diff = ask("diff", {"first", "second", "--format", "jsonl"});
  BOOST_TEST(diff.exit_code == 0);
  const auto lines = json_lines(diff.out);
  BOOST_TEST(lines.back()["type"] == "summary");
  BOOST_TEST(lines.back()["moved"].get<size_t>() == count(lines, "moved"));
  BOOST_TEST(lines.back()["moved"].get<size_t>() + lines.back()["same"].get<size_t>() == all);
  uint64_t pictures = 0;
  for (const auto& line : lines)
    if (line["type"] == "transition") pictures += line["pictures"].get<uint64_t>();
  BOOST_TEST(pictures == all);
  BOOST_TEST(ask("diff", {"first", "first"}).exit_code == 1);
  const std::string csv = ask("diff", {"first", "second", "--format", "csv"}).out;
  BOOST_TEST(static_cast<size_t>(std::count(csv.begin(), csv.end(), '\n')) ==
             1 + count(lines, "moved"));

  const auto from_run = ask("review", {"first", "-k", "5", "--format", "jsonl"});
  BOOST_TEST(json_lines(from_run.out).size() == 5u);
  const auto from_labels =
      ask("review", kLabels, {"--fusion", "image", "-k", "5", "--format", "jsonl"});
  BOOST_TEST(from_labels.out == from_run.out);
  BOOST_TEST(ask("review", {"first", "--by", "disagreement"}).exit_code == 0);

  BOOST_TEST(ask("runs", {"--remove", "first"}).exit_code == 0);
  const auto gone = ask("diff", {"first", "second"});
  BOOST_TEST(gone.exit_code == 2);
  BOOST_TEST(gone.err.find("there are second") != std::string::npos);
  BOOST_TEST(ask("runs", {"--remove", "second"}).exit_code == 0);
}

BOOST_AUTO_TEST_CASE(a_classifier_is_trained_kept_and_used_in_place_of_labels) {
  const auto trained = ask("train", truth(), {"--save", "worlds", "--format", "jsonl"});
  BOOST_REQUIRE_EQUAL(trained.exit_code, 0);
  const auto lines = json_lines(trained.out);
  const auto learned = std::find_if(lines.begin(), lines.end(), [](const nlohmann::json& line) {
    return line["type"] == "accuracy" && line["name"] == "learned";
  });
  BOOST_REQUIRE((learned != lines.end()));
  BOOST_TEST((*learned)["accuracy"].get<double>() > 0.6);
  BOOST_TEST((*learned)["pictures"] == 60);
  const auto classified = ask("classify", {"--classifier", "worlds", "--format", "jsonl"});
  BOOST_TEST(classified.exit_code == 0);
  BOOST_TEST(json_lines(classified.out).size() ==
             json_lines(ask("classify", kLabels, {"--format", "jsonl"}).out).size());
  BOOST_TEST(ask("evaluate", {"--classifier", "worlds"}, truth()).out.find("learned") !=
             std::string::npos);
  BOOST_TEST(ask("classify", {"--classifier", "worlds", "--fusion", "max"}).exit_code == 2);
  BOOST_TEST(ask("classify", {"--classifier", "absent"}).exit_code == 2);
  BOOST_TEST(ask("runs", {"--kind", "classifiers"}).out.find("worlds") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(calibrate_keeps_what_is_beyond_noise_and_nothing_else) {
  const auto fitted =
      ask("calibrate", with_truth(kLabels), {"--save", "mine", "--format", "jsonl"});
  const auto line = json_lines(fitted.out).at(0);
  const bool is_real = line["beyond_noise"].get<bool>();
  BOOST_TEST(is_real == (line["log_loss_gain"]["low"].get<double>() > 0 &&
                         line["accuracy_gain"]["high"].get<double>() >= 0));
  BOOST_TEST(fitted.exit_code == (is_real ? 0 : 1));
  const auto used = ask("classify", kLabels, {"--calibration", "mine", "--format", "jsonl"});
  BOOST_TEST(used.exit_code == (is_real ? 0 : 2));
  BOOST_TEST(ask("classify", kLabels, {"--calibration", "mine", "--fusion", "max"}).exit_code == 2);
  if (is_real) {
    BOOST_TEST(
        ask("evaluate", with_truth(kLabels), {"--calibration", "mine"}).out.find("calibrated") !=
        std::string::npos);
  }
}

BOOST_AUTO_TEST_CASE(names_and_combinations_that_make_no_sense_are_refused) {
  BOOST_TEST(ask("classify", kLabels, {"--save", "a/b"}).exit_code == 2);
  BOOST_TEST(ask("train", truth(), {"--save", "../x"}).exit_code == 2);
  BOOST_TEST(ask("review", {"some-run"}, kLabels).exit_code == 2);
  BOOST_TEST(ask("review", {}).exit_code == 2);
  BOOST_TEST(ask("runs", {"--remove", "absent"}).exit_code == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
