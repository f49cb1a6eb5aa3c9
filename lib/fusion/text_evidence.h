#pragma once

// How much text OCR read in a picture, and how surely: what the weight of the text side rests on.

#include <cstdint>

namespace zeroshelf {

struct TextEvidence {
  uint32_t word_count = 0;
  float confidence = 0;  // of the words, 0 to 1

  bool operator==(const TextEvidence&) const = default;
};

}  // namespace zeroshelf
