// Large JPEGs are decoded at a reduced scale (lib/ingest/prepare.h): their embeddings against those
// of full decoding.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <vector>

#include "lib/image/preprocess.h"
#include "lib/ingest/prepare.h"
#include "lib/util/file.h"
#include "models/clip/load.h"
#include "tests/support/draw.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kPictures = 24;

Image fully_decoded(const std::string& bytes) {
  return std::get<Image>(decode_image(std::as_bytes(std::span(bytes)), {}));
}

std::vector<Image> photographs() {
  std::vector<fs::path> paths;
  for (const auto& entry :
       fs::recursive_directory_iterator(testing::shared_directory() / "photos")) {
    if (entry.path().extension() == ".jpg") paths.push_back(entry.path());
  }
  std::ranges::sort(paths);
  std::vector<Image> photographs;
  for (const fs::path& path : paths) photographs.push_back(fully_decoded(read_file(path, 1 << 26)));
  return photographs;
}

// side x side photographs, from the first on: as sharp as a large picture can be.
Image mosaic(const std::vector<Image>& photographs, size_t first, int side) {
  constexpr int kTile = 348;
  Image whole = testing::plain_image(side * kTile, side * kTile, {});
  for (int tile = 0; tile < side * side; ++tile) {
    const Image part = resize_and_crop(
        photographs[(first + static_cast<size_t>(tile)) % photographs.size()], kTile);
    for (int y = 0; y < kTile; ++y) {
      const size_t row = static_cast<size_t>(tile / side) * kTile + static_cast<size_t>(y);
      const size_t column = static_cast<size_t>(tile % side) * kTile;
      std::copy_n(
          part.rgb.begin() + ptrdiff_t{3} * kTile * y, 3 * kTile,
          whole.rgb.begin() +
              static_cast<ptrdiff_t>(3 * (row * static_cast<size_t>(whole.width_px) + column)));
    }
  }
  return whole;
}

// As from a camera with many pixels: smooth, with grain.
Image enlarged(const Image& photograph, int times, uint32_t seed) {
  Image large =
      resize_bicubic(photograph, photograph.width_px * times, photograph.height_px * times);
  const Image noise = testing::noise_image(large.width_px, large.height_px, seed);
  for (size_t i = 0; i < large.rgb.size(); ++i) {
    const int grain = noise.rgb[i] / 8 - 16;
    large.rgb[i] = static_cast<uint8_t>(std::clamp(large.rgb[i] + grain, 0, 255));
  }
  return large;
}

struct Jpeg {
  std::string name;
  std::string bytes;
};

std::vector<Jpeg> large_jpegs() {
  const std::vector<Image> pictures = photographs();
  std::vector<Jpeg> jpegs;
  for (size_t i = 0; i < kPictures; ++i) {
    const size_t at = i * pictures.size() / kPictures;
    const auto seed = static_cast<uint32_t>(i);
    jpegs.push_back({"mosaic " + std::to_string(i),
                     testing::jpeg_bytes(mosaic(pictures, at, i % 4 == 0 ? 8 : 3), 90)});
    jpegs.push_back({"enlarged " + std::to_string(i),
                     testing::jpeg_bytes(enlarged(pictures[at], i % 4 == 0 ? 8 : 3, seed), 90)});
  }
  return jpegs;
}

// As add prepares it, without OCR.
Image prepared_crop(const Jpeg& jpeg, int size_px) {
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "large.jpg", jpeg.bytes);
  std::vector<FoundFile> files;
  find_files({directory / "large.jpg"}, {}, [&](std::variant<FoundFile, SkippedPath> entry) {
    files.push_back(std::get<FoundFile>(entry));
  });
  PrepareOptions options;
  options.keeps_text = false;
  options.preprocessing.size_px = size_px;
  StageTimes times;
  MemoryBudget memory(uint64_t{1} << 30);
  MemoryBudget::Lease lease(memory, 0);
  const auto is_new = [](const ContentHash&) { return false; };
  return std::get<PreparedPicture>(prepare(files.at(0), options, nullptr, is_new, {times, lease}))
      .crop;
}

void check_model(const fs::path& model, const std::vector<Jpeg>& jpegs) {
  LoadOptions options;
  options.side = EncoderSide::ImageOnly;
  options.precision = Precision::Fp32;
  const auto encoder = load_encoder(model, options);
  const int size_px = encoder->info().preprocessing.size_px;
  double least = 1;
  for (const Jpeg& jpeg : jpegs) {
    const std::vector<Image> crops = {prepared_crop(jpeg, size_px),
                                      resize_and_crop(fully_decoded(jpeg.bytes), size_px)};
    BOOST_TEST_CONTEXT(model << " " << jpeg.name) {
      BOOST_TEST((crops[0].rgb != crops[1].rgb));  // it was reduced
      const Matrix vectors = encoder->encode_images(crops);
      const double cosine = std::inner_product(vectors.row(0).begin(), vectors.row(0).end(),
                                               vectors.row(1).begin(), 0.0);
      BOOST_TEST(cosine >= 0.999);
      least = std::min(least, cosine);
    }
  }
  BOOST_TEST_MESSAGE(model.filename() << ": least cosine " << least);
}

BOOST_AUTO_TEST_SUITE(reduced_jpeg)

BOOST_AUTO_TEST_CASE(its_embedding_is_that_of_full_decoding) {
  const std::vector<Jpeg> jpegs = large_jpegs();
  check_model(bundled_model(), jpegs);
  check_model(testing::shared_directory() / "golden" / "quick_gelu" / "hf", jpegs);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
