#pragma once

// What the pictures of the OCR benchmark say, and in which fonts and over which photographs. The
// development set and the test set share none of them: settings are chosen on the first only.

#include <string>
#include <vector>

namespace zeroshelf::bench {

enum class Split { Development, Test };

// A font file of a Debian package, and the horizontal scale it is set with.
struct FontChoice {
  const char* path;
  const char* package;
  double squeeze = 1;
};

// Captions in another language.
struct Tongue {
  const char* style;       // as the benchmark calls it
  const char* languages;   // Tesseract's codes
  const char* package;     // of Tesseract's data
  bool has_blanks = true;  // between words
  std::vector<const char*> sentences;
  std::vector<FontChoice> fonts;
};

struct OcrMaterial {
  std::vector<const char*> sentences;
  std::vector<const char*> goods;     // for receipts and labels
  std::vector<const char*> names;     // of people, for chats and posts
  std::vector<const char*> notices;   // for signs: lines separated by '|'
  std::vector<FontChoice> headline;   // heavy faces of captions and signs
  std::vector<FontChoice> text;       // chats, posts, pages, labels
  std::vector<FontChoice> monospace;  // receipts
  // Below the folder of shared data; looked at: no letter can be read in them.
  std::vector<const char*> photographs;
  std::vector<Tongue> tongues;
};

const OcrMaterial& ocr_material(Split split);

}  // namespace zeroshelf::bench
