#pragma once

// Inside models/clip: JSON objects from files that may be hostile.

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "lib/util/error.h"
#include "lib/util/json_object.h"

namespace zeroshelf {

// An object. Throws Corruption when the text is anything else, or nested too deeply.
inline nlohmann::json parse_strict_json(std::string_view text, const std::string& subject) {
  std::optional<nlohmann::json> json = parse_bounded_json(text);
  if (!json || !json->is_object()) {
    throw Error(ErrorCode::Corruption, subject, "damaged: it is not a JSON object",
                "fetch the file again");
  }
  return *std::move(json);
}

}  // namespace zeroshelf
