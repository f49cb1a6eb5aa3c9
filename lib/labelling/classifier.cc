// Tested by tests/labelling/classifier_test.cc.

#include "lib/labelling/classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/labelling/kept.h"
#include "lib/util/bytes.h"
#include "lib/util/utc.h"

namespace zeroshelf {
namespace {

constexpr uint8_t kVersion = 2;
constexpr uint8_t kVersionWithoutPictures = 1;  // it did not say which it was learned from
constexpr uint64_t kSeed = 1;
constexpr uint32_t kMostDimensions = 65'536;

FusionSettings linear_settings() {
  FusionSettings settings;  // the gate's defaults
  settings.image_scale = 1;
  settings.text_scale = 1;
  settings.alpha = 1;
  return settings;
}

// [picture, g * text, g]; without the last two when no picture has text.
Matrix features_of(const View& collection, const std::vector<KnownPicture>& pictures) {
  const size_t dimension = collection.manifest().dimension;
  const bool any_text = std::ranges::any_of(
      pictures, [&](const KnownPicture& it) { return collection.text_index(it.row).has_value(); });
  Matrix features(pictures.size(), any_text ? 2 * dimension + 1 : dimension);
  const ViewVectors images = ViewVectors::pictures(collection);
  const ViewVectors texts = ViewVectors::texts(collection);
  for (size_t i = 0; i < pictures.size(); ++i) {
    const std::span<float> row = features.row(i);
    from_fp16(images.row(pictures[i].row), row.first(dimension));
    const auto text = collection.text_index(pictures[i].row);
    if (!text) continue;
    const float weight = linear_settings().text_weight(collection.text_evidence(*text));
    from_fp16(texts.row(*text), row.subspan(dimension, dimension));
    for (float& value : row.subspan(dimension, dimension)) value *= weight;
    row.back() = weight;
  }
  return features;
}

LabelVectors vectors_of(const LinearModel& model, size_t dimension) {
  const size_t labels = model.biases.size();
  LabelVectors vectors;
  vectors.image = Matrix(labels, dimension);
  vectors.text = Matrix(labels, dimension);
  vectors.image_bias = model.biases;
  vectors.text_bias.resize(labels);
  for (size_t k = 0; k < labels; ++k) {
    const std::span<const float> weights = model.weights.row(k);
    std::ranges::copy(weights.first(dimension), vectors.image.row(k).begin());
    if (weights.size() == dimension) continue;
    std::ranges::copy(weights.subspan(dimension, dimension), vectors.text.row(k).begin());
    vectors.text_bias[k] = weights.back();
  }
  return vectors;
}

std::vector<Label> learned_labels(const std::vector<std::string>& names) {
  std::vector<Label> labels;
  for (const std::string& name : names) labels.push_back({name, {"(learned)"}});
  return labels;
}

void check_enough(const std::vector<std::string>& labels,
                  const std::vector<KnownPicture>& pictures) {
  std::vector<size_t> counts(labels.size());
  for (const KnownPicture& picture : pictures) ++counts[picture.label];
  if (std::ranges::count_if(counts, [](size_t count) { return count >= 2; }) >= 2) return;
  throw Error(ErrorCode::InvalidArgument, "the truth",
              "a classifier needs two labels with two pictures each, at least",
              "label more pictures of this collection");
}

void write_numbers(ByteWriter& out, std::span<const float> numbers) {
  out.raw(std::as_bytes(numbers));
}

void read_numbers(ByteReader& in, std::span<float> numbers) {
  const std::string_view bytes = in.take(numbers.size_bytes());
  std::memcpy(numbers.data(), bytes.data(), bytes.size());
  if (!std::ranges::all_of(numbers, [](float it) { return std::isfinite(it); }))
    in.fail("a weight is no number");
}

std::vector<uint64_t> marks_of(const View& collection, const std::vector<KnownPicture>& pictures) {
  std::vector<uint64_t> marks;
  for (const KnownPicture& picture : pictures)
    marks.push_back(learned_mark(collection.record(picture.row).content_hash));
  std::ranges::sort(marks);
  return marks;
}

}  // namespace

uint64_t learned_mark(const ContentHash& content) {
  uint64_t mark = 0;
  static_assert(sizeof content >= sizeof mark);
  std::memcpy(&mark, content.data(), sizeof mark);
  return mark;
}

Training train_classifier(const View& collection, const std::vector<std::string>& labels,
                          const std::vector<KnownPicture>& pictures, unsigned threads) {
  check_enough(labels, pictures);
  LogisticExamples examples;
  examples.features = features_of(collection, pictures);
  examples.class_count = static_cast<uint32_t>(labels.size());
  for (const KnownPicture& picture : pictures) examples.classes.push_back(picture.label);
  Training training;
  training.validation = choose_penalty(examples, kSeed, threads);
  const LinearModel model = fit_logistic(examples, training.validation.penalty, threads);
  Classifier& classifier = training.classifier;
  classifier.labels = learned_labels(labels);
  classifier.vectors = vectors_of(model, collection.manifest().dimension);
  classifier.settings = linear_settings();
  classifier.model_fingerprint = collection.manifest().model_fingerprint;
  classifier.created_utc = now_utc();
  classifier.pictures = pictures.size();
  classifier.held_out = accuracy(training.validation.held_out);
  classifier.learned_from = marks_of(collection, pictures);
  return training;
}

std::string encode_classifier(const Classifier& classifier) {
  ByteWriter out;
  out.number(kVersion);
  out.text(classifier.model_fingerprint);
  out.text(classifier.created_utc);
  out.text(settings_json(classifier.settings));
  out.varint(classifier.pictures);
  out.varint(classifier.held_out.good);
  out.varint(classifier.held_out.trials);
  out.varint(classifier.vectors.image.columns());
  out.varint(classifier.labels.size());
  for (size_t k = 0; k < classifier.labels.size(); ++k) {
    out.text(classifier.labels[k].name);
    write_numbers(out, classifier.vectors.image.row(k));
    write_numbers(out, classifier.vectors.text.row(k));
    out.number(classifier.vectors.image_bias[k]);
    out.number(classifier.vectors.text_bias[k]);
  }
  out.varint(classifier.learned_from.size());
  for (const uint64_t mark : classifier.learned_from) out.number(mark);
  return std::move(out).bytes();
}

Classifier decode_classifier(std::string_view bytes, const std::string& subject) {
  ByteReader in(bytes, subject);
  const auto version = in.number<uint8_t>();
  if (version != kVersion && version != kVersionWithoutPictures) throw other_version(subject);
  Classifier classifier;
  classifier.model_fingerprint = in.text();
  classifier.created_utc = in.text();
  classifier.settings = parse_settings(in.text(), subject);
  classifier.pictures = in.varint();
  classifier.held_out.good = in.varint();
  classifier.held_out.trials = in.varint();
  const uint64_t dimension = in.varint_at_most(kMostDimensions);
  const uint64_t labels = in.varint_at_most(in.left() / (2 * sizeof(float) * (dimension + 1)));
  if (dimension == 0 || labels == 0) in.fail("it is empty");
  LabelVectors& vectors = classifier.vectors;
  vectors.image = Matrix(labels, dimension);
  vectors.text = Matrix(labels, dimension);
  vectors.image_bias.resize(labels);
  vectors.text_bias.resize(labels);
  std::set<std::string> names;
  for (size_t k = 0; k < labels; ++k) {
    const std::string name(in.text());
    if (!names.insert(name).second) in.fail("a label is there twice");
    classifier.labels.push_back(learned_labels({name}).front());
    read_numbers(in, vectors.image.row(k));
    read_numbers(in, vectors.text.row(k));
    read_numbers(in, std::span(vectors.image_bias).subspan(k, 1));
    read_numbers(in, std::span(vectors.text_bias).subspan(k, 1));
  }
  if (version == kVersion) {
    classifier.learned_from.resize(in.varint_at_most(in.left() / sizeof(uint64_t)));
    for (uint64_t& mark : classifier.learned_from) mark = in.number<uint64_t>();
    if (!std::ranges::is_sorted(classifier.learned_from)) in.fail("its pictures are in no order");
  }
  in.expect_end();
  return classifier;
}

void save_classifier(const View& collection, const std::string& name,
                     const Classifier& classifier) {
  collection.attachments().put(kClassifierKind, name, encode_classifier(classifier));
}

Classifier load_classifier(const View& collection, const std::string& name) {
  const std::string subject = fmt::format("classifier {}", name);
  Classifier classifier =
      decode_classifier(load_kept(collection, kClassifierKind, name, "train --save NAME"), subject);
  check_fingerprint(collection, classifier.model_fingerprint, subject);
  return classifier;
}

}  // namespace zeroshelf
