// The program's answer against what OpenAI's own code answers: from the raw text and from the
// picture file, for every published checkpoint format.

#include <boost/test/unit_test.hpp>

#include "lib/util/file.h"
#include "models/clip/load.h"
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
using testing::shared_directory;
using testing::zeroshelf_query;

constexpr double kMinCosine = 0.9999;

struct Checkpoint {
  const char* weights;  // below golden/
  const char* answers;
};
constexpr Checkpoint kCheckpoints[] = {
    {"gelu/hf", "gelu"},
    {"gelu/open_clip", "gelu"},
    {"quick_gelu/hf", "quick_gelu"},
    {"quick_gelu/openai.pt", "quick_gelu"},
};

fs::path golden() {
  return shared_directory() / "golden";
}

nlohmann::json golden_json(const char* name) {
  return nlohmann::json::parse(read_file(golden() / name, 1 << 20));
}

std::vector<float> row(const NpyArray& array, size_t i) {
  const size_t columns = array.shape[1];
  return {array.values.begin() + static_cast<ptrdiff_t>(i * columns),
          array.values.begin() + static_cast<ptrdiff_t>((i + 1) * columns)};
}

BOOST_AUTO_TEST_SUITE(golden_answers)

BOOST_AUTO_TEST_CASE(token_ids_and_text_embeddings_are_the_references) {
  const auto texts = golden_json("tokens.json");
  for (const Checkpoint& checkpoint : kCheckpoints) {
    std::vector<std::string> arguments = {"embed",   "--precision",
                                          "fp32",    "--tokens",
                                          "--model", (golden() / checkpoint.weights).string()};
    for (const auto& text : texts)
      arguments.insert(arguments.end(), {"--text", text["text"].get<std::string>()});
    const ProgramResult result = zeroshelf_query(arguments);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const auto lines = json_lines(result.out);
    const NpyArray expected = read_npy(golden() / checkpoint.answers / "text_embeddings.npy");
    BOOST_REQUIRE(lines.size() == texts.size());
    for (size_t i = 0; i < lines.size(); ++i) {
      BOOST_TEST_CONTEXT(checkpoint.weights << " " << texts[i]["text"]) {
        BOOST_TEST(lines[i]["text"] == texts[i]["text"]);
        // OpenAI's marks are plain text to OpenCLIP (tests/clip/golden_models_test.cc).
        const bool is_mark =
            texts[i]["text"].get<std::string>().find("<|startoftext|>") != std::string::npos;
        if (is_mark && std::string_view(checkpoint.weights).ends_with("open_clip")) continue;
        BOOST_TEST(lines[i]["ids"] == texts[i]["ids"]);
        BOOST_TEST(testing::cosine(lines[i]["embedding"], row(expected, i)) >= kMinCosine);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(picture_embeddings_from_the_file_are_the_references) {
  const auto index = golden_json("index.json");
  for (const Checkpoint& checkpoint : kCheckpoints) {
    std::vector<std::string> arguments = {"embed", "--precision", "fp32", "--model",
                                          (golden() / checkpoint.weights).string()};
    for (const auto& name : index["images"]) {
      arguments.push_back("--image=" + (golden() / "images" / name.get<std::string>()).string());
    }
    const ProgramResult result = zeroshelf_query(arguments);
    BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
    const auto lines = json_lines(result.out);
    const NpyArray expected = read_npy(golden() / checkpoint.answers / "image_embeddings.npy");
    BOOST_REQUIRE(lines.size() == expected.shape[0]);
    for (size_t i = 0; i < lines.size(); ++i) {
      BOOST_TEST_CONTEXT(checkpoint.weights << " " << index["images"][i]) {
        BOOST_TEST(testing::cosine(lines[i]["embedding"], row(expected, i)) >= kMinCosine);
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(inputs_come_out_in_the_order_of_the_command_line) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "texts", "second\r\n\nfourth");
  const std::string image = (golden() / "images" / "small.png").string();
  const ProgramResult result =
      zeroshelf_query({"embed", "--model", bundled_model().string(), "--text", "first",
                       "--text-file", (directory / "texts").string(), "--image", image, "--text",
                       "last", "--npy", (directory / "vectors.npy").string()});
  BOOST_REQUIRE_MESSAGE(result.exit_code == 0, result.err);
  const auto lines = json_lines(result.out);
  BOOST_REQUIRE(lines.size() == 6u);
  const char* texts[] = {"first", "second", "", "fourth", nullptr, "last"};
  for (size_t i = 0; i < 6; ++i) {
    BOOST_TEST(!lines[i].contains("embedding"));
    BOOST_TEST((texts[i] == nullptr ? lines[i]["path"] == image : lines[i]["text"] == texts[i]));
  }
  const NpyArray vectors = read_npy(directory / "vectors.npy");
  const auto again = json_lines(
      zeroshelf_query({"embed", "--model", bundled_model().string(), "--text", "fourth"}).out);
  BOOST_TEST((vectors.shape == std::vector<size_t>{6, again[0]["embedding"].size()}));
  BOOST_TEST(testing::cosine(again[0]["embedding"], row(vectors, 3)) > 0.99999);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
