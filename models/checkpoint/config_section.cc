// Tested by tests/clip/config_test.cc and hostile_files_test.cc.

#include "models/checkpoint/config_section.h"

#include <fmt/format.h>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/checkpoint/strict_json.h"

namespace zeroshelf {
namespace {

using nlohmann::json;

constexpr uint64_t kMaxJsonBytes = 64 << 20;
constexpr size_t kMaxShownBytes = 60;

}  // namespace

ConfigSection::ConfigSection(const std::filesystem::path& path)
    : value_(parse_strict_json(read_file(path, kMaxJsonBytes), path.string())),
      subject_(path.string()) {}

bool ConfigSection::has(const char* key) const {
  asked_.insert(key);
  return value_.contains(key) && !value_[key].is_null();
}

const json& ConfigSection::value(const char* key) const {
  asked_.insert(key);
  return value_[key];
}

ConfigSection ConfigSection::section(const char* key) const {
  if (has(key) && !value_[key].is_object()) fail(key);
  ConfigSection section(has(key) ? value_[key] : json::object(), subject_, where_ + key + ".",
                        cure_);
  section.damage_cure_ = damage_cure_;
  return section;
}

int64_t ConfigSection::side(const char* key, int64_t otherwise) const {
  if (has(key) && value_[key].is_array()) {
    const json& sides = value_[key];
    if (sides.size() != 2 || sides[0] != sides[1]) refuse_value(key);
    const auto side = json_as<int64_t>(sides[0]);
    if (!side) fail(key);
    return *side;
  }
  return integer(key, otherwise);
}

void ConfigSection::read_triple(const char* key, std::array<float, 3>& out) const {
  if (!has(key)) return;
  const json& triple = value_[key];
  if (!triple.is_array() || triple.size() != 3) fail(key);
  for (size_t i = 0; i < 3; ++i) {
    const auto number = json_as<float>(triple[i]);
    if (!number) fail(key);
    out[i] = *number;
  }
}

void ConfigSection::ignore(std::initializer_list<const char*> keys) const {
  asked_.insert(keys.begin(), keys.end());
}

void ConfigSection::expect(const char* key, const json& only) const {
  if (has(key) && value_[key] != only) refuse_value(key);
}

void ConfigSection::expect_no_more() const {
  for (const auto& [key, said] : value_.items()) {
    if (!asked_.contains(key) && !said.is_null()) {
      refuse(fmt::format("the key \"{}{}\" is not known, and might change the model's answers",
                         where_, key.substr(0, kMaxShownBytes)));
    }
  }
}

void ConfigSection::refuse(const std::string& cause) const {
  throw Error(ErrorCode::Incompatible, subject_, cause, cure_);
}

void ConfigSection::refuse_value(const char* key) const {
  const json& said = value_[key];
  std::string shown = said.dump(-1, ' ', /*ensure_ascii=*/true, json::error_handler_t::replace);
  if (shown.size() > kMaxShownBytes) shown = shown.substr(0, kMaxShownBytes) + "...";
  refuse(fmt::format("\"{}{}\" is {}, which zeroshelf does not compute", where_, key, shown));
}

void ConfigSection::fail(const char* key) const {
  throw Error(ErrorCode::Corruption, subject_,
              fmt::format("damaged: \"{}{}\" is not what it should be", where_, key), damage_cure_);
}

Filter read_filter(const ConfigSection& section, const char* key) {
  const std::string filter = section.text(key, "bicubic");
  if (filter != "bicubic" && filter != "bilinear") section.refuse_value(key);
  return filter == "bilinear" ? Filter::Bilinear : Filter::Bicubic;
}

Resize read_resize(const ConfigSection& section, const char* key) {
  const std::string resize = section.text(key, "shortest");
  if (resize != "shortest" && resize != "squash") section.refuse_value(key);
  return resize == "squash" ? Resize::Squash : Resize::ShortestSide;
}

}  // namespace zeroshelf
