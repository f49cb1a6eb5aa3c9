#pragma once

// Themes: what a scene of a theme shows, and what people write about it. The data is worlds.json.
//
// A part of every list is held out: it is never used in training, so that what is drawn and said in
// a test was not seen before. Held out are the entries 4, 9, 14 ... (counted from 0) of a theme's
// who, does, where and lines, and of the frames into which they are put; things and words are
// shared.

#include <filesystem>
#include <string>
#include <vector>

#include "lib/util/random.h"
#include "models/train/things.h"

namespace zeroshelf::train {

enum class Part { Training, HeldOut };

// A list in its two parts.
struct Phrases {
  std::vector<std::string> training;
  std::vector<std::string> held_out;
  const std::vector<std::string>& of(Part part) const {
    return part == Part::Training ? training : held_out;
  }
};

struct World {
  std::string label;               // "Doom"
  std::vector<std::string> also;   // other prompts for the same
  std::string backdrop;            // a scenery that draw_scenery knows
  std::vector<size_t> things;      // places in the list of things
  std::vector<std::string> words;  // what belongs to it, for training
  Phrases who;
  Phrases does;
  Phrases where;
  Phrases lines;
};

// Throws NotFound, or Corruption naming the theme and what is wrong with it: a thing that is not in
// the list, a phrase list that is too short to hold some out.
std::vector<World> read_worlds(const std::filesystem::path& path, const std::vector<Thing>& things);

// Something that people write on a picture of the theme: a line, or who does what where in a frame
// as memes have them. Lower case.
std::string sentence(const World& world, Part part, Random& random);

// The same text as hasty typing or OCR would give it: now and then a letter lost, doubled, or taken
// for another.
std::string misread(const std::string& text, Random& random);

}  // namespace zeroshelf::train
