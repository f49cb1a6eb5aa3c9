// Tested by tests/util/text_test.cc.

#include "lib/util/text.h"

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

namespace zeroshelf {
namespace {

constexpr std::string_view kBase64Digits =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

// Calls visit(code point or -1, its bytes) for each character.
template <class Visit>
void for_each_character(std::string_view bytes, Visit visit) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  const auto size = static_cast<int64_t>(bytes.size());
  for (int64_t i = 0; i < size;) {
    const int64_t start = i;
    UChar32 c = 0;
    U8_NEXT(data, i, size, c);
    visit(c, bytes.substr(start, i - start));
  }
}

bool hides_or_reorders(UChar32 c) {
  return u_charType(c) == U_FORMAT_CHAR || u_charType(c) == U_LINE_SEPARATOR ||
         u_charType(c) == U_PARAGRAPH_SEPARATOR;
}

int character_width(UChar32 c) {
  const int type = u_charType(c);
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || type == U_FORMAT_CHAR) return 0;
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_FULLWIDTH || width == U_EA_WIDE ? 2 : 1;
}

}  // namespace

bool is_utf8(std::string_view bytes) {
  bool valid = true;
  for_each_character(bytes, [&](UChar32 c, std::string_view) { valid = valid && c >= 0; });
  return valid;
}

std::string to_utf8(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  for_each_character(
      bytes, [&](UChar32 c, std::string_view raw) { result += c >= 0 ? raw : kReplacement; });
  return result;
}

std::string printable(std::string_view bytes) {
  std::string result;
  result.reserve(bytes.size());
  auto out = std::back_inserter(result);
  for_each_character(bytes, [&](UChar32 c, std::string_view raw) {
    if (c < 0 || c < 0x20 || c == 0x7f) {
      if (c == '\n') {
        result += "\\n";
      } else if (c == '\t') {
        result += "\\t";
      } else {
        for (char byte : raw) fmt::format_to(out, "\\x{:02x}", static_cast<uint8_t>(byte));
      }
    } else if ((c >= 0x80 && c < 0xa0) || hides_or_reorders(c)) {
      fmt::format_to(out, "\\u{:04x}", c);
    } else {
      result += raw;
    }
  });
  return result;
}

std::string legible(std::string_view bytes) {
  constexpr UChar32 kNonJoiner = 0x200c;
  constexpr UChar32 kJoiner = 0x200d;
  std::string result;
  result.reserve(bytes.size());
  for_each_character(bytes, [&](UChar32 c, std::string_view raw) {
    const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
    const bool hidden = control || (hides_or_reorders(c) && c != kNonJoiner && c != kJoiner);
    result += hidden ? kReplacement : raw;
  });
  return result;
}

std::u32string code_points(std::string_view utf8) {
  constexpr char32_t kNoCharacter = 0xfffd;
  std::u32string result;
  for_each_character(utf8, [&](UChar32 c, std::string_view) {
    result += c >= 0 ? static_cast<char32_t>(c) : kNoCharacter;
  });
  return result;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\n\r\f\v";
  const size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

std::string base64(std::string_view bytes) {
  std::string result;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t j = 0; j < 3; ++j) {
      group = group << 8 | (i + j < bytes.size() ? static_cast<uint8_t>(bytes[i + j]) : 0);
    }
    for (size_t j = 0; j < 4; ++j) {
      result += i + j <= bytes.size() ? kBase64Digits[group >> (18 - 6 * j) & 63] : '=';
    }
  }
  return result;
}

std::optional<std::string> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  size_t padding = 0;
  while (padding < 2 && padding < text.size() && text[text.size() - 1 - padding] == '=') ++padding;
  std::string result;
  uint32_t group = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const size_t digit = i + padding < text.size() ? kBase64Digits.find(text[i]) : 0;
    if (digit == std::string_view::npos) return std::nullopt;
    group = group << 6 | static_cast<uint32_t>(digit);
    if (i % 4 == 3) {
      for (const int shift : {16, 8, 0}) result += static_cast<char>(group >> shift);
      group = 0;
    }
  }
  result.resize(result.size() - padding);
  return result;
}

std::string with_thousands(uint64_t value) {
  std::string digits = std::to_string(value);
  for (size_t i = digits.size(); i > 3;) digits.insert(i -= 3, ",");
  return digits;
}

std::string first_few(std::span<const std::string> all, size_t most) {
  std::string list;
  for (const std::string& one : all.first(std::min(all.size(), most)))
    list += (list.empty() ? "" : ", ") + one;
  if (all.size() > most) list += " and " + with_thousands(all.size() - most) + " more";
  return list;
}

int display_width(std::string_view utf8) {
  int width = 0;
  for_each_character(utf8,
                     [&](UChar32 c, std::string_view) { width += c < 0 ? 1 : character_width(c); });
  return width;
}

std::string fitted(std::string_view utf8, int width) {
  if (display_width(utf8) <= width) return std::string(utf8);
  std::string result;
  int used = 0;
  bool full = false;
  for_each_character(utf8, [&](UChar32 c, std::string_view raw) {
    const int wide = c < 0 ? 1 : character_width(c);
    full = full || used + wide > width - 1;
    if (full) return;
    result += raw;
    used += wide;
  });
  return result + "…";
}

}  // namespace zeroshelf
