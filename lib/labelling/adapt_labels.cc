// The few rounds between labels and pictures. Tested by tests/labelling/adapt_labels_test.cc;
// `./dev bench fusion` measures what they bring.

#include "lib/labelling/adapt_labels.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
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

// How many pictures of the collection's sample count.
size_t sample_size(const SampledPictures& sample, size_t labels) {
  constexpr size_t kMost = 4096;
  constexpr size_t kFewest = 512;
  constexpr size_t kSimilarities = kMost * 1024;
  static_assert(kMost <= ViewVectors::kMostSampled);
  return std::min<size_t>(sample.pictures.size(),
                          std::clamp(kSimilarities / labels, kFewest, kMost));
}

// The label that a picture is counted for on a side, and how near it is to it there; with share 0
// for none.
struct Membership {
  uint32_t label = 0;
  double share = 0;
  double logit = 0;
};

// Those of one side.
struct Members {
  std::vector<Membership> of;  // one a picture of the sample, or one a text
  double kept = 1;             // u of the header
};

// A collection may hold much that no label names, and some of it attracts a label all the same. A
// picture counts the less, the farther it is behind those that are nearest to its label.
void leave_out_strangers(Members& members, size_t labels) {
  std::vector<std::vector<double>> logits(labels);
  for (const Membership& member : members.of) {
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
  double attracted = 0;
  double kept = 0;
  for (Membership& member : members.of) {
    const double behind = nearest[member.label] - member.logit;
    attracted += member.share / (1 + std::exp(behind - 2 * kReach));
    member.share /= 1 + std::exp(behind - kReach);
    kept += member.share;
  }
  members.kept = attracted > 0 ? kept / attracted : 1;
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
  const VectorRows& vectors;
  size_t count;  // of these vectors
  const Matrix& prompts;
  float scale;
  Matrix labels;
  std::vector<float> biases;

  // Of consecutive vectors with the labels, the same bits as in scan() on every processor.
  std::vector<float> similarities(const FixedPointQueries& queries, size_t begin,
                                  size_t end) const {
    std::vector<float> result((end - begin) * queries.count());
    if (begin < end) queries.inner_products(vectors, begin, end - begin, result);
    return result;
  }
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
    shares[i] = static_cast<double>(std::lround(members[i].share * kShareUnits));
    result.counts[members[i].label] += shares[i];
  }
  const auto add_columns = [&](size_t begin, size_t end) {
    std::vector<float> values(end - begin);
    for (size_t i = 0; i < members.size(); ++i) {
      if (shares[i] == 0) continue;
      from_fp16(side.vectors.row(i).subspan(begin, end - begin), values);
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

void move(Side& side, const std::vector<float>& biases, const Members& members, double strength,
          unsigned threads) {
  const size_t dimension = side.prompts.columns();
  const LabelMeans means = means_of(side, members.of, threads);
  const std::vector<double> middle = middle_of(means, dimension);
  const double gain =
      strength * members.kept / (spread_within(means, dimension) * static_cast<double>(side.scale));
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

void add_logits(const Side& side, std::span<const float> similarities, double weight,
                std::vector<double>& logits) {
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

struct BothMembers {
  Members image;
  Members text;
};

// By what both sides say, as `mix` weighs them. text_owners: the picture of each text, ascending;
// text_weights: w, one a text.
BothMembers members_of(const Side& image, const Side& text, std::span<const size_t> text_owners,
                       const std::vector<float>& text_weights, unsigned threads) {
  constexpr size_t kChunk = 64;
  const FixedPointQueries image_labels(image.labels);
  const FixedPointQueries text_labels(text.labels);
  const size_t labels = image_labels.count();
  BothMembers members{{std::vector<Membership>(image.count)},
                      {std::vector<Membership>(text.count)}};
  const auto on_side = [](Membership member, const Side& side, std::span<const float> similar) {
    member.logit = static_cast<double>(side.scale) * static_cast<double>(similar[member.label]);
    return member;
  };
  parallel_chunks(image.count, kChunk, threads, [&](size_t begin, size_t end) {
    auto t =
        static_cast<size_t>(std::ranges::lower_bound(text_owners, begin) - text_owners.begin());
    const size_t first_text = t;
    const auto end_text =
        static_cast<size_t>(std::ranges::lower_bound(text_owners, end) - text_owners.begin());
    const std::vector<float> of_images = image.similarities(image_labels, begin, end);
    const std::vector<float> of_texts = text.similarities(text_labels, first_text, end_text);
    std::vector<double> logits(labels);
    for (size_t i = begin; i < end; ++i) {
      const bool has_text = t < end_text && text_owners[t] == i;
      const double weight = has_text ? static_cast<double>(text_weights[t]) : 0;
      const std::span of_image = std::span(of_images).subspan((i - begin) * labels, labels);
      std::ranges::fill(logits, 0.0);
      add_logits(image, of_image, 1 / (1 + weight), logits);
      std::span<const float> of_text;
      if (weight > 0) {
        of_text = std::span(of_texts).subspan((t - first_text) * labels, labels);
        add_logits(text, of_text, weight / (1 + weight), logits);
      }
      const Membership member = membership_of(logits);
      members.image.of[i] = on_side(member, image, of_image);
      if (weight > 0) members.text.of[t] = on_side(member, text, of_text);
      t += has_text;
    }
  });
  leave_out_strangers(members.image, labels);
  leave_out_strangers(members.text, labels);
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
  const SampledPictures& sample = collection.sampled_pictures();
  const size_t pictures = sample_size(sample, count);
  const auto texts = static_cast<size_t>(std::ranges::lower_bound(sample.text_owners, pictures) -
                                         sample.text_owners.begin());
  Side image{sample.pictures,      pictures,     labels.image,
             settings.image_scale, labels.image, or_zeros(labels.image_bias, count)};
  Side text{sample.texts,        texts,       labels.text,
            settings.text_scale, labels.text, or_zeros(labels.text_bias, count)};
  const std::span text_owners = std::span(sample.text_owners).first(texts);
  std::vector<float> text_weights;
  for (const TextEvidence& evidence : std::span(sample.evidence).first(texts))
    text_weights.push_back(settings.text_weight(evidence));
  for (int round = 0; round < kRounds; ++round) {
    const BothMembers members = members_of(image, text, text_owners, text_weights, threads);
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
