// The bundled model does what its card says. Fewer trials than the card's figures, so the bounds
// are lower than those by the width of the interval.

#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <map>

#include "models/clip/load.h"
#include "models/train/figures.h"

namespace zeroshelf::train {
namespace {

BOOST_AUTO_TEST_SUITE(mini)

BOOST_AUTO_TEST_CASE(the_bundled_model_is_as_good_as_its_card_says) {
  const Generator generator{Sources{}};
  const auto encoder = load_encoder(bundled_model(), {});
  FigureOptions options;
  options.singles = options.sentences = options.scenes = 400;
  options.found = 300;
  const std::vector<Figure> figures = measure_figures(generator, *encoder, options);
  const std::vector<double> bounds = {0.76, 0.94, 0.97, 0.72, 0.89, 0.50, 0.95};
  BOOST_REQUIRE_EQUAL(figures.size(), bounds.size());
  for (size_t i = 0; i < figures.size(); ++i) {
    BOOST_TEST(figures[i].share.value() > bounds[i], figures[i].name);
  }
}

BOOST_AUTO_TEST_CASE(the_bundled_model_is_small) {
  uintmax_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(bundled_model())) {
    if (file.path().extension() == ".safetensors" || file.path().extension() == ".json" ||
        file.path().extension() == ".txt") {
      bytes += file.file_size();
    }
  }
  BOOST_TEST(bytes <= uintmax_t{12} << 20);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::train
