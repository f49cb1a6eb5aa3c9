// Tested by tests/util/text_input_test.cc.

#include "lib/util/text_input.h"

#include <algorithm>

#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kUtf8Mark = "\xef\xbb\xbf";
constexpr std::string_view kUtf16LittleMark = "\xff\xfe";
constexpr std::string_view kUtf16BigMark = "\xfe\xff";
constexpr uint32_t kReplacement = 0xfffd;

void append_utf8(std::string& out, uint32_t c) {
  if (c < 0x80) {
    out += static_cast<char>(c);
    return;
  }
  const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
  constexpr uint32_t kLead[] = {0, 0xc0, 0xe0, 0xf0};
  out += static_cast<char>(kLead[more] | c >> (6 * more));
  for (int i = more - 1; i >= 0; --i) out += static_cast<char>(0x80 | (c >> (6 * i) & 0x3f));
}

// A surrogate without its other half becomes U+FFFD.
std::string from_utf16(std::string_view bytes, bool big_endian) {
  const auto unit = [&](size_t i) -> uint32_t {
    const auto first = static_cast<uint8_t>(bytes[i]);
    const auto second = static_cast<uint8_t>(bytes[i + 1]);
    return big_endian ? uint32_t{first} << 8 | second : uint32_t{second} << 8 | first;
  };
  std::string text;
  text.reserve(bytes.size());
  for (size_t i = 0; i + 1 < bytes.size(); i += 2) {
    uint32_t c = unit(i);
    if (c >= 0xd800 && c < 0xe000) {
      const uint32_t low = c < 0xdc00 && i + 3 < bytes.size() ? unit(i + 2) : 0;
      const bool is_pair = low >= 0xdc00 && low < 0xe000;
      c = is_pair ? 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00) : kReplacement;
      if (is_pair) i += 2;
    }
    append_utf8(text, c);
  }
  return text;
}

}  // namespace

std::string read_text_input(const std::filesystem::path& input, uint64_t limit_bytes) {
  std::string text = read_input(input, limit_bytes);
  if (text.starts_with(kUtf16LittleMark) || text.starts_with(kUtf16BigMark)) {
    text = from_utf16(std::string_view(text).substr(2), text.starts_with(kUtf16BigMark));
  } else if (text.starts_with(kUtf8Mark)) {
    text.erase(0, kUtf8Mark.size());
  }
  if (text.find('\0') != std::string::npos) {
    throw Error(ErrorCode::InvalidArgument, name_of_input(input),
                "there are zero bytes in it: it is not text in UTF-8", "save it as UTF-8");
  }
  return text;
}

std::filesystem::path folder_of_input(const std::filesystem::path& input) {
  return is_regular_input(input) ? absolute_path(input).parent_path() : absolute_path(".");
}

void for_each_line(std::string_view text,
                   const std::function<void(size_t, std::string_view)>& visit) {
  size_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find_first_of("\r\n"), text.size());
    visit(++number, text.substr(0, end));
    const size_t past = text.substr(end).starts_with("\r\n") ? end + 2 : end + 1;
    text.remove_prefix(std::min(past, text.size()));
  }
}

}  // namespace zeroshelf
