#include "lib/labelling/example_pictures.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "lib/labelling/labelling.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

// A pixmap of one colour, 8 x 8.
std::string pixmap(int red, int green) {
  std::string file = "P6\n8 8\n255\n";
  for (int i = 0; i < 64; ++i) {
    file += static_cast<char>(red);
    file += static_cast<char>(green);
    file += '\x10';
  }
  return file;
}

// 300 pictures below /a and 40 below /b; each of a kind of its own, and all with much in common.
struct Shelf {
  static constexpr size_t kA = 300;
  static constexpr size_t kB = 40;

  Shelf() {
    Manifest manifest;
    manifest.model_name = "fake";
    manifest.model_fingerprint = "fa4e";
    manifest.dimension = FakeEncoder::kDimension;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (size_t i = 0; i < kA + kB; ++i) {
      NewPicture picture;
      const bool is_a = i < kA;
      char name[16];
      std::snprintf(name, sizeof name, "/%c/%04zu.jpg", is_a ? 'a' : 'b', i);
      picture.record.file.path = name;
      const std::string file = pixmap(static_cast<int>(i % 250), static_cast<int>(i / 250));
      picture.record.content_hash = content_hash(std::as_bytes(std::span(file)));
      picture.image_vector.assign(FakeEncoder::kDimension, 0);
      picture.image_vector[0] = 2;  // in common
      picture.image_vector[is_a ? 1 : 2] = 0.8f;
      picture.image_vector[3 + i % 4] = 0.3f;
      normalise(picture.image_vector);
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
  }

  View open() const { return View::open(path); }

  TemporaryDirectory directory;
  std::filesystem::path path = directory / "shelf";
};

LabellingRequest request_of(std::vector<Label> labels, const std::string& rule = "image") {
  LabellingRequest request;
  request.labels = std::move(labels);
  request.fusion = rule;
  return request;
}

bool is_not_found(const Error& error) {
  return error.code() == ErrorCode::NotFound;
}
bool is_invalid(const Error& error) {
  return error.code() == ErrorCode::InvalidArgument;
}

// How many of /a got the first label, and of /b the second.
size_t count_right(const View& collection, const Labelling& labelling) {
  const std::vector<Prediction> predictions = classify(collection, labelling);
  size_t right = 0;
  for (Row row = 0; row < predictions.size(); ++row)
    right +=
        predictions[row].winner && predictions[row].answer().label == (row < Shelf::kA ? 0u : 1u);
  return right;
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(example_pictures, Shelf)

BOOST_AUTO_TEST_CASE(pictures_alone_label_their_like_and_need_no_encoder) {
  const View collection = open();
  FakeEncoder fake;
  LoadedEncoder encoders(fake);
  for (const std::string rule : {"image", "mix"}) {
    const Labelling labelling = make_labelling(
        collection, request_of({{"a", {"@/a/0003.jpg"}}, {"b", {"@/b/0310.jpg", "@#311"}}}, rule),
        encoders);
    BOOST_TEST(count_right(collection, labelling) == kA + kB, rule);
    BOOST_TEST((labelling.vectors.examples == std::vector<Row>{3, 310, 311}));
    BOOST_TEST(labelling.labels[1].prompts[1] == "@/b/0311.jpg");  // told by its path
  }
  BOOST_TEST(fake.images_encoded == 0u);
}

BOOST_AUTO_TEST_CASE(by_the_rule_text_a_label_needs_a_text) {
  const View collection = open();
  FakeEncoder fake;
  LoadedEncoder encoders(fake);
  BOOST_CHECK_EXCEPTION(
      make_labelling(collection, request_of({{"a", {"a"}}, {"b", {"@/b/", "- a veto"}}}, "text"),
                     encoders),
      Error, [](const Error& error) { return is_invalid(error) && error.subject() == "b"; });
  make_labelling(collection, request_of({{"a", {"a"}}, {"b", {"@/b/", "b"}}}, "text"), encoders);
}

BOOST_AUTO_TEST_CASE(pictures_and_texts_are_on_one_scale) {
  const View collection = open();
  FakeEncoder fake;
  LoadedEncoder encoders(fake);
  // A text's similarities are far below those of any picture with another.
  PromptVectors texts;
  texts.labels = Matrix(2, FakeEncoder::kDimension);
  texts.labels.row(0)[0] = 0.1f;
  texts.labels.row(0)[1] = 0.3f;
  texts.labels.row(0)[7] = 1;
  normalise(texts.labels.row(0));
  const std::vector<Label> labels = {{"a", {"a text"}}, {"b", {"@/b/"}}};
  LabelVectors vectors =
      with_examples(collection, labels, texts, examples_by_path(collection, encoders), false);
  Labelling labelling;
  labelling.fusion = default_fusion(collection, "image");
  labelling.vectors = vectors;
  BOOST_TEST(count_right(collection, labelling) == kA + kB);
  BOOST_TEST(std::ranges::equal(vectors.image.row(0), texts.labels.row(0)));
  BOOST_TEST(vectors.image_bias[0] == 0.0f);
  BOOST_TEST(std::ranges::equal(vectors.text.row(1), texts.labels.row(0)));  // the others' average
}

BOOST_AUTO_TEST_CASE(of_a_folder_a_bounded_sample_counts) {
  const View collection = open();
  FakeEncoder fake;
  LoadedEncoder encoders(fake);
  const FindExamples find = examples_by_path(collection, encoders);
  const ExampleVectors of_a = find("/a");
  BOOST_REQUIRE(of_a.rows.size() == kMostExamples);
  BOOST_TEST(of_a.vectors.rows() == kMostExamples);
  BOOST_TEST(std::ranges::is_sorted(of_a.rows));
  BOOST_TEST(of_a.rows.front() == 0u);
  BOOST_TEST(of_a.rows.back() > kA - 10);
  BOOST_TEST(find("/b").rows.size() == kB);
  BOOST_TEST(find("/").rows.size() == kMostExamples);
  BOOST_CHECK_EXCEPTION(find("/nowhere/at/all"), Error, is_not_found);
  BOOST_CHECK_EXCEPTION(find("/a/000"), Error, is_not_found);  // no folder, and no picture's name
  BOOST_TEST(fake.images_encoded == 0u);
}

BOOST_AUTO_TEST_CASE(other_files_are_encoded_and_known_contents_are_not) {
  const View collection = open();
  FakeEncoder fake;
  LoadedEncoder encoders(fake);
  const FindExamples find = examples_by_path(collection, encoders);
  const std::filesystem::path folder = directory / "pictures";
  std::filesystem::create_directory(folder);
  write_file(folder / "known.ppm", pixmap(7, 0));
  write_file(folder / "new.ppm", pixmap(7, 77));
  write_file(folder / "notes.txt", "no picture");
  const ExampleVectors known = find((folder / "known.ppm").string());
  BOOST_TEST((known.rows == std::vector<Row>{7}));
  BOOST_TEST(fake.images_encoded == 0u);
  const ExampleVectors fresh = find((folder / "new.ppm").string());
  BOOST_TEST(fresh.rows.empty());
  BOOST_TEST(fresh.vectors.rows() == 1u);
  BOOST_TEST(fake.images_encoded == 1u);
  const ExampleVectors both = find(folder.string());
  BOOST_TEST((both.rows == std::vector<Row>{7}));
  BOOST_TEST(both.vectors.rows() == 2u);
  BOOST_CHECK_EXCEPTION(find((folder / "notes.txt").string()), Error, is_invalid);
  std::filesystem::remove(folder / "known.ppm");
  std::filesystem::remove(folder / "new.ppm");
  BOOST_CHECK_EXCEPTION(find(folder.string()), Error, is_not_found);
}

BOOST_AUTO_TEST_CASE(by_row_no_path_is_ever_read) {
  const View collection = open();
  const FindExamples find = examples_by_row(collection);
  BOOST_TEST((find("#12").rows == std::vector<Row>{12}));
  for (const char* value : {"/etc/passwd", "/a/0003.jpg", "a", "", "#", "#1x", "# 1", "#-1", "12"})
    BOOST_CHECK_EXCEPTION(find(value), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(find("#340"), Error, is_not_found);
  BOOST_CHECK_EXCEPTION(find("#18446744073709551615"), Error, is_not_found);
  BOOST_TEST(row_of_prompt(prompt_of_row(12)).value() == 12u);
  BOOST_TEST(!row_of_prompt("#12").has_value());
}

BOOST_AUTO_TEST_CASE(a_veto_may_be_a_picture) {
  const View collection = open();
  FakeEncoder fake;
  LoadedEncoder encoders(fake);
  const Labelling labelling =
      make_labelling(collection, request_of({{"a", {"@/a/", "- @/b/0310.jpg"}}}), encoders);
  BOOST_REQUIRE(labelling.vectors.vetoes.vetoes.size() == 1u);
  const std::vector<Prediction> predictions = classify(collection, labelling);
  for (Row row = 0; row < predictions.size(); ++row) {
    BOOST_TEST(predictions[row].winner.has_value() == (row < kA));
    BOOST_REQUIRE(predictions[row].veto.has_value());
    BOOST_TEST(predictions[row].veto->taken == (row >= kA));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
