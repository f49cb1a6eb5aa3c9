// Messages on stderr. Tested by tests/programs/lost_output_test.cc.

#include "lib/program/message.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

namespace zeroshelf {

void say_text(std::string_view text) noexcept {
  while (!text.empty()) {
    const ssize_t written = ::write(STDERR_FILENO, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

void keep_standard_descriptors() noexcept {
  // The other way round than they are used: what cannot be read or written is to say so.
  constexpr int kWays[] = {O_WRONLY, O_RDONLY, O_WRONLY};
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) >= 0 || errno != EBADF) continue;
    // The lowest number that is free: this one.
    if (::open("/dev/null", kWays[descriptor]) != descriptor) return;
  }
}

}  // namespace zeroshelf
