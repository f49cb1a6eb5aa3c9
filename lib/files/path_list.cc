// Tested by tests/programs/path_list_test.cc.

#include "lib/files/path_list.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kMaxListBytes = uint64_t{4} << 30;

// All of it; a pipe has no size to ask for.
std::string read_to_end(int file, const std::string& name) {
  std::string content;
  std::string block(1 << 20, '\0');
  for (;;) {
    const ssize_t got = ::read(file, block.data(), block.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw system_error(name, "read", errno);
    if (got == 0) return content;
    content.append(block, 0, static_cast<size_t>(got));
    if (content.size() > kMaxListBytes) {
      throw Error(ErrorCode::InvalidArgument, name,
                  fmt::format("a list of more than {} GiB", kMaxListBytes >> 30), "split it");
    }
  }
}

std::string content_of(const std::string& source) {
  if (source == "-") return read_to_end(STDIN_FILENO, "standard input");
  const int file = ::open(source.c_str(), O_RDONLY | O_CLOEXEC);
  if (file < 0) throw system_error(source, "open", errno);
  try {
    std::string content = read_to_end(file, source);
    ::close(file);
    return content;
  } catch (...) {
    ::close(file);
    throw;
  }
}

}  // namespace

std::vector<std::string> read_path_list(const std::string& source) {
  const std::string content = content_of(source);
  const std::string name = source == "-" ? "standard input" : source;
  std::vector<std::string> paths;
  for (size_t start = 0; start < content.size();) {
    const size_t end = std::min(content.find('\0', start), content.size());
    if (end == start || end - start >= PATH_MAX) {
      throw Error(ErrorCode::InvalidArgument, name,
                  fmt::format("path {} of the list {}", paths.size() + 1,
                              end == start ? "is empty" : "is longer than the system takes"),
                  "end each path with NUL, as find -print0 does");
    }
    paths.push_back(content.substr(start, end - start));
    start = end + 1;
  }
  // Lines are a path only where a path holds line breaks.
  if (paths.size() == 1 && content.back() == '\n') {
    throw Error(ErrorCode::InvalidArgument, name, "its paths are lines",
                "end each path with NUL, as find -print0 does");
  }
  return paths;
}

}  // namespace zeroshelf
