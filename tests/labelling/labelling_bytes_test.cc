#include "lib/labelling/labelling_bytes.h"

#include <boost/test/unit_test.hpp>

#include <string>

#include "lib/util/error.h"

namespace zeroshelf::testing {
namespace {

Labelling everything() {
  Labelling labelling;
  labelling.labels = {{"pet/cat", {"a cat", "- a lion"}}, {"\xff dog", {"dog"}}, {"none", {"any"}},
                      {"pet", {}}};
  labelling.vectors = LabelVectors(Matrix(3, 4));
  for (size_t i = 0; i < 12; ++i) {
    labelling.vectors.image.data()[i] = static_cast<float>(i) / 7;
    labelling.vectors.text.data()[i] = -static_cast<float>(i) / 3;
  }
  labelling.vectors.image_bias = {0.1f, 0.2f, 0.3f};
  labelling.fusion.rule = &fusion_rule("mix");
  labelling.fusion.settings = FusionSettings::for_logit_scale(17.5f);
  labelling.fusion.sigmoid_bias = -12.25f;
  labelling.none = 2;
  labelling.threshold = 0.625f;
  labelling.none_is_rest = true;
  labelling.vectors.vetoes.vetoes = {{0, 1, 1, 0}};
  labelling.vectors.vetoes.image = Matrix(2, 4);
  labelling.vectors.vetoes.text = Matrix(2, 4);
  for (size_t i = 0; i < 8; ++i) {
    labelling.vectors.vetoes.image.data()[i] = static_cast<float>(i) / 11;
    labelling.vectors.vetoes.text.data()[i] = -static_cast<float>(i) / 13;
  }
  labelling.vectors.vetoes.image_bias = {0.25f, -0.5f};
  labelling.vectors.examples = {3, uint64_t{1} << 40};
  labelling.tree.places = {{3, 2}, {{}, 1}, {{}, 1}, {{}, 1}};
  labelling.tree.nodes = {"pet"};
  labelling.depth = 2;
  labelling.least = 0.375f;
  return labelling;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(labellings_between_processes)

BOOST_AUTO_TEST_CASE(all_of_it_arrives) {
  const Labelling sent = everything();
  const Labelling got = labelling_of_bytes(bytes_of_labelling(sent));
  BOOST_TEST((got.labels == sent.labels));
  for (size_t i = 0; i < 12; ++i) {
    BOOST_TEST(got.vectors.image.data()[i] == sent.vectors.image.data()[i]);
    BOOST_TEST(got.vectors.text.data()[i] == sent.vectors.text.data()[i]);
  }
  BOOST_TEST(got.vectors.image_bias == sent.vectors.image_bias);
  BOOST_TEST(got.vectors.text_bias.empty());
  BOOST_TEST(got.fusion.rule == sent.fusion.rule);
  BOOST_TEST((got.fusion.settings == sent.fusion.settings));
  BOOST_TEST((got.fusion.sigmoid_bias == sent.fusion.sigmoid_bias));
  BOOST_TEST((got.none == sent.none));
  BOOST_TEST((got.threshold == sent.threshold));
  BOOST_TEST(got.none_is_rest);
  const VetoVectors& vetoes = got.vectors.vetoes;
  BOOST_REQUIRE(vetoes.vetoes.size() == 1u);
  BOOST_TEST(vetoes.vetoes[0].label == 0u);
  BOOST_TEST(vetoes.vetoes[0].prompt == 1u);
  BOOST_TEST(vetoes.vetoes[0].own == 1u);
  BOOST_TEST(vetoes.vetoes[0].against == 0u);
  for (size_t i = 0; i < 8; ++i) {
    BOOST_TEST(vetoes.image.data()[i] == sent.vectors.vetoes.image.data()[i]);
    BOOST_TEST(vetoes.text.data()[i] == sent.vectors.vetoes.text.data()[i]);
  }
  BOOST_TEST(vetoes.image_bias == sent.vectors.vetoes.image_bias);
  BOOST_TEST(got.vectors.examples == sent.vectors.examples);
  BOOST_REQUIRE(got.tree.places.size() == 4u);
  BOOST_TEST((got.tree.places[0].parent == std::optional<uint32_t>(3)));
  BOOST_TEST(got.tree.places[0].depth == 2u);
  BOOST_TEST(!got.tree.places[1].parent.has_value());
  BOOST_TEST(got.tree.nodes == sent.tree.nodes);
  BOOST_TEST((got.depth == sent.depth));
  BOOST_TEST((got.least == sent.least));
  BOOST_TEST((bytes_of_labelling(got) == bytes_of_labelling(sent)));
}

BOOST_AUTO_TEST_CASE(what_is_cut_short_is_refused) {
  const std::string bytes = bytes_of_labelling(everything());
  for (size_t size = 0; size < bytes.size(); ++size)
    BOOST_CHECK_THROW(labelling_of_bytes(std::string_view(bytes).substr(0, size)), Error);
  BOOST_CHECK_THROW(labelling_of_bytes(bytes + "x"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
