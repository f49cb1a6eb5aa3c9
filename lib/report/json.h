#pragma once

// JSON as the programs write it: compact, members in the order in which they are told, strings as
// append_json_string() escapes them, numbers by the shortest decimal that reads back as the same
// number. Straight into a string, because a classification may have a million lines.
//
// A message is a struct with a function beside it that tells its members:
//
//   struct Count { static constexpr std::string_view kType = "count"; ... };
//   void write_members(JsonWriter& json, const Count& count);
//
// and append_json_line(out, count) appends {"type":"count",...} and the line's end. A struct
// without kType has no member "type", or tells it itself.

#include <fmt/format.h>

#include <cmath>
#include <concepts>
#include <iterator>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>

#include "lib/report/formats.h"

namespace zeroshelf {

// A number with that many digits behind the point.
struct Decimal {
  double value = 0;
  int digits = 3;
};

// A number with at most that many significant digits.
struct Rounded {
  double value = 0;
  int digits = 6;
};

// JSON that is written already.
struct RawJson {
  std::string_view text;
};

class JsonWriter;

template <class T>
concept HasMembers = requires(JsonWriter& json, const T& value) { write_members(json, value); };

// Appends to a text. Threads: one at a time.
class JsonWriter {
 public:
  explicit JsonWriter(std::string& out) : out_(out) {}

  // name is the program's own and needs no escapes. See value() for what it may be.
  template <class T>
  JsonWriter& member(std::string_view name, const T& value) {
    separate();
    ((out_ += '"') += name) += "\":";
    write(value);
    return *this;
  }

  // The same under a name from elsewhere.
  template <class T>
  JsonWriter& foreign_member(std::string_view name, const T& value) {
    separate();
    append_json_string(out_, name);
    out_ += ':';
    write(value);
    return *this;
  }

  // "path" and, where it is not UTF-8, "path_base64".
  JsonWriter& path(std::string_view path) {
    separate();
    append_json_path(out_, path);
    return *this;
  }

  // A bool, a number (null when it is not finite), a text, an optional (null when it is empty), a
  // range of values as an array, or anything with write_members() as an object.
  template <class T>
  void write(const T& value) {
    if constexpr (std::same_as<T, bool>) {
      out_ += value ? "true" : "false";
    } else if constexpr (std::integral<T>) {
      format("{}", value);
    } else if constexpr (std::floating_point<T>) {
      std::isfinite(value) ? format("{}", value) : null();
    } else if constexpr (std::same_as<T, Decimal>) {
      std::isfinite(value.value) ? format("{:.{}f}", value.value, value.digits) : null();
    } else if constexpr (std::same_as<T, Rounded>) {
      std::isfinite(value.value) ? format("{:.{}g}", value.value, value.digits) : null();
    } else if constexpr (std::same_as<T, RawJson>) {
      out_ += value.text;
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
      append_json_string(out_, value);
    } else if constexpr (requires { value.has_value(); }) {
      value.has_value() ? write(*value) : null();
    } else if constexpr (HasMembers<T>) {
      out_ += '{';
      write_members(*this, value);
      out_ += '}';
    } else {
      static_assert(std::ranges::input_range<T>);
      out_ += '[';
      for (const auto& one : value) {
        separate();
        write(one);
      }
      out_ += ']';
    }
  }

 private:
  void separate() {
    const char last = out_.empty() ? '{' : out_.back();
    if (last != '{' && last != '[') out_ += ',';
  }
  void null() { out_ += "null"; }
  template <class... Values>
  void format(fmt::format_string<Values...> text, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), text, std::forward<Values>(values)...);
  }

  std::string& out_;
};

// Appends {"type":...,members} and the line's end.
template <class Message>
void append_json_line(std::string& out, const Message& message) {
  out += '{';
  JsonWriter json(out);
  if constexpr (requires { Message::kType; }) json.member("type", Message::kType);
  write_members(json, message);
  out += "}\n";
}

template <class Message>
std::string json_line(const Message& message) {
  std::string line;
  append_json_line(line, message);
  return line;
}

}  // namespace zeroshelf
