// What is said of an evaluation.

#include "lib/report/evaluate_output.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>
#include <sstream>

namespace zeroshelf {
namespace {

// Two rules, three pictures, labels with characters that every format has to escape.
struct SmallEvaluation {
  SmallEvaluation() {
    evaluation.pictures = 3;
    evaluation.result =
        evaluate_answers({{"image", {{0, 0, 0.9f}, {0, 1, 0.6f}, {1, std::nullopt, 0}}},
                          {"max", {{0, 0, 0.9f}, {0, 0, 0.6f}, {1, 0, 0.3f}}}},
                         2, {});
  }
  std::vector<nlohmann::json> lines(const std::string& type) const {
    std::istringstream text(evaluation_json(evaluation, labels));
    std::vector<nlohmann::json> found;
    for (std::string line; std::getline(text, line);) {
      nlohmann::json value = nlohmann::json::parse(line);
      if (value["type"] == type) found.push_back(std::move(value));
    }
    return found;
  }

  std::vector<Label> labels = {{"a \"cat\"", {"x"}}, {"<dog>", {"x"}}};
  Evaluation evaluation;
};

BOOST_FIXTURE_TEST_SUITE(evaluation_output, SmallEvaluation)

BOOST_AUTO_TEST_CASE(json_has_every_figure_of_every_rule) {
  BOOST_TEST(lines("accuracy").size() == 6u);  // all and two labels, twice
  BOOST_TEST(lines("accuracy")[0]["label"].is_null());
  BOOST_TEST(lines("accuracy")[1]["label"] == "a \"cat\"");
  BOOST_TEST(lines("accuracy")[1]["right"] == 1);
  BOOST_TEST(lines("metric").size() == 6u);
  BOOST_TEST(lines("metric")[3]["metric"] == "accuracy");
  BOOST_TEST(lines("metric")[3]["value"].get<double>() == 2.0 / 3);
  BOOST_TEST(lines("label").size() == 4u);
  BOOST_TEST(lines("label")[2]["precision"].get<double>() == 2.0 / 3);
  BOOST_TEST(lines("confusion").size() == 5u);
  BOOST_TEST(lines("confusion")[2]["answer"].is_null());
  BOOST_TEST(lines("comparison").size() == 1u);
  BOOST_TEST(lines("comparison")[0]["only_second_right"] == 1);
  BOOST_TEST(lines("reliability").size() == 5u);
  // Two of three is what the first rule answers: it has no point beyond.
  for (const nlohmann::json& point : lines("coverage"))
    if (point["fusion"] == "image") BOOST_TEST(point["coverage"].get<double>() < 0.67);
}

// What train says of an answer has the members of what evaluate says of it.
BOOST_AUTO_TEST_CASE(an_accuracy_has_the_same_members_wherever_it_is_told) {
  const auto of_train =
      nlohmann::json::parse(json_line(accuracy_message(evaluation.result.reports[0])));
  BOOST_TEST(of_train == lines("accuracy")[0]);
  BOOST_TEST(of_train["name"] == "image");
  BOOST_TEST(of_train["fusion"] == "image");
  BOOST_TEST(of_train["macro_f1"].is_number());
  for (const auto& [member, value] : of_train.items())
    BOOST_TEST(lines("accuracy")[1].contains(member));
}

BOOST_AUTO_TEST_CASE(the_table_has_a_line_for_all_and_names_mistakes) {
  const std::string table = evaluation_table(evaluation, labels);
  BOOST_TEST(table.starts_with("FUSION     LABEL"));
  BOOST_TEST(table.find("\nmax        all                        66.7 %") != std::string::npos);
  BOOST_TEST(table.find("max - image") != std::string::npos);
  BOOST_TEST(table.find("<dog>                    was called a \"cat\"") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_plot_is_a_drawing_with_a_line_a_rule) {
  const std::string svg = evaluation_plot(evaluation);
  BOOST_TEST(svg.starts_with("<svg"));
  BOOST_TEST(svg.find("image: accuracy") != std::string::npos);
  BOOST_TEST(svg.find("max: accuracy") != std::string::npos);
  BOOST_TEST(svg.find("nan") == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
