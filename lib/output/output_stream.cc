// Tested by tests/output/output_stream_test.cc.

#include "lib/output/output_stream.h"

#include <cerrno>

#include "lib/util/error.h"

namespace zeroshelf {

void OutputStream::write(std::string_view text) {
  if (std::fwrite(text.data(), 1, text.size(), file_) != text.size()) fail();
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
