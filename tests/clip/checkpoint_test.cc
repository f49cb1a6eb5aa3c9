#include <boost/test/unit_test.hpp>

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <nlohmann/json.hpp>
#include <random>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/clip/tiny_model.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/torch_files.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::TinyModel;

Image random_image(int size, unsigned seed) {
  std::mt19937 random(seed);
  Image image{size, size, {}};
  for (int i = 0; i < size * size * 3; ++i) image.rgb.push_back(static_cast<uint8_t>(random()));
  return image;
}

double cosine(std::span<const float> a, const std::vector<double>& b) {
  double sum = 0;
  for (size_t i = 0; i < b.size(); ++i) sum += a[i] * b[i];
  return sum;
}

LoadOptions with(Precision precision, EncoderSide side = EncoderSide::Both) {
  LoadOptions options;
  options.precision = precision;
  options.side = side;
  return options;
}

struct TinyCheckpoint {
  TinyCheckpoint() { model.write(folder); }

  void change_config(const std::function<void(nlohmann::json&)>& change) const {
    auto config = nlohmann::json::parse(read_file(folder / "config.json", 1 << 20));
    change(config);
    testing::write_file(folder / "config.json", config.dump());
  }

  // The error of loading, whose subject must be a file of the checkpoint.
  Error refused() const {
    try {
      load_encoder(folder, with(Precision::Fp32));
    } catch (const Error& error) {
      BOOST_TEST(error.subject().starts_with(folder.string()));
      return error;
    }
    BOOST_ERROR("it was loaded");
    return Error(ErrorCode::Io, "", "");
  }

  testing::TemporaryDirectory directory;
  fs::path folder = directory / "tiny";
  TinyModel model{1};
};

BOOST_FIXTURE_TEST_SUITE(checkpoints, TinyCheckpoint)

BOOST_AUTO_TEST_CASE(the_network_equals_plain_loops_in_double) {
  for (const char* activation : {"gelu", "quick_gelu"}) {
    model.activation = activation;
    model.write(folder);
    const auto encoder = load_encoder(folder, with(Precision::Fp32));
    BOOST_TEST(std::abs(encoder->info().logit_scale - 50) < 1e-3f);
    BOOST_TEST(encoder->info().dimension == 12u);
    std::vector<Image> images;
    for (unsigned seed = 0; seed < 70; ++seed)
      images.push_back(random_image(model.image_size, seed));
    const Matrix vectors = encoder->encode_images(images);
    for (size_t i = 0; i < images.size(); ++i) {
      BOOST_TEST(cosine(vectors.row(i), model.encode_image(images[i])) > 0.99999);
    }
    const std::vector<std::string> texts = {"cat", "", "a b c d e f g h i j k l m", "at at", "x"};
    const Matrix text_vectors = encoder->encode_texts(texts, LongText::Truncate);
    for (size_t i = 0; i < texts.size(); ++i) {
      const std::vector<int32_t> ids = encoder->tokenize(texts[i]);
      BOOST_TEST(ids.size() <= 10u);
      BOOST_TEST(cosine(text_vectors.row(i), model.encode_tokens({ids.begin(), ids.end()})) >
                 0.99999);
    }
  }
}

BOOST_AUTO_TEST_CASE(bf16_stays_close_to_fp32) {
  const auto fp32 = load_encoder(folder, with(Precision::Fp32));
  const auto bf16 = load_encoder(folder, with(Precision::Bf16));
  BOOST_TEST(bf16->info().precision == "bf16");
  BOOST_TEST(bf16->info().fingerprint == fp32->info().fingerprint);
  const Image image = random_image(model.image_size, 1);
  const Matrix a = fp32->encode_images(std::span(&image, 1));
  const Matrix b = bf16->encode_images(std::span(&image, 1));
  BOOST_TEST(cosine(a.row(0), {b.row(0).begin(), b.row(0).end()}) > 0.9995);
}

BOOST_AUTO_TEST_CASE(long_texts_are_the_mean_of_their_windows) {
  const auto encoder = load_encoder(folder, with(Precision::Fp32, EncoderSide::TextOnly));
  const std::string text = "a b c d e f g h i j k";  // 11 tokens in windows of 8
  std::vector<double> mean(12);
  for (const std::string window : {"a b c d e f g h", "i j k"}) {
    const Matrix vector = encoder->encode_texts(std::span(&window, 1), LongText::Truncate);
    for (size_t i = 0; i < mean.size(); ++i) mean[i] += vector.row(0)[i];
  }
  double square = 0;
  for (const double value : mean) square += value * value;
  for (double& value : mean) value /= std::sqrt(square);
  BOOST_TEST(cosine(encoder->encode_texts(std::span(&text, 1), LongText::Windows).row(0), mean) >
             0.999999);
  BOOST_TEST(encoder->encode_texts({}, LongText::Windows).rows() == 0u);
}

BOOST_AUTO_TEST_CASE(fp16_and_bf16_weights_are_read) {
  // The bits of every weight cut to bf16, stored both as F32 and as BF16: the same numbers.
  std::string wide = model.safetensors();
  uint64_t header_size = 0;
  std::memcpy(&header_size, wide.data(), 8);
  auto header = nlohmann::json::parse(wide.substr(8, header_size));
  std::string narrow_data;
  for (size_t i = 8 + header_size; i < wide.size(); i += 4) {
    wide[i] = wide[i + 1] = 0;
    narrow_data += wide.substr(i + 2, 2);
  }
  for (auto& [name, entry] : header.items()) {
    entry["dtype"] = "BF16";
    for (auto& offset : entry["data_offsets"]) offset = offset.get<uint64_t>() / 2;
  }
  const std::string text = header.dump();
  const uint64_t size = text.size();
  testing::write_file(folder / "model.safetensors", wide);
  const Image image = random_image(model.image_size, 1);
  const Matrix a = load_encoder(folder, with(Precision::Fp32))->encode_images(std::span(&image, 1));
  testing::write_file(folder / "model.safetensors",
                      std::string(reinterpret_cast<const char*>(&size), 8) + text + narrow_data);
  const Matrix b = load_encoder(folder, with(Precision::Fp32))->encode_images(std::span(&image, 1));
  BOOST_TEST(std::equal(a.row(0).begin(), a.row(0).end(), b.row(0).begin()));
}

BOOST_AUTO_TEST_CASE(the_fingerprint_follows_what_changes_the_vectors) {
  const auto fingerprint = [&] {
    return load_encoder(folder, with(Precision::Fp32, EncoderSide::TextOnly))->info().fingerprint;
  };
  const std::string original = fingerprint();
  BOOST_TEST(
      load_encoder(folder, with(Precision::Fp32, EncoderSide::ImageOnly))->info().fingerprint ==
      original);
  fs::rename(folder, directory / "elsewhere");
  BOOST_TEST(load_encoder(directory / "elsewhere", with(Precision::Fp32))->info().fingerprint ==
             original);
  fs::rename(directory / "elsewhere", folder);
  change_config([](auto& config) { config["vision_config"]["hidden_act"] = "quick_gelu"; });
  BOOST_TEST(fingerprint() != original);
  model.write(folder);
  testing::write_file(folder / "preprocessor_config.json", R"({"image_mean": [0.5, 0.5, 0.5]})");
  BOOST_TEST(fingerprint() != original);
  fs::remove(folder / "preprocessor_config.json");
  testing::write_file(folder / "merges.txt", "#version: 0.2\n");
  BOOST_TEST(fingerprint() != original);
  model.write(folder);
  BOOST_TEST(fingerprint() == original);
  model.tensors["logit_scale"].values[0] += 1e-3f;
  model.write(folder);
  BOOST_TEST(fingerprint() != original);
}

BOOST_AUTO_TEST_CASE(wrong_shapes_and_missing_tensors_are_named) {
  const TinyModel good = model;
  model.tensors["text_projection.weight"].shape = {model.width, model.dimension};
  model.write(folder);
  BOOST_TEST(refused().cause().find("text_projection.weight") != std::string::npos);
  model = good;
  model.tensors.erase("vision_model.encoder.layers.1.mlp.fc2.bias");
  model.write(folder);
  BOOST_TEST(refused().cause().find("vision_model.encoder.layers.1.mlp.fc2.bias") !=
             std::string::npos);
  model = good;
  model.write(folder);
  change_config([](auto& config) { config["text_config"]["hidden_size"] = 1'000'000'000; });
  BOOST_TEST((refused().code() == ErrorCode::Corruption));
  model.write(folder);
  change_config([](auto& config) { config["vision_config"]["num_attention_heads"] = 3; });
  BOOST_TEST((refused().code() == ErrorCode::Corruption));
  model.write(folder);
  change_config([](auto& config) { config["vision_config"]["hidden_act"] = "relu"; });
  BOOST_TEST((refused().code() == ErrorCode::Incompatible));
  model.write(folder);
  change_config([](auto& config) { config["model_type"] = "siglip"; });
  BOOST_TEST((refused().code() == ErrorCode::Incompatible));
}

BOOST_AUTO_TEST_CASE(weights_that_are_not_finite_are_refused_when_used) {
  model.tensors["visual_projection.weight"].values[5] = NAN;
  model.write(folder);
  const auto encoder = load_encoder(folder, with(Precision::Fp32));
  const Image image = random_image(model.image_size, 1);
  BOOST_CHECK_EXCEPTION(encoder->encode_images(std::span(&image, 1)), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Corruption; });
}

BOOST_AUTO_TEST_CASE(files_that_are_missing_are_named) {
  for (const char* name : {"model.safetensors", "vocab.json", "merges.txt"}) {
    const std::string content = read_file(folder / name, 1 << 24);
    fs::remove(folder / name);
    BOOST_TEST((refused().code() == ErrorCode::NotFound));
    testing::write_file(folder / name, content);
  }
  fs::create_directory(directory / "empty");
  BOOST_CHECK_EXCEPTION(load_encoder(directory / "empty", {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::NotFound &&
           error.cure().find("open_clip_config.json") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(cut_and_mutated_safetensors_are_refused_or_loaded_and_never_crash) {
  const std::string good = model.safetensors();
  uint64_t header_size = 0;
  std::memcpy(&header_size, good.data(), 8);
  for (size_t size = 0; size < good.size(); size += 1 + good.size() / 150) {
    testing::write_file(folder / "model.safetensors", good.substr(0, size));
    BOOST_TEST((refused().code() == ErrorCode::Corruption));
  }
  const unsigned seed = 20261123;
  BOOST_TEST_MESSAGE("seed " << seed);
  std::mt19937 random(seed);
  for (int round = 0; round < 600; ++round) {
    std::string bad = good;
    for (unsigned i = 0; i <= random() % 3; ++i)
      bad[random() % (header_size + 8)] = static_cast<char>(random());
    testing::write_file(folder / "model.safetensors", bad);
    try {
      load_encoder(folder, with(Precision::Fp32,
                                round % 2 == 0 ? EncoderSide::TextOnly : EncoderSide::ImageOnly));
    } catch (const Error&) {
    }
  }
}

BOOST_AUTO_TEST_CASE(hostile_headers_are_refused_before_anything_is_allocated) {
  const auto file = [](uint64_t claimed, const std::string& header, const std::string& data) {
    return std::string(reinterpret_cast<const char*>(&claimed), 8) + header + data;
  };
  const auto attack = [&](const std::string& content) {
    testing::write_file(folder / "model.safetensors", content);
    BOOST_TEST((refused().code() == ErrorCode::Corruption));
  };
  attack(file(~uint64_t{0}, "{}", ""));
  attack(file(uint64_t{1} << 40, "{}", ""));
  for (
      const std::string header :
      {R"({"a":{"dtype":"F32","shape":[4294967296,4294967296,4294967296],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9000000000]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})",
       R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}})",
       R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F99","shape":[2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":7,"shape":[2],"data_offsets":[0,8]}})",
       R"({"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}})",
       R"({"a":7})", R"([1,2])", R"({"a":)"}) {
    attack(file(header.size(), header, std::string(8, '\0')));
  }
  const std::string deep = R"({"a":)" + std::string(100'000, '[') + std::string(100'000, ']') + "}";
  attack(file(deep.size(), deep, ""));
}

BOOST_AUTO_TEST_CASE(files_that_are_no_torch_script_are_refused) {
  for (const std::string& content : {std::string(), std::string("no archive"),
                                     std::string("PK\x03\x04") + std::string(5000, '\x7f')}) {
    testing::write_file(folder / "model.pt", content);
    BOOST_CHECK_EXCEPTION(load_encoder(folder / "model.pt", {}), Error, [&](const Error& error) {
      return error.code() == ErrorCode::Corruption &&
             error.subject() == (folder / "model.pt").string();
    });
  }
}

// OpenAI's names, as in OpenCLIP's files too, whose activation is another one.
BOOST_AUTO_TEST_CASE(tensors_that_do_not_say_what_to_compute_are_refused) {
  const auto zeros = [](const std::string& name, std::vector<int64_t> shape) {
    int64_t count = 1;
    for (const int64_t side : shape) count *= side;
    return testing::SavedTensor{name, std::move(shape),
                                std::vector<float>(static_cast<size_t>(count))};
  };
  const std::string archive = testing::state_dict_archive(
      {zeros("visual.conv1.weight", {64, 3, 7, 7}), zeros("visual.positional_embedding", {10, 64}),
       zeros("ln_final.weight", {64}), zeros("positional_embedding", {10, 64}),
       zeros("token_embedding.weight", {515, 64}), zeros("text_projection", {64, 12}),
       zeros("visual.transformer.resblocks.0.mlp.c_fc.weight", {24, 64}),
       zeros("transformer.resblocks.0.mlp.c_fc.weight", {24, 64})});
  testing::write_file(folder / "model.bin", archive);
  BOOST_CHECK_EXCEPTION(load_encoder(folder / "model.bin", {}), Error, [](const Error& error) {
    return error.code() == ErrorCode::Incompatible &&
           error.cause().find("what to compute") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_model_is_found_by_name_folder_or_file) {
  const char* before = std::getenv("ZEROSHELF_MODELS");
  ::setenv("ZEROSHELF_MODELS", ("/nowhere:" + directory.path().string()).c_str(), 1);
  BOOST_TEST(find_model("tiny") == folder);
  BOOST_TEST(find_model(folder.string()) == folder);
  BOOST_CHECK_EXCEPTION(find_model("huge"), Error, [&](const Error& error) {
    return error.code() == ErrorCode::NotFound &&
           error.cause().find(directory.path().string()) != std::string::npos;
  });
  BOOST_TEST(load_encoder(folder / "model.safetensors", with(Precision::Fp32))->info().dimension ==
             12u);
  before != nullptr ? ::setenv("ZEROSHELF_MODELS", before, 1) : ::unsetenv("ZEROSHELF_MODELS");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
