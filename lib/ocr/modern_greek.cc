// Tested by tests/ocr/modern_greek_test.cc.

#include "lib/ocr/modern_greek.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace zeroshelf {
namespace {

constexpr char16_t kMicro = u'\u00b5';
constexpr char16_t kMu = u'\u03bc';
constexpr char16_t kAcute = u'\u0301';
constexpr char16_t kDiaeresis = u'\u0308';

bool is_greek(UChar32 c) {
  return (c >= 0x370 && c < 0x400) || (c >= 0x1f00 && c < 0x2000);
}
bool is_ancient_letter(UChar32 c) {
  return c >= 0x1f00 && c < 0x2000 && u_isalpha(c) != 0;
}
// Acute, grave, circumflex.
bool is_accent(char16_t mark) {
  return mark == kAcute || mark == u'\u0300' || mark == u'\u0342';
}
bool is_breathing(char16_t mark) {
  return mark == u'\u0313' || mark == u'\u0314';
}
bool is_vowel(char16_t letter) {
  return std::u16string_view(u"αεηιουω").find(letter) != std::u16string_view::npos;
}

const icu::Normalizer2& normaliser(bool composes) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* const result =
      composes ? icu::Normalizer2::getNFCInstance(error) : icu::Normalizer2::getNFDInstance(error);
  return *result;  // part of ICU itself
}
icu::UnicodeString decomposed(const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  return normaliser(false).normalize(text, error);
}
icu::UnicodeString composed(const icu::UnicodeString& text) {
  UErrorCode error = U_ZERO_ERROR;
  return normaliser(true).normalize(text, error);
}

bool is_modern_accent(char16_t letter) {
  return is_greek(letter) && !is_ancient_letter(letter) &&
         decomposed(icu::UnicodeString(letter)).indexOf(kAcute) > 0;
}

// What decides how a word's ancient letters are written.
struct Shape {
  bool has_modern_accent = false;
  bool has_accent = false;
  bool has_small_letter = false;
  int syllables = 0;
};

Shape shape_of(const icu::UnicodeString& word) {
  Shape shape;
  for (int32_t i = 0; i < word.length(); ++i)
    shape.has_modern_accent = shape.has_modern_accent || is_modern_accent(word[i]);
  icu::UnicodeString letters;  // small ones without marks
  const icu::UnicodeString parts = decomposed(word);
  for (int32_t i = 0; i < parts.length(); ++i) {
    shape.has_accent = shape.has_accent || is_accent(parts[i]);
    shape.has_small_letter = shape.has_small_letter || u_islower(parts[i]) != 0;
    if (u_isalpha(parts[i]) != 0) letters += static_cast<UChar32>(u_tolower(parts[i]));
  }
  constexpr std::array kDiphthongs = {u"αι", u"ει", u"οι", u"υι", u"αυ", u"ευ", u"ηυ", u"ου"};
  for (int32_t i = 0; i < letters.length(); ++i) {
    if (!is_vowel(letters[i])) continue;
    ++shape.syllables;
    const icu::UnicodeString two(letters, i, 2);
    if (std::ranges::any_of(kDiphthongs, [&](const char16_t* one) { return two == one; })) ++i;
  }
  return shape;
}

// is_first: whether it is the word's first letter, or the second of a diphthong there; a breathing
// stands nowhere else, and what looks like one is an accent.
icu::UnicodeString as_written_today(UChar32 letter, bool is_first, const Shape& word) {
  const bool breathing_is_accent =
      word.has_small_letter && !word.has_accent && (!is_first || word.syllables >= 2);
  const icu::UnicodeString parts = decomposed(icu::UnicodeString(letter));
  icu::UnicodeString result(parts[0]);
  bool has_accent = false;
  for (int32_t i = 1; i < parts.length(); ++i) {
    if (parts[i] == kDiaeresis) result += kDiaeresis;
    has_accent =
        has_accent || is_accent(parts[i]) || (is_breathing(parts[i]) && breathing_is_accent);
  }
  const bool is_vowel_now = is_vowel(static_cast<char16_t>(u_tolower(parts[0])));
  if (has_accent && is_vowel_now && !word.has_modern_accent) result += kAcute;
  return composed(result);
}

}  // namespace

bool has_greek_doubles(std::string_view letter) {
  const auto text = icu::UnicodeString::fromUTF8(letter);
  if (text.isEmpty()) return false;
  const UChar32 first = text.char32At(0);
  if (first == kMicro || first == kMu || is_ancient_letter(first)) return true;
  const icu::UnicodeString parts = decomposed(text);
  return is_greek(first) && parts.length() > 1 && is_accent(parts[1]);
}

void correct_greek(RecognisedWord& word, bool is_ancient) {
  const auto text = icu::UnicodeString::fromUTF8(word.text);
  bool has_greek = false;
  bool has_doubles = false;
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    const UChar32 c = text.char32At(i);
    has_greek = has_greek || is_greek(c);
    has_doubles = has_doubles || c == kMicro || (!is_ancient && is_ancient_letter(c));
  }
  if (!has_greek || !has_doubles) return;
  const Shape shape = shape_of(text);
  const bool begins_with_consonant =
      !is_vowel(static_cast<char16_t>(u_tolower(decomposed(text)[0])));
  std::string corrected;
  size_t byte = 0;  // in the old text
  auto symbol = word.symbols.begin();
  for (int32_t i = 0; i < text.length(); i = text.moveIndex32(i, 1)) {
    while (symbol != word.symbols.end() && symbol->begin <= byte)
      (symbol++)->begin = corrected.size();
    const UChar32 c = text.char32At(i);
    byte += static_cast<size_t>(U8_LENGTH(c));
    icu::UnicodeString now(c);
    if (c == kMicro) now = icu::UnicodeString(kMu);
    if (!is_ancient && is_ancient_letter(c))
      now = as_written_today(c, i < 2 && !begins_with_consonant, shape);
    now.toUTF8String(corrected);
  }
  word.text = std::move(corrected);
}

}  // namespace zeroshelf
