// zeroshelf-train-lines: makes lib/ocr/line_weights.inc, what tells rows of letters from rows of
// spots (lib/ocr/line_net.h).
//
//   zeroshelf-train-lines collect FILE [--pictures N] [--textless FOLDER]...
//   zeroshelf-train-lines train FILE WEIGHTS.inc
//
// collect draws pictures of the development set and reads them: rows that lie on words which were
// read as they were drawn are text; rows that lie on none are not, where every word was found.
// Everything in drawn textures and in the photographs of the folders is no text.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>

#include "benchmarks/line_trainer.h"
#include "benchmarks/ocr_set.h"
#include "benchmarks/textures.h"
#include "lib/image/decode.h"
#include "lib/image/encode_jpeg.h"
#include "lib/image/preprocess.h"
#include "lib/ocr/line_net.h"
#include "lib/ocr/text_lines.h"
#include "lib/ocr/text_reader.h"
#include "lib/program/program.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/random.h"
#include "tests/support/shared_data.h"

namespace {

namespace fs = std::filesystem;
using namespace zeroshelf;
using train::LineSample;

struct Options {
  fs::path file;
  fs::path weights;
  std::vector<fs::path> textless;
  size_t pictures = 24;  // a style
  size_t textures = 240;
  size_t crops = 44;  // a photograph
  int epochs = 8;
};

LineSample sample_of(const TextLine& line, bool is_text, bool is_held_out) {
  LineSample sample;
  sample.is_text = is_text;
  sample.is_held_out = is_held_out;
  const LineLook look = look_of(line);
  sample.columns = static_cast<int16_t>(look.columns);
  std::copy_n(look.samples.begin(), LineLook::kRows * look.columns, sample.look);
  std::ranges::copy(network_features(line.features), sample.features);
  return sample;
}

class Collector {
 public:
  explicit Collector(const fs::path& path) : out_(path, std::ios::binary) {}

  void add_textless(const Image& image, bool is_held_out) {
    const std::vector<Layer> layers = layers_of(image);
    for (const TextLine& line : find_candidates(layers)) add(line, false, is_held_out);
  }

  void add_drawn(const bench::OcrSample& sample, bool is_held_out) {
    std::unique_ptr<TextReader>& reader = readers_[sample.languages];
    if (!reader) reader = std::make_unique<TextReader>(TextReaderOptions{sample.languages});
    std::multiset<std::string> drawn;
    for (const std::string& word : sample.words) drawn.insert(folded(word));
    std::vector<cv::Rect> right, wrong;
    for (const Word& word : reader->read(sample.image)) {
      const auto found = drawn.find(folded(word.text));
      const Box& box = word.box;
      const bool is_right = found != drawn.end() || (!sample.has_blanks && word.confidence > 0.8f);
      (is_right ? right : wrong).emplace_back(box.x, box.y, box.width, box.height);
      if (found != drawn.end()) drawn.erase(found);
    }
    const std::vector<Layer> layers = layers_of(sample.image);
    for (const TextLine& line : find_candidates(layers)) {
      const double on_right = covered(line.box, right);
      if (on_right > 0.6) add(line, true, is_held_out);
      if (on_right == 0 && drawn.empty() && covered(line.box, wrong) == 0)
        add(line, false, is_held_out);
    }
  }

  size_t text() const { return text_; }
  size_t others() const { return others_; }

 private:
  static std::string folded(const std::string& word) {
    std::string result;
    for (const char c : word) {
      if (static_cast<unsigned char>(c) >= 128 || std::isalnum(static_cast<unsigned char>(c)) != 0)
        result += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    }
    return result;
  }

  static std::vector<Layer> layers_of(const Image& image) {
    const cv::Mat rgb(image.height_px, image.width_px, CV_8UC3,
                      const_cast<uint8_t*>(image.rgb.data()));
    return find_glyphs(rgb, {});
  }

  // The part of the line that lies on the boxes.
  static double covered(const cv::Rect2f& line, const std::vector<cv::Rect>& boxes) {
    double sum = 0;
    for (const cv::Rect& box : boxes) {
      const cv::Rect2f both = line & cv::Rect2f(box);
      if (both.height > 0.5 * line.height && both.height > 0.4 * box.height) sum += both.width;
    }
    return sum / line.width;
  }

  void add(const TextLine& line, bool is_text, bool is_held_out) {
    const LineSample sample = sample_of(line, is_text, is_held_out);
    out_.write(reinterpret_cast<const char*>(&sample), sizeof(sample));
    ++(is_text ? text_ : others_);
  }

  std::ofstream out_;
  std::map<std::string, std::unique_ptr<TextReader>> readers_;
  size_t text_ = 0;
  size_t others_ = 0;
};

Image through_jpeg(const Image& image, Random& random) {
  const std::string jpeg = encode_jpeg(image, random.between(45, 97));
  return std::get<Image>(decode_image(std::as_bytes(std::span(jpeg)), {}));
}

// Mirrored or not, and now and then as sharp as programs make what they shrink.
Image varied(Image image, Random& random) {
  const cv::Mat rgb(image.height_px, image.width_px, CV_8UC3, image.rgb.data());
  if (random.chance(0.5)) cv::flip(rgb, rgb, 1);
  if (random.chance(0.4)) {
    cv::Mat blurred;
    cv::GaussianBlur(rgb, blurred, {}, random.uniform(0.6, 1.4));
    const double amount = random.uniform(0.3, 1.5);
    cv::addWeighted(rgb, 1 + amount, blurred, -amount, 0, rgb);
  }
  return image;
}

// Some part of it in some size.
Image part_of(const Image& whole, Random& random) {
  const int longer = std::max(whole.width_px, whole.height_px);
  const double scale = std::min(1.0, random.uniform(350, 2600) / longer);
  const auto side = [&](int most) {
    return std::min(most, static_cast<int>(random.uniform(350, 1100) / scale));
  };
  const int width = side(whole.width_px);
  const int height = side(whole.height_px);
  const int left = random.between(0, whole.width_px - width);
  const int top = random.between(0, whole.height_px - height);
  Image part{width, height, {}};
  for (int y = 0; y < height; ++y) {
    const auto row =
        whole.row(top + y).subspan(3 * static_cast<size_t>(left), 3 * static_cast<size_t>(width));
    part.rgb.insert(part.rgb.end(), row.begin(), row.end());
  }
  if (scale == 1) return part;
  return resize_bicubic(part, std::max(8, static_cast<int>(width * scale)),
                        std::max(8, static_cast<int>(height * scale)));
}

int collect(const Options& options) {
  Collector collector(options.file);
  const auto tell = [&](const std::string& what) {
    fmt::print(stderr, "{}: {} rows of text, {} others\n", what, collector.text(),
               collector.others());
  };
  Random random(11);
  std::vector<fs::path> photographs;
  for (const fs::path& folder : options.textless) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
      if (entry.is_regular_file()) photographs.push_back(entry.path());
    }
  }
  std::ranges::sort(photographs);
  DecodeLimits limits;
  for (size_t i = 0; i < photographs.size(); ++i) {
    const std::string bytes = read_file(photographs[i], limits.max_bytes);
    const auto decoded = decode_image(std::as_bytes(std::span(bytes)), limits);
    const Image* image = std::get_if<Image>(&decoded);
    if (image == nullptr) continue;
    for (size_t crop = 0; crop < options.crops; ++crop)
      collector.add_textless(through_jpeg(varied(part_of(*image, random), random), random),
                             i % 6 == 5);
  }
  tell("photographs");
  for (size_t i = 0; i < options.textures; ++i) {
    const int height = random.between(350, 900);
    const Image image = train::draw_texture(random.between(350, 900), height, random);
    collector.add_textless(through_jpeg(image, random), i % 8 == 7);
  }
  tell("textures");
  const bench::OcrSet set(bench::Split::Development, testing::shared_directory());
  std::vector<std::string> styles = bench::ocr_styles();
  styles.emplace_back(bench::kPhotographStyle);
  styles.emplace_back(bench::kDrawnStyle);
  std::erase(styles, "long screenshot");
  std::erase(styles, "turned picture");
  for (const std::string& style : styles) {
    for (size_t i = 0; i < options.pictures; ++i)
      collector.add_drawn(set.draw(style, 1000 + i), i % 8 == 7);
    tell(style);
  }
  return kDone;
}

std::vector<LineSample> samples_in(const fs::path& path) {
  const std::string bytes = read_file(path, uint64_t{1} << 34);
  std::vector<LineSample> samples(bytes.size() / sizeof(LineSample));
  std::memcpy(samples.data(), bytes.data(), samples.size() * sizeof(LineSample));
  return samples;
}

int learn_from(const Options& options) {
  const std::vector<float> weights =
      train::learn_lines(samples_in(options.file), options.epochs,
                         [](const std::string& line) { fmt::print(stderr, "{}\n", line); });
  std::ofstream out(options.weights);
  for (size_t i = 0; i < weights.size(); ++i)
    out << fmt::format("{:.4g},{}", weights[i], i % 12 == 11 ? "\n" : " ");
  out << "\n";
  return kDone;
}

}  // namespace

int main(int argc, char** argv) {
  Program program("zeroshelf-train-lines", "Trains what tells rows of letters from rows of spots.");
  Options options;
  CLI::App* gather = program.add_command("collect", "Draw and read pictures, and keep their rows",
                                         [&] { return collect(options); });
  gather->add_option("FILE", options.file, "The rows; written anew")->required();
  gather->add_option("--textless", options.textless, "A folder of photographs without text");
  gather->add_option("--pictures", options.pictures, "Drawn ones a style")->capture_default_str();
  gather->add_option("--crops", options.crops, "Of each photograph")->capture_default_str();
  gather->add_option("--textures", options.textures, "Drawn ones")->capture_default_str();
  CLI::App* learn =
      program.add_command("train", "Learn from the rows", [&] { return learn_from(options); });
  learn->add_option("FILE", options.file, "What collect wrote")->required();
  learn->add_option("WEIGHTS", options.weights, "line_weights.inc")->required();
  learn->add_option("--epochs", options.epochs, "Times that each row is seen")
      ->capture_default_str();
  return program.run(argc, argv);
}
