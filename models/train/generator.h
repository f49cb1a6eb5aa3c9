#pragma once

// Endless captioned pictures, each from a seed and a number.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/image/image.h"
#include "lib/util/random.h"
#include "models/train/canvas.h"
#include "models/train/fonts.h"
#include "models/train/things.h"
#include "models/train/worlds.h"

namespace zeroshelf::train {

// Where Debian's packages put what the generator reads; worlds comes with the project.
struct Sources {
  std::filesystem::path annotations = "/usr/share/unicode/cldr/common/annotations/en.xml";
  std::filesystem::path emoji_font = "/usr/share/fonts/truetype/noto/NotoColorEmoji.ttf";
  std::filesystem::path text_font = "/usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf";
  std::filesystem::path worlds = ZEROSHELF_WORLDS;
};

// What a picture shows. Two captions or pictures say the same when their keys are equal.
struct Content {
  std::vector<size_t> things;   // each once, ascending
  std::optional<size_t> world;  // of a scene
  uint64_t key = 0;             // of everything in it
  uint64_t world_key = 0;       // of its world alone; 0 without one
};

struct CaptionedPicture {
  Image image;
  Content content;
  std::string caption;
  uint64_t caption_key = 0;  // content.key, or content.world_key for a caption of the world alone
};

// Two texts that mean the same thing, such as a sentence about a theme and the theme's label.
struct TextPair {
  std::string one;
  std::string other;
  uint64_t key = 0;  // equal for pairs of the same meaning
};

struct PictureOptions {
  int width_px = 96;
  int height_px = 96;
  double wear = 1;              // see weather()
  double caption_chance = 0.2;  // that a meme's text is drawn into it
  Part part = Part::Training;   // of the phrases
  double ease = 0;  // 1: mostly one large thing on a plain ground, unworn; 0: as it comes
};

// The key of texts that mean this world, or this word.
uint64_t key_of_world(const World& world);
uint64_t key_of_word(const std::string& word);

// A meme of a known world, as the article's data set has them.
enum class MemeKind {
  Plain,              // a scene of the world, with text of the world
  NoText,             // a scene of the world
  MisleadingPicture,  // a scene of the other world, with text of the world
  MisleadingText,     // a scene of the world, with text of the other
  OtherPicture,       // a scene of a third world, with text of the world
};

struct Scene {
  Image image;
  std::vector<size_t> things;  // each once, ascending
};

// Threads: const calls may run together.
class Generator {
 public:
  // Throws NotFound, Corruption or Incompatible, naming the file and the package to install.
  explicit Generator(const Sources& sources);

  const std::vector<Thing>& things() const { return things_; }
  const std::vector<World>& worlds() const { return worlds_; }
  // Or nothing.
  std::optional<size_t> find_world(const std::string& label) const;

  // One thing on a backdrop, for the figures of the model card; the caption is the thing's name.
  CaptionedPicture single(size_t thing, Random& random, const PictureOptions& options) const;
  // Anything: one thing, several, shapes, or a scene of a world, with a caption in any form.
  CaptionedPicture any(Random& random, const PictureOptions& options) const;
  // Two to five things of a world in its scenery, with that world's caption text or without.
  Scene scene(size_t world, const std::optional<std::string>& text, Random& random,
              const PictureOptions& options) const;
  Image meme(MemeKind kind, size_t world, size_t other_world, Random& random,
             const PictureOptions& options) const;

  TextPair text_pair(Random& random, Part part) const;

 private:
  struct Layout;
  std::vector<size_t> draw_scene(Image& image, size_t world, Random& random) const;
  void finish(Image& image, const std::string& text, Random& random,
              const PictureOptions& options) const;
  CaptionedPicture one_thing(size_t thing, Random& random, const PictureOptions& options,
                             bool plain_caption) const;
  CaptionedPicture several_things(Random& random, const PictureOptions& options) const;
  CaptionedPicture shapes(Random& random, const PictureOptions& options) const;
  CaptionedPicture world_scene(Random& random, const PictureOptions& options) const;
  std::string random_text(Random& random, Part part) const;
  std::string called(size_t thing, Random& random) const;
  std::string talk_of_world(const World& world, Random& random) const;

  std::vector<Thing> things_;
  std::vector<Sticker> stickers_;  // of each thing
  std::vector<World> worlds_;
  TextFont text_font_;
};

}  // namespace zeroshelf::train
