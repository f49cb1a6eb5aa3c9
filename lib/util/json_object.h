#pragma once

// JSON objects from files that may be hostile: read in a time that goes with their size, of bounded
// depth, and members with their types and ranges checked. (nlohmann's own parser with a callback
// looks through all members again for each of them; its get<> turns -1 into 2^64 - 1 and cuts
// 2^32 + 16 to 16 in silence; and its copies, dumps and comparisons recurse as deep as the value is
// nested.)
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
#include <utility>
#include <vector>

#include "lib/util/error.h"

namespace zeroshelf {

inline constexpr size_t kMaxJsonDepth = 32;

// Puts a value together from what nlohmann's parser reports. Of names that stand twice in an object
// the last one counts. One text, one builder.
class JsonBuilder : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit JsonBuilder(size_t max_depth = kMaxJsonDepth) : max_depth_(max_depth) {}

  // The value; nothing when the text is not JSON or is nested more deeply than max_depth.
  std::optional<nlohmann::json> parse(std::string_view text) {
    if (!nlohmann::json::sax_parse(text.begin(), text.end(), this)) return std::nullopt;
    return std::move(root_);
  }
  bool is_too_deep() const { return is_too_deep_; }

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t value) override { return put(value); }
  bool number_unsigned(number_unsigned_t value) override { return put(value); }
  bool number_float(number_float_t value, const string_t&) override { return put(value); }
  bool string(string_t& value) override { return put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(size_t) override { return open(nlohmann::json::value_t::object); }
  bool start_array(size_t) override { return open(nlohmann::json::value_t::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& name) override {
    auto& members = open_.back()->get_ref<nlohmann::json::object_t&>();
    const auto [member, is_new] = members.try_emplace(name);
    member_ = &member->second;
    named(open_.size(), name, is_new);
    return true;
  }
  bool parse_error(size_t, const std::string&, const nlohmann::json::exception&) override {
    return false;
  }

 protected:
  // A member begins, in an object at this depth, counted from 1. May throw.
  virtual void named(size_t /*depth*/, const std::string& /*name*/, bool /*is_new*/) {}

 private:
  nlohmann::json& place_for(nlohmann::json value) {
    if (open_.empty()) return root_ = std::move(value);
    if (open_.back()->is_object()) return *member_ = std::move(value);
    return open_.back()->get_ref<nlohmann::json::array_t&>().emplace_back(std::move(value));
  }
  bool put(nlohmann::json value) {
    place_for(std::move(value));
    return true;
  }
  bool open(nlohmann::json::value_t type) {
    is_too_deep_ = open_.size() >= max_depth_;
    if (is_too_deep_) return false;
    open_.push_back(&place_for(type));
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  size_t max_depth_;
  bool is_too_deep_ = false;
  nlohmann::json root_;
  // The objects and arrays that the next part lies in. Each is the last that was put into the one
  // before it, so it stays where it is.
  std::vector<nlohmann::json*> open_;
  nlohmann::json* member_ = nullptr;  // of the innermost object: where its value goes
};

// The value; nothing when the text is not JSON or is nested more deeply than kMaxJsonDepth.
inline std::optional<nlohmann::json> parse_bounded_json(std::string_view text) {
  return JsonBuilder().parse(text);
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
