// The article's comparison on any folder-per-class data set: two classifiers that are trained, and
// zero-shot labelling with and without the text in the pictures. All are evaluated on the same test
// part. docs/article.md explains it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include "benchmarks/bar_chart.h"
#include "benchmarks/dataset.h"
#include "lib/evaluation/resampling.h"
#include "lib/files/new_file.h"
#include "lib/fusion/fusion.h"
#include "lib/image/decode.h"
#include "lib/image/preprocess.h"
#include "lib/labels/label_vectors.h"
#include "lib/ocr/text_reader.h"
#include "lib/program/program.h"
#include "lib/report/json.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/openblas.h"
#include "lib/util/parallel.h"
#include "models/baselines/baselines.h"
#include "models/flags/model_flags.h"

namespace {

using namespace zeroshelf;
using namespace zeroshelf::bench;

constexpr double kTrainingShare = 0.7;  // the article's
constexpr uint64_t kMaxPictureBytes = uint64_t{256} << 20;

struct Options {
  std::filesystem::path dataset;
  std::filesystem::path label_file;
  std::string prompt_template = "{}";
  std::filesystem::path extractor;
  int extractor_size_px = 224;
  int cnn_size_px = 96;
  uint64_t seed = 1;
  std::filesystem::path json;
  std::filesystem::path svg;
  ModelOptions model;
};

struct Row {
  std::string name;
  std::vector<bool> right;
  double seconds = 0;
};

// Every picture that can be read, as each method wants it.
struct Pictures {
  Dataset dataset;
  size_t broken = 0;
  std::vector<Image> crops;      // for the model
  std::vector<Image> cnn_crops;  // for the network from scratch
  std::vector<Image> extractor_crops;
};

std::optional<Image> read_picture(const std::string& path) {
  const std::string file = read_file(path, kMaxPictureBytes);
  auto decoded = decode_image(std::as_bytes(std::span(file)), {});
  if (Image* image = std::get_if<Image>(&decoded)) return std::move(*image);
  return std::nullopt;
}

Pictures read_pictures(const Options& options, int model_size_px) {
  Pictures pictures;
  Dataset found = find_dataset(options.dataset);
  const size_t count = found.examples.size();
  std::vector<std::optional<std::array<Image, 3>>> crops(count);
  parallel_chunks(count, 4, 0, [&](size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      const std::optional<Image> image = read_picture(found.examples[i].path);
      if (!image) continue;
      crops[i] = {
          resize_and_crop(*image, model_size_px), resize_and_crop(*image, options.cnn_size_px),
          options.extractor.empty() ? Image{} : resize_and_crop(*image, options.extractor_size_px)};
    }
  });
  pictures.dataset.classes = std::move(found.classes);
  for (size_t i = 0; i < count; ++i) {
    if (!crops[i]) {
      ++pictures.broken;
      continue;
    }
    pictures.dataset.examples.push_back(std::move(found.examples[i]));
    pictures.crops.push_back(std::move((*crops[i])[0]));
    pictures.cnn_crops.push_back(std::move((*crops[i])[1]));
    pictures.extractor_crops.push_back(std::move((*crops[i])[2]));
  }
  return pictures;
}

template <class Item>
std::vector<Item> chosen(const std::vector<Item>& items, const std::vector<size_t>& places) {
  std::vector<Item> result;
  for (const size_t place : places) result.push_back(items[place]);
  return result;
}

Matrix chosen(const Matrix& rows, const std::vector<size_t>& places) {
  Matrix result(places.size(), rows.columns());
  for (size_t i = 0; i < places.size(); ++i) {
    std::copy(rows.row(places[i]).begin(), rows.row(places[i]).end(), result.row(i).begin());
  }
  return result;
}

class Comparison {
 public:
  Comparison(const Options& options, Encoder& encoder)
      : options_(options),
        encoder_(encoder),
        pictures_(read_pictures(options, encoder.info().preprocessing.size_px)),
        split_(stratified_split(pictures_.dataset.examples, kTrainingShare, options.seed)) {
    classes_.count = pictures_.dataset.classes.size();
    for (const size_t place : split_.training) {
      classes_.of.push_back(pictures_.dataset.examples[place].class_number);
    }
  }

  void run() {
    tell_data();
    add("CNN from scratch, 6 epochs", [&] { return by_cnn(); });
    const Matrix vectors = encoder_.encode_images(pictures_.crops);
    add(fmt::format("classifier on {}, 20 epochs", encoder_.info().name),
        [&] { return by_linear(vectors); });
    if (!options_.extractor.empty()) {
      add(fmt::format("classifier on {}, 20 epochs", options_.extractor.stem().string()),
          [&] { return by_extractor(); });
    }
    zero_shot(chosen(vectors, split_.test));
  }

  void tell_data() const {
    fmt::print(
        "{} pictures in {} classes, {} of them unreadable; {} to train, {} to test; seed {}; "
        "model {}\n\n",
        pictures_.dataset.examples.size() + pictures_.broken, pictures_.dataset.classes.size(),
        pictures_.broken, split_.training.size(), split_.test.size(), options_.seed,
        encoder_.info().name);
  }

  const std::vector<Row>& rows() const { return rows_; }

 private:
  void add(const std::string& name, const std::function<std::vector<size_t>()>& predict) {
    fmt::print(stderr, "{} ...\n", name);
    const auto start = std::chrono::steady_clock::now();
    const std::vector<size_t> predicted = predict();
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    Row row{name, {}, spent.count()};
    for (size_t i = 0; i < split_.test.size(); ++i) {
      row.right.push_back(predicted[i] == pictures_.dataset.examples[split_.test[i]].class_number);
    }
    rows_.push_back(std::move(row));
  }

  std::vector<size_t> by_cnn() const {
    baselines::CnnOptions cnn;
    cnn.seed = options_.seed;
    return baselines::train_cnn(chosen(pictures_.cnn_crops, split_.training), classes_,
                                chosen(pictures_.cnn_crops, split_.test), cnn);
  }

  std::vector<size_t> by_linear(const Matrix& features) const {
    baselines::LinearOptions linear;
    linear.seed = options_.seed;
    return baselines::train_linear(chosen(features, split_.training), classes_,
                                   chosen(features, split_.test), linear);
  }

  std::vector<size_t> by_extractor() const {
    Preprocessing imagenet;
    imagenet.size_px = options_.extractor_size_px;
    imagenet.mean = {0.485f, 0.456f, 0.406f};
    imagenet.standard_deviation = {0.229f, 0.224f, 0.225f};
    const baselines::FeatureExtractor extractor(options_.extractor, imagenet);
    return by_linear(extractor.features(pictures_.extractor_crops));
  }

  // The vectors of the labels in the order of the classes.
  Matrix class_vectors() const {
    const std::vector<std::string> templates = {options_.prompt_template};
    std::vector<Label> labels;
    if (options_.label_file.empty()) {
      for (const std::string& name : pictures_.dataset.classes) {
        labels.push_back({name, {fill_template(options_.prompt_template, name)}});
      }
      return label_vectors(labels, encoder_);
    }
    const std::vector<Label> listed = read_label_file(options_.label_file, templates);
    for (const std::string& name : pictures_.dataset.classes) {
      const auto found = std::find_if(listed.begin(), listed.end(),
                                      [&](const Label& label) { return label.name == name; });
      if (found == listed.end()) {
        throw Error(ErrorCode::InvalidArgument, options_.label_file.string(),
                    fmt::format("has no label \"{}\"", name),
                    "give every folder of the data set a line");
      }
      labels.push_back(*found);
    }
    return label_vectors(labels, encoder_);
  }

  // What is written in each test picture; empty where nothing is.
  std::vector<std::string> read_texts() const {
    std::vector<std::string> texts(split_.test.size());
    parallel_chunks(available_cores(), 1, 0, [&](size_t first, size_t) {
      TextReader reader({});
      for (size_t i = first; i < texts.size(); i += available_cores()) {
        const auto image = read_picture(pictures_.dataset.examples[split_.test[i]].path);
        if (image) texts[i] = joined_text(reader.read(*image));
      }
    });
    return texts;
  }

  void zero_shot(const Matrix& test) {
    const Matrix labels = class_vectors();
    const auto predict = [&](const char* rule, const std::vector<std::string>& texts) {
      const Matrix text_vectors = encoder_.encode_texts(texts, LongText::Windows);
      const Fuser fuser(Fusion::by_default(rule, encoder_.info().logit_scale), {}, {});
      std::vector<size_t> predicted;
      for (size_t i = 0; i < test.rows(); ++i) {
        std::vector<float> image = similarities(test.row(i), labels);
        std::vector<float> text;
        if (!texts[i].empty()) text = similarities(text_vectors.row(i), labels);
        const Prediction prediction = fuser(image, text, {});
        predicted.push_back(prediction.winner ? prediction.answer().label : classes_.count);
      }
      return predicted;
    };
    add("zero-shot, picture",
        [&] { return predict("image", std::vector<std::string>(test.rows())); });
    std::vector<std::string> texts;
    add("zero-shot, text alone", [&] {
      texts = read_texts();
      return predict("text", texts);
    });
    add("zero-shot, picture and text (max)", [&] { return predict("max", texts); });
  }

  static std::vector<float> similarities(std::span<const float> vector, const Matrix& labels) {
    std::vector<float> result(labels.rows());
    for (size_t k = 0; k < labels.rows(); ++k) {
      for (size_t i = 0; i < vector.size(); ++i) result[k] += vector[i] * labels.row(k)[i];
    }
    return result;
  }

  const Options& options_;
  Encoder& encoder_;
  Pictures pictures_;
  TrainingSplit split_;
  baselines::Classes classes_;
  std::vector<Row> rows_;
};

Bar bar_of(const Row& row, uint64_t seed) {
  const std::vector<double> right(row.right.begin(), row.right.end());
  const Interval interval = mean_interval(right, {.seed = seed});
  const auto good = std::count(row.right.begin(), row.right.end(), true);
  return {row.name, static_cast<double>(good) / static_cast<double>(right.size()), interval.low,
          interval.high};
}

struct Method {
  static constexpr std::string_view kType = "method";
  const Row& row;
  const Bar& bar;
};
void write_members(JsonWriter& json, const Method& method) {
  json.member("name", method.row.name)
      .member("accuracy", method.bar.share)
      .member("low", method.bar.low)
      .member("high", method.bar.high)
      .member("test", method.row.right.size())
      .member("seconds", Decimal{method.row.seconds, 2});
}

int compare(const Options& options) {
  const auto encoder = load_model(options.model, EncoderSide::Both);
  Comparison comparison(options, *encoder);
  fmt::print(stderr, "{} threads, OpenBLAS for {}\n", available_cores(), openblas_core());
  comparison.run();
  fmt::print("| method | accuracy | 95 % interval | seconds |\n|---|---|---|---|\n");
  std::vector<Bar> bars;
  std::string lines;
  for (const Row& row : comparison.rows()) {
    bars.push_back(bar_of(row, options.seed));
    const Bar& bar = bars.back();
    fmt::print("| {} | {:.1f} % | {:.1f} to {:.1f} % | {:.1f} |\n", row.name, 100 * bar.share,
               100 * bar.low, 100 * bar.high, row.seconds);
    append_json_line(lines, Method{row, bar});
  }
  if (!options.json.empty()) write_file_atomically(options.json, lines);
  if (!options.svg.empty()) {
    write_file_atomically(
        options.svg,
        bar_chart("Accuracy on the test part of " + options.dataset.filename().string(), bars));
  }
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  use_best_openblas_core(argv);
  Program program("bench_article", "The article's comparison on a folder-per-class data set.");
  Options options;
  CLI::App& app = program.app();
  app.require_subcommand(0);
  app.add_option("DATASET", options.dataset, "One folder of pictures for each class")->required();
  app.add_option("--labels-file", options.label_file,
                 "Prompts of the classes; default: their names");
  app.add_option("--template", options.prompt_template, "{} is the class")->capture_default_str();
  app.add_option(
      "--features", options.extractor,
      "A TorchScript feature extractor such as a ResNet-50, as one more row; it is a program, "
      "and it is run");
  app.add_option("--features-size", options.extractor_size_px, "Its picture size in pixels")
      ->capture_default_str()
      ->check(CLI::Range(16, 1024));
  app.add_option("--cnn-size", options.cnn_size_px, "Picture size of the network from scratch")
      ->capture_default_str()
      ->check(CLI::Range(16, 512));
  app.add_option("--seed", options.seed, "Of the split and of all training")->capture_default_str();
  app.add_option("--json", options.json, "Also write JSON Lines there");
  app.add_option("--svg", options.svg, "Also write a bar chart there");
  add_model_flags(&app, options.model, "CLIP model; default: the bundled one");
  program.choose([&options] { return compare(options); });
  return program.run(argc, argv);
}
