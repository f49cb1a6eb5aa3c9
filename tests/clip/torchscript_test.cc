// A model that is a pair of TorchScript programs, as an Encoder: what the programs are given, what
// becomes of what they give, and that nothing of them runs where nobody said so. The programs are
// made by libtorch.

#include <boost/test/unit_test.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <functional>

#include "lib/util/error.h"
#include "models/clip/load.h"
#include "tests/clip/tiny_model.h"
#include "tests/support/draw.h"
#include "tests/support/torchscript_model.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;
using testing::ColourModel;
using testing::TemporaryDirectory;

LoadOptions trusting(EncoderSide side = EncoderSide::Both, unsigned threads = 2) {
  LoadOptions options;
  options.side = side;
  options.threads = threads;
  options.trusts_code = true;
  return options;
}

std::vector<float> unit(std::vector<float> values) {
  double square = 0;
  for (const float value : values) square += static_cast<double>(value) * value;
  for (float& value : values) value = static_cast<float>(value / std::sqrt(square));
  return values;
}

void check_close(std::span<const float> given, const std::vector<float>& wanted) {
  BOOST_REQUIRE(given.size() == wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    BOOST_TEST_CONTEXT(i) BOOST_TEST(std::abs(given[i] - wanted[i]) < 1e-6f);
  }
}

Matrix encode_text(Encoder& encoder, const std::string& text,
                   LongText long_text = LongText::Truncate) {
  return encoder.encode_texts(std::span(&text, 1), long_text);
}

struct Fixture {
  std::unique_ptr<Encoder> load(const LoadOptions& options = trusting()) const {
    return load_encoder(folder, options);
  }
  std::unique_ptr<Encoder> load(const ColourModel& model) const {
    model.write(folder);
    return load();
  }
  // With an error of that code, which names what in its subject and its cause.
  void check_refused(const std::function<void()>& call, ErrorCode code, const std::string& subject,
                     const std::string& cause) const {
    BOOST_CHECK_EXCEPTION(call(), Error, [&](const Error& error) {
      BOOST_TEST_CONTEXT(error.what()) {
        BOOST_TEST(error.subject().find(subject) != std::string::npos);
        BOOST_TEST(error.cause().find(cause) != std::string::npos);
      }
      return error.code() == code;
    });
  }
  // A vocabulary of CLIP's kind: the bytes, "at", and two marks, 513 and 514.
  void write_vocabulary() const { testing::TinyModel(1).write(folder); }

  TemporaryDirectory directory;
  fs::path folder = directory / "model";
};

BOOST_FIXTURE_TEST_SUITE(torchscript, Fixture)

BOOST_AUTO_TEST_CASE(pictures_come_normalised_and_vectors_leave_as_units) {
  ColourModel model;
  model.config["mean"] = {0, 0.5, 0};
  model.config["deviation"] = {1, 0.5, 2};
  const auto encoder = load(model);
  const Image image = testing::plain_image(8, 8, {51, 255, 204});
  const Matrix vectors = encoder->encode_images(std::span(&image, 1));
  std::vector<float> wanted;
  for (int i = 0; i < 8; ++i) wanted.insert(wanted.end(), {0.2f, 1.0f, 0.4f});
  check_close(vectors.row(0), unit(wanted));
  const ModelInfo& info = encoder->info();
  BOOST_TEST(info.name == "model");
  BOOST_TEST(info.path == folder.string());
  BOOST_TEST(info.dimension == 24u);
  BOOST_TEST((info.scoring == Scoring::Softmax));
  BOOST_TEST(info.logit_scale == 20);
  BOOST_TEST(info.kernel == "TorchScript on cpu");
}

BOOST_AUTO_TEST_CASE(a_program_may_take_raw_texts) {
  const auto encoder = load(ColourModel());
  const std::vector<std::string> texts = {"a red thing", "blue", "\xff blue"};
  const Matrix vectors = encoder->encode_texts(texts, LongText::Windows);
  BOOST_TEST(vectors.rows() == 3u);
  BOOST_TEST(vectors.row(0)[0] > 0);
  BOOST_TEST(vectors.row(1)[0] < 0);
  BOOST_TEST(vectors.row(2)[2] > 0);
  BOOST_TEST(encoder->tokenize("red").empty());
}

BOOST_AUTO_TEST_CASE(token_ids_come_with_marks_and_filled_up) {
  ColourModel model;
  model.config["tokenizer"] = {{"kind", "clip"}, {"context", 6}, {"pad", 7}};
  model.config["scoring"] = {{"kind", "sigmoid"}, {"scale", 90}, {"bias", -9}};
  model.picture = "def forward(self, x):\n  return x.mean([2, 3]).repeat(1, 2) + 10.0\n";
  model.text = "def forward(self, ids):\n  assert ids.size(1) == 6\n  return ids.double()\n";
  write_vocabulary();
  const auto encoder = load(model);
  BOOST_TEST((encoder->info().scoring == Scoring::Sigmoid));
  BOOST_TEST(encoder->info().logit_bias == -9);
  BOOST_TEST(encoder->info().context_length == 6u);
  const std::vector<int32_t> ids = encoder->tokenize("cat");
  BOOST_REQUIRE(ids.size() == 6u);
  BOOST_TEST(ids[0] == 513);
  BOOST_TEST(ids[3] == 514);  // "c" and "at" between
  BOOST_TEST(ids[4] == 7);
  check_close(encode_text(*encoder, "cat").row(0), unit({ids.begin(), ids.end()}));
  // Windows of a long text are averaged.
  const Matrix cut = encode_text(*encoder, "a b c d e f");
  const Matrix whole = encode_text(*encoder, "a b c d e f", LongText::Windows);
  BOOST_TEST(std::memcmp(cut.data(), whole.data(), 6 * sizeof(float)) != 0);
}

BOOST_AUTO_TEST_CASE(a_vector_has_the_same_bits_in_any_company) {
  ColourModel model;
  model.config["size"] = 32;
  // Sums that are long enough for their order to show.
  model.picture =
      "def forward(self, x):\n"
      "  w = torch.sin(torch.arange(3072 * 64).float()).reshape(3072, 64)\n"
      "  return torch.matmul(x.flatten(1), w)\n";
  model.text =
      "def forward(self, texts: List[str]):\n"
      "  return torch.sin(torch.arange(64 * len(texts)).reshape(len(texts), 64) + len(texts[0]))\n";
  model.write(folder);
  std::vector<Image> images;
  std::vector<std::string> texts;
  for (uint32_t i = 0; i < 12; ++i) {
    images.push_back(testing::noise_image(32, 32, i));
    texts.push_back(std::string(i + 1, 'x'));
  }
  const auto alone = load(trusting(EncoderSide::Both, 1));
  for (const unsigned threads : {1u, 3u}) {
    const auto encoder = load(trusting(EncoderSide::Both, threads));
    const Matrix pictures = encoder->encode_images(images);
    const Matrix words = encoder->encode_texts(texts, LongText::Truncate);
    for (size_t i = 0; i < images.size(); ++i) {
      const Matrix picture = alone->encode_images(std::span(&images[i], 1));
      const Matrix text = encode_text(*alone, texts[i]);
      BOOST_TEST(std::memcmp(picture.data(), pictures.row(i).data(), 64 * sizeof(float)) == 0);
      BOOST_TEST(std::memcmp(text.data(), words.row(i).data(), 64 * sizeof(float)) == 0);
    }
  }
}

BOOST_AUTO_TEST_CASE(nothing_of_it_runs_without_trust) {
  ColourModel model;
  model.write(folder);
  const fs::path written = directory / "written";
  testing::write_hostile_program(folder / "picture.pt", written, model.picture);
  testing::write_hostile_program(folder / "text.pt", written, model.text);
  check_refused([&] { load_encoder(folder, {}); }, ErrorCode::InvalidArgument, folder.string(),
                "nothing of them was run");
  check_refused([&] { load_encoder(folder / "zeroshelf.json", {}); }, ErrorCode::InvalidArgument,
                folder.string(), "programs");
  BOOST_TEST(!fs::exists(written));
  // Another model than was expected is not run either.
  LoadOptions other = trusting();
  other.check_fingerprint = [](const std::string&) {
    throw Error(ErrorCode::Incompatible, "fingerprint", "another");
  };
  check_refused([&] { load(other); }, ErrorCode::Incompatible, "fingerprint", "another");
  BOOST_TEST(!fs::exists(written));
  load();
  BOOST_TEST(fs::exists(written));  // so it would have been seen
}

BOOST_AUTO_TEST_CASE(only_the_side_that_is_wanted_is_loaded) {
  const fs::path written = directory / "written";
  ColourModel model;
  model.write(folder);
  testing::write_hostile_program(folder / "picture.pt", written, model.picture);
  BOOST_TEST(load(trusting(EncoderSide::TextOnly))->info().dimension == 24u);
  BOOST_TEST(!fs::exists(written));
  BOOST_TEST(load(trusting(EncoderSide::ImageOnly))->info().dimension == 24u);
  BOOST_TEST(fs::exists(written));
}

BOOST_AUTO_TEST_CASE(every_file_is_part_of_the_fingerprint) {
  ColourModel model;
  model.config["tokenizer"] = {{"kind", "clip"}, {"context", 24}};
  model.text = "def forward(self, ids):\n  return ids.float()\n";
  write_vocabulary();
  std::vector<std::string> seen = {load(model)->info().fingerprint};
  const auto check_new = [&](const std::string& fingerprint) {
    BOOST_TEST(std::count(seen.begin(), seen.end(), fingerprint) == 0);
    seen.push_back(fingerprint);
  };
  BOOST_TEST(load(trusting(EncoderSide::TextOnly))->info().fingerprint == seen[0]);
  BOOST_TEST(load(trusting(EncoderSide::ImageOnly))->info().fingerprint == seen[0]);
  model.config["size"] = 9;
  check_new(load(model)->info().fingerprint);
  model.picture = "def forward(self, x):\n  return x.amax([2, 3]).repeat(1, 8)\n";
  check_new(load(model)->info().fingerprint);
  model.text = "def forward(self, ids):\n  return ids.float() + 1\n";
  check_new(load(model)->info().fingerprint);
  const fs::path merges = folder / "merges.txt";
  testing::write_file(merges, "#version: 0.2\nc a\n");
  json vocabulary = json::parse(std::ifstream(folder / "vocab.json"));
  vocabulary.erase("at</w>");
  vocabulary["ca"] = 512;
  testing::write_file(folder / "vocab.json", vocabulary.dump());
  check_new(load()->info().fingerprint);
}

BOOST_AUTO_TEST_CASE(what_a_program_gives_is_checked) {
  const auto check = [&](const std::string& body, ErrorCode code, const std::string& subject,
                         const std::string& cause) {
    ColourModel model;
    model.picture = "def forward(self, x):\n" + body;
    model.write(folder);
    BOOST_TEST_CONTEXT(body) check_refused([&] { load(); }, code, subject, cause);
  };
  const auto wrong = ErrorCode::Incompatible;
  check("  return x\n", wrong, "picture.pt", "[1, 3, 8, 8]");
  check("  return x.mean([2, 3])[0]\n", wrong, "picture.pt", "[3]");
  check("  return x.mean([2, 3]).repeat(2, 8)\n", wrong, "picture.pt", "[2, 24]");
  check("  return x.flatten(1)[:, 0:0]\n", wrong, "picture.pt", "[1, 0]");
  check("  return x.mean([2, 3]).repeat(1, 8000)\n", wrong, "picture.pt", "[1, 24000]");
  check("  return x.mean([2, 3]).repeat(1, 8).long()\n", wrong, "picture.pt", "long");
  check("  return (x, x)\n", wrong, "picture.pt", "Tuple");
  check("  return x.mean([2, 3]).repeat(1, 9)\n", wrong, "model", "27");
  check("  assert x.size(3) == 99, 'wants 99 pixels'\n  return x\n", wrong, "picture.pt",
        "wants 99 pixels");
  check("  return torch.matmul(x.flatten(1), torch.zeros([7, 24]))\n", wrong, "picture.pt",
        "failed");
  check("  return x.mean([2, 3]).repeat(1, 8) * float('nan')\n", ErrorCode::Corruption, "model",
        "not finite");
  check("  return torch.zeros([1, 24])\n", ErrorCode::Corruption, "model", "zero");
}

BOOST_AUTO_TEST_CASE(what_goes_wrong_later_is_noticed_too) {
  ColourModel model;
  model.picture =
      "def forward(self, x):\n"
      "  if bool(x.max() > 0.9):\n"
      "    return torch.full([1, 24], float('inf'))\n"
      "  if bool(x.min() < -0.9):\n"
      "    return torch.ones([1, 12])\n"
      "  return x.mean([2, 3]).repeat(1, 8)\n";
  const auto encoder = load(model);
  const auto encode = [&](testing::Colour colour) {
    const Image image = testing::plain_image(8, 8, colour);
    encoder->encode_images(std::span(&image, 1));
  };
  check_refused([&] { encode({255, 100, 100}); }, ErrorCode::Corruption, "model", "not finite");
  check_refused([&] { encode({0, 100, 100}); }, ErrorCode::Incompatible, "model", "12");
  encode({100, 100, 100});
}

BOOST_AUTO_TEST_CASE(what_is_no_torchscript_is_refused_by_name) {
  ColourModel().write(folder);
  testing::write_file(folder / "text.pt", std::string(4000, 'x'));
  check_refused([&] { load(); }, ErrorCode::Corruption, "text.pt", "TorchScript");
}

BOOST_AUTO_TEST_CASE(its_precision_is_its_own) {
  ColourModel().write(folder);
  LoadOptions options = trusting();
  options.precision = Precision::Bf16;
  check_refused([&] { load(options); }, ErrorCode::InvalidArgument, "--precision", "programs");
  if (at::hasCUDA()) return;
  options.precision = Precision::Auto;
  options.device = Device::Cuda;
  check_refused([&] { load(options); }, ErrorCode::Unavailable, "--device cuda", "CUDA");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
