// A promise on true vectors: how often it holds, and how much of what an oracle could it exports.

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "lib/export/promised.h"
#include "lib/labelling/adapt_labels.h"
#include "lib/labelling/classify.h"
#include "lib/util/error.h"
#include "lib/util/random.h"
#include "lib/util/text.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> lines_of(const fs::path& path) {
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) {
    while (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

Matrix matrix_of(const fs::path& path) {
  const testing::NpyArray array = testing::read_npy(path);
  Matrix matrix(array.shape.at(0), array.shape.at(1));
  std::ranges::copy(array.values, matrix.data());
  for (size_t i = 0; i < matrix.rows(); ++i) normalise(matrix.row(i));
  return matrix;
}

// A set of pictures with their labels, its collection, and what a rule answers.
struct TrueSet {
  TrueSet(const std::string& name, const std::string& rule) {
    const fs::path folder = testing::shared_directory() / "true_clip" / name;
    for (const std::string& label : lines_of(folder / "labels.txt"))
      labels.push_back({label, {label}});
    const Matrix pictures = matrix_of(folder / "image_vectors.npy");
    Manifest manifest;
    manifest.model_name = "ViT-B-32";
    manifest.model_fingerprint = "true";
    manifest.dimension = static_cast<uint32_t>(pictures.columns());
    manifest.logit_scale = 100;
    CollectionWriter writer = CollectionWriter::open_or_create(directory / "collection", manifest);
    Batch batch;
    for (size_t i = 0; i < pictures.rows(); ++i) {
      NewPicture picture;
      picture.record.file.path = "/" + std::to_string(i);
      picture.record.content_hash[0] = static_cast<uint8_t>(i);
      picture.record.content_hash[1] = static_cast<uint8_t>(i >> 8);
      picture.image_vector.assign(pictures.row(i).begin(), pictures.row(i).end());
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
    const std::vector<std::string> rows = lines_of(folder / "truth.csv");
    for (size_t i = 1; i < rows.size(); ++i) {
      const std::string label = rows[i].substr(rows[i].find(',') + 1);
      truth.push_back(static_cast<uint32_t>(std::ranges::find(labels, label, &Label::name) -
                                            labels.begin()));
    }
    const View collection = View::open(directory / "collection");
    const Fusion fusion = default_fusion(collection, rule);
    const LabelVectors vectors =
        labels_for(collection, fusion, LabelVectors(matrix_of(folder / "label_vectors.npy")), 1);
    predictions = classify(collection, {labels, vectors, fusion, {}, {}, false}, 1);
    bands = choose_bands(collection, labels.size(), predictions, {});
  }

  bool is_wrong(Row row) const { return predictions[row].answer().label != truth[row]; }

  JudgedPictures draw(uint64_t seed, size_t count) const {
    Random random(seed);
    std::vector<Row> rows(predictions.size());
    for (Row row = 0; row < rows.size(); ++row) rows[row] = row;
    JudgedPictures judged;
    for (size_t i = 0; i < count; ++i) {
      std::swap(rows[i], rows[i + random.below(rows.size() - i)]);
      judged.pictures.push_back({rows[i], truth[rows[i]]});
    }
    return judged;
  }

  // The most by score that keep the promise.
  double oracle(double most_wrong) const {
    std::vector<Row> rows(predictions.size());
    for (Row row = 0; row < rows.size(); ++row) rows[row] = row;
    std::ranges::sort(rows, std::greater(),
                      [&](Row row) { return predictions[row].answer().score; });
    double best = 0;
    double wrong = 0;
    for (size_t i = 0; i < rows.size(); ++i) {
      wrong += is_wrong(rows[i]);
      if (wrong <= most_wrong * static_cast<double>(i + 1)) best = static_cast<double>(i + 1);
    }
    return best;
  }

  testing::TemporaryDirectory directory;
  std::vector<Label> labels;
  std::vector<uint32_t> truth;
  std::vector<Prediction> predictions;
  Bands bands;
};

struct Outcome {
  int held = 0;      // draws in which the promise holds
  double share = 0;  // exported, of what an oracle could
};

Outcome outcome_of(const TrueSet& set, double most_wrong, size_t judged, int draws) {
  const double oracle = set.oracle(most_wrong);
  Outcome outcome;
  for (int draw = 0; draw < draws; ++draw) {
    Bands bands = set.bands;
    Promised promised;
    try {
      promised = keep_promise(set.predictions, set.draw(static_cast<uint64_t>(draw + 1), judged),
                              {most_wrong}, bands);
    } catch (const Error&) {  // one draw of a thousand looks unfair
      ++outcome.held;
      continue;
    }
    double wrong = 0;
    for (Row row = 0; row < bands.of_row.size(); ++row)
      wrong += bands.of_row[row] == Band::Sure && set.is_wrong(row);
    outcome.held += wrong <= most_wrong * static_cast<double>(promised.exported);
    outcome.share += static_cast<double>(promised.exported) / oracle / draws;
  }
  BOOST_TEST_MESSAGE(judged << " judged, at most " << most_wrong << " wrong: held in "
                            << outcome.held << " of " << draws << ", exported " << outcome.share
                            << " of what an oracle could");
  return outcome;
}

BOOST_AUTO_TEST_SUITE(true_promises)

BOOST_AUTO_TEST_CASE(it_holds_and_exports_nearly_what_an_oracle_could) {
  for (const std::string rule : {"image", "mix"}) {
    const TrueSet set("cifar10", rule);
    for (const double most_wrong : {0.02, 0.05}) {
      BOOST_TEST_CONTEXT(rule << ", " << most_wrong) {
        for (const size_t judged : {60u, 120u, 250u, 400u}) {
          const Outcome outcome = outcome_of(set, most_wrong, judged, 100);
          BOOST_TEST(outcome.held >= 95);
          if (judged >= 250) BOOST_TEST(outcome.share >= 0.9);
        }
      }
    }
  }
}

BOOST_AUTO_TEST_CASE(sets_that_are_answered_better_are_exported_whole) {
  for (const std::string name : {"food", "pets"}) {
    const TrueSet set(name, "mix");
    const Outcome outcome = outcome_of(set, 0.05, 150, 100);
    BOOST_TEST(outcome.held >= 95);
    BOOST_TEST(outcome.share >= 0.9);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
