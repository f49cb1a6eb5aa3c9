#pragma once

// JSON objects from files that may be hostile: bounded depth, and members with their types and
// ranges checked. (nlohmann's own get<> turns -1 into 2^64 - 1 and cuts 2^32 + 16 to 16 in silence,
// and its copies, dumps and comparisons recurse as deep as the value is nested.)
//
// For .cc files only: it brings nlohmann-json with it, which their targets link.

#include <fmt/format.h>

#include <cmath>
#include <cstdint>
#include <limits>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "lib/util/error.h"

namespace zeroshelf {

inline constexpr int kMaxJsonDepth = 32;

// The value; nothing when the text is not JSON or is nested more deeply than kMaxJsonDepth.
inline std::optional<nlohmann::json> parse_bounded_json(std::string_view text) {
  bool too_deep = false;
  const auto check = [&](int depth, nlohmann::json::parse_event_t, nlohmann::json&) {
    too_deep = too_deep || depth > kMaxJsonDepth;
    return !too_deep;  // drops what is deeper, so the value itself stays shallow
  };
  nlohmann::json value = nlohmann::json::parse(text, check, /*allow_exceptions=*/false);
  if (too_deep || value.is_discarded()) return std::nullopt;
  return value;
}

// The value as T, if it is one: bool, std::string, an integer that T can hold, or for floating
// point any number that is finite as T.
template <class T>
std::optional<T> json_as(const nlohmann::json& value) {
  if constexpr (std::is_same_v<T, bool>) {
    if (value.is_boolean()) return value.get<bool>();
  } else if constexpr (std::is_integral_v<T>) {
    if (value.is_number_unsigned()) {
      const auto number = value.get<uint64_t>();
      if (number <= static_cast<uint64_t>(std::numeric_limits<T>::max()))
        return static_cast<T>(number);
    } else if (value.is_number_integer()) {  // negative
      const auto number = value.get<int64_t>();
      if (std::is_signed_v<T> && number >= static_cast<int64_t>(std::numeric_limits<T>::min()))
        return static_cast<T>(number);
    }
  } else if constexpr (std::is_floating_point_v<T>) {
    if (value.is_number()) {
      const auto number = value.get<double>();
      if (std::abs(number) <= static_cast<double>(std::numeric_limits<T>::max()))
        return static_cast<T>(number);
    }
  } else {
    static_assert(std::is_same_v<T, std::string>);
    if (value.is_string()) return value.get<std::string>();
  }
  return std::nullopt;
}

// A member that must be there, of type T. Throws Corruption naming the member.
template <class T>
T json_member(const nlohmann::json& object, const char* name, const std::string& subject) {
  if (object.is_object()) {
    if (const auto found = object.find(name); found != object.end()) {
      if (std::optional<T> value = json_as<T>(*found)) return *std::move(value);
    }
  }
  throw Error(ErrorCode::Corruption, subject, fmt::format("damaged: no usable \"{}\"", name));
}

}  // namespace zeroshelf
