#include "lib/labelling/labelling.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>
#include <vector>

#include "lib/labelling/calibrate.h"
#include "lib/labelling/prompt_cache.h"
#include "lib/labels/label_vectors.h"
#include "lib/util/error.h"
#include "tests/support/asked.h"
#include "tests/support/fake_encoder.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

// Counts how often it is asked; answers with another direction for every fingerprint.
class CountingSource : public EncoderSource {
 public:
  explicit CountingSource(std::string fingerprint, std::string precision = "fp32")
      : encoder_(std::move(fingerprint)), precision_(std::move(precision)) {}

  Encoder& encoder(EncoderSide) override {
    ++asked;
    return encoder_;
  }
  std::string precision() const override { return precision_; }
  bool is_named() const override { return named; }
  bool keeps_prompts() const override { return keeps; }

  size_t asked = 0;
  bool named = false;
  bool keeps = false;

 private:
  class Named : public FakeEncoder {
   public:
    explicit Named(std::string fingerprint) : named_info_(FakeEncoder::info()) {
      named_info_.fingerprint = std::move(fingerprint);
    }
    const ModelInfo& info() const override { return named_info_; }
    Matrix encode_texts(std::span<const std::string> texts, LongText) override {
      Matrix vectors(texts.size(), kDimension);
      for (size_t i = 0; i < texts.size(); ++i) {
        vectors.row(i)[0] = static_cast<float>(named_info_.fingerprint.back());
        vectors.row(i)[1] = static_cast<float>(texts[i].size());
        normalise(vectors.row(i));
      }
      return vectors;
    }

   private:
    ModelInfo named_info_;
  };

  Named encoder_;
  std::string precision_;
};

struct Asked {
  explicit Asked(const std::string& fingerprint = "fa4e", std::optional<float> logit_bias = {}) {
    Manifest manifest;
    if (logit_bias) {
      manifest.scoring = Scoring::Sigmoid;
      manifest.logit_bias = *logit_bias;
      manifest.logit_scale = 10;
    }
    manifest.model_name = "fake";
    manifest.model_fingerprint = fingerprint;
    manifest.dimension = FakeEncoder::kDimension;
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (int i = 0; i < 20; ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(i);
      picture.record.content_hash[0] = static_cast<uint8_t>(i);
      picture.image_vector.assign(FakeEncoder::kDimension, 0);
      picture.image_vector[i % 2] = 1;
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
  }

  View open() const { return View::open(path); }

  TemporaryDirectory directory;
  std::filesystem::path path = directory / "shelf";
};

LabellingRequest request_of(std::vector<Label> labels) {
  LabellingRequest request;
  request.labels = std::move(labels);
  request.fusion = "image";
  return request;
}

const std::vector<std::string> kPrompts = {"a", "longer", "longest of all"};

}  // namespace

BOOST_AUTO_TEST_SUITE(labelling)

BOOST_AUTO_TEST_CASE(prompts_that_were_asked_before_need_no_encoder) {
  const Asked shelf;
  const View collection = shelf.open();
  CountingSource encoders("fa4e");
  const Matrix first = prompt_vectors(collection, kPrompts, encoders);
  BOOST_TEST(encoders.asked == 1u);
  const Matrix again = prompt_vectors(collection, kPrompts, encoders);
  BOOST_TEST(encoders.asked == 1u);
  for (size_t i = 0; i < kPrompts.size(); ++i) BOOST_TEST(again.row(i)[1] == first.row(i)[1]);
  encoders.named = true;  // a model that somebody names is compared with the collection's
  prompt_vectors(collection, kPrompts, encoders);
  BOOST_TEST(encoders.asked == 2u);
}

BOOST_AUTO_TEST_CASE(a_source_that_keeps_prompts_itself_needs_no_file) {
  const Asked shelf;
  const View collection = shelf.open();
  CountingSource encoders("fa4e");
  encoders.keeps = true;
  for (size_t asked : {1u, 2u}) {
    const Matrix vectors = prompt_vectors(collection, kPrompts, encoders);
    BOOST_TEST(vectors.rows() == kPrompts.size());
    BOOST_TEST(encoders.asked == asked);
  }
  BOOST_TEST(collection.attachments().kinds().empty());
}

BOOST_AUTO_TEST_CASE(vectors_of_another_precision_are_not_taken) {
  const Asked shelf;
  const View collection = shelf.open();
  CountingSource fp32("fa4e", "fp32");
  CountingSource bf16("fa4e", "bf16");
  prompt_vectors(collection, kPrompts, fp32);
  prompt_vectors(collection, kPrompts, bf16);
  BOOST_TEST(bf16.asked == 1u);
}

BOOST_AUTO_TEST_CASE(a_collection_of_an_unknown_model_keeps_the_prompts_of_each_model_apart) {
  const Asked shelf(Manifest::kUnknownModel);
  const View collection = shelf.open();
  CountingSource a("model a");
  CountingSource b("model b");
  const Matrix of_a = prompt_vectors(collection, kPrompts, a);
  const Matrix of_b = prompt_vectors(collection, kPrompts, b);
  BOOST_TEST(of_a.row(0)[0] != of_b.row(0)[0]);
  const Matrix of_a_again = prompt_vectors(collection, kPrompts, a);
  BOOST_TEST(of_a_again.row(0)[0] == of_a.row(0)[0]);
}

BOOST_AUTO_TEST_CASE(a_sigmoid_judges_each_label_where_it_is_asked_whether_it_fits) {
  const Asked shelf("fa4e", -5.0f);
  const View collection = shelf.open();
  BOOST_TEST((collection.manifest().scoring == Scoring::Sigmoid));
  CountingSource encoders("fa4e");
  const std::vector<Label> labels = {{"a", {"a"}}, {"b", {"bb"}}, {"none", {"nothing"}}};
  const auto make = [&](auto change) {
    LabellingRequest request = request_of(labels);
    change(request);
    return make_labelling(collection, request, encoders);
  };
  const Labelling exclusive = make([](LabellingRequest&) {});
  BOOST_TEST(!exclusive.fusion.sigmoid_bias.has_value());
  BOOST_TEST(exclusive.fusion.settings.image_scale == 10.0f);
  for (const Labelling& each : {make([](LabellingRequest& request) { request.several = true; }),
                                make([](LabellingRequest& request) { request.threshold = 0.2f; })}) {
    BOOST_TEST(each.fusion.sigmoid_bias.value() == -5.0f);
    BOOST_TEST(each.fusion.settings.image_scale == 10.0f);
    BOOST_TEST(!each.none_is_rest);
  }
  const Labelling rest = make([](LabellingRequest& request) { request.last_is_none = true; });
  BOOST_TEST(rest.none_is_rest);
  // Every picture fits it with one half, whatever it shows.
  for (const Prediction& prediction : classify(collection, rest)) {
    const bool fits = prediction.image.label != 2u;
    BOOST_TEST(fits == (prediction.image.score > 0.5f));
    if (!fits) BOOST_TEST(std::abs(prediction.image.score - 0.5f) < 1e-3f);
  }
  const Labelling own = make([](LabellingRequest& request) {
    request.last_is_none = request.none_has_own_prompts = true;
  });
  BOOST_TEST(!own.none_is_rest);
}

BOOST_AUTO_TEST_CASE(what_bears_on_a_labelling_of_its_threshold) {
  CountingSource encoders("fa4e");
  const auto same = [](const Labelling& a, const Labelling& b) {
    return a.fusion.sigmoid_bias == b.fusion.sigmoid_bias &&
           std::ranges::equal(a.vectors.image.row(2), b.vectors.image.row(2)) &&
           a.vectors.image_bias == b.vectors.image_bias;
  };
  size_t seen[3] = {};
  for (const std::optional<float> bias : {std::optional<float>(), std::optional(-5.0f)}) {
    const Asked shelf("fa4e", bias);
    const View collection = shelf.open();
    for (int way = 0; way < 8; ++way) {
      LabellingRequest request = request_of({{"a", {"a"}}, {"b", {"bb"}}, {"none", {"nothing"}}});
      request.several = (way & 1) != 0;
      request.last_is_none = (way & 2) != 0;
      request.none_has_own_prompts = (way & 4) != 0;
      const auto with = [&](std::optional<float> threshold) {
        request.threshold = threshold;
        return make_labelling(collection, request, encoders);
      };
      const bool as_none = same(with({}), with(0.2f));
      const bool as_others = same(with(0.2f), with(0.7f));
      const ThresholdBearing bearing = threshold_bearing(collection.manifest(), request);
      ++seen[static_cast<size_t>(bearing)];
      BOOST_TEST_CONTEXT(way << " " << bias.has_value()) {
        BOOST_TEST((bearing == ThresholdBearing::None) == (as_none && as_others));
        BOOST_TEST((bearing == ThresholdBearing::Value) == !as_others);
      }
    }
  }
  for (const size_t times : seen) BOOST_TEST(times > 0u);
}

BOOST_AUTO_TEST_CASE(threshold_and_none_are_applied_wherever_answers_are_asked_for) {
  const Asked shelf;
  const View collection = shelf.open();
  CountingSource encoders("fa4e");
  LabellingRequest request = request_of({{"a", {"a"}}, {"b", {"bb"}}, {"none", {"nothing"}}});
  request.threshold = 1.0f;  // no softmax over three gets there
  const auto every_winner = [&](const Labelling& labelling) {
    std::vector<bool> winners;
    for (const Prediction& prediction : classify(collection, labelling))
      winners.push_back(prediction.winner.has_value());
    return winners;
  };
  const Labelling without_none = make_labelling(collection, request, encoders);
  BOOST_TEST(every_winner(without_none) == std::vector<bool>(20, false));
  BOOST_TEST(count_pictures(collection, without_none).unanswered == 20u);

  request.last_is_none = true;
  const Labelling with_none = make_labelling(collection, request, encoders);
  BOOST_TEST(with_none.none.value() == 2u);
  const PictureCounts counts = count_pictures(collection, with_none);
  BOOST_TEST(counts.of_label[2] == 20u);
  BOOST_TEST(counts.unanswered == 0u);
  const PictureCounts of_predictions =
      count_pictures(collection, with_none, classify(collection, with_none));
  BOOST_TEST((of_predictions.of_label == counts.of_label));
}

BOOST_AUTO_TEST_CASE(vetoes_come_with_the_prompts_and_take_their_label_alone) {
  const Asked shelf;  // pictures lie on the first two axes in turn; a longer text is nearer to the second
  const View collection = shelf.open();
  CountingSource encoders("fa4e");
  const std::vector<Label> labels = {{"x", {std::string(50, 'x'), "- " + std::string(300, 'v')}},
                                     {"y", {"y"}}};
  for (const std::string rule : {"image", "mix"}) {
    LabellingRequest request = request_of(labels);
    request.fusion = rule;
    const Labelling labelling = make_labelling(collection, request, encoders);
    BOOST_TEST(labelling.vectors.labels() == 2u);
    BOOST_TEST(labelling.vectors.vetoes.vetoes.size() == 1u);
    const std::vector<Prediction> predictions = classify(collection, labelling);
    for (size_t i = 0; i < predictions.size(); ++i) {
      const bool is_second = i % 2 == 1;
      BOOST_TEST_CONTEXT(rule << " " << i) {
        BOOST_REQUIRE(predictions[i].winner.has_value());
        BOOST_TEST(predictions[i].image.label == (is_second ? 0u : 1u));
        BOOST_TEST(predictions[i].answer().label == 1u);
        BOOST_REQUIRE(predictions[i].veto.has_value() == is_second);
        if (is_second) BOOST_TEST((predictions[i].veto->taken && predictions[i].veto->prompt == 1u));
      }
    }
  }
  // Nobody else has a part in it, and none is what is left.
  LabellingRequest request = request_of({labels[0], {"none", {"nothing"}}});
  request.last_is_none = true;
  const PictureCounts counts = count_pictures(collection, make_labelling(collection, request, encoders));
  BOOST_TEST(counts.of_label[1] >= 10u);
  const PictureCounts several =
      count_pictures(collection, make_labelling(collection, request_of(labels), encoders), 0.001f);
  BOOST_TEST(several.of_label[0] <= 10u);
}

BOOST_AUTO_TEST_CASE(a_veto_against_a_label_judged_for_itself_leaves_the_rest) {
  const Asked shelf("fa4e", -5.0f);
  const View collection = shelf.open();
  CountingSource encoders("fa4e");
  LabellingRequest request =
      request_of({{"x", {std::string(200, 'x'), "- " + std::string(300, 'v')}}, {"none", {"nothing"}}});
  request.last_is_none = true;
  const Labelling labelling = make_labelling(collection, request, encoders);
  BOOST_TEST(labelling.none_is_rest);
  for (const Prediction& prediction : classify(collection, labelling)) {
    if (prediction.image.label != 0) continue;
    BOOST_REQUIRE(prediction.winner.has_value());
    BOOST_TEST(prediction.answer().label == (prediction.veto->taken ? 1u : 0u));
  }
}

BOOST_AUTO_TEST_CASE(what_is_named_and_not_kept_is_refused) {
  const Asked shelf;
  const View collection = shelf.open();
  CountingSource encoders("fa4e");
  LabellingRequest request = request_of({{"a", {"a"}}});
  request.fusion = "mxi";
  BOOST_CHECK_THROW(make_labelling(collection, request, encoders), Error);
  request = request_of({{"a", {"a"}}});
  request.calibration = "absent";
  BOOST_CHECK_THROW(make_labelling(collection, request, encoders), Error);
  request = request_of({});
  request.classifier = "absent";
  BOOST_CHECK_THROW(make_labelling(collection, request, encoders), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
