// Training on a model so small that a hundred steps take seconds.

#include "models/train/trainer.h"

#include <torch/serialize.h>

#include <boost/test/unit_test.hpp>
#include <fstream>
#include <iterator>
#include <numeric>
#include <vector>

#include "lib/image/preprocess.h"
#include "lib/util/error.h"
#include "models/clip/forward.h"
#include "models/clip/load.h"
#include "models/train/figures.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::train {
namespace {

namespace fs = std::filesystem;

const Generator& generator() {
  static const Generator the_generator{Sources{}};
  return the_generator;
}

TrainOptions tiny(int64_t steps) {
  TrainOptions options;
  options.model = mini_config();
  options.model.image = {32, 2, 2, 64, Activation::Gelu};
  options.model.text = {32, 1, 2, 64, Activation::Gelu};
  options.model.image_size_px = 32;
  options.model.patch_size_px = 8;
  options.model.dimension = 16;
  options.model.preprocessing.size_px = 32;
  options.vocabulary = 700;
  options.vocabulary_pairs = 1000;
  options.batch.pictures = 16;
  options.batch.text_pairs = 16;
  options.batch.image_size_px = 32;
  options.steps = steps;
  options.save_every = 1000;
  return options;
}

std::vector<Progress> run(const TrainOptions& options, const fs::path& folder,
                          int64_t stop_at = INT64_MAX) {
  std::atomic<bool> stop = false;
  std::vector<Progress> reports;
  train(generator(), options, folder, stop, [&](const Progress& progress) {
    reports.push_back(progress);
    if (progress.step >= stop_at) stop = true;
  });
  return reports;
}

// The parameters as the trainer keeps them, by their names in a checkpoint.
TensorSource parameters_in_state(const fs::path& run_folder) {
  auto archive = std::make_shared<torch::serialize::InputArchive>();
  archive->load_from((run_folder / "state.pt").string());
  return {[archive](const std::string& name, const std::vector<int64_t>&) {
            std::string key = "model/" + name;
            std::replace(key.begin(), key.end(), '.', '/');
            at::Tensor tensor;
            archive->read(key, tensor);
            return tensor.detach();
          },
          TensorNames::HuggingFace};
}

double cosine(const at::Tensor& a, std::span<const float> b) {
  const at::Tensor other =
      at::from_blob(const_cast<float*>(b.data()), {static_cast<int64_t>(b.size())}, at::kFloat);
  return (a.dot(other) / (a.norm() * other.norm())).item<double>();
}

BOOST_AUTO_TEST_SUITE(trainer)

BOOST_AUTO_TEST_CASE(the_loss_falls_and_the_normal_loader_gives_the_trained_embeddings) {
  const testing::TemporaryDirectory directory;
  TrainOptions options = tiny(120);
  const std::vector<Progress> reports = run(options, directory / "run");
  BOOST_REQUIRE(reports.size() >= 4);
  BOOST_TEST(reports.back().step == 120);
  BOOST_TEST(reports.back().loss < 0.9 * reports.front().loss);
  BOOST_TEST(reports.back().text_loss < reports.front().text_loss);
  BOOST_TEST(reports.back().accuracy >= 0);

  write_model(generator(), options, directory / "run", directory / "model");
  LoadOptions load;
  load.precision = Precision::Fp32;
  const auto encoder = load_encoder(directory / "model", load);
  options.model.vocabulary_size = 700;
  const TensorSource source = parameters_in_state(directory / "run");

  std::vector<Image> images;
  for (uint64_t i = 0; i < 8; ++i) {
    Random random = Random::of_item(77, i);
    images.push_back(generator().any(random, {32, 32}).image);
  }
  const at::Tensor expected =
      encode_pixels(read_image_weights(source, options.model, at::kFloat), options.model,
                    pixels_of(images, options.model.preprocessing));
  const Matrix pictures = encoder->encode_images(images);
  for (int64_t i = 0; i < 8; ++i) {
    BOOST_TEST(cosine(expected[i], pictures.row(static_cast<size_t>(i))) > 0.9999);
  }

  const std::vector<std::string> texts = {"a dog", "Doom", "two birds and a red circle"};
  std::vector<std::vector<int32_t>> tokens;
  for (const std::string& text : texts) tokens.push_back(encoder->tokenize(text));
  const at::Tensor expected_texts = encode_tokens(
      read_text_weights(source, options.model, at::kFloat), options.model, batch_of(tokens));
  const Matrix text_vectors = encoder->encode_texts(texts, LongText::Truncate);
  for (int64_t i = 0; i < 3; ++i) {
    BOOST_TEST(cosine(expected_texts[i], text_vectors.row(static_cast<size_t>(i))) > 0.9999);
  }
}

BOOST_AUTO_TEST_CASE(a_stopped_training_goes_on_as_if_it_had_not_been_stopped) {
  const testing::TemporaryDirectory directory;
  const TrainOptions options = tiny(60);
  const std::vector<Progress> whole = run(options, directory / "whole");
  const std::vector<Progress> first = run(options, directory / "parts", 20);
  BOOST_TEST(first.back().step == 20);
  const std::vector<Progress> rest = run(options, directory / "parts");
  BOOST_TEST(rest.front().step == 40);
  BOOST_TEST(rest.back().step == 60);
  BOOST_TEST(rest.back().loss == whole.back().loss, boost::test_tools::tolerance(1e-3));

  std::ifstream curve(directory / "parts" / "curve.csv");
  const std::string text(std::istreambuf_iterator<char>(curve), {});
  BOOST_TEST(std::count(text.begin(), text.end(), '\n') == 4);  // the names and three reports
  std::ifstream plot(directory / "parts" / "curve.svg");
  const std::string svg(std::istreambuf_iterator<char>(plot), {});
  BOOST_TEST(svg.starts_with("<svg"));
  BOOST_TEST(svg.find("<polyline") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_run_is_not_continued_with_other_options) {
  const testing::TemporaryDirectory directory;
  run(tiny(20), directory / "run");
  TrainOptions other = tiny(20);
  other.peak_learning_rate *= 2;
  BOOST_CHECK_EXCEPTION(run(other, directory / "run"), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Incompatible; });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(figures)

// Places a picture or a text by what the test knows of it, to see what the figures count.
class Oracle : public Encoder {
 public:
  explicit Oracle(bool is_right) : is_right_(is_right) {
    info_.dimension = 2;
    info_.preprocessing.size_px = 8;
  }
  const ModelInfo& info() const override { return info_; }
  Matrix encode_images(std::span<const Image> images) override {
    Matrix vectors(images.size(), 2);
    for (size_t i = 0; i < images.size(); ++i) vectors.row(i)[0] = 1;
    return vectors;
  }
  Matrix encode_texts(std::span<const std::string> texts, LongText) override {
    Matrix vectors(texts.size(), 2);
    for (size_t i = 0; i < texts.size(); ++i) vectors.row(i)[is_right_ ? 0 : 1] = 1;
    return vectors;
  }
  std::vector<int32_t> tokenize(const std::string&) const override { return {}; }

 private:
  bool is_right_;
  ModelInfo info_;
};

BOOST_AUTO_TEST_CASE(a_model_that_finds_everything_alike_gets_nothing_right) {
  for (const bool is_right : {true, false}) {
    Oracle encoder(is_right);
    FigureOptions options;
    options.singles = options.found = options.sentences = options.scenes = 40;
    for (const Figure& figure : measure_figures(generator(), encoder, options)) {
      BOOST_TEST(figure.share.good == 0u, figure.name);  // ties are not right
      BOOST_TEST(figure.share.trials == 40u, figure.name);
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::train
