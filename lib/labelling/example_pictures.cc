// Tested by tests/labelling/example_pictures_test.cc.

#include "lib/labelling/example_pictures.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <iterator>
#include <optional>
#include <span>
#include <system_error>
#include <utility>
#include <variant>

#include "lib/files/find_files.h"
#include "lib/image/decode.h"
#include "lib/image/read_crop.h"
#include "lib/labelling/veto_columns.h"
#include "lib/labels/prompt.h"
#include "lib/util/drop_repeated.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/fp16.h"
#include "lib/util/hash.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr char kRowSign = '#';
// Where no label has a text, pictures must be as sure as texts would make them.
constexpr double kGainAlone = 25;
constexpr double kPriorAlone = 1;
constexpr size_t kSample = 1024;
constexpr size_t kMostTextsSampled = 64;
constexpr size_t kEncodedAtOnce = 16;

// --- pictures -----------------------------------------------------------------------------------

std::vector<float> stored_vector(const View& collection, Row row) {
  std::vector<float> values(collection.manifest().dimension);
  from_fp16(ViewVectors::pictures(collection).row(row), values);
  normalise(values);
  return values;
}

ExampleVectors vectors_of_rows(const View& collection, std::vector<Row> rows) {
  ExampleVectors examples{Matrix(rows.size(), collection.manifest().dimension), std::move(rows)};
  for (size_t i = 0; i < examples.rows.size(); ++i)
    std::ranges::copy(stored_vector(collection, examples.rows[i]), examples.vectors.row(i).begin());
  return examples;
}

std::optional<Row> row_of(std::string_view value) {
  if (!value.starts_with(kRowSign)) return std::nullopt;
  value.remove_prefix(1);
  Row row = 0;
  const auto [end, failed] = std::from_chars(value.data(), value.data() + value.size(), row);
  if (failed != std::errc() || end != value.data() + value.size() || value.empty())
    return std::nullopt;
  return row;
}

ExampleVectors example_of_row(const View& collection, Row row) {
  if (row >= collection.rows() || !collection.is_live(row))
    throw Error(ErrorCode::NotFound, fmt::format("row {}", row),
                "it is no picture of the collection", "take a row that an answer has");
  return vectors_of_rows(collection, {row});
}

// Evenly spread over all of them.
template <class T>
std::vector<T> some_of(std::vector<T> all) {
  if (all.size() <= kMostExamples) return all;
  std::vector<T> some;
  for (size_t i = 0; i < kMostExamples; ++i)
    some.push_back(std::move(all[i * all.size() / kMostExamples]));
  return some;
}

std::vector<Row> rows_below(const View& collection, const std::string& folder) {
  const std::string prefix = folder == "/" ? folder : folder + '/';
  std::vector<std::pair<std::string, Row>> found;
  for (const View::Part& part : collection.parts()) {
    part.collection.for_each_path(prefix, [&](std::string_view path, Row row) {
      if (!path.starts_with(prefix)) return false;
      found.emplace_back(path, part.first_row + row);
      return true;
    });
  }
  std::ranges::sort(found);
  std::vector<Row> rows;
  for (const auto& [path, row] : found) rows.push_back(row);
  return rows;
}

// Picture files -> vectors, those that the collection has from there.
class FileExamples {
 public:
  FileExamples(const View& collection, EncoderSource& encoders)
      : collection_(collection), encoders_(encoders) {}

  // Throws InvalidArgument for what is no picture.
  void add(const fs::path& path) {
    const std::string bytes = read_file(path, DecodeLimits().max_bytes);
    const auto content = std::as_bytes(std::span(bytes));
    if (const auto row = collection_.find_content(content_hash(content))) {
      rows_.push_back(*row);
      return;
    }
    if (encoder_ == nullptr) encoder_ = &encoders_.encoder(EncoderSide::ImageOnly);
    crops_.push_back(crop_of_bytes(content, path.string(), encoder_->info().preprocessing));
    if (crops_.size() == kEncodedAtOnce) encode();
  }

  bool empty() const { return rows_.empty() && crops_.empty() && encoded_.empty(); }

  ExampleVectors take() {
    encode();
    ExampleVectors known = vectors_of_rows(collection_, rows_);
    const size_t dimension = collection_.manifest().dimension;
    ExampleVectors all{Matrix(rows_.size() + encoded_.size(), dimension), rows_};
    for (size_t i = 0; i < rows_.size(); ++i)
      std::ranges::copy(known.vectors.row(i), all.vectors.row(i).begin());
    for (size_t i = 0; i < encoded_.size(); ++i)
      std::ranges::copy(encoded_[i], all.vectors.row(rows_.size() + i).begin());
    return all;
  }

 private:
  void encode() {
    if (crops_.empty()) return;
    const Matrix vectors = encoder_->encode_images(crops_);
    for (size_t i = 0; i < vectors.rows(); ++i)
      encoded_.emplace_back(vectors.row(i).begin(), vectors.row(i).end());
    crops_.clear();
  }

  const View& collection_;
  EncoderSource& encoders_;
  Encoder* encoder_ = nullptr;
  std::vector<Row> rows_;
  std::vector<Image> crops_;
  std::vector<std::vector<float>> encoded_;
};

std::vector<std::string> files_below(const fs::path& folder, const fs::path& excluded) {
  std::vector<std::string> files;
  find_files({folder}, excluded, [&](std::variant<FoundFile, SkippedPath> found) {
    if (auto* file = std::get_if<FoundFile>(&found)) files.push_back(std::move(file->path));
  });
  return files;
}

ExampleVectors examples_of_folder(const View& collection, EncoderSource& encoders,
                                  const fs::path& folder) {
  FileExamples examples(collection, encoders);
  std::string cause = "it holds no file";
  for (const std::string& file : some_of(files_below(folder, collection.directory()))) {
    try {
      examples.add(file);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::InvalidArgument && error.code() != ErrorCode::NotFound &&
          error.code() != ErrorCode::Io)
        throw;
      cause = error.what();
    }
  }
  if (examples.empty())
    throw Error(ErrorCode::NotFound, folder.string(), "no picture below it can be read: " + cause,
                "name a picture, or a folder of pictures, behind the '@'");
  return examples.take();
}

ExampleVectors examples_at(const View& collection, EncoderSource& encoders,
                           const std::string& path) {
  if (const auto row = collection.find_path(path)) return vectors_of_rows(collection, {*row});
  if (std::vector<Row> rows = rows_below(collection, path); !rows.empty())
    return vectors_of_rows(collection, some_of(std::move(rows)));
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return examples_of_folder(collection, encoders, path);
  FileExamples examples(collection, encoders);
  examples.add(path);
  return examples.take();
}

// --- vectors ------------------------------------------------------------------------------------

// The pictures among the prompts of a label, or of a veto.
struct Examples {
  std::vector<double> mean;  // empty without pictures
  size_t count = 0;

  bool empty() const { return count == 0; }
};

void add_to(Examples& examples, const Matrix& vectors) {
  examples.mean.resize(vectors.columns());
  for (size_t i = 0; i < vectors.rows(); ++i) {
    const double share = 1 / static_cast<double>(++examples.count);
    for (size_t d = 0; d < examples.mean.size(); ++d)
      examples.mean[d] += share * (static_cast<double>(vectors.row(i)[d]) - examples.mean[d]);
  }
}

template <class A, class B>
double product(const A& a, const B& b) {
  double sum = 0;
  for (size_t d = 0; d < a.size(); ++d)
    sum += static_cast<double>(a[d]) * static_cast<double>(b[d]);
  return sum;
}

struct Moments {
  double mean = 0;
  double deviation = 0;
};

// What pictures and texts have in common among these labels.
class Scale {
 public:
  Scale(const View& collection, const Matrix& texts, const std::vector<bool>& has_text,
        const std::vector<Examples>& of_labels, const std::vector<Examples>& of_vetoes, bool fits)
      : manifest_(collection.manifest()), fits_(fits), average_text_(texts.columns()) {
    const std::vector<float> mean = collection.mean_image_vector();
    mean_.assign(mean.begin(), mean.end());
    spread_ = std::max(kLeastSpread, 1 - product(mean_, mean_));
    middle_ = middle_of(of_labels, of_vetoes);
    has_texts_ = std::ranges::count(has_text, true) > 0;
    if (!has_texts_) return;
    read_sample(collection);
    measure_texts(texts, has_text);
  }

  // One label's picture side: its vector, and its bias. text: empty where it has none.
  float set(std::span<const float> text, const Examples& examples, std::span<float> out) const {
    std::ranges::fill(out, 0.0f);
    std::ranges::copy(text, out.begin());
    if (examples.empty()) return 0;
    const bool is_alone = text.empty() && has_texts_ && !fits_;
    return is_alone ? like_texts(examples, out) : discriminant(!text.empty(), examples, out);
  }

  // What stands in for a text: the average of the others.
  std::span<const float> average_text() const { return average_text_; }

 private:
  static constexpr double kLeastSpread = 0.05;  // of pictures that are all alike

  // The middle of two labels at least, where every label has pictures; else of the collection.
  std::vector<double> middle_of(const std::vector<Examples>& of_labels,
                                const std::vector<Examples>& of_vetoes) const {
    if (std::ranges::any_of(of_labels, &Examples::empty)) return mean_;
    std::vector<Examples> all = of_labels;
    std::ranges::remove_copy_if(of_vetoes, std::back_inserter(all), &Examples::empty);
    if (all.size() < 2) return mean_;
    std::vector<double> mean(mean_.size());
    for (const Examples& one : all) {
      for (size_t d = 0; d < mean.size(); ++d)
        mean[d] += one.mean[d] / static_cast<double>(all.size());
    }
    return mean;
  }

  void read_sample(const View& collection) {
    for (const Row row : ViewVectors::pictures(collection).sample(kSample))
      sample_.push_back(stored_vector(collection, row));
  }

  template <class Vector>
  Moments moments_of(const Vector& vector) const {
    double sum = 0;
    double squares = 0;
    for (const std::vector<float>& picture : sample_) {
      const double value = product(vector, picture);
      sum += value;
      squares += value * value;
    }
    const auto count = static_cast<double>(std::max<size_t>(1, sample_.size()));
    const double mean = sum / count;
    return {mean, std::sqrt(std::max(0.0, squares / count - mean * mean))};
  }

  void measure_texts(const Matrix& texts, const std::vector<bool>& has_text) {
    size_t labels = 0;
    size_t sampled = 0;
    for (size_t k = 0; k < texts.rows(); ++k) {
      if (!has_text[k]) continue;
      ++labels;
      for (size_t d = 0; d < average_text_.size(); ++d) average_text_[d] += texts.row(k)[d];
      if (sampled == kMostTextsSampled) continue;
      const Moments moments = moments_of(texts.row(k));
      texts_.mean += moments.mean;
      texts_.deviation += moments.deviation;
      ++sampled;
    }
    for (float& value : average_text_) value /= static_cast<float>(labels);
    texts_.mean /= static_cast<double>(sampled);
    texts_.deviation /= static_cast<double>(sampled);
  }

  // Similarities with the mean and the deviation of texts'.
  float like_texts(const Examples& examples, std::span<float> out) const {
    const Moments pictures = moments_of(examples.mean);
    const double factor = texts_.deviation / std::max(pictures.deviation, 1e-6);
    for (size_t d = 0; d < out.size(); ++d) out[d] = static_cast<float>(factor * examples.mean[d]);
    return static_cast<float>(texts_.mean - factor * pictures.mean);
  }

  float discriminant(bool has_text, const Examples& examples, std::span<float> out) const {
    const double gain = has_texts_ && has_text ? kExampleGain : kGainAlone;
    const double prior = has_texts_ && has_text ? kExamplePrior : kPriorAlone;
    const auto count = static_cast<double>(examples.count);
    const double scale = static_cast<double>(manifest_.logit_scale);
    const double step = gain / (spread_ * scale) * count / (count + prior);
    double at_middle = 0;
    double at_own = 0;
    for (size_t d = 0; d < out.size(); ++d) {
      const double by = step * (examples.mean[d] - middle_[d]);
      at_middle += by * middle_[d];
      at_own += by * (examples.mean[d] - middle_[d]);
      out[d] = static_cast<float>(static_cast<double>(out[d]) + by);
    }
    double bias = -at_middle;
    // Half way between the middle and its own pictures it fits as likely as not.
    if (fits_ && !has_text) bias -= at_own / 2 + static_cast<double>(manifest_.logit_bias) / scale;
    return static_cast<float>(bias);
  }

  const Manifest& manifest_;
  bool fits_;
  bool has_texts_ = false;
  std::vector<double> mean_;
  std::vector<double> middle_;
  double spread_ = 1;
  std::vector<float> average_text_;
  std::vector<std::vector<float>> sample_;
  Moments texts_;
};

bool is_picture(const std::string& written) {
  return parse_prompt(written).kind == Prompt::Kind::Picture;
}

}  // namespace

bool has_examples(const std::vector<Label>& labels) {
  return std::ranges::any_of(
      labels, [](const Label& label) { return std::ranges::any_of(label.prompts, is_picture); });
}

std::string prompt_of_row(Row row) {
  return written_prompt({false, kRowSign + std::to_string(row), Prompt::Kind::Picture});
}

std::optional<Row> row_of_prompt(std::string_view written) {
  const Prompt prompt = parse_prompt(written);
  return prompt.kind == Prompt::Kind::Picture ? row_of(prompt.value) : std::nullopt;
}

FindExamples examples_by_row(const View& collection) {
  return [&collection](const std::string& value) {
    const auto row = row_of(value);
    if (!row)
      throw Error(ErrorCode::InvalidArgument, "@" + value,
                  "only pictures of the collection are taken", "name one by its row");
    return example_of_row(collection, *row);
  };
}

FindExamples examples_by_path(const View& collection, EncoderSource& encoders) {
  return [&collection, &encoders](const std::string& value) {
    if (const auto row = row_of(value)) return example_of_row(collection, *row);
    return examples_at(collection, encoders, absolute_path(value).string());
  };
}

LabelVectors with_examples(const View& collection, const std::vector<Label>& labels,
                           const PromptVectors& texts, const FindExamples& find, bool fits) {
  LabelVectors vectors(texts.labels);
  std::vector<Examples> of_labels(labels.size());
  std::vector<Examples> of_vetoes;
  std::vector<bool> has_text;
  for (size_t k = 0; k < labels.size(); ++k) {
    has_text.push_back(has_text_prompt(labels[k]));
    for (const std::string& written : labels[k].prompts) {
      const Prompt prompt = parse_prompt(written);
      Examples& examples = prompt.is_veto ? of_vetoes.emplace_back() : of_labels[k];
      if (prompt.kind != Prompt::Kind::Picture) continue;
      const ExampleVectors found = find(prompt.value);
      add_to(examples, found.vectors);
      vectors.examples.insert(vectors.examples.end(), found.rows.begin(), found.rows.end());
    }
  }
  std::ranges::sort(vectors.examples);
  drop_repeated(vectors.examples);

  const Scale scale(collection, texts.labels, has_text, of_labels, of_vetoes, fits);
  const auto text_of = [](const Matrix& matrix, size_t i, bool is_there) {
    return is_there ? matrix.row(i) : std::span<const float>();
  };
  vectors.image_bias.resize(labels.size());
  for (size_t k = 0; k < labels.size(); ++k) {
    vectors.image_bias[k] =
        scale.set(text_of(texts.labels, k, has_text[k]), of_labels[k], vectors.image.row(k));
    if (!has_text[k]) std::ranges::copy(scale.average_text(), vectors.text.row(k).begin());
  }
  VetoVectors& vetoes = vectors.vetoes = veto_columns(texts.vetoes, texts.labels.columns());
  if (vetoes.empty()) return vectors;
  vetoes.image_bias.resize(vetoes.columns());
  for (size_t i = 0; i < texts.vetoes.size(); ++i) {
    const Veto& veto = vetoes.vetoes[i];
    std::ranges::copy(vectors.image.row(veto.label), vetoes.image.row(veto.own).begin());
    std::ranges::copy(vectors.text.row(veto.label), vetoes.text.row(veto.own).begin());
    vetoes.image_bias[veto.own] = vectors.image_bias[veto.label];
    const bool is_text = of_vetoes[i].empty();
    const std::span<const float> text = text_of(texts.of_vetoes, i, is_text);
    vetoes.image_bias[veto.against] = scale.set(text, of_vetoes[i], vetoes.image.row(veto.against));
    std::ranges::copy(is_text ? text : scale.average_text(), vetoes.text.row(veto.against).begin());
  }
  return vectors;
}

}  // namespace zeroshelf
