#pragma once

// Picture -> the words in it, by Tesseract.
//
// Threads: one TextReader belongs to one thread; any number of readers may work side by side. A
// reader keeps OpenMP off in the thread that calls it, because Tesseract's own threads make
// parallel use many times slower.
// Cost: a reader holds its language data, some 30 MiB.

#include <memory>
#include <string>
#include <vector>

#include "lib/image/image.h"
#include "lib/ocr/words.h"

namespace zeroshelf {

struct TextReaderOptions {
  std::string languages = "eng";  // Tesseract's codes, joined by '+'
  int timeout_ms = 20'000;        // for one picture; at least 1
};

class TextReader {
 public:
  // Throws Unavailable when a language's data is not installed; the cure names the package.
  // InvalidArgument when languages is not a list of codes.
  explicit TextReader(const TextReaderOptions& options);
  ~TextReader();
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  // In reading order. A picture without text gives no words, and so does one with a side below 8
  // pixels. Dropped are words below a confidence of 0.3, and words without a letter or digit.
  //
  // A picture above 12 megapixels, or with a side above 16,000, is read scaled down; the boxes are
  // those of the whole picture. When the time is over, the words found so far are returned; finding
  // the lines cannot be interrupted, so a call may take somewhat longer than timeout_ms.
  //
  // Throws Unavailable when Tesseract gives up; the reader stays usable.
  std::vector<Word> read(const Image& image);

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace zeroshelf
