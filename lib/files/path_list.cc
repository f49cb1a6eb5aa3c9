// Tested by tests/files/path_list_test.cc.

#include "lib/files/path_list.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <limits.h>

#include <cerrno>
#include <string_view>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// A descriptor that is closed where it was opened here.
class Source {
 public:
  explicit Source(const std::string& source)
      : is_input_(source == "-"),
        name_(is_input_ ? "standard input" : source),
        file_(is_input_ ? STDIN_FILENO : ::open(source.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (file_ < 0) throw system_error(name_, "open", errno);
  }
  ~Source() {
    if (!is_input_) ::close(file_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  const std::string& name() const { return name_; }

  // The next bytes; none at the end. (A pipe has no size to ask for.)
  std::string_view next(std::string& block) {
    ssize_t got = 0;
    do {
      got = ::read(file_, block.data(), block.size());
    } while (got < 0 && errno == EINTR);
    if (got < 0) throw system_error(name_, "read", errno);
    return std::string_view(block).substr(0, static_cast<size_t>(got));
  }

 private:
  bool is_input_;
  std::string name_;
  int file_;
};

// Paths out of blocks of bytes.
class PathList {
 public:
  PathList(std::string name, const PathListLimits& limits)
      : name_(std::move(name)), limits_(limits) {}

  void add(std::string_view bytes) {
    bytes_ += bytes.size();
    if (bytes_ > limits_.bytes)
      refuse(fmt::format("a list of more than {} bytes", with_thousands(limits_.bytes)),
             "split it");
    for (size_t end; (end = bytes.find('\0')) != std::string_view::npos;) {
      grow(bytes.substr(0, end));
      finish_path();
      bytes.remove_prefix(end + 1);
    }
    grow(bytes);
  }

  std::vector<std::string> finish() && {
    const bool ended = path_.empty();
    if (!ended) finish_path();
    // Lines are a path only where a path holds line breaks.
    if (!ended && paths_.size() == 1 && paths_.front().back() == '\n')
      refuse("its paths are lines", kCure);
    return std::move(paths_);
  }

 private:
  static constexpr const char* kCure = "end each path with NUL, as find -print0 does";

  [[noreturn]] void refuse(const std::string& cause, const std::string& cure) const {
    throw Error(ErrorCode::InvalidArgument, name_, cause, cure);
  }

  void grow(std::string_view part) {
    if (path_.size() + part.size() >= PATH_MAX)
      refuse(fmt::format("path {} of the list is longer than the system takes", paths_.size() + 1),
             kCure);
    path_ += part;
  }

  void finish_path() {
    if (path_.empty())
      refuse(fmt::format("path {} of the list is empty", paths_.size() + 1), kCure);
    if (paths_.size() >= limits_.paths)
      refuse(fmt::format("a list of more than {} paths", with_thousands(limits_.paths)),
             "split it");
    paths_.emplace_back(path_);  // a copy: as large as the path
    path_.clear();
  }

  std::string name_;
  PathListLimits limits_;
  uint64_t bytes_ = 0;
  std::string path_;  // that has no end yet
  std::vector<std::string> paths_;
};

}  // namespace

std::vector<std::string> read_path_list(const std::string& source, const PathListLimits& limits) {
  Source file(source);
  PathList list(file.name(), limits);
  std::string block(1 << 20, '\0');
  for (std::string_view bytes; !(bytes = file.next(block)).empty();) list.add(bytes);
  return std::move(list).finish();
}

}  // namespace zeroshelf
