#pragma once

// A set of memes like the article's: two worlds, and how often a picture or its text misleads.

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>

#include "models/train/generator.h"

namespace zeroshelf::train {

// Shares of the kinds, decided before any result was seen: as in the article's data most memes are
// easy, and a few can only be told by their text, or only by their picture.
struct MemeShare {
  MemeKind kind;
  const char* name;
  double share;
};
inline constexpr std::array<MemeShare, 4> kMemeShares = {
    {{MemeKind::Plain, "plain", 0.70},
     {MemeKind::NoText, "no text", 0.15},
     {MemeKind::MisleadingPicture, "misleading picture", 0.09},
     {MemeKind::MisleadingText, "misleading text", 0.06}}};
// The shares of the demo, whose story is that picture and text together tell more than either: some
// memes can be told by their picture only, some by their text only. Decided before any result was
// seen, too.
inline constexpr std::array<MemeShare, 4> kTwoSidedShares = {
    {{MemeKind::Plain, "plain", 0.60},
     {MemeKind::NoText, "no text", 0.15},
     {MemeKind::OtherPicture, "other picture", 0.20},
     {MemeKind::MisleadingText, "misleading text", 0.05}}};

struct MemeSet {
  size_t count = 1600;
  uint64_t seed = 1;
  std::array<const char*, 2> labels = {"Doom", "Animal Crossing"};
  int width_px = 512;
  int height_px = 512;
  double wear = 0.6;
  std::span<const MemeShare> shares = kMemeShares;
};

// Writes folder/<label>/<number>.jpg, half of each label, and beside the folder <folder>.csv with
// the columns path (relative to the table), label and kind. The phrases are those held out from
// training. The folder must be empty or absent. Throws InvalidArgument or Io.
void write_memes(const Generator& generator, const MemeSet& set,
                 const std::filesystem::path& folder);

}  // namespace zeroshelf::train
