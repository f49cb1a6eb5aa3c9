// What each rule of fusion, vetoes, and pictures as labels are worth on a real model's vectors of
// labelled pictures, where labels are as frequent as they are and where one of them is ten times as
// frequent as the others.
//
//   ./dev bench fusion [FOLDER [DRAWS]]     default: ../shared/true_clip, 20
//
// FOLDER's folders are sets: image_vectors.npy, label_vectors.npy and labels.txt (a label a line),
// and with them either truth.csv (path,label; line n is row n) or, where texts have vectors,
// text_vectors.npy and truth.npy (int8 [rows, labels]: 1 the picture shows the thing, 0 it does
// not, -1 nobody knows). Of the latter every pair of labels is asked for that parts at least five
// rows from at least five: rows that show one of the two and not the other.
//
// `balanced` is the set as it is; `skewed` are draws in which one label, in turn, keeps all its
// pictures and every other a tenth (one at least), which make a collection of their own. `few among
// others` are draws of four labels of a set with more and of 40 pictures that have one of them, in
// a collection with the pictures of the set's other labels and with those of all folders without
// labels: much that no label names. Vectors are imported as `zeroshelf-index import` does: without
// words.
//
// Of sets with one label a picture also, by `mix`:
//   vetoes    every label in turn is left out, and is the veto of every other: how many of its
//             pictures that other label still has, and how many it keeps of its own
//   examples  1, 3 and 10 pictures a label, drawn, stand among its prompts; the others are labelled

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "lib/evaluation/metrics.h"
#include "lib/files/npy_reader.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labelling/veto_columns.h"
#include "lib/util/file.h"
#include "lib/util/random.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kFewestRows = 5;
constexpr uint64_t kSeed = 20'260'101;
constexpr float kSure = 0.9f;

struct Set {
  std::string name;
  Matrix images;
  Matrix texts;  // no rows: it has none
  Matrix labels;
  std::vector<uint32_t> truths;            // one a row, of a set with one label a picture
  std::vector<std::vector<int8_t>> shown;  // [rows, labels], of one with pairs
};

// Some rows of a set, evaluated as one question.
struct Question {
  std::vector<size_t> rows;
  std::vector<uint32_t> truths;
  std::vector<size_t> labels;  // of the set
};

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream in(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);)
    if (!line.empty()) lines.push_back(line);
  return lines;
}

// Columns path and label, without quotes, as the sets have them.
std::vector<uint32_t> read_truths(const fs::path& path, const std::vector<std::string>& labels) {
  std::vector<uint32_t> truths;
  std::vector<std::string> lines = lines_of(path);
  for (size_t i = 1; i < lines.size(); ++i) {
    std::string label = lines[i].substr(lines[i].find(',') + 1);
    std::erase(label, '\r');
    const auto at = std::ranges::find(labels, label);
    if (at == labels.end()) throw std::runtime_error(path.string() + ": no such label: " + label);
    truths.push_back(static_cast<uint32_t>(at - labels.begin()));
  }
  return truths;
}

// A NumPy array of int8 behind its header, row by row.
std::vector<std::vector<int8_t>> read_shown(const fs::path& path, size_t rows, size_t labels) {
  const std::string bytes = read_file(path, 1 << 28);
  if (bytes.find("'|i1'") == std::string::npos || bytes.size() < rows * labels)
    throw std::runtime_error(path.string() + ": not int8 of that shape");
  std::vector<std::vector<int8_t>> shown(rows, std::vector<int8_t>(labels));
  const char* at = bytes.data() + bytes.size() - rows * labels;
  for (std::vector<int8_t>& row : shown) {
    std::memcpy(row.data(), at, labels);
    at += labels;
  }
  return shown;
}

Matrix unit_rows(const fs::path& path) {
  Matrix matrix = NpyReader(path).matrix();
  for (size_t i = 0; i < matrix.rows(); ++i) normalise(matrix.row(i));
  return matrix;
}

std::optional<Set> read_set(const fs::path& folder) {
  if (!fs::exists(folder / "labels.txt")) return std::nullopt;
  Set set;
  set.name = folder.filename();
  set.images = unit_rows(folder / "image_vectors.npy");
  set.labels = unit_rows(folder / "label_vectors.npy");
  const std::vector<std::string> labels = lines_of(folder / "labels.txt");
  if (fs::exists(folder / "truth.csv")) {
    set.truths = read_truths(folder / "truth.csv", labels);
    if (set.truths.size() != set.images.rows())
      throw std::runtime_error(set.name + ": truths of other pictures");
  } else {
    set.texts = unit_rows(folder / "text_vectors.npy");
    set.shown = read_shown(folder / "truth.npy", set.images.rows(), labels.size());
  }
  return set;
}

std::vector<Question> pairs_of(const Set& set) {
  std::vector<Question> pairs;
  for (size_t a = 0; a < set.labels.rows(); ++a) {
    for (size_t b = a + 1; b < set.labels.rows(); ++b) {
      Question pair;
      pair.labels = {a, b};
      for (size_t row = 0; row < set.shown.size(); ++row) {
        const int8_t first = set.shown[row][a];
        const int8_t second = set.shown[row][b];
        if (first < 0 || second < 0 || first + second != 1) continue;
        pair.rows.push_back(row);
        pair.truths.push_back(first == 1 ? 0 : 1);
      }
      const auto of_first = static_cast<size_t>(std::ranges::count(pair.truths, 0U));
      if (of_first >= kFewestRows && pair.rows.size() - of_first >= kFewestRows)
        pairs.push_back(std::move(pair));
    }
  }
  return pairs;
}

Question whole(const Set& set) {
  Question question;
  for (size_t row = 0; row < set.truths.size(); ++row) question.rows.push_back(row);
  question.truths = set.truths;
  for (size_t k = 0; k < set.labels.rows(); ++k) question.labels.push_back(k);
  return question;
}

void shuffle(std::vector<size_t>& values, Random& random) {
  for (size_t i = 0; i + 1 < values.size(); ++i)
    std::swap(values[i], values[i + random.below(values.size() - i)]);
}

// All of one label, a tenth of each other.
Question skewed(const Question& question, uint32_t frequent, Random& random) {
  std::vector<size_t> kept;
  for (uint32_t label = 0; label < question.labels.size(); ++label) {
    std::vector<size_t> own;
    for (size_t i = 0; i < question.rows.size(); ++i)
      if (question.truths[i] == label) own.push_back(i);
    size_t count = own.size();
    if (label != frequent) {
      shuffle(own, random);
      count = std::min(own.size(), std::max<size_t>(1, own.size() / 10));
    }
    kept.insert(kept.end(), own.begin(), own.begin() + static_cast<ptrdiff_t>(count));
  }
  std::ranges::sort(kept);
  Question draw;
  draw.labels = question.labels;
  for (const size_t i : kept) {
    draw.rows.push_back(question.rows[i]);
    draw.truths.push_back(question.truths[i]);
  }
  return draw;
}

std::vector<float> values_of(std::span<const float> row) {
  return {row.begin(), row.end()};
}

// A collection of these rows of the set, in their order.
View collection_of(const Set& set, const std::vector<size_t>& rows, const fs::path& path) {
  fs::remove_all(path);
  Manifest manifest;
  manifest.model_name = "imported";
  manifest.model_fingerprint = "imported";
  manifest.dimension = static_cast<uint32_t>(set.images.columns());
  manifest.logit_scale = 100;
  Batch batch;
  for (const size_t row : rows) {
    NewPicture picture;
    picture.record.file.path = fmt::format("/{}", row);
    picture.image_vector = values_of(set.images.row(row));
    if (set.texts.rows() > 0) {
      picture.text_vector = values_of(set.texts.row(row));
      picture.words = {{"", 1, {}}};  // as an import does
      picture.record.word_count = 1;
      picture.record.text_confidence = mean_confidence(picture.words);
    }
    batch.added.push_back(std::move(picture));
  }
  CollectionWriter::open_or_create(path, manifest).commit(batch);
  return View::open(path);
}

struct Result {
  double accuracy = 0;
  double log_loss = 0;
  std::vector<CheckedAnswer> checked;
};

// places: where the rows of the question are in the collection.
std::vector<Result> answers(const View& collection, const Set& set, const Question& question,
                            const std::vector<Row>& places) {
  Matrix labels(question.labels.size(), set.labels.columns());
  for (size_t k = 0; k < labels.rows(); ++k)
    std::ranges::copy(set.labels.row(question.labels[k]), labels.row(k).begin());
  std::vector<Result> results;
  const std::vector<Label> names(labels.rows());
  for (const Way& way : every_rule(collection, names, LabelVectors(labels))) {
    std::vector<Prediction> predictions(collection.rows());
    std::vector<float> scores(predictions.size() * labels.rows());
    scan(collection, way.labelling, {.all_scores = true}, [&](const PredictionBlock& block) {
      std::ranges::copy(block.predictions,
                        predictions.begin() + static_cast<ptrdiff_t>(block.first_row));
      std::ranges::copy(block.scores,
                        scores.begin() + static_cast<ptrdiff_t>(block.first_row * labels.rows()));
    });
    Result result;
    for (size_t i = 0; i < places.size(); ++i) {
      result.checked.push_back(checked_answer(predictions[places[i]], question.truths[i]));
      const float truth = scores[places[i] * labels.rows() + question.truths[i]];
      result.log_loss -= std::log(std::max(1e-12, static_cast<double>(truth))) /
                         static_cast<double>(places.size());
    }
    result.accuracy = accuracy(result.checked).value();
    results.push_back(std::move(result));
  }
  return results;
}

std::vector<Row> places_of(const View& collection, const std::vector<size_t>& rows) {
  std::vector<Row> places;
  for (const size_t row : rows) places.push_back(*collection.find_path(fmt::format("/{}", row)));
  return places;
}

double calibration_error(const std::vector<CheckedAnswer>& checked) {
  return expected_calibration_error(reliability(checked));
}

// What it would be if every score were the probability that its answer is right: with few pictures
// chance alone gives several per cent.
double calibration_error_by_chance(const std::vector<CheckedAnswer>& checked) {
  constexpr int kDraws = 20;
  Random random(kSeed);
  std::vector<CheckedAnswer> drawn = checked;
  double sum = 0;
  for (int draw = 0; draw < kDraws; ++draw) {
    for (CheckedAnswer& it : drawn) {
      if (it.answer)
        it.truth =
            random.uniform() < static_cast<double>(it.confidence) ? *it.answer : *it.answer + 1;
    }
    sum += calibration_error(drawn);
  }
  return sum / kDraws;
}

// The right ones among the answers with a score of 0.9 and more.
Share sure(const std::vector<CheckedAnswer>& checked) {
  Share share;
  for (const CheckedAnswer& it : checked)
    if (it.answer && it.confidence >= kSure) share.add(it.is_right());
  return share;
}

// One rule over questions, or draws, and what `image` says of the same.
struct Tally {
  double accuracy = 0;
  double gain = 0;
  double worst_gain = 1;
  double log_loss = 0;
  double error = 0;
  double worst_error = 0;
  double error_by_chance = 0;
  size_t count = 0;
  std::vector<CheckedAnswer> checked;

  void add(const Result& result, const Result& image) {
    accuracy += result.accuracy;
    gain += result.accuracy - image.accuracy;
    worst_gain = std::min(worst_gain, result.accuracy - image.accuracy);
    log_loss += result.log_loss;
    const double its_error = calibration_error(result.checked);
    error += its_error;
    worst_error = std::max(worst_error, its_error);
    error_by_chance += calibration_error_by_chance(result.checked);
    checked.insert(checked.end(), result.checked.begin(), result.checked.end());
    ++count;
  }
};

size_t place_of_rule(std::string_view name) {
  const std::vector<std::string> names = fusion_rule_names();
  return static_cast<size_t>(std::ranges::find(names, name) - names.begin());
}

void add(std::vector<Tally>& tallies, const std::vector<Result>& results) {
  tallies.resize(results.size());
  for (size_t i = 0; i < results.size(); ++i)
    tallies[i].add(results[i], results[place_of_rule("image")]);
}

// pooled: the calibration error is of all answers together, where each question has few.
void print(const std::string& name, const std::vector<Tally>& tallies, bool pooled,
           bool with_texts) {
  const std::vector<std::string> rules = fusion_rule_names();
  for (size_t i = 0; i < tallies.size(); ++i) {
    if (!with_texts && (rules[i] == "max" || rules[i] == "text")) continue;  // `image`, and nothing
    const Tally& it = tallies[i];
    const auto n = static_cast<double>(it.count);
    const Share right = sure(it.checked);
    const bool probabilities = rules[i] == "image" || rules[i] == "mix";
    fmt::print("{:24} {:6} {:7.2f} {:+7.2f} {:+7.1f}  {:>8} {:8.1f} {:7.1f} {:7.1f}  {:>8} {:>6}\n",
               i == 0 ? name : "", rules[i], 100 * it.accuracy / n, 100 * it.gain / n,
               100 * it.worst_gain, probabilities ? fmt::format("{:.3f}", it.log_loss / n) : "-",
               100 * (pooled ? calibration_error(it.checked) : it.error / n), 100 * it.worst_error,
               100 * (pooled ? calibration_error_by_chance(it.checked) : it.error_by_chance / n),
               right.trials > 0 ? fmt::format("{:.1f}", 100 * right.value()) : "-",
               fmt::format("{:.0f}", 100.0 * static_cast<double>(right.trials) /
                                         static_cast<double>(it.checked.size())));
  }
}

void measure_labels(const Set& set, size_t draws, const fs::path& path, std::vector<Tally>& all) {
  const Question question = whole(set);
  std::vector<Tally> balanced;
  {
    const View collection = collection_of(set, question.rows, path);
    add(balanced, answers(collection, set, question, places_of(collection, question.rows)));
  }
  print(set.name + ", balanced", balanced, false, false);
  std::vector<Tally> tallies;
  for (size_t draw = 0; draw < draws; ++draw) {
    Random random = Random::of_item(kSeed, draw);
    const Question some =
        skewed(question, static_cast<uint32_t>(draw % question.labels.size()), random);
    const View collection = collection_of(set, some.rows, path);
    const auto results = answers(collection, set, some, places_of(collection, some.rows));
    add(tallies, results);
    add(all, results);
  }
  print(fmt::format("{}, skewed", set.name), tallies, false, false);
}

constexpr size_t kFewLabels = 4;

// others: pictures that have none of the set's labels.
void measure_few(const Set& set, const Matrix& others, size_t draws, const fs::path& path) {
  constexpr size_t kFewPictures = 40;
  Set all = set;
  all.images = Matrix(set.images.rows() + others.rows(), set.images.columns());
  for (size_t row = 0; row < all.images.rows(); ++row) {
    const bool is_own = row < set.images.rows();
    std::ranges::copy(is_own ? set.images.row(row) : others.row(row - set.images.rows()),
                      all.images.row(row).begin());
  }
  std::vector<Tally> tallies;
  for (size_t draw = 0; draw < draws; ++draw) {
    Random random = Random::of_item(kSeed, draw);
    std::vector<size_t> labels = whole(set).labels;
    shuffle(labels, random);
    labels.resize(kFewLabels);
    std::vector<size_t> named;
    std::vector<size_t> in_collection;
    for (size_t row = 0; row < all.images.rows(); ++row) {
      const bool is_named = row < set.truths.size() &&
                            std::ranges::find(labels, size_t{set.truths[row]}) != labels.end();
      (is_named ? named : in_collection).push_back(row);
    }
    shuffle(named, random);
    named.resize(std::min(kFewPictures, named.size()));
    Question question{named, {}, labels};
    for (const size_t row : named) {
      question.truths.push_back(static_cast<uint32_t>(
          std::ranges::find(labels, size_t{set.truths[row]}) - labels.begin()));
    }
    in_collection.insert(in_collection.end(), named.begin(), named.end());
    const View collection = collection_of(all, in_collection, path);
    add(tallies, answers(collection, all, question, places_of(collection, named)));
  }
  print(fmt::format("{}, few among others", set.name).substr(0, 24), tallies, false, false);
}

void measure_pairs(const Set& set, size_t draws, const fs::path& path, std::vector<Tally>& all) {
  const std::vector<Question> pairs = pairs_of(set);
  std::vector<size_t> every;
  for (size_t row = 0; row < set.images.rows(); ++row) every.push_back(row);
  std::vector<Tally> tallies;
  {
    const View collection = collection_of(set, every, path);
    for (const Question& pair : pairs)
      add(tallies, answers(collection, set, pair, places_of(collection, pair.rows)));
  }
  print(fmt::format("{}, {} pairs", set.name, pairs.size()), tallies, true, true);
  // The pair's rows alone, one noun in turn the frequent one.
  std::vector<Tally> of_draws;
  for (size_t draw = 0; draw < draws; ++draw) {
    Random random = Random::of_item(kSeed, draw);
    const Question some =
        skewed(pairs[draw * pairs.size() / draws], static_cast<uint32_t>(draw % 2), random);
    const View collection = collection_of(set, some.rows, path);
    const auto results = answers(collection, set, some, places_of(collection, some.rows));
    add(of_draws, results);
    add(all, results);
  }
  print(fmt::format("{}, pairs skewed", set.name), of_draws, true, true);
}

// --- vetoes -------------------------------------------------------------------------------------

std::vector<std::optional<uint32_t>> answers_by_mix(const View& collection,
                                                    const LabelVectors& vectors,
                                                    const std::vector<Row>& places) {
  const Fusion fusion = default_fusion(collection, "mix");
  Labelling labelling;
  labelling.fusion = fusion;
  labelling.vectors = labels_for(collection, fusion, vectors);
  const std::vector<Prediction> predictions = classify(collection, labelling);
  std::vector<std::optional<uint32_t>> answers;
  for (const Row row : places) {
    const Prediction& it = predictions[row];
    answers.push_back(it.winner ? std::optional(it.answer().label) : std::nullopt);
  }
  return answers;
}

// Of the pictures of `truth`, the share that is answered with `label`.
double share_answered(const std::vector<std::optional<uint32_t>>& answers,
                      const std::vector<uint32_t>& truths, uint32_t truth, uint32_t label) {
  Share share;
  for (size_t i = 0; i < truths.size(); ++i)
    if (truths[i] == truth) share.add(answers[i] == label);
  return share.value();
}

void measure_vetoes(const Set& set, const fs::path& path) {
  const Question question = whole(set);
  const View collection = collection_of(set, question.rows, path);
  const std::vector<Row> places = places_of(collection, question.rows);
  const auto labels = static_cast<uint32_t>(set.labels.rows());
  double without[2] = {};
  double with[2] = {};
  size_t pairs = 0;
  for (uint32_t left_out = 0; left_out < labels; ++left_out) {
    std::vector<uint32_t> others;
    for (uint32_t k = 0; k < labels; ++k)
      if (k != left_out) others.push_back(k);
    PromptVectors prompts;
    prompts.labels = Matrix(others.size(), set.labels.columns());
    for (size_t k = 0; k < others.size(); ++k)
      std::ranges::copy(set.labels.row(others[k]), prompts.labels.row(k).begin());
    const auto plain = answers_by_mix(collection, LabelVectors(prompts.labels), places);
    prompts.of_vetoes = Matrix(1, set.labels.columns());
    std::ranges::copy(set.labels.row(left_out), prompts.of_vetoes.row(0).begin());
    for (uint32_t k = 0; k < others.size(); ++k) {
      prompts.vetoes = {{k, 0}};
      LabelVectors vectors(prompts.labels);
      vectors.vetoes = veto_vectors(prompts);
      const auto vetoed = answers_by_mix(collection, vectors, places);
      without[0] += share_answered(plain, question.truths, left_out, k);
      without[1] += share_answered(plain, question.truths, others[k], k);
      with[0] += share_answered(vetoed, question.truths, left_out, k);
      with[1] += share_answered(vetoed, question.truths, others[k], k);
      ++pairs;
    }
  }
  const auto n = static_cast<double>(pairs);
  fmt::print("{:24} {:5}   {:7.1f} {:7.1f}   {:7.1f} {:7.1f}\n", set.name, pairs,
             100 * without[0] / n, 100 * with[0] / n, 100 * without[1] / n, 100 * with[1] / n);
}

// --- examples -----------------------------------------------------------------------------------

enum class Told { Pictures, Both, HalfOfEach };

// The pictures that are left, with so many of each label as its prompts.
double accuracy_by_examples(const Set& set, const Question& question, const View& collection,
                            size_t count, Told told, Random& random) {
  const std::vector<Row> places = places_of(collection, question.rows);
  std::vector<Label> labels(set.labels.rows());
  std::vector<bool> is_example(places.size());
  PromptVectors texts;
  texts.labels = set.labels;
  for (uint32_t k = 0; k < labels.size(); ++k) {
    std::vector<size_t> own;
    for (size_t i = 0; i < places.size(); ++i)
      if (question.truths[i] == k) own.push_back(i);
    const bool has_text = told == Told::Both || (told == Told::HalfOfEach && k % 2 == 0);
    const bool has_pictures = told != Told::HalfOfEach || k % 2 == 1;
    labels[k].name = std::to_string(k);
    if (has_text) labels[k].prompts.push_back(labels[k].name);
    for (size_t i = 0; has_pictures && i < count && i + 1 < own.size(); ++i) {
      std::swap(own[i], own[i + random.below(own.size() - i)]);
      labels[k].prompts.push_back(prompt_of_row(places[own[i]]));
      is_example[own[i]] = true;
    }
    if (!has_text) std::ranges::fill(texts.labels.row(k), 0.0f);
  }
  const auto answers = answers_by_mix(
      collection, with_examples(collection, labels, texts, examples_by_row(collection), false),
      places);
  Share right;
  for (size_t i = 0; i < places.size(); ++i)
    if (!is_example[i]) right.add(answers[i] == question.truths[i]);
  return right.value();
}

void measure_examples(const Set& set, size_t draws, const fs::path& path) {
  const Question question = whole(set);
  for (const bool is_skewed : {false, true}) {
    for (const size_t count : {1, 3, 10}) {
      double sums[3] = {};
      double texts = 0;
      for (size_t draw = 0; draw < draws; ++draw) {
        Random random = Random::of_item(kSeed, draw);
        const Question some =
            is_skewed ? skewed(question, static_cast<uint32_t>(draw % set.labels.rows()), random)
                      : question;
        const View collection = collection_of(set, some.rows, path);
        const auto plain =
            answers_by_mix(collection, LabelVectors(set.labels), places_of(collection, some.rows));
        Share right;
        for (size_t i = 0; i < plain.size(); ++i) right.add(plain[i] == some.truths[i]);
        texts += right.value();
        for (const Told told : {Told::Pictures, Told::Both, Told::HalfOfEach})
          sums[static_cast<size_t>(told)] +=
              accuracy_by_examples(set, some, collection, count, told, random);
      }
      const auto n = static_cast<double>(draws);
      fmt::print("{:24} {:3}   {:7.1f} {:9.1f} {:7.1f} {:7.1f}\n",
                 set.name + (is_skewed ? ", skewed" : ""), count, 100 * texts / n,
                 100 * sums[0] / n, 100 * sums[1] / n, 100 * sums[2] / n);
    }
  }
}

void measure_labels_beyond_texts(const std::vector<Set>& sets, size_t draws, const fs::path& path) {
  fmt::print("\n{:24} {:>5}   {:>15}   {:>15}\n{:24} {:5}   {:>7} {:>7}   {:>7} {:>7}\n", "VETOES",
             "PAIRS", "OF THE VETO %", "OF ITS OWN %", "", "", "WITHOUT", "WITH", "WITHOUT",
             "WITH");
  for (const Set& set : sets) measure_vetoes(set, path);
  fmt::print("\n{:24} {:>3}   {:>7} {:>9} {:>7} {:>7}\n", "EXAMPLES, RIGHT %", "N", "TEXTS",
             "PICTURES", "BOTH", "HALVES");
  for (const Set& set : sets) measure_examples(set, draws, path);
}

// Those with as many columns, one after the other.
Matrix joined(const std::vector<Matrix>& parts, size_t columns) {
  std::vector<std::span<const float>> rows;
  for (const Matrix& part : parts) {
    for (size_t i = 0; part.columns() == columns && i < part.rows(); ++i)
      rows.push_back(part.row(i));
  }
  Matrix result(rows.size(), columns);
  for (size_t i = 0; i < rows.size(); ++i) std::ranges::copy(rows[i], result.row(i).begin());
  return result;
}

void run(const fs::path& folder, size_t draws) {
  const testing::TemporaryDirectory directory;
  std::vector<fs::path> folders;
  for (const auto& entry : fs::directory_iterator(folder))
    if (entry.is_directory()) folders.push_back(entry.path());
  std::ranges::sort(folders);
  fmt::print(
      "{} draws a skewed set; gains are over `image`, in points; errors of calibration and shares "
      "in "
      "%\n\n"
      "SET                      RULE    RIGHT %   GAIN   WORST  LOG LOSS    ERROR   WORST  CHANCE  "
      " 0.9: RIGHT  OF\n",
      draws);
  std::vector<Tally> all;
  std::vector<Set> single;
  std::vector<Matrix> unlabelled;
  for (const fs::path& each : folders) {
    if (!fs::exists(each / "labels.txt") && fs::exists(each / "image_vectors.npy"))
      unlabelled.push_back(unit_rows(each / "image_vectors.npy"));
  }
  for (const fs::path& each : folders) {
    const auto set = read_set(each);
    if (!set) continue;
    if (set->shown.empty()) {
      single.push_back(*set);
      measure_labels(*set, draws, directory / "shelf", all);
      if (set->labels.rows() > kFewLabels)
        measure_few(*set, joined(unlabelled, set->images.columns()), draws, directory / "shelf");
    } else {
      measure_pairs(*set, draws, directory / "shelf", all);
    }
  }
  if (!all.empty()) print("all skewed draws", all, false, false);
  if (!single.empty()) measure_labels_beyond_texts(single, draws, directory / "shelf");
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  const std::filesystem::path shared = zeroshelf::testing::shared_directory();
  const std::filesystem::path folder = argc > 1 ? argv[1] : shared / "true_clip";
  if (!std::filesystem::is_directory(folder)) {
    fmt::print(stderr, "bench_fusion: {}: no folder of sets; name one\n", folder.string());
    return 2;
  }
  zeroshelf::run(folder, argc > 2 ? static_cast<size_t>(std::max(1, std::atoi(argv[2]))) : 20);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_fusion: {}\n", error.what());
  return 2;
}
