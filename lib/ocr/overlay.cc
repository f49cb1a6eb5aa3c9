// Tested by tests/ocr/mask_test.cc.

#include "lib/ocr/overlay.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <string>

namespace zeroshelf {
namespace {

std::string shown(const std::string& utf8) {
  std::string ascii;
  for (const char c : utf8) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xc0) == 0x80) continue;  // goes on with the character before
    ascii += byte >= 32 && byte < 127 ? c : '?';
  }
  return ascii;
}

cv::Scalar colour_of(float confidence) {
  const double sure = std::clamp((confidence - 0.5) / 0.5, 0.0, 1.0);
  return {230 * (1 - sure), 190 * sure, 30};
}

}  // namespace

Image with_words_drawn(const Image& image, const std::vector<Word>& words) {
  Image result = image;
  cv::Mat pixels(result.height_px, result.width_px, CV_8UC3, result.rgb.data());
  const double letter = std::clamp(std::min(image.width_px, image.height_px) / 900.0, 0.35, 3.0);
  const int line = std::max(1, static_cast<int>(std::lround(2 * letter)));
  for (const Word& word : words) {
    const cv::Rect box(word.box.x, word.box.y, word.box.width, word.box.height);
    const cv::Scalar colour = colour_of(word.confidence);
    cv::rectangle(pixels, box, colour, line);
    int below = 0;
    const cv::Size size =
        cv::getTextSize(shown(word.text), cv::FONT_HERSHEY_SIMPLEX, letter, line, &below);
    const cv::Point base(box.x, std::max(size.height + line, box.y - 2 * line));
    cv::rectangle(pixels, {base.x, base.y - size.height - line, size.width, size.height + below},
                  {255, 255, 255}, cv::FILLED);
    cv::putText(pixels, shown(word.text), base, cv::FONT_HERSHEY_SIMPLEX, letter, colour, line,
                cv::LINE_AA);
  }
  return result;
}

}  // namespace zeroshelf
