#pragma once

// Inside lib/ocr: Tesseract, and nothing else of it anywhere.
//
// Threads: one recogniser belongs to one thread; its calls keep OpenMP off there, because
// Tesseract's own threads make parallel use many times slower.

#include <chrono>
#include <memory>
#include <opencv2/core.hpp>
#include <string>
#include <vector>

namespace zeroshelf {

struct RecognisedWord {
  std::string text;      // UTF-8, no white space, at least one letter or digit
  float confidence = 0;  // 0 to 1
  bool in_dictionary = false;
  cv::Rect box;  // in the pixels that were given
};

class Recogniser {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  enum class Layout { Page, Sparse, Block, Line };

  // languages: Tesseract's codes, joined by '+'. Throws Unavailable when a language's data is not
  // installed (the cure names the package), InvalidArgument when languages is no list of codes.
  explicit Recogniser(const std::string& languages);
  ~Recogniser();

  // pixels: CV_8UC1 or CV_8UC3 (RGB). Words in Tesseract's order. What is found until the deadline,
  // which is looked at between words.
  std::vector<RecognisedWord> read(const cv::Mat& pixels, Layout layout, Deadline deadline);

 private:
  struct Api;
  std::unique_ptr<Api> api_;
};

}  // namespace zeroshelf
