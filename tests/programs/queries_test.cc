#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <random>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/labelling/classify.h"
#include "lib/labelling/evaluate.h"
#include "lib/search/search.h"
#include "lib/util/error.h"
#include "lib/util/random.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 48;

std::vector<float> random_unit_vector(std::mt19937& random) {
  std::normal_distribution<float> normal;
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = normal(random);
  normalise(vector);
  return vector;
}

Matrix random_matrix(std::mt19937& random, size_t rows) {
  Matrix result(rows, kDimension);
  for (size_t i = 0; i < rows; ++i) {
    const std::vector<float> vector = random_unit_vector(random);
    std::copy(vector.begin(), vector.end(), result.row(i).begin());
  }
  return result;
}

// 700 pictures, every third with text, every seventh removed again.
struct RandomCollection {
  RandomCollection() {
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kDimension;
    manifest.logit_scale = 20;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    Batch added;
    for (size_t i = 0; i < 700; ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(i);
      picture.record.content_hash[0] = static_cast<uint8_t>(i);
      picture.record.content_hash[1] = static_cast<uint8_t>(i >> 8);
      picture.image_vector = random_unit_vector(random);
      if (i % 3 == 0) {
        picture.words = {{"word", 0.9f, {}}};
        picture.record.word_count = 1;
        picture.text_vector = random_unit_vector(random);
      }
      added.added.push_back(std::move(picture));
    }
    writer.commit(added);
    Batch removed;
    for (Row row = 0; row < 700; row += 7) removed.removed.push_back(row);
    writer.commit(removed);
  }

  View open() const { return View::open(directory / "collection"); }

  std::mt19937 random{11};
  testing::TemporaryDirectory directory;
};

// The oracle: inner products in double, straight from the stored halves.
std::vector<float> similarities(const VectorRows& vectors, size_t row, const Matrix& queries) {
  std::vector<float> values(kDimension);
  from_fp16(vectors.row(row), values);
  std::vector<float> result;
  for (size_t q = 0; q < queries.rows(); ++q) {
    double sum = 0;
    for (size_t j = 0; j < kDimension; ++j)
      sum += static_cast<double>(values[j]) * queries.row(q)[j];
    result.push_back(static_cast<float>(sum));
  }
  return result;
}

// Fixed point leaves a similarity within some 1e-5, at a scale of 100 a logit within 1e-3, and the
// difference of two with its factor p (1 - p) a probability within half of that.
constexpr float kScoreSlack = 5e-4f;

BOOST_FIXTURE_TEST_SUITE(queries, RandomCollection)

BOOST_AUTO_TEST_CASE(classify_agrees_with_a_plain_loop_for_every_rule_and_number_of_threads) {
  const View collection = open();
  for (const size_t label_count : {1u, 2u, 33u, 1000u}) {
    const Matrix labels = random_matrix(random, label_count);
    for (const FusionRule* rule : fusion_rules()) {
      const LabelVectors vectors(labels);
      const Fusion fusion = default_fusion(collection, rule->name());
      const Fuser fuser = make_fuser(collection, vectors, fusion);
      const std::vector<Prediction> predictions =
          classify(collection, labelling_of(vectors, fusion), 1);
      const std::vector<Prediction> threaded =
          classify(collection, labelling_of(vectors, fusion), 3);
      BOOST_REQUIRE(predictions.size() == 700u);
      for (Row row = 0; row < predictions.size(); ++row) {
        if (!collection.is_live(row)) continue;
        const auto text = collection.text_index(row);
        BOOST_REQUIRE(text.has_value() == (row % 3 == 0));
        std::vector<float> of_image =
            similarities(only_part(collection).image_vectors(), row, labels);
        std::vector<float> of_text;
        if (text) of_text = similarities(only_part(collection).text_vectors(), *text, labels);
        const Prediction expected =
            fuser(of_image, of_text,
                  text ? only_part(collection).text_evidence()[*text] : TextEvidence());
        const Prediction& got = predictions[row];
        BOOST_REQUIRE(got.image.label == expected.image.label);
        BOOST_REQUIRE(std::abs(got.image.score - expected.image.score) < kScoreSlack);
        BOOST_REQUIRE(got.text.has_value() == expected.text.has_value());
        if (got.text) BOOST_REQUIRE(got.text->label == expected.text->label);
        BOOST_REQUIRE((got.winner == expected.winner));
        if (got.winner) {
          BOOST_REQUIRE(got.answer().label == expected.answer().label);
          BOOST_REQUIRE(got.answer().score == threaded[row].answer().score);
        }
        BOOST_REQUIRE(got.image.score == threaded[row].image.score);
      }
    }
  }
}

// The oracle of the offsets: biases and the collection's mean, label by label.
BOOST_AUTO_TEST_CASE(biases_and_centring_shift_the_similarities_of_each_label) {
  const View collection = open();
  LabelVectors labels(random_matrix(random, 5));
  labels.text = random_matrix(random, 5);
  labels.image_bias = {0.1f, 0, -0.2f, 0.05f, 0};
  labels.text_bias = {0, 0.3f, 0, 0, -0.1f};
  Fusion fusion = default_fusion(collection, "mix");
  fusion.settings.image_centring = 0.7f;
  fusion.settings.text_centring = 1;
  std::vector<double> mean(kDimension);
  uint64_t live = 0;
  std::vector<float> values(kDimension);
  for (Row row = 0; row < 700; ++row) {
    if (!collection.is_live(row)) continue;
    from_fp16(only_part(collection).image_vectors().row(row), values);
    for (size_t i = 0; i < kDimension; ++i) mean[i] += static_cast<double>(values[i]);
    ++live;
  }
  const Fuser plain({fusion.rule, fusion.settings}, {}, {});
  const std::vector<Prediction> predictions = classify(collection, labelling_of(labels, fusion));
  for (Row row = 1; row < 700; row += 7) {
    const auto text = collection.text_index(row);
    std::vector<float> of_image =
        similarities(only_part(collection).image_vectors(), row, labels.image);
    std::vector<float> of_text;
    if (text) of_text = similarities(only_part(collection).text_vectors(), *text, labels.text);
    for (size_t k = 0; k < 5; ++k) {
      double common = 0;
      double text_common = 0;
      for (size_t i = 0; i < kDimension; ++i) {
        common += mean[i] / static_cast<double>(live) * labels.image.row(k)[i];
        text_common +=
            static_cast<double>(collection.mean_text_vector()[i]) * labels.text.row(k)[i];
      }
      of_image[k] += labels.image_bias[k] - static_cast<float>(0.7 * common);
      if (text) of_text[k] += labels.text_bias[k] - static_cast<float>(text_common);
    }
    const Prediction expected = plain(
        of_image, of_text, text ? only_part(collection).text_evidence()[*text] : TextEvidence());
    BOOST_REQUIRE(predictions[row].answer().label == expected.answer().label);
    BOOST_REQUIRE(std::abs(predictions[row].answer().score - expected.answer().score) <
                  kScoreSlack);
  }
}

BOOST_AUTO_TEST_CASE(scan_visits_each_row_once_with_the_scores_of_all_labels) {
  const View collection = open();
  const LabelVectors labels(random_matrix(random, 7));
  for (const FusionRule* rule : fusion_rules()) {
    const Fusion fusion = default_fusion(collection, rule->name());
    const std::vector<Prediction> predictions = classify(collection, labelling_of(labels, fusion));
    std::vector<int> visits(700);
    ScanOptions options;
    options.threads = 3;
    options.all_scores = true;
    options.first_row = 13;
    options.end_row = 650;
    scan(collection, labelling_of(labels, fusion), options, [&](const PredictionBlock& block) {
      for (size_t i = 0; i < block.predictions.size(); ++i) {
        const Row row = block.first_row + i;
        ++visits[row];
        const Prediction& prediction = block.predictions[i];
        const auto scores = block.scores_of(i);
        if (prediction.winner != predictions[row].winner || scores.size() != 7) visits[row] = 100;
        if (!prediction.winner) continue;
        const auto best = std::ranges::max_element(scores);
        if (std::abs(*best - prediction.answer().score) > 1e-5f ||
            prediction.answer().label != predictions[row].answer().label)
          visits[row] = 100;
      }
    });
    for (Row row = 0; row < 700; ++row)
      BOOST_REQUIRE_EQUAL(visits[row], row >= 13 && row < 650 ? 1 : 0);
  }
}

BOOST_AUTO_TEST_CASE(labels_that_are_no_numbers_are_refused) {
  const View collection = open();
  const Fusion max = default_fusion(collection, "max");
  LabelVectors labels(random_matrix(random, 3));
  labels.text.row(1)[2] = NAN;
  BOOST_CHECK_THROW(classify(collection, labelling_of(labels, max)), Error);
  labels = LabelVectors(random_matrix(random, 3));
  labels.image_bias = {0, INFINITY, 0};
  BOOST_CHECK_THROW(classify(collection, labelling_of(labels, max)), Error);
  labels.image_bias = {0, 1};
  BOOST_CHECK_THROW(classify(collection, labelling_of(labels, max)), Error);
}

BOOST_AUTO_TEST_CASE(search_agrees_with_sorting_everything) {
  const View collection = open();
  for (const SearchSpace space : {SearchSpace::Picture, SearchSpace::Text}) {
    const Matrix query = random_matrix(random, 1);
    std::vector<std::pair<float, Row>> expected;
    for (Row row = 0; row < 700; ++row) {
      if (!collection.is_live(row)) continue;
      const auto text = collection.text_index(row);
      if (space == SearchSpace::Text && !text) continue;
      const float score = space == SearchSpace::Text
                              ? similarities(only_part(collection).text_vectors(), *text, query)[0]
                              : similarities(only_part(collection).image_vectors(), row, query)[0];
      expected.emplace_back(-score, row);
    }
    std::sort(expected.begin(), expected.end());
    const std::vector<SearchHit> hits =
        search(collection, SearchQuery::of_vector(query.row(0)), {20, space, {}, 2});
    BOOST_REQUIRE(hits.size() == 20u);
    for (size_t i = 0; i < hits.size(); ++i) {
      const float cosine =
          space == SearchSpace::Text ? hits[i].text_score.value() : hits[i].image_score;
      BOOST_TEST(std::abs(cosine + expected[i].first) < 1e-5f);
      BOOST_TEST(hits[i].row == expected[i].second);
    }
    // More than there are: all that live, none twice.
    BOOST_TEST(
        search(collection, SearchQuery::of_vector(query.row(0)), {10'000, space, {}, 0}).size() ==
        expected.size());
  }
}

BOOST_AUTO_TEST_CASE(vectors_of_another_dimension_are_refused) {
  const View collection = open();
  const Fusion max = default_fusion(collection, "max");
  BOOST_CHECK_THROW(
      classify(collection, labelling_of(LabelVectors(Matrix(2, kDimension + 1)), max)), Error);
  BOOST_CHECK_THROW(classify(collection, labelling_of(LabelVectors(Matrix(0, kDimension)), max)),
                    Error);
  BOOST_CHECK_THROW(search(collection, SearchQuery::of_vector(std::vector<float>(3)), {}), Error);
}

BOOST_AUTO_TEST_CASE(evaluate_counts_each_rule_as_its_predictions_do) {
  const View collection = open();
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}, {"c", {"c"}}};
  const LabelVectors vectors(random_matrix(random, 3));
  Truth truth = {{"/not there", "a"}};
  for (Row row = 1; row < 600; row += 2) {
    truth["/" + std::to_string(row)] = labels[row % 3].name;
  }
  const Evaluation evaluation =
      evaluate(collection, labels, every_rule(collection, labels, vectors), truth);
  BOOST_REQUIRE_EQUAL(evaluation.judged.reports.size(), fusion_rules().size());
  for (size_t i = 0; i < fusion_rules().size(); ++i) {
    const Report& report = evaluation.judged.reports[i];
    const auto predictions =
        classify(collection, labelling_of(vectors, default_fusion(collection, report.name)));
    uint64_t right = 0;
    uint64_t known = 0;
    for (Row row = 1; row < 600; row += 2) {
      if (!collection.is_live(row)) continue;
      ++known;
      right += predictions[row].winner && predictions[row].answer().label == row % 3;
    }
    BOOST_TEST(evaluation.pictures == known);
    BOOST_TEST(report.accuracy.value == static_cast<double>(right) / static_cast<double>(known));
    LabelCounts sum;
    for (const LabelCounts& counts : report.labels) {
      sum.right += counts.right;
      sum.truths += counts.truths;
    }
    BOOST_TEST(sum.right == right);
    BOOST_TEST(sum.truths == known);
  }
  // Rows 7, 21, 35 ... were removed; they and "/not there" are not in the collection.
  BOOST_TEST(evaluation.not_in_collection == 1 + 300 - evaluation.pictures);
  BOOST_TEST(evaluation.without_truth == 600 - evaluation.pictures);
}

BOOST_AUTO_TEST_CASE(evaluate_refuses_a_truth_that_cannot_be_judged) {
  const View collection = open();
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"b"}}};
  const LabelVectors vectors(random_matrix(random, 2));
  BOOST_CHECK_EXCEPTION(
      evaluate(collection, labels, every_rule(collection, labels, vectors), {{"/1", "unknown"}}),
      Error, [](const Error& error) { return error.subject() == "unknown"; });
  BOOST_CHECK_THROW(
      evaluate(collection, labels, every_rule(collection, labels, vectors), {{"/elsewhere", "a"}}),
      Error);
}

// Enough rows for the approximate index to be worth it, in topics as pictures are.
struct LargeShelf {
  static constexpr uint32_t kDimension = 16;
  static constexpr size_t kTopics = 50;

  LargeShelf() {
    constexpr size_t kRows = 60'000;
    Random random(1);
    for (size_t i = 0; i < kTopics; ++i) topics.push_back(vector(random));
    Manifest manifest;
    manifest.dimension = kDimension;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (size_t row = 0; row < kRows; ++row) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(row);
      picture.image_vector = of_topic(row % kTopics, random);
      if (row % 2 == 0) {
        picture.words = {{"word", 1, {}}};
        picture.record.word_count = 1;
        picture.text_vector = of_topic(random.below(kTopics), random);
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
    writer.publish_snapshot(SnapshotWhen::Now, {kRows});
  }

  static std::vector<float> vector(Random& random) {
    std::vector<float> result(kDimension);
    for (float& value : result) value = static_cast<float>(random.uniform(-1, 1));
    normalise(result);
    return result;
  }

  std::vector<float> of_topic(size_t topic, Random& random) const {
    std::vector<float> result = vector(random);
    for (size_t i = 0; i < result.size(); ++i) result[i] += 2 * topics[topic][i];
    normalise(result);
    return result;
  }

  testing::TemporaryDirectory directory;
  std::filesystem::path path = directory / "large.shelf";
  std::vector<std::vector<float>> topics;
};

BOOST_FIXTURE_TEST_CASE(the_approximate_index_finds_the_hits_of_every_row_with_the_same_scores,
                        LargeShelf) {
  const View collection = View::open(path);
  BOOST_REQUIRE(only_part(collection).vector_index() != nullptr);
  Random random(2);
  size_t found = 0;
  size_t wanted = 0;
  for (const SearchSpace space : {SearchSpace::Picture, SearchSpace::Text, SearchSpace::Both}) {
    for (int i = 0; i < 10; ++i) {
      const SearchQuery query = SearchQuery::of_vector(of_topic(random.below(kTopics), random));
      SearchLimits limits{10, space, {}, 2};
      const std::vector<SearchHit> some = search(collection, query, limits);
      limits.reach = SearchReach::EveryRow;
      for (const SearchHit& best : search(collection, query, limits)) {
        ++wanted;
        const auto hit = std::ranges::find(some, best.row, &SearchHit::row);
        if (hit == some.end()) continue;
        ++found;
        BOOST_TEST(hit->score == best.score);
        BOOST_TEST(hit->image_score == best.image_score);
      }
    }
  }
  BOOST_TEST(wanted == 300u);
  BOOST_TEST(found >= wanted * 98 / 100);
}

BOOST_FIXTURE_TEST_CASE(without_its_approximate_index_every_row_is_looked_at, LargeShelf) {
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (entry.path().filename().string().starts_with("ivf-image"))
      std::filesystem::resize_file(entry.path(), 1000);
  }
  const View collection = View::open(path);
  Random random(3);
  const SearchQuery query = SearchQuery::of_vector(of_topic(0, random));
  SearchLimits limits{10, SearchSpace::Both, {}, 2};
  const std::vector<SearchHit> hits = search(collection, query, limits);
  limits.reach = SearchReach::EveryRow;
  const std::vector<SearchHit> every = search(collection, query, limits);
  BOOST_TEST(std::ranges::equal(hits, every, {}, &SearchHit::row, &SearchHit::row));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
