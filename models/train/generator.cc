// Tested by tests/train/generator_test.cc.

#include "models/train/generator.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>

#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf::train {
namespace {

constexpr double kSmallestSize = 0.42;
constexpr double kEasySize = 0.8;
constexpr double kLargestSize = 0.95;
constexpr double kTurn = 0.25;     // radians to either side
constexpr double kSqueeze = 0.82;  // meme captions are narrow
constexpr double kSentenceShare =
    0.6;  // of the texts about a world; the others only name its things
constexpr const char* kCounts[] = {"no", "one", "two", "three", "four"};

// {} is the thing with its article.
constexpr const char* kPictureOf[] = {
    "{}",
    "{}",
    "a picture of {}",
    "a photo of {}",
    "a drawing of {}",
    "an image of {}",
    "this is {}",
    "there is {} in the picture",
    "a meme with {}",
    "look, {}",
    "an emoji of {}",
    "a screenshot with {}",
};

// {} is the thing without an article; what people write about things.
constexpr const char* kTalkOf[] = {
    "my {} is the best",
    "i love my {}",
    "when you see a {}",
    "nobody expects the {}",
    "look at this {}",
    "a {} for you",
    "there is a {} in my house",
    "who let the {} in",
    "another {}, please",
    "i found a {}",
    "that {} again",
    "the {} does not care",
};

uint64_t key_of(const std::string& text) {
  return checksum64(std::as_bytes(std::span(text.data(), text.size())));
}

// "a, b and c"
std::string listed(const std::vector<std::string>& items) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) text += i + 1 == items.size() ? " and " : ", ";
    text += items[i];
  }
  return text;
}

template <size_t count>
std::string framed(const char* const (&frames)[count], const std::string& what, Random& random) {
  return fmt::format(fmt::runtime(frames[random.below(count)]), what);
}

// Somewhere wholly inside the picture.
Place inside(double size, Random& random) {
  const double margin = size / 2;
  return {random.uniform(margin, 1 - margin), random.uniform(margin, 1 - margin), size,
          random.uniform(-kTurn, kTurn)};
}

// Places that do not hide each other: a row of columns, shifted up and down.
std::vector<Place> side_by_side(size_t count, Random& random) {
  const size_t columns = count <= 3 ? count : (count + 1) / 2;
  const size_t rows = (count + columns - 1) / columns;
  const bool upright = random.chance(0.4);
  std::vector<Place> places;
  for (size_t i = 0; i < count; ++i) {
    const double cell_x = 1.0 / static_cast<double>(columns);
    const double cell_y = 1.0 / static_cast<double>(rows);
    const double room = std::min(cell_x, cell_y) + 0.12 * static_cast<double>(columns > 1);
    Place place;
    place.size = std::min(room, 0.95) * random.uniform(0.75, 1.0);
    place.x = (static_cast<double>(i % columns) + 0.5) * cell_x + random.uniform(-0.04, 0.04);
    place.y = (static_cast<double>(i / columns) + 0.5) * cell_y +
              random.uniform(-0.3, 0.3) * std::max(cell_y - place.size, 0.0);
    place.angle = random.uniform(-kTurn, kTurn);
    if (upright) std::swap(place.x, place.y);
    places.push_back(place);
  }
  return places;
}

void draw_backdrop(Image& image, Random& random) {
  constexpr const char* kSceneries[] = {"cave", "field", "sea", "room",  "space",  "snow",  "plain",
                                        "city", "night", "sky", "water", "desert", "forest"};
  if (random.chance(0.7)) {
    draw_plain_backdrop(image, random);
  } else {
    draw_scenery(image, kSceneries[random.below(std::size(kSceneries))], random);
  }
}

std::vector<size_t> sorted_unique(std::vector<size_t> items) {
  std::sort(items.begin(), items.end());
  items.erase(std::unique(items.begin(), items.end()), items.end());
  return items;
}

uint64_t key_of_things(const std::vector<size_t>& things) {
  std::string text = "things";
  for (const size_t thing : things) text += fmt::format(" {}", thing);
  return key_of(text);
}

}  // namespace

uint64_t key_of_world(const World& world) {
  return key_of("world " + world.label);
}

uint64_t key_of_word(const std::string& word) {
  return key_of("word " + word);
}

Generator::Generator(const Sources& sources) : text_font_(sources.text_font, kSqueeze) {
  const EmojiFont emoji(sources.emoji_font);
  for (Thing& thing : read_things(sources.annotations)) {
    std::optional<Sprite> sprite = emoji.draw(thing.character);
    if (!sprite) continue;
    things_.push_back(std::move(thing));
    stickers_.emplace_back(std::move(*sprite));
  }
  if (things_.empty()) {
    throw Error(ErrorCode::Incompatible, sources.emoji_font.string(),
                "has no picture of anything named in " + sources.annotations.string());
  }
  worlds_ = read_worlds(sources.worlds, things_);
}

std::optional<size_t> Generator::find_world(const std::string& label) const {
  for (size_t i = 0; i < worlds_.size(); ++i) {
    if (worlds_[i].label == label) return i;
  }
  return std::nullopt;
}

void Generator::finish(Image& image, const std::string& text, Random& random,
                       const PictureOptions& options) const {
  if (!text.empty()) {
    const CaptionStyle style = random_caption_style(random);
    const size_t middle = text.find(' ', text.size() / 2);
    if (text.size() > 24 && middle != std::string::npos && random.chance(0.5)) {
      draw_caption(image, text.substr(0, middle), text_font_, style, true);
      draw_caption(image, text.substr(middle + 1), text_font_, style, false);
    } else {
      draw_caption(image, text, text_font_, style, random.chance(0.5));
    }
  }
  weather(image, random, options.wear * (1 - options.ease));
}

std::string Generator::random_text(Random& random, Part part) const {
  if (random.chance(0.6)) return sentence(random.pick(worlds_), part, random);
  return framed(kTalkOf, random.pick(things_).name, random);
}

std::string Generator::called(size_t thing, Random& random) const {
  const Thing& it = things_[thing];
  return it.synonyms.empty() || random.chance(0.65) ? it.name : random.pick(it.synonyms);
}

CaptionedPicture Generator::one_thing(size_t thing, Random& random, const PictureOptions& options,
                                      bool plain_caption) const {
  CaptionedPicture picture;
  picture.image = blank(options.width_px, options.height_px, {});
  const bool easy = random.chance(options.ease);
  if (easy) {
    draw_plain_backdrop(picture.image, random, PlainBackdrops::Smooth);
  } else {
    draw_backdrop(picture.image, random);
  }
  draw_sticker(picture.image, stickers_[thing],
               inside(random.uniform(easy ? kEasySize : kSmallestSize, kLargestSize), random));
  picture.content.things = {thing};
  picture.content.key = picture.caption_key = key_of_things({thing});
  if (plain_caption) {
    picture.caption = things_[thing].name;
  } else {
    const std::string name = called(thing, random);
    picture.caption = random.chance(0.4) ? name : framed(kPictureOf, with_article(name), random);
  }
  const bool has_text = !plain_caption && random.chance(options.caption_chance);
  finish(picture.image, has_text ? random_text(random, options.part) : "", random, options);
  return picture;
}

CaptionedPicture Generator::single(size_t thing, Random& random,
                                   const PictureOptions& options) const {
  return one_thing(thing, random, options, /*plain_caption=*/true);
}

CaptionedPicture Generator::several_things(Random& random, const PictureOptions& options) const {
  CaptionedPicture picture;
  picture.image = blank(options.width_px, options.height_px, {});
  draw_backdrop(picture.image, random);
  std::vector<size_t> things;
  if (random.chance(0.2)) {  // the same thing several times
    const size_t thing = random.below(things_.size());
    const int count = random.between(2, 4);
    things.assign(static_cast<size_t>(count), thing);
    picture.caption = fmt::format("{} {}s", kCounts[count], called(thing, random));
    picture.content.key = key_of(fmt::format("{} times {}", count, thing));
  } else {
    const int count = random.chance(0.7) ? 2 : random.between(3, 4);
    for (int i = 0; i < count; ++i) things.push_back(random.below(things_.size()));
    std::vector<std::string> names;
    const bool with_articles = random.chance(0.6);
    for (const size_t thing : things) {
      const std::string name = called(thing, random);
      names.push_back(with_articles ? with_article(name) : name);
    }
    for (size_t i = names.size(); i > 1; --i) std::swap(names[i - 1], names[random.below(i)]);
    picture.caption = listed(names);
    if (random.chance(0.3)) picture.caption = framed(kPictureOf, picture.caption, random);
    picture.content.key = key_of_things(sorted_unique(things));
  }
  const std::vector<Place> places = side_by_side(things.size(), random);
  for (size_t i = 0; i < things.size(); ++i) {
    draw_sticker(picture.image, stickers_[things[i]], places[i]);
  }
  picture.content.things = sorted_unique(things);
  picture.caption_key = picture.content.key;
  const bool has_text = random.chance(options.caption_chance);
  finish(picture.image, has_text ? random_text(random, options.part) : "", random, options);
  return picture;
}

CaptionedPicture Generator::shapes(Random& random, const PictureOptions& options) const {
  CaptionedPicture picture;
  picture.image = blank(options.width_px, options.height_px, {});
  const NamedColour& ground = random.pick(kColours);
  const bool plain_ground = random.chance(0.5);
  if (plain_ground) {
    picture.image = blank(options.width_px, options.height_px, ground.colour);
  } else {
    draw_plain_backdrop(picture.image, random);
  }
  const size_t count = random.chance(0.6) ? 1 : 2;
  std::vector<Place> places = side_by_side(count, random);
  if (count == 1) places = {inside(random.uniform(0.3, 0.9), random)};
  std::vector<std::string> names;
  for (const Place& place : places) {
    const NamedColour* colour = &random.pick(kColours);
    while (plain_ground && colour->name == ground.name) colour = &random.pick(kColours);
    const std::string shape = random.pick(kShapes);
    draw_shape(picture.image, shape, place, colour->colour);
    names.push_back(fmt::format("{} {}", colour->name, shape));
  }
  std::sort(names.begin(), names.end());
  picture.content.key = picture.caption_key =
      key_of(listed(names) + (plain_ground ? ground.name : ""));
  for (std::string& name : names) name = with_article(name);
  picture.caption = listed(names);
  if (plain_ground) picture.caption += fmt::format(" on a {} background", ground.name);
  finish(picture.image, "", random, options);
  return picture;
}

std::vector<size_t> Generator::draw_scene(Image& image, size_t world, Random& random) const {
  const World& theme = worlds_[world];
  if (random.chance(0.8)) {
    draw_scenery(image, theme.backdrop, random);
  } else {
    draw_plain_backdrop(image, random);
  }
  const auto count = static_cast<size_t>(random.between(2, 5));
  std::vector<size_t> things;
  for (size_t i = 0; i < count; ++i) things.push_back(random.pick(theme.things));
  const std::vector<Place> places = side_by_side(count, random);
  for (size_t i = 0; i < count; ++i) draw_sticker(image, stickers_[things[i]], places[i]);
  return sorted_unique(things);
}

CaptionedPicture Generator::world_scene(Random& random, const PictureOptions& options) const {
  CaptionedPicture picture;
  picture.image = blank(options.width_px, options.height_px, {});
  const size_t world = random.below(worlds_.size());
  const World& theme = worlds_[world];
  picture.content.world = world;
  picture.content.things = draw_scene(picture.image, world, random);
  picture.content.key = key_of_things(picture.content.things);
  picture.content.world_key = key_of_world(theme);
  picture.caption_key = picture.content.world_key;
  const std::string name = random.chance(0.6) ? theme.label : random.pick(theme.also);
  const double form = random.uniform();
  if (form < 0.3) {
    picture.caption = name;
  } else if (form < 0.45) {
    picture.caption = framed(kPictureOf, name, random);
  } else if (form < 0.55) {
    picture.caption = fmt::format("a {} meme", name);
  } else if (form < 0.7) {
    picture.caption = sentence(theme, options.part, random);
  } else {
    picture.caption_key = picture.content.key;
    std::vector<std::string> names;
    for (const size_t thing : picture.content.things) {
      names.push_back(with_article(called(thing, random)));
    }
    picture.caption = listed(names);
    if (random.chance(0.5)) picture.caption = fmt::format("{}: {}", name, picture.caption);
  }
  const bool has_text = random.chance(2 * options.caption_chance);
  // Text of its own world or of any: what is written must not decide what is seen.
  const std::string text = !has_text            ? ""
                           : random.chance(0.5) ? sentence(theme, options.part, random)
                                                : random_text(random, options.part);
  finish(picture.image, text, random, options);
  return picture;
}

CaptionedPicture Generator::any(Random& random, const PictureOptions& options) const {
  const double kind = random.uniform() * (1 - 0.6 * options.ease);
  if (kind < 0.55) return one_thing(random.below(things_.size()), random, options, false);
  if (kind < 0.75) return several_things(random, options);
  if (kind < 0.80) return shapes(random, options);
  return world_scene(random, options);
}

Scene Generator::scene(size_t world, const std::optional<std::string>& text, Random& random,
                       const PictureOptions& options) const {
  Scene scene{blank(options.width_px, options.height_px, {}), {}};
  scene.things = draw_scene(scene.image, world, random);
  finish(scene.image, text.value_or(""), random, options);
  return scene;
}

Image Generator::meme(MemeKind kind, size_t world, size_t other_world, Random& random,
                      const PictureOptions& options) const {
  size_t shown = kind == MemeKind::MisleadingPicture ? other_world : world;
  if (kind == MemeKind::OtherPicture)
    while (shown == world || shown == other_world) shown = random.below(worlds_.size());
  const size_t told = kind == MemeKind::MisleadingText ? other_world : world;
  std::optional<std::string> text;
  if (kind != MemeKind::NoText) text = sentence(worlds_[told], options.part, random);
  return scene(shown, text, random, options).image;
}

// Words that belong to a world, without a sentence about it.
std::string Generator::talk_of_world(const World& world, Random& random) const {
  const auto one = [&] {
    return random.chance(0.7) ? random.pick(world.words)
                              : called(random.pick(world.things), random);
  };
  if (random.chance(0.4)) return framed(kTalkOf, one(), random);
  std::vector<std::string> names = {one()};
  for (int more = random.between(0, 3); more > 0; --more) names.push_back(one());
  return random.chance(0.5) ? listed(names) : fmt::format("{}", fmt::join(names, " "));
}

TextPair Generator::text_pair(Random& random, Part part) const {
  TextPair pair;
  if (random.chance(0.5)) {
    const World& world = random.pick(worlds_);
    pair.one = random.chance(kSentenceShare) ? sentence(world, part, random)
                                             : talk_of_world(world, random);
    if (random.chance(0.3)) pair.one = misread(pair.one, random);
    const std::string name = random.chance(0.6) ? world.label : random.pick(world.also);
    pair.other = random.chance(0.7) ? name : framed(kPictureOf, name, random);
    pair.key = key_of_world(world);
    return pair;
  }
  const size_t thing = random.below(things_.size());
  const Thing& it = things_[thing];
  pair.key = key_of_things({thing});
  pair.other = it.name;
  if (it.synonyms.empty() || random.chance(0.4)) {
    pair.one = framed(kTalkOf, called(thing, random), random);
  } else if (random.chance(0.5)) {
    pair.one = random.pick(it.synonyms);
  } else {
    pair.one = listed(it.synonyms);
  }
  return pair;
}

}  // namespace zeroshelf::train
