// Tested by tests/text/tokenizer_test.cc.

#include "models/text/text_cleaning.h"

#include <unicode/locid.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <array>
#include <optional>

namespace zeroshelf {
namespace {

constexpr char32_t kReplacement = 0xfffd;

std::u32string to_utf32(const icu::UnicodeString& text) {
  std::u32string result;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    result += U_IS_SURROGATE(c) ? kReplacement : static_cast<char32_t>(c);
  }
  return result;
}

std::u32string to_utf32(std::string_view utf8) {
  return to_utf32(icu::UnicodeString::fromUTF8({utf8.data(), static_cast<int32_t>(utf8.size())}));
}

icu::UnicodeString to_icu(std::u32string_view text) {
  return icu::UnicodeString::fromUTF32(reinterpret_cast<const UChar32*>(text.data()),
                                       static_cast<int32_t>(text.size()));
}

std::u32string normalised(std::u32string_view text, const icu::Normalizer2* normalizer) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::UnicodeString result = normalizer->normalize(to_icu(text), error);
  return U_SUCCESS(error) ? to_utf32(result) : std::u32string(text);
}

std::u32string nfc(std::u32string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  return normalised(text, icu::Normalizer2::getNFCInstance(error));
}

std::u32string nfkc(std::u32string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  return normalised(text, icu::Normalizer2::getNFKCInstance(error));
}

// --- character references -----------------------------------------------------------------------

// What the HTML standard makes of the numbers 0x80 to 0x9f: Windows-1252. 0 where it has nothing.
constexpr std::array<char16_t, 32> kWindows1252 = {
    0x20ac, 0,      0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017d, 0,      0,      0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
    0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0,      0x017e, 0x0178};

bool is_digit(char32_t c, int base) {
  return (c >= '0' && c <= '9') ||
         (base == 16 && ((c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F')));
}

std::u32string numbered_character(uint64_t number) {
  if (number == 0 || number > 0x10ffff || (number >= 0xd800 && number <= 0xdfff))
    return {kReplacement};
  if (number == 0x0d) return U"\r";
  if (number >= 0x80 && number < 0xa0) {
    const char16_t repaired = kWindows1252[number - 0x80];
    return {repaired != 0 ? static_cast<char32_t>(repaired) : static_cast<char32_t>(number)};
  }
  const bool control =
      (number < 0x20 && number != '\t' && number != '\n' && number != '\f') || number == 0x7f;
  const bool no_character = (number >= 0xfdd0 && number <= 0xfdef) || (number & 0xfffe) == 0xfffe;
  if (control || no_character) return {};
  return {static_cast<char32_t>(number)};
}

// A reference at the beginning of text ('&' included): how long it is and what it stands for.
struct Reference {
  size_t length = 0;
  std::u32string text;
};

std::optional<Reference> numeric_reference(std::u32string_view text) {
  if (text.size() < 3 || text[1] != '#') return std::nullopt;
  const bool hexadecimal = text[2] == 'x' || text[2] == 'X';
  const int base = hexadecimal ? 16 : 10;
  const size_t start = hexadecimal ? 3 : 2;
  size_t end = start;
  uint64_t number = 0;
  for (; end < text.size() && is_digit(text[end], base); ++end) {
    const char32_t c = text[end];
    const uint64_t digit = c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
    number = std::min<uint64_t>(number * static_cast<uint64_t>(base) + digit, 0x110000);
  }
  if (end == start) return std::nullopt;
  if (end < text.size() && text[end] == ';') ++end;
  return Reference{end, numbered_character(number)};
}

std::string ascii(std::u32string_view text) {
  std::string result;
  for (const char32_t c : text) result += c < 0x80 ? static_cast<char>(c) : '\x01';  // in no name
  return result;
}

std::optional<Reference> named_reference(std::u32string_view text) {
  constexpr size_t kLongestName = 32;
  size_t end = 1;
  const auto in_name = [](char32_t c) {
    return c != '\t' && c != '\n' && c != '\f' && c != ' ' && c != '<' && c != '&' && c != '#' &&
           c != ';';
  };
  while (end < text.size() && end <= kLongestName && in_name(text[end])) ++end;
  if (end == 1) return std::nullopt;
  if (end < text.size() && text[end] == ';') ++end;
  const std::string name = ascii(text.substr(1, end - 1));
  if (const std::string_view whole = html_entity(name); !whole.empty())
    return Reference{end, to_utf32(whole)};
  for (size_t length = name.size() - 1; length > 1; --length) {
    const std::string_view beginning = html_entity(std::string_view(name).substr(0, length));
    if (!beginning.empty()) return Reference{length + 1, to_utf32(beginning)};
  }
  return std::nullopt;
}

// --- ftfy's repairs -----------------------------------------------------------------------------

std::u32string upper(std::u32string_view text) {
  icu::UnicodeString copy = to_icu(text);
  return to_utf32(copy.toUpper(icu::Locale::getRoot()));
}

// Its unescaping is stricter than the HTML standard's: the ';' must be there. It also knows names
// in capitals.
std::optional<Reference> strict_reference(std::u32string_view text) {
  constexpr size_t kLongest = 24;
  size_t end = 1;
  if (end < text.size() && text[end] == '#') ++end;
  const size_t name_start = end;
  while (end < text.size() && end - name_start < kLongest && text[end] < 0x80 &&
         u_isalnum(static_cast<UChar32>(text[end])))
    ++end;
  if (end == name_start || end >= text.size() || text[end] != ';') return std::nullopt;
  ++end;
  if (text[1] == '#') {
    const auto number = numeric_reference(text.substr(0, end));
    if (!number || number->length != end || number->text.find(U';') != std::u32string::npos)
      return std::nullopt;
    return number;
  }
  const std::string name = ascii(text.substr(1, end - 1));
  if (const std::string_view known = html_entity(name); !known.empty())
    return Reference{end, to_utf32(known)};
  std::string small = name;
  std::transform(small.begin(), small.end(), small.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c; });
  const bool all_capitals =
      std::none_of(name.begin(), name.end(), [](char c) { return c >= 'a' && c <= 'z'; });
  if (const std::string_view known = html_entity(small); all_capitals && !known.empty()) {
    return Reference{end, upper(to_utf32(known))};
  }
  return std::nullopt;
}

template <class FindReference>
std::u32string replace_references(std::u32string_view text, FindReference find) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    const auto reference = text[i] == '&' ? find(text.substr(i)) : std::nullopt;
    if (reference) {
      result += reference->text;
      i += reference->length;
    } else {
      result += text[i++];
    }
  }
  return result;
}

const char32_t* ligature(char32_t c) {
  switch (c) {
    case U'Ĳ':
      return U"IJ";
    case U'ĳ':
      return U"ij";
    case U'ŉ':
      return U"ʼn";
    case U'Ǆ':
      return U"DŽ";
    case U'ǅ':
      return U"Dž";
    case U'ǆ':
      return U"dž";
    case U'Ǉ':
      return U"LJ";
    case U'ǈ':
      return U"Lj";
    case U'ǉ':
      return U"lj";
    case U'Ǌ':
      return U"NJ";
    case U'ǋ':
      return U"Nj";
    case U'ǌ':
      return U"nj";
    case U'Ǳ':
      return U"DZ";
    case U'ǲ':
      return U"Dz";
    case U'ǳ':
      return U"dz";
    case U'ﬀ':
      return U"ff";
    case U'ﬁ':
      return U"fi";
    case U'ﬂ':
      return U"fl";
    case U'ﬃ':
      return U"ffi";
    case U'ﬄ':
      return U"ffl";
    case U'ﬅ':
      return U"ſt";
    case U'ﬆ':
      return U"st";
    default:
      return nullptr;
  }
}

bool is_unwanted_control(char32_t c) {
  return c < 0x09 || c == 0x0b || (c >= 0x0e && c < 0x20) || c == 0x7f ||
         (c >= 0x206a && c <= 0x206f) || c == 0xfeff || (c >= 0xfff9 && c <= 0xfffc);
}

// One character's repairs, in ftfy's order: C1 controls, ligatures, width, quotes, line breaks.
void append_repaired(std::u32string& out, char32_t c) {
  if (c >= 0x80 && c < 0xa0 && kWindows1252[c - 0x80] != 0) c = kWindows1252[c - 0x80];
  if (const char32_t* letters = ligature(c)) {
    for (; *letters != 0; ++letters) append_repaired(out, *letters);
  } else if (c == 0x3000) {
    out += U' ';
  } else if (c >= 0xff01 && c <= 0xffef) {
    out += nfkc(std::u32string_view(&c, 1));
  } else if (c == 0x02bc || (c >= 0x2018 && c <= 0x201b)) {
    out += U'\'';
  } else if (c >= 0x201c && c <= 0x201f) {
    out += U'"';
  } else if (c == 0x2028 || c == 0x2029 || c == 0x85 || c == '\r') {
    out += U'\n';  // \r\n gives two, which white space folding makes one
  } else {
    out += c;
  }
}

std::u32string without_terminal_escapes(std::u32string_view text) {
  std::u32string result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    if (text[i] == 0x1b && i + 1 < text.size() && text[i + 1] == '[') {
      end = i + 2;
      while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == ';'))
        ++end;
      const char32_t last = end < text.size() ? text[end] | 0x20 : 0;
      end = last >= 'a' && last <= 'z' ? end + 1 : i;
    }
    if (end > i) {
      i = end;
    } else {
      result += text[i++];
    }
  }
  return result;
}

std::u32string repaired_once(std::u32string_view text, bool with_references) {
  const std::u32string unescaped =
      with_references ? replace_references(text, strict_reference) : std::u32string(text);
  std::u32string repaired;
  for (const char32_t c : unescaped) append_repaired(repaired, c);
  repaired = without_terminal_escapes(repaired);
  std::erase_if(repaired, is_unwanted_control);
  return nfc(repaired);
}

// Line by line, until nothing changes. From the first line with a '<' on, the text is taken for
// HTML source whose references are meant.
std::u32string repaired(std::u32string_view text) {
  std::u32string result;
  bool with_references = true;
  while (!text.empty()) {
    const size_t end = std::min(text.find(U'\n'), text.size() - 1) + 1;
    std::u32string line(text.substr(0, end));
    text.remove_prefix(end);
    with_references = with_references && line.find(U'<') == std::u32string::npos;
    for (std::u32string before; before != line;) {
      before = line;
      line = repaired_once(line, with_references);
    }
    result += line;
  }
  return result;
}

// Without looking at what stands beside a letter: a final sigma is one like any other.
icu::UnicodeString lower_letter_by_letter(std::u32string_view text) {
  icu::UnicodeString result;
  for (const char32_t c : text)
    result += to_icu(std::u32string_view(&c, 1)).toLower(icu::Locale::getRoot());
  return result;
}

bool is_ascii_punctuation(char32_t c) {
  return c > ' ' && c < 0x7f && !is_digit(c, 10) && !((c | 0x20) >= 'a' && (c | 0x20) <= 'z');
}

std::u32string folded_space(std::u32string_view text) {
  std::u32string result;
  for (const char32_t c : text) {
    if (!u_isUWhiteSpace(static_cast<UChar32>(c))) {
      result += c;
    } else if (!result.empty() && result.back() != U' ') {
      result += U' ';
    }
  }
  if (!result.empty() && result.back() == U' ') result.pop_back();
  return result;
}

}  // namespace

std::u32string unescape_html(std::u32string_view text) {
  return replace_references(text, [](std::u32string_view rest) {
    const auto number = numeric_reference(rest);
    return number ? number : named_reference(rest);
  });
}

std::string clean_text(std::string_view text, Cleaning cleaning) {
  std::u32string plain = to_utf32(text);
  if (cleaning == Cleaning::Clip || cleaning == Cleaning::Canonical ||
      cleaning == Cleaning::Whitespace)
    plain = unescape_html(unescape_html(repaired(plain)));
  if (cleaning == Cleaning::Canonical) std::replace(plain.begin(), plain.end(), U'_', U' ');
  if (cleaning == Cleaning::Canonical || cleaning == Cleaning::NoPunctuation)
    std::erase_if(plain, is_ascii_punctuation);
  if (cleaning != Cleaning::LowerCase && cleaning != Cleaning::Nothing)
    plain = folded_space(plain);
  icu::UnicodeString folded = to_icu(plain);
  if (cleaning == Cleaning::NoPunctuation) {
    folded = lower_letter_by_letter(plain);
  } else if (cleaning != Cleaning::Whitespace && cleaning != Cleaning::Nothing) {
    folded.toLower(icu::Locale::getRoot());
  }
  std::string result;
  folded.toUTF8String(result);
  return result;
}

}  // namespace zeroshelf
