// Tested by tests/train/generator_test.cc.

#include "models/train/worlds.h"

#include <fmt/format.h>

#include <map>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf::train {
namespace {

using nlohmann::json;

constexpr size_t kHeldOutEvery = 5;
constexpr uint64_t kMaxFileBytes = 1 << 20;

// {who}, {does} and {where} are filled in from the theme.
constexpr const char* kFrames[] = {
    "{who} {does}",
    "{who} {does} {where}",
    "when {who} {does}",
    "me: i stay calm. also me: {who} {does}",
    "{who} when nobody {does}",  // held out
    "nobody: ... {who}: {does}",
    "{where}: {who} {does}",
    "one does not simply say that {who} {does}",
    "{who} again {where}",
    "how it feels when {who} {does}",  // held out
    "meanwhile {where}",
    "that moment {where}",
    "tell me that {who} {does} without telling me",
    "so {who} {does}, now what",
    "what if {who} {does} tomorrow",  // held out
    "every day {where}",
    "my face when {who} {does}",
    "keep calm, {who} {does}",
    "is {who} here? yes, {where}",
    "nothing to see {where}, just {who}",  // held out
};

Phrases split(const std::vector<std::string>& all) {
  Phrases phrases;
  for (size_t i = 0; i < all.size(); ++i) {
    (i % kHeldOutEvery == kHeldOutEvery - 1 ? phrases.held_out : phrases.training)
        .push_back(all[i]);
  }
  return phrases;
}

const Phrases& frames() {
  static const Phrases phrases = split({std::begin(kFrames), std::end(kFrames)});
  return phrases;
}

Phrases phrases_of(const json& world, const char* key, const std::string& subject) {
  Phrases phrases = split(world.at(key).get<std::vector<std::string>>());
  if (phrases.held_out.empty()) {
    throw Error(ErrorCode::Corruption, subject,
                fmt::format("{}: \"{}\" has fewer than {} entries", world.at("label").dump(), key,
                            kHeldOutEvery));
  }
  return phrases;
}

}  // namespace

std::vector<World> read_worlds(const std::filesystem::path& path,
                               const std::vector<Thing>& things) {
  std::map<std::string, size_t> by_name;
  for (size_t i = 0; i < things.size(); ++i) by_name.emplace(things[i].name, i);
  const std::string subject = path.string();
  std::vector<World> worlds;
  try {
    for (const json& item : json::parse(read_file(path, kMaxFileBytes))) {
      World world;
      world.label = item.at("label").get<std::string>();
      world.also = item.at("also").get<std::vector<std::string>>();
      world.backdrop = item.at("backdrop").get<std::string>();
      for (const std::string& name : item.at("things").get<std::vector<std::string>>()) {
        const auto found = by_name.find(name);
        if (found == by_name.end()) {
          throw Error(ErrorCode::Corruption, subject,
                      fmt::format("{}: there is no thing \"{}\"", world.label, name));
        }
        world.things.push_back(found->second);
      }
      world.words = item.at("words").get<std::vector<std::string>>();
      if (world.words.empty()) {
        throw Error(ErrorCode::Corruption, subject, world.label + ": no words");
      }
      world.who = phrases_of(item, "who", subject);
      world.does = phrases_of(item, "does", subject);
      world.where = phrases_of(item, "where", subject);
      world.lines = phrases_of(item, "lines", subject);
      worlds.push_back(std::move(world));
    }
  } catch (const json::exception& error) {
    throw Error(ErrorCode::Corruption, subject, error.what());
  }
  return worlds;
}

std::string sentence(const World& world, Part part, Random& random) {
  if (random.chance(0.4)) return random.pick(world.lines.of(part));
  const std::string& where = random.pick(world.where.of(part));
  const std::string& does = random.pick(world.does.of(part));
  const std::string& who = random.pick(world.who.of(part));
  return fmt::format(fmt::runtime(random.pick(frames().of(part))), fmt::arg("who", who),
                     fmt::arg("does", does), fmt::arg("where", where));
}

std::string misread(const std::string& text, Random& random) {
  constexpr double kRate = 0.03;
  std::string result;
  for (const char c : text) {
    if (!random.chance(kRate) || static_cast<unsigned char>(c) >= 0x80) {
      result += c;
    } else if (random.chance(0.4)) {
      continue;
    } else {
      if (random.chance(0.3)) result += c;
      result += static_cast<char>('a' + random.below(26));
    }
  }
  return result;
}

}  // namespace zeroshelf::train
