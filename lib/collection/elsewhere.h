#pragma once

// Many collections as one thing to ask, of which each process has opened some: what a view must
// know of all of them so that it answers for its own as the whole would.
//
// Sums are in fixed point, and samples are drawn by what the pictures are, so both are those that
// one process with all parts has, to the bit, however the parts are shared out.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <vector>

#include "lib/collection/manifest.h"
#include "lib/collection/view.h"
#include "lib/fusion/text_evidence.h"
#include "lib/util/hash.h"
#include "lib/util/ranks.h"
#include "lib/vectors/vector_rows.h"
#include "lib/vectors/vector_sum.h"

namespace zeroshelf {

struct Elsewhere {
  explicit Elsewhere(uint32_t dimension)
      : image_sum(dimension), text_sum(dimension), pictures(dimension), texts(dimension) {}

  Ranks* ranks = nullptr;
  // The whole collection's: the manifest of its first part, and how many parts there are.
  Manifest manifest;
  std::filesystem::path directory;
  size_t parts = 0;
  VectorSum image_sum;  // of all live pictures
  VectorSum text_sum;   // of all live texts

  // The whole's samples, see ViewVectors::sample: some pictures, and where among `texts` the text
  // of each is, if it has any; the first texts are the sampled ones.
  VectorRows pictures;
  std::vector<std::optional<size_t>> text_of;
  VectorRows texts;
  std::vector<TextEvidence> text_evidence;  // one a text
  size_t sampled_texts = 0;
};

// The ranks whose parts the view answers for; null: all are its own.
inline Ranks* ranks_of(const View& view) {
  return view.elsewhere() == nullptr ? nullptr : view.elsewhere()->ranks;
}

// This process's parts, which may be none, as its share of those of all ranks, in the order of the
// ranks. All ranks call it together. Throws Incompatible, naming the part, when not all parts are of
// the first one's model, NotFound when no rank has any, and what Ranks throws.
View joined_view(std::vector<Collection> own, Ranks& ranks);

// --- how samples are drawn ------------------------------------------------------------------------

// In ascending order of their keys, equal ones in the order of the parts. number: the picture's row,
// or the text's number; absent: a content without text, which only counts.
struct DrawnVector {
  ContentHash key{};
  std::optional<Row> number;
};
// The live pictures whose contents come first, as many as a sample may have.
std::vector<DrawnVector> drawn_pictures(const View& view);
// The live texts whose checksums come first or, where all parts together have very many, what comes
// first of the contents, until it holds enough texts or too many have none. live_of_all: texts of
// all parts, also of those that others have open.
std::vector<DrawnVector> drawn_texts(const View& view, uint64_t live_of_all);

}  // namespace zeroshelf
