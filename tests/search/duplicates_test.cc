// What a collection has twice.

#include "lib/search/duplicates.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <sstream>

#include "lib/util/matrix.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 64;

struct Shelf {
  testing::TemporaryDirectory directory;
  std::filesystem::path path = directory / "collection";
  std::mt19937 random{8};
  Batch batch;

  std::vector<float> direction(float noise = 1, std::vector<float> start = {}) {
    std::normal_distribution<float> normal;
    start.resize(kDimension);
    for (float& value : start) value += noise * normal(random) / 8;
    normalise(start);
    return start;
  }

  // Returns its row.
  Row add(const std::vector<float>& image, const std::string& text, uint8_t content = 0) {
    const Row row = batch.added.size();
    NewPicture picture;
    picture.record.file.path = "/" + std::to_string(row);
    picture.record.content_hash.fill(content);
    if (content == 0) picture.record.content_hash[0] = static_cast<uint8_t>(row + 1);
    picture.image_vector = image;
    std::istringstream in(text);
    for (std::string word; in >> word;) picture.words.push_back({word, 1, {}});
    picture.record.word_count = static_cast<uint32_t>(picture.words.size());
    if (!picture.words.empty()) {
      // A bag of words, so that like texts have like vectors.
      std::vector<float> sum(kDimension, 0.01f);
      for (const Word& word : picture.words)
        sum[std::hash<std::string>()(word.text) % kDimension] += 1;
      normalise(sum);
      picture.text_vector = sum;
    }
    batch.added.push_back(std::move(picture));
    return row;
  }

  std::vector<DuplicateGroup> found() {
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kDimension;
    CollectionWriter::open_or_create(path, manifest).commit(batch);
    return find_duplicates(View::open(path), {});
  }
};

BOOST_FIXTURE_TEST_SUITE(duplicates, Shelf)

BOOST_AUTO_TEST_CASE(each_kind_of_duplicate_is_told) {
  const auto one = direction();
  const Row a = add(one, "when the cat sits");
  const Row b = add(direction(0.05f, one), "when the cat sits");
  const Row c = add(direction(0.05f, one), "nobody expected this dog here");
  add(direction(), "");
  const Row d = add(direction(), "buy one get one free today only");
  const Row e = add(direction(), "BUY one get one free today");
  add(direction(), "stop");
  add(direction(), "stop");
  const Row f = add(direction(), "", 99);
  const Row g = add(direction(), "", 99);
  const auto groups = found();
  BOOST_REQUIRE(groups.size() == 4u);
  BOOST_TEST((groups[0].kind == DuplicateKind::SamePicture));
  BOOST_TEST((groups[0].rows == std::vector<Row>{a, b}));
  BOOST_TEST((groups[1].kind == DuplicateKind::SamePicture));
  BOOST_TEST((groups[1].rows == std::vector<Row>{f, g}));
  BOOST_TEST((groups[2].kind == DuplicateKind::OtherWords));
  BOOST_TEST((groups[2].rows == std::vector<Row>{a, b, c}));
  BOOST_TEST((groups[3].kind == DuplicateKind::SameWords));
  BOOST_TEST((groups[3].rows == std::vector<Row>{d, e}));
}

BOOST_AUTO_TEST_CASE(pictures_that_differ_are_no_duplicates) {
  for (int i = 0; i < 50; ++i)
    add(direction(), i % 2 ? "mine" + std::to_string(i) + " alone stands" + std::to_string(i) : "");
  BOOST_TEST(found().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
