#pragma once

// Zero-shot classification: every picture of a collection against every label, in one pass over the
// stored vectors. No picture is opened and no model is needed beyond the label vectors.

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "lib/collection/view.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/label_tree.h"
#include "lib/labels/labels.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// What labels are not. Two columns are compared for each veto; a label's own prompts have one, as
// they stand before any adaptation.
struct VetoVectors {
  std::vector<Veto> vetoes;  // those of a label together
  Matrix image;              // [columns, dimension]
  Matrix text;               // the same shape
  std::vector<float> image_bias;  // one a column, or empty: none

  bool empty() const { return vetoes.empty(); }
  size_t columns() const { return image.rows(); }
};

// What a picture and its text are compared with, label by label: the unit vectors of prompts, or
// the weights of a trained linear classifier. The label's similarity is the inner product plus its
// bias.
struct LabelVectors {
  LabelVectors() = default;
  // The same vectors for both sides and no bias, as prompts have it.
  explicit LabelVectors(const Matrix& both) : image(both), text(both) {}

  Matrix image;                   // [labels, dimension], finite; at least one label
  Matrix text;                    // the same shape
  std::vector<float> image_bias;  // one a label, in the unit of similarities; empty: none
  std::vector<float> text_bias;
  VetoVectors vetoes;
  // The rows of pictures that are examples of a label, ascending.
  std::vector<Row> examples = {};

  size_t labels() const { return image.rows(); }
};

// Everything that an answer follows from, besides the picture.
struct Labelling {
  std::vector<Label> labels;  // and the nodes of their tree behind them
  LabelVectors vectors;       // one a label, none a node
  Fusion fusion;
  std::optional<uint32_t> none;  // the label that stands for "none of these"
  std::optional<float>
      threshold;  // an answer with a lower score is `none`, or no answer without it
  // With labels that are judged each for itself: `none` is what no other label fits, and is given
  // beside none.
  bool none_is_rest = false;
  // For labels whose names have levels; see tree_answer.h for what they are answered with.
  LabelTree tree = {};
  std::optional<uint32_t> depth = {};  // the answer's largest
  std::optional<float> least = {};     // of what lies below the top; absent: as is best

  // What an answer may be: the labels, and the nodes of their tree.
  size_t places() const { return vectors.labels() + tree.nodes.size(); }
};

// Consecutive rows that have been classified.
struct PredictionBlock {
  Row first_row = 0;
  // One a row, final: threshold and `none` are applied. Those of removed rows mean nothing.
  std::span<const Prediction> predictions;
  // The score of every label, then of every node of their tree, row by row [rows, labels]; empty
  // unless they were asked for. Of a label that a veto took from the picture -infinity.
  std::span<const float> scores;
  size_t labels = 0;                  // with the nodes
  std::optional<uint32_t> rest = {};  // the label that only pictures without another one get

  std::span<const float> scores_of(size_t i) const { return scores.subspan(i * labels, labels); }
};

struct ScanOptions {
  unsigned threads = 0;     // 0: every core; no result depends on it
  bool all_scores = false;  // for answers with several labels
  Row first_row = 0;
  Row end_row = UINT64_MAX;  // at most the collection's rows
};

// Rows of options.first_row to end_row, block by block while a block is in the processor's cache;
// nothing of the size rows x labels exists. `visit` is called from several threads at once, with
// blocks in any order; each row is in one block. The first exception that it throws ends the scan
// and is thrown again here.
// Throws InvalidArgument when the label vectors do not fit the collection or are not finite,
// Corruption when a stored vector is not finite.
void scan(const View& collection, const Labelling& labelling, const ScanOptions& options,
          const std::function<void(const PredictionBlock&)>& visit);

// A prediction for each row number. Memory: some 80 bytes a row; scan() needs none.
std::vector<Prediction> classify(const View& collection, const Labelling& labelling,
                                 unsigned threads = 0);

// Answers of rows that lie anywhere, in the order in which they were asked for.
struct RowAnswers {
  std::vector<Prediction> predictions;
  std::vector<float> scores;  // [rows, labels]; empty unless they were asked for
  size_t labels = 0;
  std::optional<uint32_t> rest;  // as PredictionBlock has it

  // Row i of it is the row that was asked for as number i; first_row says nothing.
  PredictionBlock as_block() const { return {0, predictions, scores, labels, rest}; }
};
enum class Scores { Best, All };
// What scan() gives these rows, in the calling thread; rows that follow each other cost least.
RowAnswers classify_rows(const View& collection, const Labelling& labelling,
                         std::span<const Row> rows, Scores scores = Scores::Best);

// --multi: the labels of row i of the block with that score or more, best first, equal ones in the
// order of the labels; none where the rule gives no answer. The block needs all scores.
std::vector<Scored> labels_above(const PredictionBlock& block, size_t i, float threshold);

// How many pictures have which label.
struct PictureCounts {
  explicit PictureCounts(size_t labels) : of_label(labels) {}

  std::vector<uint64_t> of_label;
  uint64_t unanswered = 0;

  void count(const Prediction& prediction);
  void add(const PictureCounts& other);
  uint64_t pictures() const;  // those of several labels as often
};

// Nothing is kept of a picture but that it is counted. multi_threshold: counts every label with
// that score or more.
PictureCounts count_pictures(const View& collection, const Labelling& labelling,
                             std::optional<float> multi_threshold = {}, unsigned threads = 0);
// Counts the live rows of what classify() gave.
PictureCounts count_pictures(const View& collection, const Labelling& labelling,
                             std::span<const Prediction> predictions);

// The rule of that name (see fusion_rule) with the defaults for the collection's model: labels
// exclude each other.
Fusion default_fusion(const View& collection, std::string_view rule);
// The same for labels that are judged each for itself; nothing where the model's scores are those
// of a softmax, which can judge only between labels.
std::optional<Fusion> fusion_for_each_label(const View& collection, std::string_view rule);

// Throws InvalidArgument when the label vectors do not fit the collection or are not finite.
void check_labels(const View& collection, const LabelVectors& labels);

// What fuses one picture's similarities as scan() does, e.g. for fitting settings: with the offsets
// that follow from biases, centring and the collection's means.
Fuser make_fuser(const View& collection, const LabelVectors& labels, const Fusion& fusion);

}  // namespace zeroshelf
