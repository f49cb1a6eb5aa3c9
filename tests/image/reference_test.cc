// Tests lib/image/preprocess.h and lib/image/decode.h against what OpenAI's published preprocessing
// gives.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>

#include "lib/image/decode.h"
#include "lib/image/preprocess.h"
#include "lib/util/file.h"
#include "tests/support/shared_data.h"

namespace zeroshelf {
namespace {

using namespace testing;

std::vector<std::filesystem::path> pictures_in(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const auto extension = entry.path().extension();
    if (extension == ".jpg" || extension == ".png") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  return paths;
}

std::vector<float> preprocessed(const std::filesystem::path& path, const Preprocessing& how) {
  const std::string file = read_file(path, 1 << 28);
  const auto image = decode_image(std::as_bytes(std::span(file)), {});
  BOOST_REQUIRE(std::holds_alternative<Image>(image));
  const Image square = resize_and_crop(std::get<Image>(image), how.size_px);
  std::vector<float> planes(size_t{3} * how.size_px * how.size_px);
  normalise_pixels(square, how, planes);
  return planes;
}

// Every value as float16 keeps it: the sample is exactly the reference's.
void check_folder(const std::filesystem::path& folder) {
  const NpyArray expected = read_npy(folder / "pixels.npy");
  const auto paths = pictures_in(folder / "images");
  BOOST_REQUIRE(paths.size() == expected.shape[0]);
  Preprocessing how;
  how.size_px = static_cast<int>(expected.shape[2]);
  const size_t values = size_t{3} * how.size_px * how.size_px;
  for (size_t i = 0; i < paths.size(); ++i) {
    const std::vector<float> planes = preprocessed(paths[i], how);
    float greatest = 0;
    for (size_t k = 0; k < values; ++k) {
      greatest = std::max(greatest, std::fabs(planes[k] - expected.values[i * values + k]));
    }
    BOOST_TEST_MESSAGE(paths[i].filename() << " " << greatest);
    // A sample more or less would be 1 / 255 / 0.27 = 0.0145; float16 rounds below 2.2 by 0.001.
    BOOST_TEST_CONTEXT(paths[i]) BOOST_TEST(greatest < 0.0011f);
  }
}

}  // namespace

BOOST_AUTO_TEST_CASE(golden_pictures_give_the_reference_pixels) {
  check_folder(shared_directory() / "golden");
}

BOOST_AUTO_TEST_CASE(photographs_give_the_reference_pixels) {
  check_folder(shared_directory() / "real_clip");
}

}  // namespace zeroshelf
