// Tested by tests/util/text_input_test.cc.

#include "lib/util/input.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

// A pipe has no size to ask for.
std::string read_to_end(int fd, const std::string& name, uint64_t limit_bytes) {
  std::string content;
  std::string block(1 << 16, '\0');
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(name, "read", errno);
    if (got == 0) return content;
    content.append(block, 0, static_cast<size_t>(got));
    if (content.size() > limit_bytes) {
      throw Error(ErrorCode::InvalidArgument, name,
                  fmt::format("too large: more than {} bytes", limit_bytes));
    }
  }
}

class OpenInput {
 public:
  explicit OpenInput(const std::filesystem::path& path)
      : fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0) throw system_error(path.string(), "open", errno);
  }
  ~OpenInput() { ::close(fd_); }
  OpenInput(const OpenInput&) = delete;
  OpenInput& operator=(const OpenInput&) = delete;
  int get() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

bool is_regular_input(const std::filesystem::path& path) {
  struct stat status {};
  return path != "-" && ::stat(path.c_str(), &status) == 0 && S_ISREG(status.st_mode);
}

std::string name_of_input(const std::filesystem::path& input) {
  return input == "-" ? "standard input" : input.string();
}

std::string read_input(const std::filesystem::path& path, uint64_t limit_bytes) {
  if (path == "-") return read_to_end(STDIN_FILENO, name_of_input(path), limit_bytes);
  if (is_regular_input(path)) return read_file(path, limit_bytes);
  const OpenInput input(path);
  return read_to_end(input.get(), path.string(), limit_bytes);
}

}  // namespace zeroshelf
