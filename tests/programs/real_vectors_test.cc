// Meaning, with true CLIP ViT-B/32 vectors: seven photographs against the 1,203 names of LVIS.

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "lib/collection/collection.h"
#include "lib/labelling/classify.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/review.h"
#include "lib/labelling/run.h"
#include "lib/search/background.h"
#include "lib/search/search.h"
#include "lib/util/file.h"
#include "tests/support/asked.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::shared_directory;

fs::path real_clip() {
  return shared_directory() / "real_clip";
}

Matrix matrix(const testing::NpyArray& array) {
  Matrix result(array.shape[0], array.shape[1]);
  std::copy(array.values.begin(), array.values.end(), result.data());
  for (size_t i = 0; i < result.rows(); ++i) normalise(result.row(i));
  return result;
}

struct RealCollection {
  RealCollection() {
    for (const auto& entry : fs::directory_iterator(real_clip() / "images")) {
      if (entry.path().extension() == ".jpg") names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    lvis_names = nlohmann::json::parse(read_file(real_clip() / "lvis_names.json", 1 << 20))
                     .get<std::vector<std::string>>();

    const Matrix images = matrix(testing::read_npy(real_clip() / "image_embeddings.npy"));
    Manifest manifest;
    manifest.model_name = "ViT-B/32";
    manifest.model_fingerprint = "real";
    manifest.dimension = static_cast<uint32_t>(images.columns());
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    Batch batch;
    for (size_t i = 0; i < names.size(); ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + names[i];
      picture.record.content_hash[0] = static_cast<uint8_t>(i);
      picture.image_vector.assign(images.row(i).begin(), images.row(i).end());
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
  }

  std::string path(Row row) const {
    return View::open(directory / "collection").record(row).file.path;
  }

  testing::TemporaryDirectory directory;
  std::vector<std::string> names;
  std::vector<std::string> lvis_names;
  Matrix labels = matrix(testing::read_npy(real_clip() / "lvis_text_embeddings.npy"));
};

Share accuracy_of(const Report& report) {
  Share share;
  for (const LabelCounts& label : report.labels) {
    share.good += label.right;
    share.trials += label.truths;
  }
  return share;
}

// Fixed point leaves a similarity within some 1e-5, at a scale of 100 a logit within 1e-3, and the
// difference of two with its factor p (1 - p) a probability within half of that.
constexpr double kScoreSlack = 5e-4;

BOOST_FIXTURE_TEST_SUITE(real_vectors, RealCollection)

BOOST_AUTO_TEST_CASE(photographs_get_their_known_names) {
  const View collection = View::open(directory / "collection");
  const std::vector<Prediction> predictions =
      classify(collection, labelling_of(LabelVectors(labels), default_fusion(collection, "image")));
  const auto name = [&](const std::string& picture) {
    return lvis_names[predictions[*collection.find_path("/" + picture)].answer().label];
  };
  BOOST_TEST(name("123_456.jpg") == "noseband_(for_animals)");
  BOOST_TEST(name("456_123.jpg") == "kitten");
  BOOST_TEST(name("389_535.jpg") == "street_sign");
}

BOOST_AUTO_TEST_CASE(names_find_their_photographs_with_the_known_cosine) {
  const View collection = View::open(directory / "collection");
  const auto best = [&](const std::string& name) {
    const auto at = std::find(lvis_names.begin(), lvis_names.end(), name) - lvis_names.begin();
    return search(collection, SearchQuery::of_vector(labels.row(static_cast<size_t>(at))),
                  {1, SearchSpace::Picture, {}, 0})
        .at(0);
  };
  const SearchHit sign = best("street_sign");
  BOOST_TEST(path(sign.row) == "/389_535.jpg");
  BOOST_TEST(std::abs(sign.image_score - 0.256f) < 0.001f);
  const Row cat = *collection.find_path("/456_123.jpg");
  const auto kittens =
      std::find(lvis_names.begin(), lvis_names.end(), "kitten") - lvis_names.begin();
  for (const SearchHit& hit :
       search(collection, SearchQuery::of_vector(labels.row(static_cast<size_t>(kittens))),
              {7, SearchSpace::Picture, {}, 0})) {
    if (hit.row == cat) BOOST_TEST(std::abs(hit.image_score - 0.265f) < 0.001f);
    BOOST_TEST(!hit.text_score.has_value());
  }
  const std::string found = path(best("cat").row);
  BOOST_TEST((found == "/123_456.jpg" || found == "/456_123.jpg"));
}

BOOST_AUTO_TEST_CASE(known_names_are_above_chance_and_nearly_all_of_the_1203_are_not) {
  const View collection = View::open(directory / "collection");
  std::vector<float> pairs;
  std::vector<float> best;
  for (size_t i = 0; i < labels.rows(); ++i) {
    best.push_back(-1);
    for (const SearchHit& hit : search(collection, SearchQuery::of_vector(labels.row(i)),
                                       {7, SearchSpace::Picture, {}, 0})) {
      pairs.push_back(hit.image_score);
      best.back() = std::max(best.back(), hit.image_score);
    }
  }
  for (const size_t vectors : {7u, 1000u, 1'000'000u}) {
    const float limit = chance_cosine(pairs, vectors);
    for (const char* name : {"kitten", "cat", "street_sign"}) {
      const auto at = std::find(lvis_names.begin(), lvis_names.end(), name) - lvis_names.begin();
      BOOST_TEST(best[static_cast<size_t>(at)] >= limit, name);
    }
    const auto above = std::ranges::count_if(best, [&](float cosine) { return cosine >= limit; });
    BOOST_TEST(above < 25);
  }
}

// Relabelling is the same query with other labels: two of them, and the answer is among the two.
BOOST_AUTO_TEST_CASE(other_labels_give_other_answers_from_the_same_rows) {
  const View collection = View::open(directory / "collection");
  Matrix two(2, labels.columns());
  size_t i = 0;
  for (const std::string name : {"street_sign", "cat"}) {
    const auto at = std::find(lvis_names.begin(), lvis_names.end(), name) - lvis_names.begin();
    std::copy_n(labels.row(static_cast<size_t>(at)).begin(), labels.columns(),
                two.row(i++).begin());
  }
  const std::vector<Prediction> predictions =
      classify(collection, labelling_of(LabelVectors(two), default_fusion(collection, "image")));
  BOOST_TEST(predictions[*collection.find_path("/389_535.jpg")].answer().label == 0u);
  BOOST_TEST(predictions[*collection.find_path("/123_456.jpg")].answer().label == 1u);
  BOOST_TEST(predictions[*collection.find_path("/456_123.jpg")].answer().label == 1u);
  BOOST_TEST(predictions[*collection.find_path("/456_123.jpg")].answer().score > 0.9f);
}

// Among 1,203 names the sign and the kitten are found, and the other cat is taken for its noseband.
BOOST_AUTO_TEST_CASE(evaluate_counts_the_known_names) {
  const View collection = View::open(directory / "collection");
  std::vector<Label> named;
  for (const std::string& name : lvis_names) named.push_back({name, {"a " + name}});
  const LabelVectors vectors(labels);
  const Truth truth = {
      {"/389_535.jpg", "street_sign"}, {"/456_123.jpg", "kitten"}, {"/123_456.jpg", "cat"}};
  const Evaluation evaluation =
      evaluate(collection, named, every_rule(collection, named, vectors), truth);
  BOOST_TEST(evaluation.without_truth == 4u);
  for (const Report& report : evaluation.result.reports) {
    if (report.name == "text") {
      BOOST_TEST(report.accuracy.value == 0.0);  // no picture has a text vector
    } else if (report.name != "mix") {           // which centres by a mean of seven pictures
      BOOST_TEST(accuracy_of(report).good == 2u);
      // The names that occur: three truths, and the noseband.
      BOOST_TEST(std::abs(report.macro_f1.value - 2.0 / 4) < 1e-9);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_run_of_many_names_comes_back_and_is_reviewed) {
  const View collection = View::open(directory / "collection");
  std::vector<Label> named;
  for (const std::string& name : lvis_names) named.push_back({name, {"a " + name}});
  const Fusion fusion = default_fusion(collection, "image");
  const auto predictions = classify(collection, labelling_of(LabelVectors(labels), fusion));
  save_run(collection, "lvis",
           make_run(collection, labelling_of(LabelVectors(labels), fusion, named), predictions));
  const Run back = load_run(collection, "lvis");
  const Row sign = *collection.find_path("/389_535.jpg");
  const RunEntry* entry = back.find(content_key(collection.record(sign).content_hash));
  BOOST_TEST(back.labels[*entry->label].name == "street_sign");
  BOOST_TEST(entry->margin == predictions[sign].margin());
  const Review found = review(collection, back, ReviewBy::Margin, 3);
  BOOST_REQUIRE_EQUAL(found.items.size(), 3u);
  BOOST_TEST(found.items[0].entry.margin <= found.items[2].entry.margin);
}

// Every rule, on true vectors and all 1,203 names, as a plain loop in double precision has it.
BOOST_AUTO_TEST_CASE(every_rule_agrees_with_a_plain_loop) {
  const View collection = View::open(directory / "collection");
  const size_t count = labels.rows();
  const std::vector<float> mean = collection.mean_image_vector();
  for (const FusionRule* rule : fusion_rules()) {
    const Fusion fusion = default_fusion(collection, rule->name());
    const auto predictions = classify(collection, labelling_of(LabelVectors(labels), fusion), 2);
    const double centring =
        rule->sides() == FusionRule::Sides::Weighed ? fusion.settings.image_centring : 0;
    for (Row row = 0; row < names.size(); ++row) {
      std::vector<float> vector(labels.columns());
      from_fp16(only_part(collection).image_vectors().row(row), vector);
      std::vector<double> logits(count);
      for (size_t k = 0; k < count; ++k) {
        for (size_t i = 0; i < vector.size(); ++i)
          logits[k] += static_cast<double>(fusion.settings.image_scale) *
                       (vector[i] - centring * mean[i]) * labels.row(k)[i];
      }
      const auto best = std::ranges::max_element(logits);
      double sum = 0;
      for (const double logit : logits) sum += std::exp(logit - *best);
      const Prediction& got = predictions[row];
      BOOST_TEST(got.image.label == static_cast<uint32_t>(best - logits.begin()));
      BOOST_TEST(std::abs(got.image.score - 1 / sum) < kScoreSlack);
      BOOST_TEST(got.winner.has_value() == (rule->name() != "text"));
      if (got.winner) BOOST_TEST(got.answer().label == got.image.label);
    }
  }
}

// The photograph of a motel's sign with what could be read on it: the text decides where the
// picture leaves it open, and only as far as it was read surely.
BOOST_AUTO_TEST_CASE(mix_follows_a_sure_text_and_leaves_an_unsure_one) {
  const auto vector_of = [&](const std::string& name) {
    const auto at = std::find(lvis_names.begin(), lvis_names.end(), name) - lvis_names.begin();
    return labels.row(static_cast<size_t>(at));
  };
  Matrix three(3, labels.columns());
  size_t k = 0;
  for (const std::string name : {"street_sign", "signboard", "cat"})
    std::ranges::copy(vector_of(name), three.row(k++).begin());
  const Matrix images = matrix(testing::read_npy(real_clip() / "image_embeddings.npy"));
  const size_t sign =
      static_cast<size_t>(std::find(names.begin(), names.end(), "389_535.jpg") - names.begin());
  const auto answer = [&](float confidence) {
    std::vector<float> image(3);
    std::vector<float> text(3);
    for (size_t i = 0; i < 3; ++i) {
      for (size_t j = 0; j < images.columns(); ++j) {
        image[i] += images.row(sign)[j] * three.row(i)[j];
        text[i] += three.row(2)[j] * three.row(i)[j];  // the text says "a cat"
      }
    }
    Fusion fusion{&fusion_rule("mix"), FusionSettings::for_logit_scale(100)};
    fusion.settings.alpha = 4;
    return Fuser(fusion, {}, {})(image, text, {5, confidence}).answer().label;
  };
  BOOST_TEST(answer(0.01f) != 2u);
  BOOST_TEST(answer(1) == 2u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
