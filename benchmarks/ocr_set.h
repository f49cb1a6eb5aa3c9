#pragma once

// Pictures with text whose words are known, in the styles that people post: captions, bars, chats,
// posts, signs, receipts, pages, labels, scrolled screenshots, turned pictures, other languages;
// and pictures without text. Drawn over photographs of the shared data, or over drawn scenes where
// that is absent.

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "benchmarks/ocr_words.h"
#include "lib/image/image.h"

namespace zeroshelf::bench {

struct OcrSample {
  std::string style;
  Image image;                     // after JPEG
  std::vector<std::string> words;  // as drawn; empty where there is no text
  std::string languages = "eng";   // Tesseract's codes
  bool has_blanks = true;          // between words; otherwise letters are what counts
};

// The styles with text, in the order in which they are told.
const std::vector<std::string>& ocr_styles();

// Text-free pictures are of these kinds.
inline constexpr const char* kPhotographStyle = "no text: photograph";
inline constexpr const char* kDrawnStyle = "no text: drawn";
// Sharp photographs of the shared data, 400 and 1,080 pixels wide, as they are.
inline constexpr const char* kSmallTextlessStyle = "no text: small";
inline constexpr const char* kLargeTextlessStyle = "no text: large";

// The set's material, opened: one for many samples. shared: the folder of shared data, or empty.
// Throws NotFound, naming the package of a font that is missing.
class OcrSet {
 public:
  OcrSet(Split split, const std::filesystem::path& shared);
  ~OcrSet();

  // The index-th picture of a style: the same on every machine.
  OcrSample draw(const std::string& style, size_t index) const;
  bool has_photographs() const;
  // How many pictures a style has: as many as are to be drawn, or as there are.
  size_t count(const std::string& style, size_t drawn) const;

 private:
  struct Content;
  std::unique_ptr<Content> content_;
};

}  // namespace zeroshelf::bench
