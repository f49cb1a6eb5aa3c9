// Classification against a plain loop.

#include "lib/labelling/classify.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "lib/util/error.h"
#include "tests/support/asked.h"
#include "tests/support/random_collection.h"

namespace zeroshelf {
namespace {

using testing::kRandomDimension;
using testing::kScoreSlack;
using testing::random_matrix;
using testing::RandomCollection;
using testing::similarities;

BOOST_FIXTURE_TEST_SUITE(classifying, RandomCollection)

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
  std::vector<double> mean(kRandomDimension);
  uint64_t live = 0;
  std::vector<float> values(kRandomDimension);
  for (Row row = 0; row < 700; ++row) {
    if (!collection.is_live(row)) continue;
    from_fp16(only_part(collection).image_vectors().row(row), values);
    for (size_t i = 0; i < kRandomDimension; ++i) mean[i] += static_cast<double>(values[i]);
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
      for (size_t i = 0; i < kRandomDimension; ++i) {
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

// Vetoes are more columns of the same pass: what they take follows from the row alone.
BOOST_AUTO_TEST_CASE(vetoes_agree_with_a_plain_loop_for_every_rule_and_number_of_threads) {
  const View collection = open();
  for (const FusionRule* rule : fusion_rules()) {
    LabelVectors labels(random_matrix(random, 5));
    labels.vetoes.image = random_matrix(random, 5);
    labels.vetoes.text = random_matrix(random, 5);
    labels.vetoes.image_bias = {0.1f, 0, 0, -0.1f, 0};
    labels.vetoes.vetoes = {{1, 1, 0, 1}, {1, 2, 0, 2}, {4, 1, 3, 4}};
    const Fusion fusion = default_fusion(collection, rule->name());
    const Fuser fuser = make_fuser(collection, labels, fusion);
    const std::vector<Prediction> got = classify(collection, labelling_of(labels, fusion), 1);
    const std::vector<Prediction> threaded = classify(collection, labelling_of(labels, fusion), 3);
    LabelVectors plain = labels;
    plain.vetoes = {};
    const std::vector<Prediction> without = classify(collection, labelling_of(plain, fusion));
    size_t taken = 0;
    for (Row row = 0; row < got.size(); ++row) {
      if (!collection.is_live(row)) continue;
      const auto text = collection.text_index(row);
      const auto of_rows = [&](const Matrix& vectors) {
        return similarities(only_part(collection).image_vectors(), row, vectors);
      };
      const auto of_texts = [&](const Matrix& vectors) {
        return text ? similarities(only_part(collection).text_vectors(), *text, vectors)
                    : std::vector<float>();
      };
      std::vector<float> a = of_rows(labels.image), b = of_texts(labels.text);
      std::vector<float> c = of_rows(labels.vetoes.image), d = of_texts(labels.vetoes.text);
      const TextEvidence evidence =
          text ? only_part(collection).text_evidence()[*text] : TextEvidence();
      const size_t texts = text ? 1 : 0;
      const uint64_t owner = 0;
      Prediction expected;
      fuser({5, a, b, {&owner, texts}, 0, {&evidence, texts}, c, d}, {&expected, 1});
      BOOST_REQUIRE((got[row].winner == expected.winner));
      BOOST_REQUIRE(got[row].veto.has_value() == expected.veto.has_value());
      BOOST_REQUIRE(got[row].image.label == without[row].image.label);
      if (got[row].winner) {
        BOOST_REQUIRE(got[row].answer().label == expected.answer().label);
        BOOST_REQUIRE(std::abs(got[row].answer().score - expected.answer().score) < kScoreSlack);
        BOOST_REQUIRE(got[row].answer().score == threaded[row].answer().score);
        BOOST_REQUIRE(got[row].answer().label == threaded[row].answer().label);
      }
      if (!got[row].veto) {
        BOOST_REQUIRE((!got[row].winner || got[row].answer().score == without[row].answer().score));
        continue;
      }
      BOOST_REQUIRE(got[row].veto->label == without[row].answer().label);
      BOOST_REQUIRE(got[row].veto->score == threaded[row].veto->score);
      taken += got[row].veto->taken;
    }
    BOOST_TEST(taken > 20u, rule->name());
  }
}

BOOST_AUTO_TEST_CASE(a_veto_about_no_label_is_refused) {
  LabelVectors labels(random_matrix(random, 2));
  labels.vetoes.image = labels.vetoes.text = random_matrix(random, 2);
  labels.vetoes.vetoes = {{2, 0, 0, 1}};
  const Fusion fusion = default_fusion(open(), "mix");
  BOOST_CHECK_THROW(classify(open(), labelling_of(labels, fusion)), Error);
  labels.vetoes.vetoes = {{1, 0, 0, 2}};
  BOOST_CHECK_THROW(classify(open(), labelling_of(labels, fusion)), Error);
  labels.vetoes.vetoes = {{1, 0, 0, 1}};
  labels.vetoes.image.row(1)[0] = NAN;
  BOOST_CHECK_THROW(classify(open(), labelling_of(labels, fusion)), Error);
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

BOOST_AUTO_TEST_CASE(rows_that_lie_anywhere_get_what_the_scan_gives_them) {
  const View collection = open();
  std::vector<Row> ordered(300);
  std::iota(ordered.begin(), ordered.end(), Row{13});
  std::vector<Row> shuffled = ordered;
  std::ranges::shuffle(shuffled, random);
  for (const size_t label_count : {1u, 7u, 1000u}) {
    const LabelVectors labels(random_matrix(random, label_count));
    for (const FusionRule* rule : fusion_rules()) {
      Labelling labelling = labelling_of(labels, default_fusion(collection, rule->name()));
      labelling.none = static_cast<uint32_t>(label_count - 1);
      labelling.none_is_rest = true;
      std::vector<Prediction> expected(700);
      std::vector<std::vector<float>> scores(700);
      std::vector<std::vector<Scored>> above(700);
      ScanOptions options;
      options.threads = 1;
      options.all_scores = true;
      scan(collection, labelling, options, [&](const PredictionBlock& block) {
        for (size_t i = 0; i < block.predictions.size(); ++i) {
          const Row row = block.first_row + i;
          expected[row] = block.predictions[i];
          scores[row].assign(block.scores_of(i).begin(), block.scores_of(i).end());
          above[row] = labels_above(block, i, 0.2f);
        }
      });
      const auto same = [](const Prediction& a, const Prediction& b) {
        return a.winner == b.winner && (!a.winner || (a.answer().label == b.answer().label &&
                                                      a.answer().score == b.answer().score));
      };
      const auto same_scored = [](const Scored& a, const Scored& b) {
        return a.label == b.label && a.score == b.score;
      };
      for (const auto& rows : {ordered, shuffled}) {
        const RowAnswers best = classify_rows(collection, labelling, rows);
        const RowAnswers all = classify_rows(collection, labelling, rows, Scores::All);
        BOOST_REQUIRE(best.scores.empty());
        for (size_t i = 0; i < rows.size(); ++i) {
          BOOST_REQUIRE(same(best.predictions[i], expected[rows[i]]));
          BOOST_REQUIRE(same(all.predictions[i], expected[rows[i]]));
          BOOST_REQUIRE(std::ranges::equal(all.as_block().scores_of(i), scores[rows[i]]));
          BOOST_REQUIRE(std::ranges::equal(labels_above(all.as_block(), i, 0.2f), above[rows[i]],
                                           same_scored));
        }
      }
    }
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
