// Tested by tests/ocr/text_reader_test.cc.

#include "lib/ocr/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "lib/image/preprocess.h"
#include "lib/ocr/glyphs.h"
#include "lib/ocr/line_reader.h"
#include "lib/ocr/recogniser.h"
#include "lib/ocr/text_lines.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// Letters below this height cannot be told apart.
constexpr int kMinSidePx = 8;
// Reading time goes with the pixels.
constexpr double kMaxPixels = 12e6;
constexpr double kMaxSidePx = 16000;
// Glyphs are looked for in a picture of at most this longer side.
constexpr double kSearchSidePx = 1600;
// Of plain Tesseract's words.
constexpr float kMinConfidence = 0.3f;

// Factor by which a picture shrinks before it is read; 1 for most.
double scale_for(const Image& image) {
  const double pixels = static_cast<double>(image.width_px) * image.height_px;
  const double longer = std::max(image.width_px, image.height_px);
  return std::min({1.0, std::sqrt(kMaxPixels / pixels), kMaxSidePx / longer});
}

Image shrunk(const Image& image, double scale) {
  const auto side = [&](int px) { return std::max(1, static_cast<int>(px * scale)); };
  return resize_bicubic(image, side(image.width_px), side(image.height_px));
}

// A box of the shrunk picture in pixels of the whole one.
Box enlarged(const Box& box, const Image& from, const Image& to) {
  const double x = static_cast<double>(to.width_px) / from.width_px;
  const double y = static_cast<double>(to.height_px) / from.height_px;
  const auto rounded = [](double value) { return static_cast<int>(std::lround(value)); };
  const int left = rounded(box.x * x);
  const int top = rounded(box.y * y);
  return {left, top, rounded((box.x + box.width) * x) - left,
          rounded((box.y + box.height) * y) - top};
}

std::string seconds(int ms) {
  return fmt::format("{:g} s", ms / 1000.0);
}

cv::Mat as_mat(const Image& image) {
  return {image.height_px, image.width_px, CV_8UC3, const_cast<uint8_t*>(image.rgb.data())};
}

}  // namespace

struct TextReader::Engine {
  Recogniser recogniser;
  int timeout_ms = 0;
  ReadingSteps steps;

  std::vector<Word> read(const Image& image) {
    const TimeBudget time{std::chrono::milliseconds(timeout_ms)};
    if (steps.method != ReadingSteps::Method::Pipeline) return read_plainly(image, time);
    const cv::Mat rgb = as_mat(image);
    cv::Mat searched = rgb;
    const double scale = std::min(1.0, kSearchSidePx / std::max(rgb.cols, rgb.rows));
    if (scale < 1) cv::resize(rgb, searched, {}, scale, scale, cv::INTER_AREA);
    const std::vector<Layer> layers =
        find_glyphs(searched, {steps.large_letters, steps.colour_layers});
    PictureReader reader(rgb, 1 / scale, recogniser, steps, time);
    reader.read(find_lines(layers));
    if (steps.same_ink) {
      for (const LetterStyle& style : reader.styles()) {
        const std::vector<Layer> more = {find_glyphs_of_ink(searched, style.ink, style.height_px)};
        reader.read(lines_of_height(find_lines(more), style.height_px));
      }
    }
    return std::move(reader).words();
  }

  static std::vector<TextLine> lines_of_height(std::vector<TextLine> lines, float height_px) {
    constexpr float kTaller = 1.4f;
    std::erase_if(lines, [&](const TextLine& line) {
      return line.height_px > kTaller * height_px || height_px > kTaller * line.height_px;
    });
    return lines;
  }

  std::vector<Word> read_plainly(const Image& image, const TimeBudget& time) {
    const auto layout = steps.method == ReadingSteps::Method::PlainPage
                            ? Recogniser::Layout::Page
                            : Recogniser::Layout::Sparse;
    std::vector<Word> words;
    for (const RecognisedWord& word : recogniser.read(as_mat(image), layout, time)) {
      if (word.confidence < kMinConfidence) continue;
      words.push_back(
          {word.text, word.confidence, {word.box.x, word.box.y, word.box.width, word.box.height}});
    }
    return words;
  }
};

TextReader::TextReader(const TextReaderOptions& options)
    : engine_(new Engine{Recogniser(options.languages), options.timeout_ms, options.steps}) {
  cv::setNumThreads(1);
}

TextReader::~TextReader() = default;

std::vector<Word> TextReader::read(const Image& image) {
  if (std::min(image.width_px, image.height_px) < kMinSidePx) return {};
  try {
    const double scale = scale_for(image);
    if (scale == 1.0) return engine_->read(image);
    const Image small = shrunk(image, scale);
    if (std::min(small.width_px, small.height_px) < kMinSidePx) return {};
    std::vector<Word> words = engine_->read(small);
    for (Word& word : words) word.box = enlarged(word.box, small, image);
    return words;
  } catch (const TimeIsUp&) {
    throw Error(ErrorCode::Unavailable, "text recognition",
                "not done after " + seconds(engine_->timeout_ms) + " of processor time",
                "give it more with --ocr-timeout, or index it with --no-ocr");
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Unavailable, "text recognition", error.what(), "index it with --no-ocr");
  }
}

}  // namespace zeroshelf
