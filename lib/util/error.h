#pragma once

// The one exception type of zeroshelf.
//
// An Error is thrown for what ends the command: no such collection, a damaged checkpoint, a full
// disk. What is expected to happen to single pictures is a value (see skip.h), absence is an
// optional, and our own mistakes are assertions.
//
// Each library folder translates the exceptions of the heavy library that it wraps into Error, so
// that no caller needs to know OpenCV's, libtorch's or RocksDB's types.

#include <exception>
#include <string>

namespace zeroshelf {

enum class ErrorCode {
  NotFound,         // the thing named does not exist
  InvalidArgument,  // the request makes no sense
  Corruption,       // data on disk is damaged
  Incompatible,     // data on disk is sound but made by another model, format or version
  Io,               // the system refused to read or write
  Unavailable,      // something that should be there for a while is not: a lock, a language pack
};

class Error : public std::exception {
 public:
  // subject: what it is about (a path, a flag). cause: what is wrong, lower case, no full stop.
  // cure: what the user can do; may be empty.
  Error(ErrorCode code, std::string subject, std::string cause, std::string cure = "");

  ErrorCode code() const { return code_; }
  const std::string& subject() const { return subject_; }
  const std::string& cause() const { return cause_; }
  const std::string& cure() const { return cure_; }

  // "subject: cause; cure", with control characters made visible; an empty subject is shown as ''.
  const char* what() const noexcept override { return what_.c_str(); }

 private:
  ErrorCode code_;
  std::string subject_;
  std::string cause_;
  std::string cure_;
  std::string what_;
};

// The text of errno, e.g. "permission denied" (lower case first letter).
std::string errno_text(int error_number);

// What the system refused: "cannot <doing>: <text of errno>", NotFound for ENOENT and Io for all
// else, with a cure where there is one to tell (a full disk).
Error system_error(std::string subject, const char* doing, int error_number);

}  // namespace zeroshelf
