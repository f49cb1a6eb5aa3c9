// Tested by tests/lexicon/tokens_test.cc.

#include "lib/lexicon/tokens.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>

#include "lib/util/error.h"
#include "lib/util/words.h"

namespace zeroshelf {
namespace {

bool is_apostrophe(UChar32 c) {
  return c == '\'' || c == 0x2019 || c == 0x02bc || c == 0x2018;
}

const icu::Normalizer2& normalizer(const icu::Normalizer2* (*instance)(UErrorCode&)) {
  UErrorCode error = U_ZERO_ERROR;
  const icu::Normalizer2* found = instance(error);
  if (U_FAILURE(error)) throw Error(ErrorCode::Unavailable, "ICU", u_errorName(error));
  return *found;
}

// Compatibility forms plain, case folded, and decomposed, so that diacritics stand alone.
icu::UnicodeString folded(std::string_view text) {
  UErrorCode error = U_ZERO_ERROR;
  const auto utf16 = icu::UnicodeString::fromUTF8({text.data(), static_cast<int32_t>(text.size())});
  const icu::UnicodeString plain =
      normalizer(icu::Normalizer2::getNFKCCasefoldInstance).normalize(utf16, error);
  icu::UnicodeString result = normalizer(icu::Normalizer2::getNFDInstance).normalize(plain, error);
  if (U_FAILURE(error)) throw Error(ErrorCode::Unavailable, "ICU", u_errorName(error));
  return result;
}

// Collects letters into terms.
class Terms {
 public:
  void letter(UChar32 c) {
    if (length_ < kMaxTermLength) icu::UnicodeString(c).toUTF8String(term_);
    ++length_;
  }
  void ascii(char c) {
    if (length_ < kMaxTermLength) term_ += c;
    ++length_;
  }
  void separate() {
    if (length_ > 0) terms_.push_back(std::move(term_));
    term_.clear();
    length_ = 0;
  }
  std::vector<std::string> take() && {
    separate();
    return std::move(terms_);
  }

 private:
  std::vector<std::string> terms_;
  std::string term_;
  size_t length_ = 0;
};

std::vector<std::string> terms_of_ascii(std::string_view text) {
  Terms terms;
  for (const char c : text) {
    if (c >= 'A' && c <= 'Z') {
      terms.ascii(static_cast<char>(c + ('a' - 'A')));
    } else if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) {
      terms.ascii(c);
    } else if (c != '\'') {
      terms.separate();
    }
  }
  return std::move(terms).take();
}

}  // namespace

std::vector<std::string> terms_of(std::string_view text) {
  constexpr size_t kMaxBytes = 1 << 24;
  text = text.substr(0, kMaxBytes);
  if (std::all_of(text.begin(), text.end(),
                  [](char c) { return static_cast<signed char>(c) >= 0; }))
    return terms_of_ascii(text);
  const icu::UnicodeString plain = folded(text);
  Terms terms;
  for (int32_t i = 0; i < plain.length(); i = plain.moveIndex32(i, 1)) {
    const UChar32 c = plain.char32At(i);
    if (u_isalnum(c) && writes_no_spaces(static_cast<char32_t>(c))) {
      terms.separate();
      terms.letter(c);
      terms.separate();
    } else if (u_isalnum(c)) {
      terms.letter(c);
    } else if (u_charType(c) != U_NON_SPACING_MARK && u_charType(c) != U_ENCLOSING_MARK &&
               !is_apostrophe(c)) {
      terms.separate();
    }
  }
  return std::move(terms).take();
}

int allowed_edits(std::u32string_view word) {
  constexpr char32_t kEndOfAlphabets = 0x0530;
  const bool has_letters =
      std::ranges::all_of(word, [](char32_t one) { return one < kEndOfAlphabets; });
  if (word.size() <= (has_letters ? 3 : 2)) return 0;
  return word.size() <= 5 ? 1 : 2;
}

}  // namespace zeroshelf
