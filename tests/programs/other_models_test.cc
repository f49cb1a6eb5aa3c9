// A collection of a model that judges by a sigmoid, and questions by the text tower of another model:
// the programs with small checkpoints of published families.

#include <fmt/format.h>

#include <boost/test/unit_test.hpp>

#include <cmath>
#include <map>
#include <set>

#include "tests/programs/programs.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::json_lines;
using testing::NpyArray;
using testing::ProgramResult;
using testing::read_npy;
using testing::TemporaryDirectory;
using testing::zeroshelf_index;
using testing::zeroshelf_query;

fs::path models() {
  return testing::shared_directory() / "golden_models";
}

// The pictures of golden_models, in a collection of that model.
struct Shelf {
  explicit Shelf(const fs::path& model) {
    fs::copy(models() / "images", folder / "pictures");
    const ProgramResult added =
        zeroshelf_index({"add", path, (folder / "pictures").string(), "--model", model.string(),
                         "--no-ocr", "--precision", "fp32"});
    BOOST_REQUIRE_MESSAGE(added.exit_code == 0, added.err);
  }

  ProgramResult query(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin() + 1, path);
    arguments.insert(arguments.end(), {"--precision", "fp32"});
    return zeroshelf_query(std::move(arguments));
  }
  std::vector<nlohmann::json> answers(std::vector<std::string> arguments) const {
    arguments.insert(arguments.end(), {"--format", "jsonl"});
    const ProgramResult result = query(std::move(arguments));
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    return json_lines(result.out);
  }
  void expect_refused(const std::string& text_model, const char* cause) const {
    const ProgramResult result = query({"search", "a photo of a cat", "--text-model", text_model});
    BOOST_TEST_CONTEXT(result.err) {
      BOOST_TEST(result.exit_code == 2);
      BOOST_TEST(result.err.find(cause) != std::string::npos);
    }
  }

  TemporaryDirectory folder;
  std::string path = (folder / "shelf").string();
};

// The texts that every cleaning leaves alone, by their number in texts.json.
const std::map<std::string, size_t> kLabels = {{"a photo of a cat", 0}, {"doom", 1}};

std::vector<std::string> picture_names() {
  std::set<std::string> names;
  for (const auto& entry : fs::directory_iterator(models() / "images"))
    names.insert(entry.path().filename().string());
  return {names.begin(), names.end()};
}

// Of the published code, by picture and number of the text.
std::map<std::string, std::vector<double>> expected_probabilities() {
  const NpyArray array = read_npy(models() / "siglip" / "hf_probabilities.npy");
  std::map<std::string, std::vector<double>> expected;
  size_t row = 0;
  for (const std::string& name : picture_names()) {
    const auto begin = array.values.begin() + static_cast<ptrdiff_t>(row++ * array.shape[1]);
    expected[name] = {begin, begin + static_cast<ptrdiff_t>(array.shape[1])};
  }
  return expected;
}

// Vectors are stored in half precision.
constexpr double kClose = 4e-3;

BOOST_AUTO_TEST_SUITE(other_models)

BOOST_AUTO_TEST_CASE(several_labels_have_the_probabilities_of_the_model_each_for_itself) {
  const Shelf shelf(models() / "siglip" / "hf");
  const auto expected = expected_probabilities();
  for (const char* fusion : {"image", "mix", "max"}) {
    size_t compared = 0;
    for (const auto& line : shelf.answers({"classify", "--labels", "a photo of a cat, doom",
                                           "--multi", "--threshold", "0", "--fusion", fusion})) {
      const std::string name = fs::path(line["path"].get<std::string>()).filename().string();
      BOOST_REQUIRE(line["labels"].size() == kLabels.size());
      for (const auto& label : line["labels"]) {
        const size_t text = kLabels.at(label["label"]);
        BOOST_TEST_CONTEXT(name << " " << label.dump())
        BOOST_TEST(std::abs(label["score"].get<double>() - expected.at(name)[text]) < kClose);
        ++compared;
      }
    }
    BOOST_TEST(compared == expected.size() * kLabels.size());
  }
}

BOOST_AUTO_TEST_CASE(a_threshold_and_none_ask_whether_a_label_fits) {
  const Shelf shelf(models() / "siglip" / "hf");
  std::vector<double> best;
  for (const auto& [name, row] : expected_probabilities()) best.push_back(std::max(row[0], row[1]));
  std::sort(best.begin(), best.end());
  // Between two pictures that are well apart.
  size_t cut = 1;
  for (size_t i = 1; i < best.size(); ++i) {
    if (best[i] / best[i - 1] > best[cut] / best[cut - 1]) cut = i;
  }
  BOOST_REQUIRE(best[cut] > 1.01 * best[cut - 1]);
  const std::string threshold = fmt::format("{:.9g}", (best[cut] + best[cut - 1]) / 2);
  const auto count = [&](const char* flag, const nlohmann::json& label) {
    std::vector<std::string> arguments = {"classify", "--labels", "a photo of a cat, doom",
                                          "--threshold", threshold};
    if (*flag != 0) arguments.emplace_back(flag);
    size_t found = 0;
    for (const auto& line : shelf.answers(arguments)) found += line["label"] == label;
    return found;
  };
  BOOST_TEST(count("", nullptr) == cut);
  BOOST_TEST(count("--none", "none") == cut);
}

BOOST_AUTO_TEST_CASE(exclusive_labels_are_a_softmax_over_the_same_scale) {
  const Shelf shelf(models() / "siglip" / "hf");
  const auto expected = expected_probabilities();
  for (const auto& line :
       shelf.answers({"classify", "--labels", "a photo of a cat, doom", "--fusion", "image"})) {
    const auto& row = expected.at(fs::path(line["path"].get<std::string>()).filename().string());
    const double odds = row[0] / (1 - row[0]) / (row[1] / (1 - row[1]));
    const double cat = odds / (1 + odds);
    const double score = line["label"] == "doom" ? 1 - cat : cat;
    BOOST_TEST(std::abs(line["score"].get<double>() - score) < 5 * kClose);
  }
}

BOOST_AUTO_TEST_CASE(a_text_model_that_fits_is_taken_and_remembered) {
  const Shelf shelf(models() / "siglip" / "hf");
  const std::string other = (models() / "siglip" / "open_clip").string();
  const std::vector<std::string> question = {"search", "a photo of a cat", "--all"};
  auto named = question;
  named.insert(named.end(), {"--text-model", other});
  const auto own = shelf.answers(question);
  const auto by_other = shelf.answers(named);
  const auto remembered = shelf.answers(question);
  BOOST_REQUIRE(!own.empty());
  BOOST_TEST(by_other == remembered);
  BOOST_TEST(own != by_other);  // the exact GELU, where the own one has its approximation
  auto back = question;
  back.insert(back.end(), {"--text-model", "own"});
  BOOST_TEST(shelf.answers(back) == own);
  BOOST_TEST(shelf.answers(question) == own);
}

BOOST_AUTO_TEST_CASE(a_text_model_that_does_not_fit_is_refused) {
  const Shelf siglip(models() / "siglip" / "hf");
  siglip.expect_refused((models() / "xlm_roberta" / "open_clip").string(), "48 dimensions");
  siglip.expect_refused((models() / "siglip2" / "hf").string(), "scale of logits");
  const Shelf resnet(models() / "openai_resnet" / "openai.pt");
  resnet.expect_refused((models() / "xlm_roberta" / "open_clip").string(), "picture tower");
  // Nothing of it was remembered.
  BOOST_TEST(resnet.query({"search", "a photo of a cat"}).exit_code != 2);
}

BOOST_AUTO_TEST_CASE(a_text_tower_alone_asks_a_collection_and_makes_none) {
  const Shelf shelf(testing::shared_directory() / "golden" / "quick_gelu" / "hf");
  const std::string tower = (models() / "m_clip" / "model").string();
  const auto found = shelf.answers({"search", "日本語のテキスト", "--text-model", tower, "--all"});
  BOOST_TEST(!found.empty());
  const TemporaryDirectory folder;
  const ProgramResult added =
      zeroshelf_index({"add", (folder / "new").string(), (models() / "images").string(), "--model",
                       tower, "--no-ocr"});
  BOOST_TEST(added.exit_code == 2);
  BOOST_TEST(added.err.find("--text-model") != std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
