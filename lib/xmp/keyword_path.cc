// Tested by tests/xmp/keyword_path_test.cc.

#include "lib/xmp/keyword_path.h"

#include <algorithm>

#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr size_t kMostBytes = 4096;

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

std::string joined(const KeywordPath& path, char separator) {
  std::string text;
  for (const std::string& part : path) {
    if (!text.empty()) text += separator;
    text += part;
  }
  return text;
}

}  // namespace

KeywordPath parse_keyword(std::string_view text, const std::string& subject) {
  const auto refuse = [&](const char* cause) {
    throw Error(ErrorCode::InvalidArgument, subject,
                "'" + fitted(to_utf8(text.substr(0, 400)), 60) + "' can be no keyword: " + cause,
                "give it another name");
  };
  if (text.size() > kMostBytes) refuse("it is longer than 4 KiB");
  if (!is_utf8(text)) refuse("it is not UTF-8");
  if (std::ranges::any_of(text, is_control)) refuse("it has control characters");
  KeywordPath path = split_keyword(text, '/');
  if (path.empty()) refuse("there is no name in it");
  return path;
}

std::string as_part(std::string_view level) {
  constexpr const char* kDivisionSlash = "\u2215";
  std::string part;
  for (const char c : level) c == '/' ? part += kDivisionSlash : part += c;
  return part;
}

KeywordPath keyword_of_levels(const std::vector<std::string>& levels, const std::string& subject) {
  KeywordPath path;
  for (const std::string& level : levels) path.push_back(as_part(level));
  return parse_keyword(with_slashes(path), subject);
}

std::string with_slashes(const KeywordPath& path) {
  return joined(path, '/');
}

std::string with_bars(const KeywordPath& path) {
  KeywordPath plain = path;
  for (std::string& part : plain) std::ranges::replace(part, '|', '_');
  return joined(plain, '|');
}

KeywordPath split_keyword(std::string_view written, char separator) {
  KeywordPath path;
  for (;;) {
    const size_t end = written.find(separator);
    const std::string_view part = trimmed(written.substr(0, end));
    if (!part.empty()) path.emplace_back(part);
    if (end == std::string_view::npos) return path;
    written.remove_prefix(end + 1);
  }
}

bool is_below(const KeywordPath& path, const KeywordPath& root) {
  return path.size() > root.size() && std::equal(root.begin(), root.end(), path.begin());
}

}  // namespace zeroshelf
