#pragma once

// Picture -> the words in it: lines of text are searched, rendered one by one as Tesseract reads
// them best, read in several renderings, and what is not plausible is dropped (docs/ocr.md).
//
// Threads: one TextReader belongs to one thread; any number of readers may work side by side. A
// reader keeps OpenMP off in the thread that calls it, because Tesseract's own threads make
// parallel use many times slower.
// Cost: a reader holds its language data, some 30 MiB.

#include <memory>
#include <string>
#include <vector>

#include "lib/image/image.h"
#include "lib/ocr/reading_steps.h"
#include "lib/util/words.h"

namespace zeroshelf {

inline constexpr const char* kAutoLanguages = "auto";

struct TextReaderOptions {
  // Tesseract's codes, joined by '+'; or kAutoLanguages: those of all installed languages that are
  // written in the script of the picture.
  std::string languages = "eng";
  int timeout_ms = 20'000;  // of processor time for one picture; at least 1
  ReadingSteps steps = {};  // all of them; a measurement may leave some out
};

struct PictureText {
  std::vector<Word> words;  // in reading order; boxes are those of the picture as it lies
  // By how much the picture must be turned clockwise so that its text stands upright: 0, 90, 180 or
  // 270.
  int turned_degrees = 0;
  // The script of text that was left out because none of the languages has it: "Cyrillic", "Greek",
  // ... ("Han or kana" for Chinese and Japanese); empty: there is none, or nobody can tell because
  // Tesseract's data for scripts (the package tesseract-ocr-osd) is not installed.
  std::string unread_script;
};

class TextReader {
 public:
  // Throws Unavailable when a language's data is not installed, or for kAutoLanguages the data for
  // scripts; the cure names the package.
  // InvalidArgument when languages is not a list of codes of languages (osd and equ are none), or
  // has kAutoLanguages among others.
  explicit TextReader(const TextReaderOptions& options);
  ~TextReader();
  TextReader(const TextReader&) = delete;
  TextReader& operator=(const TextReader&) = delete;

  // In reading order; confidence is how plausible the word is: Tesseract's confidence, corrected by
  // the word's shape and its line. A picture without text gives no words, and so does one with a
  // side below 8 pixels. Implausible words are dropped, and words without a letter or digit.
  // The same picture always gives the same words.
  //
  // A picture whose sides are as 3 : 1 or more is read in windows that overlap. Above 12
  // megapixels, or with a side above 16,000, a window is read scaled down; lines are looked for in
  // at most 1,600 pixels of its longer side. A picture in which nothing is surely read is also
  // looked at from its other sides. The boxes are those of the whole picture.
  //
  // Throws Unavailable, with cause and cure, when the picture takes longer than timeout_ms (which
  // is looked at between lines and words) and when Tesseract or OpenCV gives up; the reader stays
  // usable.
  PictureText read_picture(const Image& image);
  // Its words alone.
  std::vector<Word> read(const Image& image) { return read_picture(image).words; }

 private:
  struct Engine;
  std::unique_ptr<Engine> engine_;
};

}  // namespace zeroshelf
