// Tested by tests/programs/queries_test.cc.

#include "lib/labelling/classify.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <mutex>
#include <numeric>
#include <string>
#include <utility>

#include "lib/labelling/tree_answer.h"
#include "lib/util/error.h"
#include "lib/util/parallel.h"
#include "lib/vectors/fixed_point.h"

namespace zeroshelf {
namespace {

// Rows in flight a thread: as many as keep the block and its similarities in a core's cache, in
// whole tiles of a matrix unit.
size_t rows_a_block(size_t labels) {
  constexpr size_t kTileRows = 16;
  return std::clamp<size_t>(65'536 / labels / kTileRows * kTileRows, kTileRows, 512);
}

bool all_finite(std::span<const float> values) {
  return std::ranges::all_of(values, [](float value) { return std::isfinite(value); });
}

void check_side(const Matrix& vectors, const std::vector<float>& bias, size_t labels,
                uint32_t dimension, const char* side) {
  const auto refuse = [&](const std::string& cause) {
    throw Error(ErrorCode::InvalidArgument, "labels", cause);
  };
  if (vectors.columns() != dimension || vectors.rows() == 0 || vectors.rows() != labels)
    refuse(fmt::format("{} {} vectors of {} dimensions for {} labels of a collection of {}",
                       vectors.rows(), side, vectors.columns(), labels, dimension));
  if (!bias.empty() && bias.size() != labels)
    refuse(fmt::format("{} biases of the {} side for {} labels", bias.size(), side, labels));
  for (size_t k = 0; k < labels; ++k) {
    if (!all_finite(vectors.row(k)) || (!bias.empty() && !std::isfinite(bias[k])))
      refuse(fmt::format("the {} vector of label {} holds what is no number", side, k + 1));
  }
}

void check_vetoes(const VetoVectors& vetoes, size_t labels, uint32_t dimension) {
  if (vetoes.empty()) return;
  const size_t columns = vetoes.columns();
  check_side(vetoes.image, vetoes.image_bias, columns, dimension, "veto");
  check_side(vetoes.text, {}, columns, dimension, "veto");
  for (const Veto& veto : vetoes.vetoes) {
    if (veto.label >= labels || veto.own >= columns || veto.against >= columns)
      throw Error(ErrorCode::InvalidArgument, "labels", "a veto is about no label");
  }
}

// What is added to the similarities of each label; empty when that is nothing.
std::vector<float> offsets(const Matrix& vectors, const std::vector<float>& bias, float centring,
                           const std::vector<float>& mean) {
  if (centring == 0) return bias;
  std::vector<float> result = bias.empty() ? std::vector<float>(vectors.rows()) : bias;
  for (size_t k = 0; k < result.size(); ++k) {
    double common = 0;
    for (size_t i = 0; i < mean.size(); ++i)
      common += static_cast<double>(mean[i]) * static_cast<double>(vectors.row(k)[i]);
    result[k] -= static_cast<float>(static_cast<double>(centring) * common);
  }
  return result;
}

// What is added to a picture's similarities, label by label and veto column by veto column.
struct Offsets {
  std::vector<float> image;
  std::vector<float> text;
  std::vector<float> image_vetoes;
  std::vector<float> text_vetoes;
};

Offsets offsets_of(const View& collection, const LabelVectors& labels, const Fusion& fusion) {
  const bool centred = fusion.rule->sides() == FusionRule::Sides::Weighed;
  const auto of_pictures = [&](const Matrix& vectors, const std::vector<float>& bias) {
    return offsets(vectors, bias, centred ? fusion.settings.image_centring : 0,
                   collection.mean_image_vector());
  };
  const auto of_texts = [&](const Matrix& vectors, const std::vector<float>& bias) {
    return offsets(vectors, bias, centred ? fusion.settings.text_centring : 0,
                   collection.mean_text_vector());
  };
  const VetoVectors& vetoes = labels.vetoes;
  return {of_pictures(labels.image, labels.image_bias), of_texts(labels.text, labels.text_bias),
          of_pictures(vetoes.image, vetoes.image_bias), of_texts(vetoes.text, {})};
}

// Takes away an answer below the threshold, or makes it `none`.
void apply_threshold(const Labelling& labelling, Prediction& prediction) {
  if (!labelling.threshold || !prediction.winner ||
      prediction.fused.score >= *labelling.threshold) {
    return;
  }
  if (labelling.none) {
    prediction.fused.label = *labelling.none;
  } else {
    prediction.winner.reset();
  }
}

// Where scores are no shares of one, the best label is the answer, however little it has.
TreeAnswers::Options tree_options(const Labelling& labelling) {
  TreeAnswers::Options options;
  options.adds_up = labelling.fusion.rule->scores_add_up() && !labelling.fusion.sigmoid_bias;
  if (!options.adds_up) options.least = -1;
  if (labelling.least) options.least = *labelling.least;
  if (labelling.depth) options.depth = *labelling.depth;
  return options;
}

// Fuses rows: both similarities of a row are in cache when it is its turn.
class BlockScanner {
 public:
  BlockScanner(const View& collection, const Labelling& labelling, bool all_scores)
      : BlockScanner(labelling, all_scores,
                     (check_labels(collection, labelling.vectors),
                      offsets_of(collection, labelling.vectors, labelling.fusion))) {}

  // Rows [begin, end) of one part. predictions and scores have as many elements as there are rows,
  // and rows x places (none unless all scores are wanted).
  void fuse(const Collection& part, Row begin, Row end, std::span<Prediction> predictions,
            std::span<float> scores) const {
    const auto& owners = part.text_owners();
    const auto first_text = std::lower_bound(owners.begin(), owners.end(), begin);
    const auto last_text = std::lower_bound(first_text, owners.end(), end);
    const auto text_begin = static_cast<size_t>(first_text - owners.begin());
    const auto texts = static_cast<size_t>(last_text - first_text);
    thread_local std::vector<float> image;
    thread_local std::vector<float> text;
    similarities(part.image_vectors(), begin, end - begin, image_, image);
    similarities(part.text_vectors(), text_begin, texts, text_, text);
    Similarities all{labels_,
                     std::span(image).first((end - begin) * labels_),
                     std::span(text).first(texts * labels_),
                     std::span(owners).subspan(text_begin, texts),
                     begin,
                     std::span(part.text_evidence()).subspan(text_begin, texts)};
    thread_local std::vector<float> image_vetoes;
    thread_local std::vector<float> text_vetoes;
    if (image_vetoes_) {
      const size_t columns = image_vetoes_->count();
      similarities(part.image_vectors(), begin, end - begin, *image_vetoes_, image_vetoes);
      similarities(part.text_vectors(), text_begin, texts, *text_vetoes_, text_vetoes);
      all.image_vetoes = std::span(image_vetoes).first((end - begin) * columns);
      all.text_vetoes = std::span(text_vetoes).first(texts * columns);
    }
    if (!tree_) {
      fuser_(all, predictions, scores);
    } else {
      thread_local std::vector<float> label_scores;
      label_scores.resize(std::max(label_scores.size(), predictions.size() * labels_));
      const auto of_labels = std::span(label_scores).first(predictions.size() * labels_);
      fuser_(all, predictions, of_labels);
      answer_in_tree(of_labels, predictions, scores);
    }
    for (Prediction& prediction : predictions) apply_threshold(labelling_, prediction);
  }

  size_t labels() const { return labels_; }
  size_t places() const { return places_; }
  size_t scores_of(size_t rows) const { return all_scores_ ? rows * places_ : 0; }

 private:
  // Offsets are in the queries, so that the fuser has none to add.
  BlockScanner(const Labelling& labelling, bool all_scores, Offsets add)
      : labelling_(labelling),
        labels_(labelling.vectors.labels()),
        places_(labelling.places()),
        fuser_(labelling.fusion, {}, {},
               {labelling.vectors.vetoes.vetoes, labelling.vectors.vetoes.columns(), {}, {}}),
        image_(labelling.vectors.image, std::move(add.image)),
        text_(labelling.vectors.text, std::move(add.text)),
        all_scores_(all_scores) {
    if (const VetoVectors& vetoes = labelling.vectors.vetoes; !vetoes.empty()) {
      image_vetoes_.emplace(vetoes.image, std::move(add.image_vetoes));
      text_vetoes_.emplace(vetoes.text, std::move(add.text_vetoes));
    }
    if (!labelling.tree.empty()) tree_.emplace(labelling.tree, tree_options(labelling));
  }

  void answer_in_tree(std::span<const float> label_scores, std::span<Prediction> predictions,
                      std::span<float> scores) const {
    thread_local std::vector<float> one;
    one.resize(places_);
    for (size_t i = 0; i < predictions.size(); ++i)
      (*tree_)(label_scores.subspan(i * labels_, labels_),
               scores.empty() ? one : scores.subspan(i * places_, places_), predictions[i]);
  }

  static void similarities(const VectorRows& vectors, Row first, size_t rows,
                           const FixedPointQueries& labels, std::vector<float>& result) {
    result.resize(std::max(result.size(), rows * labels.count()));
    if (rows > 0)
      labels.inner_products(vectors, first, rows, std::span(result).first(rows * labels.count()));
  }

  const Labelling& labelling_;
  size_t labels_;
  size_t places_;
  Fuser fuser_;
  FixedPointQueries image_;
  FixedPointQueries text_;
  std::optional<FixedPointQueries> image_vetoes_;
  std::optional<FixedPointQueries> text_vetoes_;
  std::optional<TreeAnswers> tree_;
  bool all_scores_;
};

}  // namespace

Fusion default_fusion(const View& collection, std::string_view rule) {
  return Fusion::by_default(rule, collection.manifest().logit_scale);
}

std::optional<Fusion> fusion_for_each_label(const View& collection, std::string_view rule) {
  const Manifest& manifest = collection.manifest();
  if (manifest.scoring != Scoring::Sigmoid) return std::nullopt;
  return Fusion::for_each_label(rule, manifest.logit_scale, manifest.logit_bias);
}

void check_labels(const View& collection, const LabelVectors& labels) {
  const uint32_t dimension = collection.manifest().dimension;
  check_side(labels.image, labels.image_bias, labels.labels(), dimension, "picture");
  check_side(labels.text, labels.text_bias, labels.labels(), dimension, "text");
  check_vetoes(labels.vetoes, labels.labels(), dimension);
}

Fuser make_fuser(const View& collection, const LabelVectors& labels, const Fusion& fusion) {
  check_labels(collection, labels);
  Offsets add = offsets_of(collection, labels, fusion);
  return {fusion,
          std::move(add.image),
          std::move(add.text),
          {labels.vetoes.vetoes, labels.vetoes.columns(), std::move(add.image_vetoes),
           std::move(add.text_vetoes)}};
}

namespace {

// The label that only pictures without another one get.
std::optional<uint32_t> rest_of(const Labelling& labelling) {
  return labelling.none_is_rest ? labelling.none : std::nullopt;
}

// Rows [first, end) of the view, part by part.
void fuse_rows(const View& collection, const BlockScanner& scanner, Row first, Row end,
               std::span<Prediction> predictions, std::span<float> scores) {
  while (first < end) {
    const View::Part& part = collection.part_of(first);
    const Row from = first - part.first_row;
    const Row to = std::min(end - part.first_row, Row{part.collection.image_vectors().size()});
    const size_t rows = to - from;
    scanner.fuse(part.collection, from, to, predictions.first(rows),
                 scores.first(scanner.scores_of(rows)));
    predictions = predictions.subspan(rows);
    scores = scores.subspan(scanner.scores_of(rows));
    first += rows;
  }
}

}  // namespace

void scan(const View& collection, const Labelling& labelling, const ScanOptions& options,
          const std::function<void(const PredictionBlock&)>& visit) {
  const BlockScanner scanner(collection, labelling, options.all_scores);
  const Row end_row = std::min<Row>(options.end_row, collection.rows());
  if (options.first_row >= end_row) return;
  parallel_chunks(end_row - options.first_row, rows_a_block(scanner.labels()), options.threads,
                  [&](size_t begin, size_t end) {
                    thread_local std::vector<Prediction> predictions;
                    thread_local std::vector<float> scores;
                    predictions.resize(end - begin);
                    scores.resize(scanner.scores_of(end - begin));
                    const Row first = options.first_row + begin;
                    fuse_rows(collection, scanner, first, options.first_row + end, predictions,
                              scores);
                    visit({first, predictions, scores, scanner.places(), rest_of(labelling)});
                  });
}

std::vector<Prediction> classify(const View& collection, const Labelling& labelling,
                                 unsigned threads) {
  std::vector<Prediction> predictions(collection.rows());
  ScanOptions options;
  options.threads = threads;
  scan(collection, labelling, options, [&](const PredictionBlock& block) {
    std::ranges::copy(block.predictions,
                      predictions.begin() + static_cast<std::ptrdiff_t>(block.first_row));
  });
  return predictions;
}

RowAnswers classify_rows(const View& collection, const Labelling& labelling,
                         std::span<const Row> rows, Scores scores) {
  const BlockScanner scanner(collection, labelling, scores == Scores::All);
  RowAnswers answers;
  answers.predictions.resize(rows.size());
  answers.scores.resize(scanner.scores_of(rows.size()));
  answers.labels = scanner.places();
  answers.rest = rest_of(labelling);
  const size_t most = rows_a_block(scanner.labels());
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin + 1;
    while (end < rows.size() && end - begin < most && rows[end] == rows[end - 1] + 1) ++end;
    fuse_rows(collection, scanner, rows[begin], rows[begin] + (end - begin),
              std::span(answers.predictions).subspan(begin, end - begin),
              std::span(answers.scores)
                  .subspan(scanner.scores_of(begin), scanner.scores_of(end - begin)));
    begin = end;
  }
  return answers;
}

std::vector<Scored> labels_above(const PredictionBlock& block, size_t i, float threshold) {
  std::vector<Scored> above;
  if (!block.predictions[i].winner) return above;
  const std::span<const float> scores = block.scores_of(i);
  for (size_t k = 0; k < scores.size(); ++k) {
    if (scores[k] >= threshold && k != block.rest)
      above.push_back({static_cast<uint32_t>(k), scores[k]});
  }
  if (above.empty() && block.rest) above.push_back({*block.rest, scores[*block.rest]});
  std::ranges::stable_sort(above, std::ranges::greater(), &Scored::score);
  return above;
}

void PictureCounts::count(const Prediction& prediction) {
  ++(prediction.winner ? of_label[prediction.answer().label] : unanswered);
}

void PictureCounts::add(const PictureCounts& other) {
  for (size_t k = 0; k < of_label.size(); ++k) of_label[k] += other.of_label[k];
  unanswered += other.unanswered;
}

uint64_t PictureCounts::pictures() const {
  return std::accumulate(of_label.begin(), of_label.end(), unanswered);
}

PictureCounts count_pictures(const View& collection, const Labelling& labelling,
                             std::optional<float> multi_threshold, unsigned threads) {
  PictureCounts counts(labelling.places());
  std::mutex mutex;
  ScanOptions options;
  options.threads = threads;
  options.all_scores = multi_threshold.has_value();
  scan(collection, labelling, options, [&](const PredictionBlock& block) {
    PictureCounts of_block(labelling.places());
    for (size_t i = 0; i < block.predictions.size(); ++i) {
      if (!collection.is_live(block.first_row + i)) continue;
      if (!multi_threshold) {
        of_block.count(block.predictions[i]);
        continue;
      }
      const std::vector<Scored> above = labels_above(block, i, *multi_threshold);
      for (const Scored& one : above) ++of_block.of_label[one.label];
      of_block.unanswered += above.empty();
    }
    const std::lock_guard lock(mutex);
    counts.add(of_block);
  });
  return counts;
}

PictureCounts count_pictures(const View& collection, const Labelling& labelling,
                             std::span<const Prediction> predictions) {
  PictureCounts counts(labelling.places());
  for (Row row = 0; row < predictions.size(); ++row) {
    if (collection.is_live(row)) counts.count(predictions[row]);
  }
  return counts;
}

}  // namespace zeroshelf
