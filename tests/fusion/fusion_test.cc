#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <string>
#include <vector>

#include "lib/fusion/fusion.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

const std::vector<float> kPicture = {0.20f, 0.25f, 0.22f};  // label 1
const std::vector<float> kText = {0.10f, 0.30f, 0.99f};     // label 2
const TextEvidence kSure = {1000, 1};

FusionSettings scaled(float image_scale) {
  FusionSettings settings;
  settings.image_scale = image_scale;
  return settings;
}

Prediction fuse(const char* rule, std::vector<float> image, std::vector<float> text,
                const FusionSettings& settings = scaled(100),
                const TextEvidence& evidence = kSure) {
  return Fuser({&fusion_rule(rule), settings}, {}, {})(image, text, evidence);
}

std::vector<double> plain_softmax(const std::vector<double>& logits) {
  const double largest = *std::max_element(logits.begin(), logits.end());
  std::vector<double> result;
  double sum = 0;
  for (const double logit : logits) {
    result.push_back(std::exp(logit - largest));
    sum += result.back();
  }
  for (double& value : result) value /= sum;
  return result;
}

// The oracle: the score of every label as the header writes it, in double. Empty: no answer.
std::vector<double> plain_scores(const std::string& rule, const std::vector<float>& image,
                                 const std::vector<float>& text, const FusionSettings& settings,
                                 const TextEvidence& evidence) {
  std::vector<double> logits;
  for (const float s : image) logits.push_back(static_cast<double>(settings.image_scale) * s);
  const std::vector<double> cosines(text.begin(), text.end());
  if (rule == "image") return plain_softmax(logits);
  if (rule == "text") return cosines;
  if (rule == "max") {
    std::vector<double> scores = plain_softmax(logits);
    for (size_t k = 0; k < text.size(); ++k) scores[k] = std::max(scores[k], cosines[k]);
    return scores;
  }
  BOOST_REQUIRE(rule == "mix");
  if (text.empty()) return plain_softmax(logits);
  const double gate = evidence.word_count == 0 ? 0 :
      std::pow(static_cast<double>(evidence.confidence), settings.confidence_power) *
      evidence.word_count / (evidence.word_count + settings.half_words);
  const double weight = is_given(evidence) ? settings.alpha : settings.alpha * gate;
  for (size_t k = 0; k < text.size(); ++k)
    logits[k] = (logits[k] + weight * settings.text_scale * cosines[k]) /
                (1 + settings.pooling * weight);
  return plain_softmax(logits);
}

BOOST_AUTO_TEST_SUITE(fusion)

BOOST_AUTO_TEST_CASE(image_rule_is_the_softmax_of_the_scaled_cosines) {
  const Prediction prediction = fuse("image", kPicture, kText);
  const double sum = std::exp(20.0) + std::exp(25.0) + std::exp(22.0);
  BOOST_TEST(prediction.answer().label == 1u);
  BOOST_TEST(std::abs(prediction.answer().score - std::exp(25.0) / sum) < 1e-5);
  BOOST_TEST(prediction.runner_up->label == 2u);
  BOOST_TEST(std::abs(prediction.runner_up->score - std::exp(22.0) / sum) < 1e-5);
  BOOST_TEST(std::abs(prediction.image.margin - (std::exp(25.0) - std::exp(22.0)) / sum) < 1e-5);
  BOOST_TEST((*prediction.winner == Source::Image));
}

BOOST_AUTO_TEST_CASE(labels_judged_for_themselves_have_the_sigmoid_whatever_the_others_are) {
  const auto sigmoid_of = [](double s) { return 1 / (1 + std::exp(-(100 * s - 23))); };
  for (const char* rule : {"image", "mix", "max"}) {
    const Fusion fusion = Fusion::for_each_label(rule, 100, -23);
    for (const size_t labels : {size_t{3}, size_t{2}, size_t{1}}) {
      std::vector<float> image(kPicture.begin(), kPicture.begin() + static_cast<ptrdiff_t>(labels));
      std::vector<float> scores(labels), text;
      const std::vector<float> plain = image;
      const Prediction prediction = Fuser(fusion, {}, {})(image, text, {}, scores);
      BOOST_TEST_CONTEXT(rule << " " << labels) {
        for (size_t k = 0; k < labels; ++k)
          BOOST_TEST(std::abs(scores[k] - sigmoid_of(plain[k])) < 1e-5);
        BOOST_TEST(prediction.answer().label == (labels > 1 ? 1u : 0u));
        BOOST_TEST(prediction.answer().score == scores[prediction.answer().label]);
        BOOST_TEST(prediction.image.score == prediction.answer().score);
        BOOST_TEST(prediction.runner_up.has_value() == (labels > 1));
        BOOST_TEST((*prediction.winner == Source::Image));
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(a_text_speaks_for_a_label_judged_for_itself_and_never_against_one) {
  const Fusion fusion = Fusion::for_each_label("mix", 100, -23);
  std::vector<float> image = kPicture, text = kText, with(3), without(3), none;
  const Prediction told = Fuser(fusion, {}, {})(image, text, kSure, with);
  image = kPicture;
  Fuser(fusion, {}, {})(image, none, {}, without);
  const float weight = fusion.settings.text_weight(kSure);
  const double pooled = weight / (1 + fusion.settings.pooling * weight);
  for (size_t k = 0; k < 3; ++k) BOOST_TEST(with[k] >= without[k]);
  const auto logit = [](double p) { return std::log(p / (1 - p)); };
  // The text is sure of label 2: as much as a guess among three can be bettered.
  BOOST_TEST(std::abs(logit(with[2]) - logit(without[2]) - pooled * std::log(3.0)) < 1e-3);
  BOOST_TEST(std::abs(with[0] - without[0]) < 1e-6);
  BOOST_TEST(told.answer().label == 1u);
  BOOST_TEST(told.answer().score == with[1]);
}

BOOST_AUTO_TEST_CASE(text_rule_is_the_largest_cosine_and_gives_no_answer_without_text) {
  const Prediction prediction = fuse("text", kPicture, kText);
  BOOST_TEST(prediction.answer().label == 2u);
  BOOST_TEST(prediction.answer().score == 0.99f);
  BOOST_TEST(prediction.runner_up->label == 1u);
  BOOST_TEST(prediction.text->margin == 0.99f - 0.30f);
  const Prediction none = fuse("text", kPicture, {});
  BOOST_TEST(!none.winner.has_value());
  BOOST_TEST(!none.text.has_value());
  BOOST_TEST(none.image.label == 1u);
}

BOOST_AUTO_TEST_CASE(max_rule_takes_the_side_with_the_larger_score) {
  // P_I is 0.946: text wins with 0.99 and loses with 0.5.
  BOOST_TEST((*fuse("max", kPicture, kText).winner == Source::Text));
  const std::vector<float> weak = {0.1f, 0.3f, 0.5f};
  BOOST_TEST((*fuse("max", kPicture, weak).winner == Source::Image));
  BOOST_TEST(fuse("max", kPicture, weak).answer().label == 1u);
  BOOST_TEST(fuse("max", kPicture, weak).runner_up->label == 2u);
  BOOST_TEST((*fuse("max", kPicture, {}).winner == Source::Image));
}

BOOST_AUTO_TEST_CASE(mix_turns_to_the_text_as_its_weight_grows) {
  FusionSettings settings = scaled(100);
  settings.text_scale = 20;
  const auto label = [&](const TextEvidence& evidence) {
    return fuse("mix", kPicture, kText, settings, evidence).answer().label;
  };
  BOOST_TEST(label({1000, 1}) == 2u);
  BOOST_TEST(label({1000, 0.01f}) == 1u);
  BOOST_TEST(label({1000, 0}) == 1u);
  BOOST_TEST(label({0, 1}) == 1u);
  BOOST_TEST((*fuse("mix", kPicture, kText, settings, {1000, 1}).winner == Source::Text));
  BOOST_TEST((*fuse("mix", kPicture, kText, settings, {1000, 0.01f}).winner == Source::Image));
  settings.alpha = 0;
  BOOST_TEST(label({1000, 1}) == 1u);
}

BOOST_AUTO_TEST_CASE(mix_without_text_is_the_softmax_of_the_picture) {
  const Prediction mix = fuse("mix", kPicture, {});
  const Prediction image = fuse("image", kPicture, {});
  BOOST_TEST(mix.answer().label == image.answer().label);
  BOOST_TEST(mix.answer().score == image.answer().score);
  BOOST_TEST(!mix.text.has_value());
}

BOOST_AUTO_TEST_CASE(the_gate_grows_with_words_and_confidence_between_0_and_alpha) {
  FusionSettings settings;
  settings.alpha = 0.8f;
  BOOST_TEST(settings.text_weight({0, 1}) == 0.0f);
  BOOST_TEST(settings.text_weight({1, 1}) == 0.8f);  // given, not read
  BOOST_TEST(settings.text_weight({1, 0}) == 0.8f);  // the same, of an earlier version
  BOOST_TEST(settings.text_weight({5, 0}) == 0.0f);
  BOOST_TEST(settings.text_weight({1, 0.9f}) < settings.text_weight({2, 0.9f}));
  BOOST_TEST(settings.text_weight({2, 0.5f}) < settings.text_weight({2, 0.9f}));
  BOOST_TEST(settings.text_weight({1'000'000, 1}) <= 0.8f);
  BOOST_TEST(settings.text_weight({1'000'000, 1}) > 0.79f);
}

BOOST_AUTO_TEST_CASE(pooled_sides_that_agree_are_no_surer_than_the_surer_one) {
  FusionSettings settings = scaled(100);
  settings.text_scale = 100;
  settings.pooling = 1;
  const std::vector<float> close = {0.23f, 0.25f, 0.22f};
  const float alone = fuse("mix", close, {}, settings).answer().score;
  const float agreed = fuse("mix", close, close, settings, {1, 1}).answer().score;
  BOOST_TEST(std::abs(agreed - alone) < 1e-5);
  settings.pooling = 0;
  BOOST_TEST(fuse("mix", close, close, settings, {1, 1}).answer().score > alone + 0.05);
}

BOOST_AUTO_TEST_CASE(defaults_belong_to_the_rule) {
  BOOST_TEST(Fusion::by_default("image", 20).settings.image_scale == 20.0f);
  BOOST_TEST(Fusion::by_default("max", 20).settings.image_scale == 20.0f);
  BOOST_TEST(!Fusion::by_default("max", 20).adapts());
  BOOST_TEST(Fusion::by_default(kDefaultRule, 20).settings.image_scale > 20.0f);
  BOOST_TEST(Fusion::by_default(kDefaultRule, 20).adapts());
}

BOOST_AUTO_TEST_CASE(offsets_are_added_label_by_label) {
  std::vector<float> image = kPicture;
  std::vector<float> text = kText;
  const Fuser fuser({&fusion_rule("max"), scaled(100)}, {0.2f, 0, 0}, {0, 2, 0});
  const Prediction prediction = fuser(image, text, kSure);
  BOOST_TEST(prediction.image.label == 0u);
  BOOST_TEST(prediction.text->label == 1u);
  BOOST_TEST(prediction.text->score == 2.3f);
}

BOOST_AUTO_TEST_CASE(ties_go_to_the_first_label_and_to_the_picture) {
  const std::vector<float> same = {0.5f, 0.5f};
  for (const FusionRule* rule : fusion_rules()) {
    const Prediction prediction = fuse(rule->name().data(), same, same);
    BOOST_TEST(prediction.answer().label == 0u);
    BOOST_TEST(prediction.runner_up->label == 1u);
    BOOST_TEST(prediction.margin() == 0.0f);
  }
  // P_I is exactly 1.
  BOOST_TEST((*fuse("max", {0.1f}, {1.0f}).winner == Source::Image));
}

BOOST_AUTO_TEST_CASE(one_label_has_no_runner_up) {
  for (const FusionRule* rule : fusion_rules()) {
    const Prediction prediction = fuse(rule->name().data(), {0.1f}, {0.7f});
    BOOST_TEST(prediction.answer().label == 0u);
    BOOST_TEST(!prediction.runner_up.has_value());
  }
}

BOOST_AUTO_TEST_CASE(extreme_scales_stay_finite) {
  const std::vector<float> opposite = {-1, 1};
  BOOST_TEST(fuse("image", opposite, {}, scaled(1e6f)).answer().score == 1.0f);
  BOOST_TEST(fuse("image", opposite, {}, scaled(0)).answer().score == 0.5f);
}

BOOST_AUTO_TEST_CASE(what_is_no_number_is_refused) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const FusionRule* rule : fusion_rules()) {
    BOOST_CHECK_THROW(fuse(rule->name().data(), {nan, nan}, {0.1f, 0.2f}), Error);
    BOOST_CHECK_THROW(fuse(rule->name().data(), {0.1f, 0.2f}, {nan, nan}), Error);
    BOOST_CHECK_THROW(fuse(rule->name().data(), {0.1f, INFINITY}, {}), Error);
  }
}

// For every rule there is: the answer and the runner-up are the two largest of the oracle's scores,
// and the scores of all labels are the oracle's.
BOOST_AUTO_TEST_CASE(random_evidence_agrees_with_a_plain_loop) {
  std::mt19937 random(7);
  std::uniform_real_distribution<float> cosine(-1, 1);
  for (int round = 0; round < 400; ++round) {
    std::vector<float> image(1 + round % 40);
    std::vector<float> text(round % 5 == 0 ? 0 : image.size());
    for (float& value : image) value = cosine(random);
    for (float& value : text) value = cosine(random);
    FusionSettings settings = scaled(static_cast<float>(1 + round % 120));
    settings.text_scale = static_cast<float>(1 + round % 50);
    settings.alpha = static_cast<float>(round % 7) / 3;
    settings.confidence_power = static_cast<float>(round % 3);
    settings.half_words = static_cast<float>(round % 4) / 2;
    settings.pooling = static_cast<float>(round % 3) / 2;
    const TextEvidence evidence = {static_cast<uint32_t>(round % 7),
                                   static_cast<float>(round % 10) / 9};
    for (const FusionRule* rule : fusion_rules()) {
      BOOST_TEST_CONTEXT(rule->name() << " in round " << round) {
        const std::vector<double> expected =
            plain_scores(std::string(rule->name()), image, text, settings, evidence);
        std::vector<float> image_copy = image;
        std::vector<float> text_copy = text;
        std::vector<float> scores(image.size());
        const Prediction got =
            Fuser({rule, settings}, {}, {})(image_copy, text_copy, evidence, scores);
        BOOST_REQUIRE(got.winner.has_value() == !expected.empty());
        if (expected.empty()) continue;
        std::vector<size_t> order(expected.size());
        for (size_t k = 0; k < order.size(); ++k) order[k] = k;
        std::stable_sort(order.begin(), order.end(),
                         [&](size_t a, size_t b) { return expected[a] > expected[b]; });
        BOOST_TEST(std::abs(got.answer().score - expected[order[0]]) < 1e-5);
        BOOST_TEST(std::abs(expected[got.answer().label] - expected[order[0]]) < 1e-5);
        BOOST_REQUIRE(got.runner_up.has_value() == (order.size() > 1));
        if (order.size() > 1) {
          BOOST_TEST(got.runner_up->label != got.answer().label);
          BOOST_TEST(std::abs(got.runner_up->score - expected[order[1]]) < 1e-5);
          BOOST_TEST(std::abs(expected[got.runner_up->label] - expected[order[1]]) < 1e-5);
        }
        for (size_t k = 0; k < scores.size(); ++k)
          BOOST_REQUIRE(std::abs(scores[k] - expected[k]) < 1e-5);
      }
    }
  }
}

// --- vetoes -------------------------------------------------------------------------------------

// The logits' lead of a veto as the header writes it, in double.
double plain_lead(const std::string& rule, const Veto& veto, const std::vector<float>& image,
                  const std::vector<float>& text, const std::vector<float>& image_vetoes,
                  const std::vector<float>& text_vetoes, const FusionSettings& settings,
                  const TextEvidence& evidence) {
  const double of_image = static_cast<double>(settings.image_scale) *
                          (static_cast<double>(image_vetoes[veto.against]) - image_vetoes[veto.own]);
  if (rule == "image" || text.empty()) return of_image;
  const double of_text = static_cast<double>(settings.text_scale) *
                         (static_cast<double>(text_vetoes[veto.against]) - text_vetoes[veto.own]);
  if (rule == "text") return of_text;
  if (rule == "max") {
    const double of_label = plain_scores("image", image, {}, settings, evidence)[veto.label];
    return static_cast<double>(text[veto.label]) > of_label ? of_text : of_image;
  }
  const double weight = static_cast<double>(settings.text_weight(evidence));
  return (of_image + weight * of_text) / (1 + static_cast<double>(settings.pooling) * weight);
}

BOOST_AUTO_TEST_CASE(a_nearer_veto_takes_its_label_and_the_next_best_answer_stands) {
  // Label 1 (0.25) is the picture's; its own prompts and two vetoes have columns of their own.
  for (const float against : {0.22f, 0.27f}) {
    std::vector<float> image = kPicture;
    const std::vector<float> plain = image;
    std::vector<float> columns = {0.25f, 0.21f, against};
    std::vector<float> scores(3);
    const uint64_t no_owner = 0;
    Prediction got;
    Similarities all{3, image, {}, {&no_owner, 0}, 0, {}};
    all.image_vetoes = columns;
    const VetoColumns vetoes{{{1, 4, 0, 1}, {1, 5, 0, 2}}, 3, {}, {}};
    Fuser({&fusion_rule("image"), scaled(100)}, {}, {}, vetoes)(all, {&got, 1}, scores);
    const Prediction without = fuse("image", plain, {});
    BOOST_REQUIRE(got.veto.has_value());
    BOOST_TEST(got.veto->label == 1u);
    BOOST_TEST(got.veto->prompt == 5u);
    BOOST_TEST(std::abs(got.veto->score - 1 / (1 + std::exp(-100.0 * (against - 0.25)))) < 1e-5);
    BOOST_TEST(got.image.label == 1u);  // what the side says by itself
    const bool taken = against > 0.25f;
    BOOST_TEST(got.veto->taken == taken);
    BOOST_TEST(got.answer().label == (taken ? 2u : 1u));
    // With its own score: the label's share is nobody's.
    BOOST_TEST(std::abs(got.answer().score - (taken ? without.runner_up->score
                                                    : without.answer().score)) < 1e-6);
    BOOST_TEST(got.runner_up->label == (taken ? 0u : 2u));
    BOOST_TEST(std::isinf(scores[1]) == taken);
  }
}

BOOST_AUTO_TEST_CASE(where_vetoes_take_every_label_there_is_no_answer) {
  for (const FusionRule* rule : fusion_rules()) {
    std::vector<float> image = {0.2f}, text = {0.3f}, scores(1);
    std::vector<float> image_columns = {0.2f, 0.25f}, text_columns = {0.2f, 0.25f};
    const uint64_t owner = 0;
    Prediction got;
    Similarities all{1, image, text, {&owner, 1}, 0, {&kSure, 1}};
    all.image_vetoes = image_columns;
    all.text_vetoes = text_columns;
    const VetoColumns vetoes{{{0, 1, 0, 1}}, 2, {}, {}};
    Fuser({rule, scaled(100)}, {}, {}, vetoes)(all, {&got, 1}, scores);
    BOOST_TEST_CONTEXT(rule->name()) {
      BOOST_TEST(!got.winner.has_value());
      BOOST_TEST(!got.runner_up.has_value());
      BOOST_TEST(got.veto->taken);
      BOOST_TEST(scores[0] == -INFINITY);
    }
  }
}

BOOST_AUTO_TEST_CASE(random_vetoes_agree_with_a_plain_loop) {
  std::mt19937 random(8);
  std::uniform_real_distribution<float> cosine(-0.1f, 0.1f);
  const auto draw = [&](size_t count) {
    std::vector<float> values(count);
    for (float& value : values) value = cosine(random);
    return values;
  };
  size_t taken_answers = 0;
  for (int round = 0; round < 400; ++round) {
    const size_t labels = 1 + static_cast<size_t>(round) % 9;
    const std::vector<float> image = draw(labels);
    const std::vector<float> text = draw(round % 4 == 0 ? 0 : labels);
    VetoColumns vetoes;
    for (uint32_t k = 0; k < labels; k += 1 + static_cast<uint32_t>(random() % 3)) {
      const auto own = static_cast<uint32_t>(vetoes.count++);
      for (uint32_t i = 0; i <= random() % 2; ++i)
        vetoes.vetoes.push_back({k, i, own, static_cast<uint32_t>(vetoes.count++)});
    }
    const std::vector<float> image_columns = draw(vetoes.count);
    const std::vector<float> text_columns = draw(text.empty() ? 0 : vetoes.count);
    vetoes.image_offsets = draw(vetoes.count);
    std::vector<float> shifted = image_columns;
    for (size_t i = 0; i < shifted.size(); ++i) shifted[i] += vetoes.image_offsets[i];
    FusionSettings settings = scaled(static_cast<float>(5 + round % 50));
    settings.text_scale = static_cast<float>(1 + round % 50);
    settings.pooling = static_cast<float>(round % 3) / 2;
    const TextEvidence evidence = {static_cast<uint32_t>(round % 7), static_cast<float>(round % 10) / 9};
    for (const FusionRule* rule : fusion_rules()) {
      BOOST_TEST_CONTEXT(rule->name() << " in round " << round) {
        std::vector<float> a = image, b = text, c = image_columns, d = text_columns, scores(labels);
        const uint64_t owner = 0;
        const size_t texts = text.empty() ? 0 : 1;
        Prediction got;
        Similarities all{labels, a, b, {&owner, texts}, 0, {&evidence, texts}, c, d};
        const Fuser fuser({rule, settings}, {}, {}, vetoes);
        fuser(all, {&got, 1}, scores);
        std::vector<double> expected =
            plain_scores(std::string(rule->name()), image, text, settings, evidence);
        if (expected.empty()) {
          BOOST_REQUIRE((!got.winner && !got.veto));
          continue;
        }
        const auto first = static_cast<uint32_t>(std::ranges::max_element(expected) - expected.begin());
        std::vector<double> strongest(labels, -INFINITY);
        for (const Veto& veto : vetoes.vetoes)
          strongest[veto.label] =
              std::max(strongest[veto.label],
                       plain_lead(std::string(rule->name()), veto, image, text, shifted, text_columns,
                                  settings, evidence));
        BOOST_REQUIRE(got.veto.has_value() == std::isfinite(strongest[first]));
        if (got.veto) {
          BOOST_TEST(got.veto->label == first);
          BOOST_TEST(std::abs(got.veto->score - 1 / (1 + std::exp(-strongest[first]))) < 1e-4);
          BOOST_TEST(got.veto->taken == (strongest[first] > 0));
          taken_answers += got.veto->taken;
        }
        for (size_t k = 0; k < labels; ++k) {
          if (strongest[k] > 0) expected[k] = -INFINITY;
          if (std::isinf(expected[k])) BOOST_REQUIRE(scores[k] == -INFINITY);
          else BOOST_REQUIRE(std::abs(scores[k] - expected[k]) < 1e-5);
        }
        const auto best = static_cast<uint32_t>(std::ranges::max_element(expected) - expected.begin());
        BOOST_REQUIRE(got.winner.has_value() == std::isfinite(expected[best]));
        if (!got.winner) continue;
        BOOST_TEST(std::abs(got.answer().score - expected[best]) < 1e-5);
        BOOST_TEST(std::abs(expected[got.answer().label] - expected[best]) < 1e-5);
        // The same without the scores.
        a = image, b = text, c = image_columns, d = text_columns;
        Prediction again;
        Similarities same{labels, a, b, {&owner, texts}, 0, {&evidence, texts}, c, d};
        fuser(same, {&again, 1});
        BOOST_TEST(again.answer().label == got.answer().label);
        BOOST_TEST(again.answer().score == got.answer().score);
        BOOST_TEST((again.winner == got.winner));
        BOOST_TEST(again.margin() == got.margin());
      }
    }
  }
  BOOST_TEST(taken_answers > 100u);
}

BOOST_AUTO_TEST_CASE(an_unknown_rule_is_refused_with_the_one_that_was_meant) {
  BOOST_TEST(fusion_rule("max").name() == "max");
  const auto says = [](const std::string& text) {
    return [text](const Error& error) {
      return std::string(error.what()).find(text) != std::string::npos;
    };
  };
  BOOST_CHECK_EXCEPTION(fusion_rule("imgae"), Error, says("did you mean 'image'?"));
  BOOST_CHECK_EXCEPTION(fusion_rule("best"), Error, says("use mix, max, image, text"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
