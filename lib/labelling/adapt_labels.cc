// The few rounds between labels and pictures. Tested by tests/labelling/adapt_labels_test.cc;
// `./dev bench fusion` measures what they bring.

#include "lib/labelling/adapt_labels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <limits>
#include <utility>

#include "lib/util/parallel.h"
#include "lib/vectors/fixed_point.h"

namespace zeroshelf {
namespace {

constexpr double kPrior = 10;  // pictures
constexpr int kRounds = 3;
constexpr double kOwn = 0.5;
constexpr double kReach = 7;    // logits
constexpr size_t kNearest = 5;  // pictures of a label
// Pictures of a label that are all alike would move it without end.
constexpr double kLeastSpread = 0.05;
constexpr Row kNoRow = std::numeric_limits<Row>::max();

std::vector<Row> sample_of(const View& collection, size_t labels) {
  constexpr size_t kMost = 4096;
  constexpr size_t kFewest = 512;
  constexpr size_t kSimilarities = kMost * 1024;
  static_assert(kMost <= ViewVectors::kMostSampled);
  return ViewVectors::pictures(collection)
      .sample(std::clamp(kSimilarities / labels, kFewest, kMost));
}

// The label that a picture is counted for on a side, and how near it is to it there; with share 0
// for none.
struct Membership {
  uint32_t label = 0;
  double share = 0;
  double logit = 0;
};
struct Members {
  std::vector<Membership> image;  // one a picture of the sample
  std::vector<Membership> text;
};

// A collection may hold much that no label names, and some of it attracts a label all the same. A
// picture counts the less, the farther it is behind those that are nearest to its label.
void leave_out_strangers(std::vector<Membership>& members, size_t labels) {
  std::vector<std::vector<double>> logits(labels);
  for (const Membership& member : members) {
    if (member.share > 0) logits[member.label].push_back(member.logit);
  }
  std::vector<double> nearest(labels);
  for (size_t k = 0; k < labels; ++k) {
    const size_t count = std::min(kNearest, logits[k].size());
    const auto end = logits[k].begin() + static_cast<ptrdiff_t>(count);
    std::ranges::partial_sort(logits[k], end, std::greater());
    for (auto logit = logits[k].begin(); logit != end; ++logit)
      nearest[k] += *logit / static_cast<double>(count);
  }
  for (Membership& member : members)
    member.share /= 1 + std::exp(nearest[member.label] - member.logit - kReach);
}

// What the pictures of a label, or their texts, have in common.
struct LabelMeans {
  std::vector<double> counts;  // n_k
  std::vector<double> means;   // c_k, [labels, dimension]

  std::span<const double> mean(size_t label, size_t dimension) const {
    return std::span(means).subspan(label * dimension, dimension);
  }
};

// One side of the sample, and where its labels are now.
struct Side {
  ViewVectors vectors;
  std::vector<Row> rows;  // one a picture of the sample; kNoRow: it has no such vector
  const Matrix& prompts;
  float scale;
  Matrix labels;
  std::vector<float> biases;
};

// Eight at a time, so that the compiler takes vectors for it.
void add_times(double factor, std::span<const float> values, double* sum) {
  constexpr size_t kWidth = 8;
  size_t d = 0;
  for (; d + kWidth <= values.size(); d += kWidth) {
    for (size_t i = 0; i < kWidth; ++i) sum[d + i] += factor * static_cast<double>(values[d + i]);
  }
  for (; d < values.size(); ++d) sum[d] += factor * static_cast<double>(values[d]);
}

// Shares are whole numbers and every fp16 is a multiple of 2^-24, so these sums of some thousand
// unit vectors fit the 53 bits of a double: they are exact.
LabelMeans means_of(const Side& side, const std::vector<Membership>& members, unsigned threads) {
  constexpr double kShareUnits = 1 << 16;
  constexpr size_t kColumns = 64;  // a thread, at the least
  const size_t labels = side.prompts.rows();
  const size_t dimension = side.prompts.columns();
  LabelMeans result{std::vector<double>(labels), std::vector<double>(labels * dimension)};
  std::vector<double> shares(members.size());
  for (size_t i = 0; i < members.size(); ++i) {
    if (side.rows[i] == kNoRow) continue;
    shares[i] = static_cast<double>(std::lround(members[i].share * kShareUnits));
    result.counts[members[i].label] += shares[i];
  }
  const auto add_columns = [&](size_t begin, size_t end) {
    std::vector<float> values(end - begin);
    for (size_t i = 0; i < members.size(); ++i) {
      if (shares[i] == 0) continue;
      from_fp16(side.vectors.row(side.rows[i]).subspan(begin, end - begin), values);
      add_times(shares[i], values, result.means.data() + members[i].label * dimension + begin);
    }
    for (size_t k = 0; k < labels; ++k) {
      if (result.counts[k] == 0) continue;
      for (size_t d = begin; d < end; ++d) result.means[k * dimension + d] /= result.counts[k];
    }
  };
  const size_t workers = threads == 0 ? available_cores() : threads;
  parallel_chunks(dimension, std::max(kColumns, (dimension + workers - 1) / workers), threads,
                  add_columns);
  for (double& count : result.counts) count /= kShareUnits;
  return result;
}

// v of the header: unit vectors about their mean c have the mean squared distance 1 - c * c.
double spread_within(const LabelMeans& means, size_t dimension) {
  double sum = 0;
  double count = 0;
  for (size_t k = 0; k < means.counts.size(); ++k) {
    double square = 0;
    for (const double value : means.mean(k, dimension)) square += value * value;
    sum += means.counts[k] * (1 - square);
    count += means.counts[k];
  }
  return count > 0 ? std::max(kLeastSpread, sum / count) : 1;
}

// c: every label counts as it is believed, however many pictures it has.
std::vector<double> middle_of(const LabelMeans& means, size_t dimension) {
  std::vector<double> middle(dimension);
  double weight = 0;
  for (size_t k = 0; k < means.counts.size(); ++k) {
    const double believed = means.counts[k] / (means.counts[k] + kPrior);
    weight += believed;
    for (size_t d = 0; d < dimension; ++d) middle[d] += believed * means.mean(k, dimension)[d];
  }
  for (double& value : middle) value /= std::max(weight, 1e-9);
  return middle;
}

void move(Side& side, const std::vector<float>& biases, const std::vector<Membership>& members,
          double strength, unsigned threads) {
  const size_t dimension = side.prompts.columns();
  const LabelMeans means = means_of(side, members, threads);
  const std::vector<double> middle = middle_of(means, dimension);
  const double gain =
      strength / (spread_within(means, dimension) * static_cast<double>(side.scale));
  for (size_t k = 0; k < means.counts.size(); ++k) {
    const double step = gain * means.counts[k] / (means.counts[k] + kPrior);
    const std::span<float> label = side.labels.row(k);
    double at_middle = 0;
    for (size_t d = 0; d < dimension; ++d) {
      const double by = means.counts[k] > 0 ? step * (means.mean(k, dimension)[d] - middle[d]) : 0;
      label[d] = static_cast<float>(static_cast<double>(side.prompts.row(k)[d]) + by);
      at_middle += by * middle[d];
    }
    side.biases[k] =
        static_cast<float>((biases.empty() ? 0 : static_cast<double>(biases[k])) - at_middle);
  }
}

// The same bits as in scan(), on every processor.
void inner_products(const Side& side, const FixedPointQueries& labels, Row row,
                    std::vector<float>& similarities) {
  const ViewVectors::Place place = side.vectors.place_of(row);
  labels.inner_products(place.rows, row - place.first, 1, similarities);
}

void add_logits(const Side& side, const FixedPointQueries& labels, Row row, double weight,
                std::vector<float>& similarities, std::vector<double>& logits) {
  inner_products(side, labels, row, similarities);
  for (size_t k = 0; k < logits.size(); ++k)
    logits[k] += weight * static_cast<double>(side.scale) *
                 (static_cast<double>(similarities[k]) + static_cast<double>(side.biases[k]));
}

Membership membership_of(const std::vector<double>& logits) {
  const auto best = std::ranges::max_element(logits);
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit - *best);
  const double share = 1 / sum;
  return {static_cast<uint32_t>(best - logits.begin()), share > kOwn ? share : 0, 0};
}

// By what both sides say, as `mix` weighs them. text_weights: w, one a picture of the sample.
Members members_of(const Side& image, const Side& text, const std::vector<float>& text_weights,
                   unsigned threads) {
  constexpr size_t kChunk = 64;
  const FixedPointQueries image_labels(image.labels);
  const FixedPointQueries text_labels(text.labels);
  Members members{std::vector<Membership>(image.rows.size()),
                  std::vector<Membership>(image.rows.size())};
  parallel_chunks(image.rows.size(), kChunk, threads, [&](size_t begin, size_t end) {
    std::vector<float> of_image(image_labels.count());
    std::vector<float> of_text(text_labels.count());
    std::vector<double> logits(image_labels.count());
    const auto on_side = [](Membership member, const Side& side,
                            const std::vector<float>& similar) {
      member.logit = static_cast<double>(side.scale) * static_cast<double>(similar[member.label]);
      return member;
    };
    for (size_t i = begin; i < end; ++i) {
      const double weight = static_cast<double>(text_weights[i]);
      std::ranges::fill(logits, 0.0);
      add_logits(image, image_labels, image.rows[i], 1 / (1 + weight), of_image, logits);
      if (weight > 0)
        add_logits(text, text_labels, text.rows[i], weight / (1 + weight), of_text, logits);
      const Membership member = membership_of(logits);
      members.image[i] = on_side(member, image, of_image);
      if (weight > 0) members.text[i] = on_side(member, text, of_text);
    }
  });
  leave_out_strangers(members.image, image_labels.count());
  leave_out_strangers(members.text, text_labels.count());
  return members;
}

std::vector<float> or_zeros(const std::vector<float>& biases, size_t labels) {
  return biases.empty() ? std::vector<float>(labels) : biases;
}

}  // namespace

LabelVectors adapt_labels(const View& collection, const LabelVectors& labels, float strength,
                          unsigned threads) {
  check_labels(collection, labels);
  const size_t count = labels.labels();
  const FusionSettings settings =
      FusionSettings::for_logit_scale(collection.manifest().logit_scale);
  if (!(strength > 0) || count < 2 || !(settings.image_scale > 0)) return labels;
  Side image{ViewVectors::pictures(collection),
             sample_of(collection, count),
             labels.image,
             settings.image_scale,
             labels.image,
             or_zeros(labels.image_bias, count)};
  Side text{ViewVectors::texts(collection),
            std::vector<Row>(image.rows.size(), kNoRow),
            labels.text,
            settings.text_scale,
            labels.text,
            or_zeros(labels.text_bias, count)};
  std::vector<float> text_weights(image.rows.size());
  for (size_t i = 0; i < image.rows.size(); ++i) {
    const auto row = collection.text_index(image.rows[i]);
    if (!row) continue;
    text_weights[i] = settings.text_weight(collection.text_evidence(*row));
    if (text_weights[i] > 0) text.rows[i] = *row;
  }
  for (int round = 0; round < kRounds; ++round) {
    const Members members = members_of(image, text, text_weights, threads);
    move(image, labels.image_bias, members.image, static_cast<double>(strength), threads);
    move(text, labels.text_bias, members.text, static_cast<double>(strength), threads);
  }
  LabelVectors adapted;
  adapted.image = std::move(image.labels);
  adapted.text = std::move(text.labels);
  adapted.image_bias = std::move(image.biases);
  adapted.text_bias = std::move(text.biases);
  adapted.vetoes = labels.vetoes;
  adapted.examples = labels.examples;
  return adapted;
}

LabelVectors labels_for(const View& collection, const Fusion& fusion, LabelVectors labels,
                        unsigned threads) {
  return fusion.adapts() ? adapt_labels(collection, labels, fusion.settings.adaptation, threads)
                         : std::move(labels);
}

}  // namespace zeroshelf
