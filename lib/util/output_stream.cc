// Tested by tests/util/output_stream_test.cc.

#include "lib/util/output_stream.h"

#include <unistd.h>

#include <cerrno>

#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// C0 but tab and the line's end, delete, and C1 as UTF-8 has them.
std::string without_commands(std::string_view text) {
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const bool is_c1 = byte == 0xc2 && i + 1 < text.size() &&
                       static_cast<unsigned char>(text[i + 1]) >= 0x80 &&
                       static_cast<unsigned char>(text[i + 1]) < 0xa0;
    const bool plain =
        byte == '\t' || byte == '\n' || (byte == '\r' && text.substr(i).starts_with("\r\n"));
    if (is_c1) {
      result += printable(text.substr(i++, 2));
    } else if ((byte < 0x20 && !plain) || byte == 0x7f) {
      result += printable(text.substr(i, 1));
    } else {
      result += text[i];
    }
  }
  return result;
}

}  // namespace

OutputStream::OutputStream(std::FILE* file, std::string name)
    : file_(file), name_(std::move(name)), is_terminal_(::isatty(::fileno(file)) == 1) {}

void OutputStream::write(std::string_view text) {
  const std::string shown = is_terminal_ ? without_commands(text) : "";
  if (is_terminal_) text = shown;
  write_commands(text);
}

void OutputStream::write_commands(std::string_view bytes) {
  if (std::fwrite(bytes.data(), 1, bytes.size(), file_) != bytes.size()) fail();
}

void OutputStream::flush() {
  if (std::fflush(file_) != 0) fail();
}

void OutputStream::fail() const {
  const int error_number = errno;
  if (error_number == EPIPE) throw ClosedPipe();
  throw Error(ErrorCode::Io, name_, "cannot write: " + errno_text(error_number));
}

}  // namespace zeroshelf
