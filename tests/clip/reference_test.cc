// The published formats against OpenAI's answers, where the vocabulary and the archive are the real
// ones. (tests/programs/golden_test.cc does it for the programs.)

#include <boost/test/unit_test.hpp>

#include <nlohmann/json.hpp>
#include <numeric>
#include <span>

#include "lib/image/decode.h"
#include "lib/image/preprocess.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "models/text/tokenizer.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

fs::path golden() {
  return testing::shared_directory() / "golden";
}

std::unique_ptr<Encoder> bf16_encoder(const std::string& activation, EncoderSide side) {
  LoadOptions options;
  options.precision = Precision::Bf16;
  options.side = side;
  return load_encoder(golden() / activation / "hf", options);
}

void check_close(const Matrix& vectors, const fs::path& reference) {
  const testing::NpyArray expected = testing::read_npy(reference);
  BOOST_REQUIRE(vectors.rows() == expected.shape[0]);
  for (size_t i = 0; i < vectors.rows(); ++i) {
    const auto row = std::span(expected.values).subspan(i * vectors.columns(), vectors.columns());
    BOOST_TEST_CONTEXT(reference << " " << i)
    BOOST_TEST(std::inner_product(row.begin(), row.end(), vectors.row(i).begin(), 0.0) >= 0.9995);
  }
}

BOOST_AUTO_TEST_SUITE(reference)

BOOST_AUTO_TEST_CASE(both_forms_of_the_vocabulary_give_the_references_ids) {
  const auto texts = nlohmann::json::parse(read_file(golden() / "tokens.json", 1 << 20));
  const Tokenizer merges = Tokenizer::load(golden(), "");
  const Tokenizer pair = Tokenizer::load(golden() / "gelu" / "hf", "");
  BOOST_TEST(merges.size() == 49408);
  BOOST_TEST(pair.size() == 49408);
  for (const auto& text : texts) {
    auto expected = text["ids"].get<std::vector<int32_t>>();
    expected.erase(expected.begin());
    expected.pop_back();
    for (const Tokenizer* tokenizer : {&merges, &pair}) {
      auto ids = tokenizer->encode(text["text"].get<std::string>());
      ids.resize(std::min<size_t>(ids.size(), 75));
      BOOST_TEST_CONTEXT(text["text"]) BOOST_TEST((ids == expected));
    }
  }
}

BOOST_AUTO_TEST_CASE(texts_in_bf16_are_close_to_the_reference) {
  const auto texts = nlohmann::json::parse(read_file(golden() / "tokens.json", 1 << 20));
  std::vector<std::string> inputs;
  for (const auto& text : texts) inputs.push_back(text["text"]);
  for (const std::string activation : {"quick_gelu", "gelu"}) {
    const auto encoder = bf16_encoder(activation, EncoderSide::TextOnly);
    check_close(encoder->encode_texts(inputs, LongText::Truncate),
                golden() / activation / "text_embeddings.npy");
  }
}

BOOST_AUTO_TEST_CASE(pictures_in_bf16_are_close_to_the_reference) {
  const auto index = nlohmann::json::parse(read_file(golden() / "index.json", 1 << 20));
  for (const std::string activation : {"quick_gelu", "gelu"}) {
    const auto encoder = bf16_encoder(activation, EncoderSide::ImageOnly);
    std::vector<Image> crops;
    for (const std::string name : index["images"]) {
      const std::string file = read_file(golden() / "images" / name, 1 << 26);
      const auto decoded = decode_image(std::as_bytes(std::span(file)), {});
      crops.push_back(
          resize_and_crop(std::get<Image>(decoded), encoder->info().preprocessing.size_px));
    }
    check_close(encoder->encode_images(crops), golden() / activation / "image_embeddings.npy");
  }
}

BOOST_AUTO_TEST_CASE(an_archive_cut_short_is_refused) {
  const testing::TemporaryDirectory directory;
  const std::string whole = read_file(golden() / "quick_gelu" / "openai.pt", 1 << 26);
  fs::copy(golden() / "bpe_simple_vocab_16e6.txt.gz", directory.path());
  for (const size_t divisor : {2, 3, 10, 1000}) {
    testing::write_file(directory / "cut.pt",
                        whole.substr(0, whole.size() - whole.size() / divisor));
    BOOST_CHECK_EXCEPTION(load_encoder(directory / "cut.pt", {}), Error,
                          [](const Error& error) { return error.code() == ErrorCode::Corruption; });
  }
}

BOOST_AUTO_TEST_CASE(a_vocabulary_elsewhere_is_named_by_the_option) {
  const testing::TemporaryDirectory directory;
  fs::copy(golden() / "quick_gelu" / "openai.pt", directory.path());
  BOOST_CHECK_EXCEPTION(load_encoder(directory / "openai.pt", {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::NotFound && error.cure().find("--vocab") != std::string::npos;
  });
  LoadOptions options;
  options.vocabulary = golden() / "bpe_simple_vocab_16e6.txt.gz";
  BOOST_TEST(load_encoder(directory / "openai.pt", options)->info().dimension == 48u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
