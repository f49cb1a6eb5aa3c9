// Errors and their texts. Tested by tests/util/text_test.cc.

#include "lib/util/error.h"

#include <cctype>
#include <cerrno>
#include <system_error>
#include <utility>

#include "lib/util/text.h"

namespace zeroshelf {

Error::Error(ErrorCode code, std::string subject, std::string cause, std::string cure)
    : code_(code),
      subject_(std::move(subject)),
      cause_(std::move(cause)),
      cure_(std::move(cure)),
      what_(printable((subject_.empty() ? "''" : subject_) + ": " + cause_ +
                      (cure_.empty() ? "" : "; " + cure_))) {}

std::string errno_text(int error_number) {
  std::string text = std::generic_category().message(error_number);
  if (!text.empty()) {
    text[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(text[0])));
  }
  return text;
}

namespace {

const char* cure_of(int error_number) {
  switch (error_number) {
    case ENOSPC:
    case EDQUOT:
      return "make room and run it again";
    case EMFILE:
      return "raise the limit of open files (ulimit -n)";
    case EROFS:
      return "make its file system writable, or take a copy elsewhere";
    case EACCES:
    case EPERM:
      return "run it as somebody who may, or change its permissions";
    default:
      return "";
  }
}

}  // namespace

Error system_error(std::string subject, const char* doing, int error_number) {
  return {error_number == ENOENT ? ErrorCode::NotFound : ErrorCode::Io, std::move(subject),
          std::string("cannot ") + doing + ": " + errno_text(error_number), cure_of(error_number)};
}

}  // namespace zeroshelf
