#pragma once

// Where results go: a buffered file that notices when writing fails.

#include <cstdio>
#include <exception>
#include <string>
#include <string_view>
#include <utility>

namespace zeroshelf {

// The reader at the other end of the pipe has gone (`| head`): nothing is wrong.
class ClosedPipe : public std::exception {
 public:
  const char* what() const noexcept override { return "the pipe was closed"; }
};

// Threads: one at a time.
class OutputStream {
 public:
  // Writes to file (stdout, mostly), which stays open. name is for errors.
  OutputStream(std::FILE* file, std::string name);

  // To a terminal, control characters but tab and the line's end are shown as escapes: what comes
  // from file names and pictures must not command it. A file or a pipe gets the text as it is.
  // Throws ClosedPipe, or Error(Io), e.g. for a full disk.
  void write(std::string_view text);
  // The bytes as they are, also to a terminal: only for commands that the program itself made.
  void write_commands(std::string_view bytes);
  bool is_terminal() const { return is_terminal_; }
  // To be called at the end: a destructor could not tell that the last bytes were lost.
  void flush();

 private:
  [[noreturn]] void fail() const;

  std::FILE* file_;
  std::string name_;
  bool is_terminal_;
};

}  // namespace zeroshelf
