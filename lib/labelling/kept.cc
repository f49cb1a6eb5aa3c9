// Tested by tests/labelling/kept_test.cc.

#include "lib/labelling/kept.h"

#include <fmt/format.h>

#include <array>

#include "lib/collection/attachments.h"
#include "lib/util/json_object.h"
#include "lib/util/suggest.h"

namespace zeroshelf {
namespace {

struct NamedNumber {
  const char* name;
  float FusionSettings::*member;
  float most;
  bool may_lack = false;  // earlier versions did not have it: 0
};
constexpr std::array<NamedNumber, 9> kNumbers = {
    {{"image_scale", &FusionSettings::image_scale, 1e9f},
     {"text_scale", &FusionSettings::text_scale, 1e9f},
     {"alpha", &FusionSettings::alpha, 1e9f},
     {"confidence_power", &FusionSettings::confidence_power, 1e6f},
     {"half_words", &FusionSettings::half_words, 1e9f},
     {"image_centring", &FusionSettings::image_centring, 1},
     {"text_centring", &FusionSettings::text_centring, 1},
     {"pooling", &FusionSettings::pooling, 1, true},
     {"adaptation", &FusionSettings::adaptation, 1e6f, true}}};

}  // namespace

std::string load_kept(const View& collection, std::string_view kind, const std::string& name,
                      const std::string& made_by) {
  Attachments::check_name(std::string(kind), name);
  const Attachments attachments = collection.attachments();
  if (auto bytes = attachments.get(kind, name)) return *std::move(bytes);
  const auto names = attachments.names(kind);
  const std::string meant = did_you_mean(name, names);
  throw Error(ErrorCode::NotFound, name,
              fmt::format("there is nothing of that name in {}{}", kind, meant),
              names.empty()   ? "make one with " + made_by
              : meant.empty() ? fmt::format("there are {}", fmt::join(names, ", "))
                              : "");
}

void check_fingerprint(const View& collection, const std::string& fingerprint,
                       const std::string& subject) {
  if (fingerprint == collection.manifest().model_fingerprint) return;
  throw Error(ErrorCode::Incompatible, subject, "was made for another model's vectors",
              "make it again");
}

Error other_version(const std::string& subject) {
  return {ErrorCode::Incompatible, subject, "was kept by another version of zeroshelf",
          "make it again"};
}

std::string settings_json(const FusionSettings& settings) {
  nlohmann::json value;
  for (const NamedNumber& number : kNumbers) value[number.name] = settings.*number.member;
  return value.dump();
}

FusionSettings parse_settings(std::string_view json, const std::string& subject) {
  const auto value = parse_bounded_json(json);
  FusionSettings settings;
  for (const NamedNumber& number : kNumbers) {
    if (value && number.may_lack && value->is_object() && !value->contains(number.name)) {
      settings.*number.member = 0;
      continue;
    }
    const auto found = value ? json_member<float>(*value, number.name, subject) : -1;
    if (!(found >= 0 && found <= number.most))
      throw Error(ErrorCode::Corruption, subject,
                  fmt::format("damaged: no usable \"{}\"", number.name));
    settings.*number.member = found;
  }
  return settings;
}

}  // namespace zeroshelf
