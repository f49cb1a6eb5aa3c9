#include "models/train/generator.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include "lib/image/decode.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/train/memes.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::train {
namespace {

const Generator& generator() {
  static const Generator the_generator{Sources{}};
  return the_generator;
}

size_t thing(const std::string& name) {
  const auto& things = generator().things();
  const auto found =
      std::find_if(things.begin(), things.end(), [&](const Thing& it) { return it.name == name; });
  BOOST_REQUIRE(found != things.end());
  return static_cast<size_t>(found - things.begin());
}

double mean_difference(const Image& a, const Image& b) {
  BOOST_REQUIRE_EQUAL(a.rgb.size(), b.rgb.size());
  double sum = 0;
  for (size_t i = 0; i < a.rgb.size(); ++i) sum += std::abs(a.rgb[i] - b.rgb[i]);
  return sum / static_cast<double>(a.rgb.size());
}

BOOST_AUTO_TEST_SUITE(generator_of_pictures)

BOOST_AUTO_TEST_CASE(over_a_thousand_things_have_unique_names) {
  std::set<std::string> names;
  for (const Thing& it : generator().things()) names.insert(it.name);
  BOOST_TEST(names.size() > 1000u);
  BOOST_TEST(names.size() == generator().things().size());
}

BOOST_AUTO_TEST_CASE(synonyms_tell_a_few_things_apart_from_the_rest) {
  std::map<std::string, int> sharers;
  for (const Thing& it : generator().things()) {
    for (const std::string& word : it.synonyms) {
      BOOST_TEST(word != it.name);
      BOOST_TEST(++sharers[word] <= 6);
    }
  }
  BOOST_TEST(sharers.size() > 1000u);
}

BOOST_AUTO_TEST_CASE(the_same_seed_draws_the_same_picture_and_another_one_does_not) {
  const auto draw = [](uint64_t seed, uint64_t item) {
    Random random = Random::of_item(seed, item);
    return generator().any(random, {});
  };
  for (uint64_t item = 0; item < 20; ++item) {
    const CaptionedPicture picture = draw(1, item);
    BOOST_TEST((picture.image.rgb == draw(1, item).image.rgb));
    BOOST_TEST(picture.caption == draw(1, item).caption);
    BOOST_TEST((picture.image.rgb != draw(2, item).image.rgb));
  }
}

// In which order a call's arguments are evaluated is the compiler's choice.
BOOST_AUTO_TEST_CASE(what_a_seed_draws_does_not_depend_on_the_compiler) {
  const auto mean_colour = [](int pictures, const auto& draw) {
    Image image = blank(32, 32, {});
    Random random = Random::of_item(1, 2);
    std::array<double, 3> mean = {};
    for (int picture = 0; picture < pictures; ++picture) {
      draw(image, random);
      for (size_t i = 0; i < image.rgb.size(); ++i)
        mean[i % 3] += image.rgb[i] / (32.0 * 32 * pictures);
    }
    return mean;
  };
  const auto expect = [](const std::array<double, 3>& drawn, const std::array<double, 3>& expected,
                         const std::string& what) {
    for (size_t i = 0; i < 3; ++i)
      BOOST_TEST(std::abs(drawn[i] - expected[i]) < 0.3,
                 what << ' ' << drawn[0] << ' ' << drawn[1] << ' ' << drawn[2]);
  };
  const std::pair<const char*, std::array<double, 3>> sceneries[] = {
      {"cave", {72.2, 25.1, 20.6}},      {"field", {140.5, 206.7, 165.3}},
      {"sea", {133.5, 196.9, 218.3}},    {"water", {46.5, 116.5, 170.6}},
      {"room", {176.5, 155.8, 128.0}},   {"night", {23.7, 31.5, 47.8}},
      {"space", {24.4, 13.0, 45.0}},     {"snow", {219.7, 232.7, 241.2}},
      {"city", {107.2, 117.1, 115.3}},   {"sky", {179.4, 206.1, 241.0}},
      {"desert", {201.5, 188.8, 150.9}}, {"forest", {78.3, 95.2, 45.8}},
      {"plain", {228.8, 222.5, 236.8}},
  };
  for (const auto& [name, expected] : sceneries) {
    expect(mean_colour(1, [&, name = name](Image& image,
                                           Random& random) { draw_scenery(image, name, random); }),
           expected, name);
  }
  expect(mean_colour(16, [](Image& image, Random& random) { draw_plain_backdrop(image, random); }),
         {130.1, 136.8, 147.1}, "plain backdrops");

  const World& world = generator().worlds()[*generator().find_world("Doom")];
  std::vector<std::string> told;
  for (uint64_t item = 0; item < 3; ++item) {
    Random random = Random::of_item(1, item);
    told.push_back(sentence(world, Part::HeldOut, random));
  }
  const std::vector<std::string> expected = {
      "the demons are afraid of me", "nothing to see at the gates of hell, just a cacodemon",
      "blood, bullets and a big gun"};
  BOOST_TEST(told == expected, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_content_does_not_depend_on_the_size) {
  for (uint64_t item = 0; item < 40; ++item) {
    Random small = Random::of_item(9, item);
    Random large = Random::of_item(9, item);
    const CaptionedPicture a = generator().any(small, {16, 16, 0, 0, Part::HeldOut});
    const CaptionedPicture b = generator().any(large, {200, 150, 1, 0.2, Part::HeldOut});
    BOOST_TEST(a.caption == b.caption);
    BOOST_TEST(a.content.key == b.content.key);
    BOOST_TEST(b.image.rgb.size() == 200u * 150 * 3);
  }
}

BOOST_AUTO_TEST_CASE(captions_say_what_the_key_says) {
  std::map<uint64_t, std::vector<size_t>> seen;
  for (uint64_t item = 0; item < 400; ++item) {
    Random random = Random::of_item(3, item);
    const CaptionedPicture picture = generator().any(random, {24, 24, 0, 0, Part::Training});
    BOOST_TEST(!picture.caption.empty());
    BOOST_TEST((picture.caption_key == picture.content.key ||
                (picture.content.world && picture.caption_key == picture.content.world_key)));
    BOOST_TEST(std::is_sorted(picture.content.things.begin(), picture.content.things.end()));
    const auto [found, is_new] = seen.emplace(picture.content.key, picture.content.things);
    BOOST_TEST(found->second == picture.content.things, boost::test_tools::per_element());
  }
}

BOOST_AUTO_TEST_CASE(a_single_thing_is_drawn_in_its_own_colours) {
  // The mean over many backdrops: what stays is the thing.
  const auto mean_colour = [](const char* name) {
    std::array<double, 3> sum = {};
    for (uint64_t i = 0; i < 60; ++i) {
      Random random = Random::of_item(5, i);
      const Image image = generator().single(thing(name), random, {48, 48, 0, 0}).image;
      for (size_t k = 0; k < image.rgb.size(); ++k) sum[k % 3] += image.rgb[k];
    }
    return sum;
  };
  const auto tomato = mean_colour("tomato");
  const auto broccoli = mean_colour("broccoli");
  const double per_pixel = 60.0 * 48 * 48;
  BOOST_TEST(tomato[0] - tomato[1] > broccoli[0] - broccoli[1] + 10 * per_pixel);
}

BOOST_AUTO_TEST_CASE(articles_fit_the_names) {
  BOOST_TEST(with_article("dog face") == "a dog face");
  BOOST_TEST(with_article("owl") == "an owl");
  BOOST_TEST(with_article("scissors") == "scissors");
  BOOST_TEST(with_article("octopus") == "an octopus");
}

BOOST_AUTO_TEST_CASE(a_caption_changes_its_part_of_the_picture_only) {
  const TextFont font(Sources{}.text_font, 0.82);
  for (const auto kind : {CaptionStyle::Kind::Outlined, CaptionStyle::Kind::Bar,
                          CaptionStyle::Kind::Box, CaptionStyle::Kind::Plain}) {
    const Image before = blank(200, 200, {90, 120, 90});
    Image after = before;
    CaptionStyle style;
    style.kind = kind;
    draw_caption(after, "one does not simply", font, style, /*at_top=*/true);
    BOOST_TEST(mean_difference(before, after) > 1);
    for (int y = 110; y < 200; ++y) {
      BOOST_TEST(std::equal(before.row(y).begin(), before.row(y).end(), after.row(y).begin()));
    }
  }
}

BOOST_AUTO_TEST_CASE(a_caption_without_end_still_fits) {
  const TextFont font(Sources{}.text_font, 0.82);
  Image image = blank(64, 64, {0, 0, 0});
  draw_caption(image, std::string(5000, 'w') + " " + std::string(3000, 'i'), font, {}, true);
  draw_caption(image, "", font, {}, false);
  BOOST_TEST(image.rgb.size() == 64u * 64 * 3);
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(worlds)

BOOST_AUTO_TEST_CASE(held_out_sentences_are_never_said_in_training) {
  std::set<std::string> trained;
  Random random(1);
  for (int i = 0; i < 4000; ++i) {
    for (const World& world : generator().worlds()) {
      trained.insert(sentence(world, Part::Training, random));
    }
  }
  for (int i = 0; i < 200; ++i) {
    for (const World& world : generator().worlds()) {
      const std::string held_out = sentence(world, Part::HeldOut, random);
      BOOST_TEST(!trained.contains(held_out), held_out);
    }
  }
}

BOOST_AUTO_TEST_CASE(a_world_with_an_unknown_thing_is_refused_by_name) {
  const testing::TemporaryDirectory directory;
  std::string text = read_file(Sources{}.worlds, 1 << 20);
  const size_t place = text.find("\"ogre\"");
  text.replace(place, 6, "\"orge\"");
  std::ofstream(directory.path() / "worlds.json") << text;
  Sources sources;
  sources.worlds = directory.path() / "worlds.json";
  BOOST_CHECK_EXCEPTION(Generator{sources}, Error, [](const Error& error) {
    return std::string(error.what()).find("orge") != std::string::npos &&
           error.code() == ErrorCode::Corruption;
  });
}

BOOST_AUTO_TEST_CASE(a_missing_font_names_the_package) {
  Sources sources;
  sources.emoji_font = "/nowhere/emoji.ttf";
  BOOST_CHECK_EXCEPTION(Generator{sources}, Error, [](const Error& error) {
    return error.code() == ErrorCode::NotFound &&
           std::string(error.what()).find("fonts-noto-color-emoji") != std::string::npos;
  });
}

BOOST_AUTO_TEST_CASE(a_font_without_colours_is_refused) {
  Sources sources;
  sources.emoji_font = sources.text_font;
  BOOST_CHECK_EXCEPTION(Generator{sources}, Error,
                        [](const Error& error) { return error.code() == ErrorCode::Incompatible; });
}

BOOST_AUTO_TEST_SUITE_END()

BOOST_AUTO_TEST_SUITE(memes)

BOOST_AUTO_TEST_CASE(a_set_has_both_worlds_every_kind_and_a_truth_for_each_picture) {
  const testing::TemporaryDirectory directory;
  MemeSet set;
  set.count = 60;
  set.width_px = set.height_px = 64;
  write_memes(generator(), set, directory.path() / "memes");
  std::ifstream table(directory.path() / "memes.csv");
  std::string line;
  std::getline(table, line);
  BOOST_TEST(line == "path,label,kind");
  std::map<std::string, int> labels;
  std::map<std::string, int> kinds;
  while (std::getline(table, line)) {
    const size_t first = line.find(',');
    const size_t second = line.find(',', first + 1);
    ++labels[line.substr(first + 1, second - first - 1)];
    ++kinds[line.substr(second + 1)];
    const std::string file = read_file(directory.path() / line.substr(0, first), 1 << 20);
    const auto image = decode_image(std::as_bytes(std::span(file)), {});
    BOOST_REQUIRE(std::holds_alternative<Image>(image));
    BOOST_TEST(std::get<Image>(image).width_px == 64);
  }
  BOOST_TEST(labels["Doom"] == 30);
  BOOST_TEST(labels["Animal Crossing"] == 30);
  BOOST_TEST(kinds["plain"] > 30);
  BOOST_TEST(kinds.size() >= 3u);
}

BOOST_AUTO_TEST_CASE(nothing_is_written_into_a_folder_with_files) {
  const testing::TemporaryDirectory directory;
  std::ofstream(directory.path() / "mine.txt") << "mine";
  BOOST_CHECK_THROW(write_memes(generator(), {}, directory.path()), Error);
  BOOST_TEST(std::distance(std::filesystem::directory_iterator(directory.path()), {}) == 1);
}

BOOST_AUTO_TEST_CASE(the_shares_of_the_kinds_add_up_to_one) {
  double sum = 0;
  for (const MemeShare& share : kMemeShares) sum += share.share;
  BOOST_TEST(sum == 1.0, boost::test_tools::tolerance(1e-9));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::train
