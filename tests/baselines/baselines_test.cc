#include "models/baselines/baselines.h"

#include <torch/script.h>

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/draw.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::baselines {
namespace {

double accuracy(const std::vector<size_t>& predicted, const std::vector<size_t>& wanted) {
  size_t right = 0;
  for (size_t i = 0; i < wanted.size(); ++i) right += predicted[i] == wanted[i];
  return static_cast<double>(right) / static_cast<double>(wanted.size());
}

// Class 1 has a bright disc somewhere on noise, class 0 has the noise alone.
std::vector<Image> discs(uint32_t first_seed, const std::vector<size_t>& classes) {
  std::vector<Image> images;
  for (size_t i = 0; i < classes.size(); ++i) {
    const auto seed = first_seed + static_cast<uint32_t>(i);
    Image image = testing::noise_image(32, 32, seed);
    const int centre = 10 + static_cast<int>(seed * 7 % 12);
    for (int y = 0; y < 32 && classes[i] == 1; ++y) {
      for (int x = 0; x < 32; ++x) {
        if ((x - centre) * (x - centre) + (y - 16) * (y - 16) > 64) continue;
        for (int c = 0; c < 3; ++c) image.rgb[static_cast<size_t>((y * 32 + x) * 3 + c)] = 250;
      }
    }
    images.push_back(std::move(image));
  }
  return images;
}

std::vector<size_t> alternating(size_t count) {
  std::vector<size_t> classes(count);
  for (size_t i = 0; i < count; ++i) classes[i] = i % 2;
  return classes;
}

BOOST_AUTO_TEST_SUITE(baselines)

BOOST_AUTO_TEST_CASE(the_network_from_scratch_learns_what_can_be_seen) {
  const std::vector<size_t> classes = alternating(96);
  const std::vector<Image> training = discs(0, classes);
  const std::vector<Image> test = discs(1000, classes);
  const CnnOptions options;
  const auto predicted = train_cnn(training, {classes, 2}, test, options);
  BOOST_TEST(accuracy(predicted, classes) > 0.9);
  BOOST_TEST(train_cnn(training, {classes, 2}, test, options) == predicted,
             boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_network_learns_nothing_from_classes_without_a_difference) {
  const std::vector<size_t> classes = alternating(96);
  const std::vector<size_t> nothing(96, 0);
  const auto predicted = train_cnn(discs(0, nothing), {classes, 2}, discs(1000, nothing), {});
  BOOST_TEST(accuracy(predicted, classes) < 0.75);
}

BOOST_AUTO_TEST_CASE(the_linear_classifier_separates_what_is_separable) {
  const std::vector<size_t> classes = alternating(200);
  Matrix rows(200, 3);
  for (size_t i = 0; i < 200; ++i) {
    rows.row(i)[0] = 1000.0f + static_cast<float>(i % 7);  // a constant and noise
    rows.row(i)[1] = (classes[i] == 1 ? 0.02f : 0.01f) + 0.0001f * static_cast<float>(i % 5);
    rows.row(i)[2] = 5;  // never differs
  }
  BOOST_TEST(accuracy(train_linear(rows, {classes, 2}, rows, {}), classes) == 1.0);
}

BOOST_AUTO_TEST_CASE(an_extractor_gives_what_its_module_computes) {
  const testing::TemporaryDirectory directory;
  torch::jit::Module module("means");
  module.define("def forward(self, x):\n  return x.mean(3)\n");
  module.save((directory / "means.pt").string());
  Preprocessing preprocessing;
  preprocessing.size_px = 16;
  preprocessing.mean = {0, 0, 0};
  preprocessing.standard_deviation = {1, 1, 1};
  const FeatureExtractor extractor(directory / "means.pt", preprocessing);
  std::vector<Image> images(40, testing::plain_image(16, 16, {255, 0, 51}));
  const Matrix features = extractor.features(images);
  BOOST_TEST(features.rows() == 40u);
  BOOST_REQUIRE_EQUAL(features.columns(), 48u);  // three channels of sixteen rows
  BOOST_TEST(features.row(39)[0] == 1.0f);
  BOOST_TEST(features.row(39)[16] == 0.0f);
  BOOST_TEST(features.row(39)[47] == 0.2f, boost::test_tools::tolerance(1e-5f));
}

BOOST_AUTO_TEST_CASE(files_that_are_no_extractor_are_refused_by_name) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "noise.pt", std::string(4000, 'x'));
  const auto names = [](ErrorCode code, const std::string& file) {
    return [=](const Error& error) {
      return error.code() == code && error.subject().find(file) != std::string::npos;
    };
  };
  BOOST_CHECK_EXCEPTION(FeatureExtractor(directory / "noise.pt", {}), Error,
                        names(ErrorCode::Corruption, "noise.pt"));
  BOOST_CHECK_EXCEPTION(FeatureExtractor(directory / "absent.pt", {}), Error,
                        names(ErrorCode::NotFound, "absent.pt"));
  torch::jit::Module picky("picky");
  picky.define("def forward(self, x):\n  assert x.size(3) == 7\n  return x\n");
  picky.save((directory / "picky.pt").string());
  const FeatureExtractor extractor(directory / "picky.pt", {});
  const std::vector<Image> images = {testing::plain_image(224, 224, {1, 2, 3})};
  BOOST_CHECK_EXCEPTION(extractor.features(images), Error,
                        names(ErrorCode::Incompatible, "picky.pt"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::baselines
