// Tested by tests/util/unicode_test.cc.

#include "lib/util/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/stringpiece.h>
#include <unicode/uchar.h>

#include <algorithm>

#include "lib/util/text.h"

namespace zeroshelf {
namespace {

bool is_ascii(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

icu::StringPiece piece(std::string_view text) {
  return {text.data(), static_cast<int32_t>(text.size())};
}

}  // namespace

std::string nfc(std::string_view text) {
  if (is_ascii(text) || !is_utf8(text)) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normalizer = icu::Normalizer2::getNFCInstance(status);
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  if (U_SUCCESS(status)) normalizer->normalizeUTF8(0, piece(text), sink, nullptr, status);
  return U_SUCCESS(status) ? result : std::string(text);
}

std::string folded(std::string_view text) {
  if (!is_utf8(text)) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  std::string result;
  icu::StringByteSink<std::string> sink(&result);
  icu::CaseMap::utf8Fold(0, piece(text), sink, nullptr, status);
  return nfc(U_SUCCESS(status) ? result : text);
}

bool is_punctuation(std::string_view text) {
  return std::ranges::all_of(code_points(text), [](char32_t c) {
    const auto letter = static_cast<UChar32>(c);
    return u_isUWhiteSpace(letter) || u_ispunct(letter) || u_iscntrl(letter);
  });
}

}  // namespace zeroshelf
