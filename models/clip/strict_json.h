#pragma once

// Inside models/clip: JSON objects from files that may be hostile.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lib/util/error.h"

namespace zeroshelf {

// An object. Throws Corruption when the text is anything else, or nested deeper than 32 levels.
inline nlohmann::json parse_strict_json(std::string_view text, const std::string& subject) {
  constexpr int kMaxDepth = 32;
  bool too_deep = false;
  const auto check = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxDepth;
    return !too_deep;
  };
  nlohmann::json json = nlohmann::json::parse(text, check, /*allow_exceptions=*/false);
  if (too_deep || !json.is_object()) {
    throw Error(ErrorCode::Corruption, subject, "damaged: it is not a JSON object", "fetch the file again");
  }
  return json;
}

}  // namespace zeroshelf
