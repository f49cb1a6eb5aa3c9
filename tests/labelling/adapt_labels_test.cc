#include "lib/labelling/adapt_labels.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "lib/util/error.h"
#include "lib/util/random.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 24;
constexpr float kScale = 20;

using Vector = std::vector<float>;

// Pictures in groups about centres of their own, which the labels know roughly.
struct Groups {
  explicit Groups(const std::vector<size_t>& sizes) {
    const Vector common = random_unit();
    Manifest manifest;
    manifest.model_name = "drawn";
    manifest.model_fingerprint = "d4a4";
    manifest.dimension = kDimension;
    manifest.logit_scale = kScale;
    labels = Matrix(sizes.size(), kDimension);
    Batch batch;
    for (uint32_t group = 0; group < sizes.size(); ++group) {
      const Vector own = random_unit();
      std::ranges::copy(mixed({{0.5f, common}, {0.5f, own}, {0.8f, random_unit()}}),
                        labels.row(group).begin());
      for (size_t i = 0; i < sizes[group]; ++i) {
        NewPicture picture;
        picture.record.file.path = "/" + std::to_string(truths.size());
        picture.image_vector = mixed({{1, common}, {0.7f, own}, {0.6f, random_unit()}});
        if (i % 3 == 0) {
          picture.text_vector = mixed({{0.7f, own}, {0.9f, random_unit()}});
          picture.words = {{"word", i % 2 == 0 ? 1.0f : 0.7f, {}}};
          picture.record.word_count = 1;
          picture.record.text_confidence = picture.words[0].confidence;
        }
        truths.push_back(group);
        batch.added.push_back(std::move(picture));
      }
    }
    CollectionWriter::open_or_create(directory / "collection", manifest).commit(batch);
  }

  View open() const { return View::open(directory / "collection"); }

  size_t right(const LabelVectors& vectors) const {
    const View collection = open();
    const std::vector<Label> names(vectors.labels());
    const auto predictions =
        classify(collection, {names, vectors, default_fusion(collection, "mix"), {}, {}});
    size_t count = 0;
    for (size_t row = 0; row < truths.size(); ++row)
      count += predictions[row].answer().label == truths[row];
    return count;
  }

  Vector random_unit() {
    Vector vector(kDimension);
    for (float& value : vector) value = static_cast<float>(random.uniform(-1, 1));
    normalise(vector);
    return vector;
  }
  static Vector mixed(const std::vector<std::pair<float, Vector>>& parts) {
    Vector sum(kDimension);
    for (const auto& [weight, vector] : parts)
      for (uint32_t i = 0; i < kDimension; ++i) sum[i] += weight * vector[i];
    normalise(sum);
    return sum;
  }

  testing::TemporaryDirectory directory;
  Random random{17};
  Matrix labels;
  std::vector<uint32_t> truths;
};

// The header's definition, in doubles and one picture after the other.
class Plain {
 public:
  Plain(const View& collection, const Matrix& labels, double strength)
      : collection_(collection),
        labels_(labels),
        settings_(FusionSettings::for_logit_scale(kScale)),
        image_(of(labels)),
        text_(image_) {
    for (int round = 0; round < 3; ++round) {
      std::vector<std::optional<std::pair<size_t, double>>> own;
      for (Row row = 0; row < collection.rows(); ++row) own.push_back(owner(row));
      move(
          own, ViewVectors::pictures(collection), [](Row row) { return std::optional(row); },
          strength, static_cast<double>(settings_.image_scale), image_);
      move(
          own, ViewVectors::texts(collection), [&](Row row) { return collection.text_index(row); },
          strength, static_cast<double>(settings_.text_scale), text_);
    }
  }

  struct Side {
    std::vector<std::vector<double>> vectors;
    std::vector<double> biases;
  };
  const Side& image() const { return image_; }
  const Side& text() const { return text_; }

 private:
  static Side of(const Matrix& labels) {
    Side side{{}, std::vector<double>(labels.rows())};
    for (size_t k = 0; k < labels.rows(); ++k)
      side.vectors.emplace_back(labels.row(k).begin(), labels.row(k).end());
    return side;
  }
  static std::vector<double> values(const ViewVectors& vectors, Row row) {
    Vector floats(kDimension);
    from_fp16(vectors.row(row), floats);
    return {floats.begin(), floats.end()};
  }
  static double product(const std::vector<double>& a, const std::vector<double>& b) {
    double sum = 0;
    for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
    return sum;
  }

  std::optional<std::pair<size_t, double>> owner(Row row) const {
    const auto text = collection_.text_index(row);
    const double w =
        text ? static_cast<double>(settings_.text_weight(collection_.text_evidence(*text))) : 0;
    std::vector<double> shares;
    double sum = 0;
    for (size_t k = 0; k < labels_.rows(); ++k) {
      double logit = static_cast<double>(settings_.image_scale) *
                     (product(values(ViewVectors::pictures(collection_), row), image_.vectors[k]) +
                      image_.biases[k]);
      if (text)
        logit += w * static_cast<double>(settings_.text_scale) *
                 (product(values(ViewVectors::texts(collection_), *text), text_.vectors[k]) +
                  text_.biases[k]);
      shares.push_back(std::exp(logit / (1 + w)));
      sum += shares.back();
    }
    for (size_t k = 0; k < shares.size(); ++k)
      if (shares[k] / sum > 0.5) return std::pair(k, shares[k] / sum);
    return std::nullopt;
  }

  template <class Find>
  void move(const std::vector<std::optional<std::pair<size_t, double>>>& own,
            const ViewVectors& vectors, const Find& find, double strength, double scale,
            Side& side) const {
    const size_t count = labels_.rows();
    // How near each is to its label, and how near the nearest are.
    std::vector<double> logits(own.size());
    std::vector<std::vector<double>> of_label(count);
    for (Row row = 0; row < own.size(); ++row) {
      const auto at = find(row);
      if (!own[row] || !at) continue;
      logits[row] = scale * product(values(vectors, *at), side.vectors[own[row]->first]);
      of_label[own[row]->first].push_back(logits[row]);
    }
    std::vector<double> nearest(count);
    for (size_t k = 0; k < count; ++k) {
      std::ranges::sort(of_label[k], std::greater());
      of_label[k].resize(std::min<size_t>(5, of_label[k].size()));
      for (const double logit : of_label[k])
        nearest[k] += logit / static_cast<double>(of_label[k].size());
    }
    double attracted = 0;
    std::vector<double> n(count);
    std::vector<std::vector<double>> mean(count, std::vector<double>(kDimension));
    for (Row row = 0; row < own.size(); ++row) {
      const auto at = find(row);
      if (!own[row] || !at) continue;
      const size_t label = own[row]->first;
      const double share = own[row]->second / (1 + std::exp(nearest[label] - logits[row] - 7));
      n[label] += share;
      attracted += own[row]->second / (1 + std::exp(nearest[label] - logits[row] - 14));
      for (size_t i = 0; i < kDimension; ++i) mean[label][i] += share * values(vectors, *at)[i];
    }
    std::vector<double> middle(kDimension);
    double believed = 0;
    double spread = 0;
    double all = 0;
    for (size_t k = 0; k < count; ++k) {
      if (n[k] == 0) continue;
      for (double& value : mean[k]) value /= n[k];
      const double r = n[k] / (n[k] + 10);
      for (size_t i = 0; i < kDimension; ++i) middle[i] += r * mean[k][i];
      believed += r;
      spread += n[k] * (1 - product(mean[k], mean[k]));
      all += n[k];
    }
    for (double& value : middle) value /= believed;
    const double gain = strength * all / attracted / scale;
    for (size_t k = 0; k < count; ++k) {
      side.biases[k] = 0;
      for (size_t i = 0; i < kDimension; ++i) {
        const double by =
            n[k] == 0 ? 0 : gain / (spread / all) * n[k] / (n[k] + 10) * (mean[k][i] - middle[i]);
        side.vectors[k][i] = static_cast<double>(labels_.row(k)[i]) + by;
        side.biases[k] -= by * middle[i];
      }
    }
  }

  const View& collection_;
  const Matrix& labels_;
  FusionSettings settings_;
  Side image_;
  Side text_;
};

BOOST_AUTO_TEST_SUITE(adapt_labels_suite)

BOOST_AUTO_TEST_CASE(labels_move_as_a_plain_loop_moves_them) {
  const Groups groups({30, 20, 9});
  const View collection = groups.open();
  const LabelVectors adapted = adapt_labels(collection, LabelVectors(groups.labels), 5, 2);
  const Plain expected(collection, groups.labels, 5);
  for (size_t k = 0; k < 3; ++k) {
    for (size_t i = 0; i < kDimension; ++i) {
      BOOST_TEST(std::abs(adapted.image.row(k)[i] - expected.image().vectors[k][i]) < 1e-3);
      BOOST_TEST(std::abs(adapted.text.row(k)[i] - expected.text().vectors[k][i]) < 1e-3);
    }
    BOOST_TEST(std::abs(adapted.image_bias[k] - expected.image().biases[k]) < 1e-3);
    BOOST_TEST(std::abs(adapted.text_bias[k] - expected.text().biases[k]) < 1e-3);
  }
}

BOOST_AUTO_TEST_CASE(more_is_right_also_where_one_label_is_ten_times_as_frequent) {
  for (const std::vector<size_t>& sizes :
       {std::vector<size_t>{60, 60, 60, 60, 60}, std::vector<size_t>{200, 20, 20, 20, 20}}) {
    const Groups groups(sizes);
    const LabelVectors prompts(groups.labels);
    const size_t before = groups.right(prompts);
    const size_t after = groups.right(adapt_labels(groups.open(), prompts, 5));
    BOOST_TEST(after >= before + groups.truths.size() / 50);
  }
}

// Two labels with 20 pictures each, and 200 pictures of something else that is a little nearer to
// the first than to the second.
BOOST_AUTO_TEST_CASE(pictures_that_no_label_names_move_none) {
  constexpr size_t kNamed = 40;
  constexpr size_t kOthers = 200;
  Random random(3);
  const auto picture_at = [&](std::vector<std::pair<uint32_t, float>> at) {
    NewPicture picture;
    picture.image_vector.resize(kDimension);
    for (const auto& [i, value] : at) picture.image_vector[i] = value;
    for (float& value : picture.image_vector)
      value += static_cast<float>(random.uniform(-0.1, 0.1));
    normalise(picture.image_vector);
    return picture;
  };
  Manifest manifest;
  manifest.model_name = "drawn";
  manifest.model_fingerprint = "d4a4";
  manifest.dimension = kDimension;
  manifest.logit_scale = 100;
  testing::TemporaryDirectory directory;
  Batch batch;
  for (uint32_t i = 0; i < kNamed + kOthers; ++i) {
    batch.added.push_back(i < kNamed ? picture_at({{i % 2, 0.4f}, {2, 0.9f}})
                                     : picture_at({{0, 0.2f}, {3, 0.9f}}));
    batch.added.back().record.file.path = "/" + std::to_string(i);
  }
  CollectionWriter::open_or_create(directory / "collection", manifest).commit(batch);
  Matrix labels(2, kDimension);
  labels.row(0)[0] = labels.row(1)[1] = 1;
  const LabelVectors adapted =
      adapt_labels(View::open(directory / "collection"), LabelVectors(labels), 5);
  BOOST_TEST(std::abs(adapted.image.row(0)[3]) < 0.02, adapted.image.row(0)[3]);
  BOOST_TEST(adapted.image.row(0)[1] < -0.03);  // away from the other one's pictures
}

// Two labels with 20 pictures each, and 200 of something that is nearer to the first than to the
// second: as near as its own pictures, a little farther, or far.
BOOST_AUTO_TEST_CASE(labels_move_less_where_much_that_they_attract_is_a_little_behind_their_own) {
  const auto moved_among = [](size_t strangers, float near) {
    Random random(3);
    testing::TemporaryDirectory directory;
    Batch batch;
    const auto add = [&](uint32_t label, float along) {
      NewPicture picture;
      picture.image_vector.resize(kDimension);
      picture.image_vector[label] = along;
      picture.image_vector[2] = std::sqrt(1 - along * along);
      for (float& value : picture.image_vector)
        value += static_cast<float>(random.uniform(-0.01, 0.01));
      normalise(picture.image_vector);
      picture.record.file.path = "/" + std::to_string(batch.added.size());
      batch.added.push_back(std::move(picture));
    };
    for (uint32_t i = 0; i < 40; ++i) add(i % 2, 0.4f);
    for (size_t i = 0; i < strangers; ++i) add(0, near);
    Manifest manifest;
    manifest.model_name = "drawn";
    manifest.model_fingerprint = "d4a4";
    manifest.dimension = kDimension;
    manifest.logit_scale = 100;
    CollectionWriter::open_or_create(directory / "collection", manifest).commit(batch);
    Matrix labels(2, kDimension);
    labels.row(0)[0] = labels.row(1)[1] = 1;
    const LabelVectors adapted =
        adapt_labels(View::open(directory / "collection"), LabelVectors(labels), 5);
    return -adapted.image.row(0)[1];  // away from the other one's pictures
  };
  const float alone = moved_among(0, 0);
  BOOST_TEST(alone > 0.05);
  BOOST_TEST(moved_among(200, 0.32f) < 0.5 * alone);  // 10 logits behind
  BOOST_TEST(moved_among(200, 0.2f) > 0.8 * alone);
}

BOOST_AUTO_TEST_CASE(threads_change_nothing) {
  const Groups groups({90, 40, 70});
  const View collection = groups.open();
  const LabelVectors one = adapt_labels(collection, LabelVectors(groups.labels), 5, 1);
  const LabelVectors other = adapt_labels(collection, LabelVectors(groups.labels), 5, 3);
  for (size_t k = 0; k < 3; ++k) {
    BOOST_TEST(std::ranges::equal(one.image.row(k), other.image.row(k)));
    BOOST_TEST(std::ranges::equal(one.text.row(k), other.text.row(k)));
  }
  BOOST_TEST(one.image_bias == other.image_bias);
  BOOST_TEST(one.text_bias == other.text_bias);
}

BOOST_AUTO_TEST_CASE(a_label_without_pictures_stays_where_it_is) {
  Groups groups({40, 40});
  Matrix three(3, kDimension);
  for (size_t k = 0; k < 2; ++k) std::ranges::copy(groups.labels.row(k), three.row(k).begin());
  for (uint32_t i = 0; i < kDimension; ++i)
    three.row(2)[i] = -groups.labels.row(0)[i] - groups.labels.row(1)[i];
  normalise(three.row(2));
  const LabelVectors adapted = adapt_labels(groups.open(), LabelVectors(three), 5);
  BOOST_TEST(std::ranges::equal(adapted.image.row(2), three.row(2)));
  BOOST_TEST(adapted.image_bias[2] == 0.0f);
  BOOST_TEST(!std::ranges::equal(adapted.image.row(0), three.row(0)));
}

BOOST_AUTO_TEST_CASE(only_mix_adapts_and_only_with_a_strength) {
  const Groups groups({20, 20});
  const View collection = groups.open();
  const LabelVectors prompts(groups.labels);
  const auto same = [&](const LabelVectors& labels) {
    return std::ranges::equal(labels.image.row(0), prompts.image.row(0)) &&
           labels.image_bias.empty();
  };
  BOOST_TEST(same(adapt_labels(collection, prompts, 0)));
  for (const FusionRule* rule : fusion_rules()) {
    const Fusion fusion = default_fusion(collection, rule->name());
    BOOST_TEST(same(labels_for(collection, fusion, prompts)) == (rule->name() != "mix"));
  }
  BOOST_CHECK_THROW(adapt_labels(collection, LabelVectors(Matrix(2, kDimension + 1)), 5), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
