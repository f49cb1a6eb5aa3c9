#include <boost/test/unit_test.hpp>

#include <cmath>
#include <random>
#include <vector>

#include "lib/fusion/fusion.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

const std::vector<float> kPicture = {0.20f, 0.25f, 0.22f};  // label 1
const std::vector<float> kText = {0.10f, 0.30f, 0.99f};     // label 2

BOOST_AUTO_TEST_SUITE(fusion)

BOOST_AUTO_TEST_CASE(image_rule_is_the_softmax_of_the_scaled_cosines) {
  const Prediction prediction = fuse(FusionRule::Image, kPicture, kText, 100);
  const double probability = std::exp(25.0) / (std::exp(20.0) + std::exp(25.0) + std::exp(22.0));
  BOOST_TEST(prediction.answer().label == 1u);
  BOOST_TEST(std::abs(prediction.answer().score - probability) < 1e-5);
  BOOST_TEST((*prediction.winner == Source::Image));
}

BOOST_AUTO_TEST_CASE(text_rule_is_the_largest_cosine_and_gives_no_answer_without_text) {
  const Prediction prediction = fuse(FusionRule::Text, kPicture, kText, 100);
  BOOST_TEST(prediction.answer().label == 2u);
  BOOST_TEST(prediction.answer().score == 0.99f);
  const Prediction none = fuse(FusionRule::Text, kPicture, {}, 100);
  BOOST_TEST(!none.winner.has_value());
  BOOST_TEST(!none.text.has_value());
  BOOST_TEST(none.image.label == 1u);
}

BOOST_AUTO_TEST_CASE(max_rule_takes_the_side_with_the_larger_score) {
  // P_I is 0.946: text wins with 0.99 and loses with 0.5.
  BOOST_TEST((*fuse(FusionRule::Max, kPicture, kText, 100).winner == Source::Text));
  const std::vector<float> weak = {0.1f, 0.3f, 0.5f};
  BOOST_TEST((*fuse(FusionRule::Max, kPicture, weak, 100).winner == Source::Image));
  BOOST_TEST(fuse(FusionRule::Max, kPicture, weak, 100).answer().label == 1u);
  BOOST_TEST((*fuse(FusionRule::Max, kPicture, {}, 100).winner == Source::Image));
}

BOOST_AUTO_TEST_CASE(ties_go_to_the_first_label_and_to_the_picture) {
  const std::vector<float> same = {0.5f, 0.5f};
  BOOST_TEST(fuse(FusionRule::Image, same, {}, 100).answer().label == 0u);
  const std::vector<float> one_label = {0.1f};  // P_I is exactly 1
  const std::vector<float> one_text = {1.0f};
  BOOST_TEST((*fuse(FusionRule::Max, one_label, one_text, 100).winner == Source::Image));
}

BOOST_AUTO_TEST_CASE(extreme_scales_stay_finite) {
  const std::vector<float> opposite = {-1, 1};
  BOOST_TEST(fuse(FusionRule::Image, opposite, {}, 1e6f).answer().score == 1.0f);
  BOOST_TEST(fuse(FusionRule::Image, opposite, {}, 0).answer().score == 0.5f);
}

// The oracle: the rules as the header writes them, in plain loops.
BOOST_AUTO_TEST_CASE(random_evidence_agrees_with_a_plain_loop) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> cosine(-1, 1);
  for (int round = 0; round < 500; ++round) {
    std::vector<float> image(1 + round % 40);
    std::vector<float> text(image.size());
    for (float& value : image) value = cosine(random);
    for (float& value : text) value = cosine(random);
    const double scale = 1 + round % 120;
    size_t best_image = 0;
    size_t best_text = 0;
    double sum = 0;
    for (size_t k = 0; k < image.size(); ++k) {
      if (image[k] > image[best_image]) best_image = k;
      if (text[k] > text[best_text]) best_text = k;
      sum += std::exp(scale * image[k]);
    }
    const double probability = std::exp(scale * image[best_image]) / sum;
    const Prediction prediction = fuse(FusionRule::Max, image, text, static_cast<float>(scale));
    BOOST_TEST(prediction.image.label == best_image);
    BOOST_TEST(prediction.text->label == best_text);
    BOOST_TEST(std::abs(prediction.image.score - probability) < 1e-5);
    if (std::abs(probability - text[best_text]) > 1e-5) {
      BOOST_TEST((*prediction.winner == Source::Text) == (text[best_text] > probability));
    }
  }
}

BOOST_AUTO_TEST_CASE(an_unknown_rule_is_refused) {
  BOOST_TEST((parse_fusion_rule("max") == FusionRule::Max));
  BOOST_CHECK_THROW(parse_fusion_rule("best"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
