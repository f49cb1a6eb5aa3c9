// Tested through the programs by tests/programs/refusals_test.cc.

#include "lib/program/values.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <charconv>
#include <cmath>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

#include "lib/util/suggest.h"
#include "lib/util/text.h"

namespace zeroshelf {

CLI::Validator one_of(std::vector<std::string> names) {
  const std::string all = fmt::format("{{{}}}", fmt::join(names, ","));
  return {[names = std::move(names)](const std::string& value) -> std::string {
            if (std::ranges::find(names, value) != names.end()) return "";
            const std::string meant = did_you_mean(value, names);
            return fmt::format(
                "'{}' is none of its values{}", value,
                meant.empty() ? fmt::format("; use {}", fmt::join(names, ", ")) : meant);
          },
          all};
}

namespace {

// 1 for "" and "B", 1000 or 1024 for "K", "KB" and "KiB", and so on; nothing for what is no unit.
std::optional<double> bytes_of_unit(std::string unit, double kilobyte) {
  if (unit.ends_with('b') || unit.ends_with('B')) unit.pop_back();
  if (unit.size() == 2 && (unit[1] == 'i' || unit[1] == 'I')) {
    unit.pop_back();
    kilobyte = 1024;
  }
  if (unit.empty()) return 1;
  constexpr std::string_view kUnits = "KMGT";
  const size_t power = kUnits.find(static_cast<char>(std::toupper(unit[0])));
  if (unit.size() > 1 || power == std::string_view::npos) return std::nullopt;
  return std::pow(kilobyte, power + 1);
}

std::optional<uint64_t> parse_bytes(std::string_view text, double kilobyte) {
  constexpr double kMost = 9e18;  // an uint64_t holds it
  double value = 0;
  const char* end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value, std::chars_format::fixed);
  if (error != std::errc() || !(value >= 0)) return std::nullopt;
  const std::string_view unit(rest, static_cast<size_t>(end - rest));
  const auto factor = bytes_of_unit(std::string(trimmed(unit)), kilobyte);
  if (!factor || !(value * *factor < kMost)) return std::nullopt;
  return static_cast<uint64_t>(std::llround(value * *factor));
}

}  // namespace

CLI::Validator byte_size(bool kilobyte_is_1000) {
  return {[kilobyte_is_1000](std::string& value) -> std::string {
            const auto bytes = parse_bytes(trimmed(value), kilobyte_is_1000 ? 1000 : 1024);
            if (!bytes)
              return fmt::format("'{}' is no size; write it as 800000, 500KB or 2.5MB", value);
            value = std::to_string(*bytes);
            return "";
          },
          ""};
}

CLI::Validator share_below_one() {
  return {[](std::string& value) -> std::string {
            std::string_view text = trimmed(value);
            const bool percent = text.ends_with('%');
            if (percent) text = trimmed(text.substr(0, text.size() - 1));
            double share = 0;
            const char* end = text.data() + text.size();
            const auto [rest, error] =
                std::from_chars(text.data(), end, share, std::chars_format::fixed);
            if (percent) share /= 100;
            if (error != std::errc() || rest != end || !(share >= 0 && share < 1))
              return fmt::format("'{}' is no share below 1; write it as 2% or 0.02", value);
            value = fmt::format("{}", share);
            return "";
          },
          ""};
}

CLI::Validator not_empty() {
  return {[](const std::string& value) -> std::string {
            return value.empty() ? "its value is empty; give one, or leave the flag out" : "";
          },
          ""};
}

CLI::Validator finite_number() {
  return {[](const std::string& value) -> std::string {
            double number = 0;
            const std::string_view text = trimmed(value);
            const char* begin = text.data() + (text.starts_with('+') ? 1 : 0);
            const char* end = text.data() + text.size();
            const auto [rest, error] = std::from_chars(begin, end, number);
            if (error == std::errc() && rest == end && !std::isfinite(number))
              return fmt::format("'{}' is no finite number; write one in digits", value);
            return "";
          },
          ""};
}

}  // namespace zeroshelf
