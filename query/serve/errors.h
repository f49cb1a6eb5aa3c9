#pragma once

// What is wrong, as every answer of a status from 400 on says it.

#include <exception>
#include <string>
#include <string_view>

#include "lib/report/json.h"
#include "lib/util/error.h"
#include "query/serve/http.h"

namespace zeroshelf::serve {

// Nobody waits for the answer any more: thrown where a request looks whether to go on.
class Abandoned : public std::exception {
 public:
  const char* what() const noexcept override { return "nobody waits for the answer"; }
};

// A later request of the same client has taken this one's place.
class Overtaken : public Abandoned {};

// The members of an error.
struct Problem {
  std::string_view code;
  std::string_view subject;
  std::string_view cause;
  std::string_view cure;
};
void write_members(JsonWriter& json, const Problem& problem);

std::string_view code_name(ErrorCode code);  // "not_found"
// The same for who sends requests: where it names the command line, what a request says instead.
Error over_http(const Error& error);
Problem problem_of(const Error& error);  // valid as long as the error

HttpResponse error_response(int status, std::string_view code, std::string_view subject,
                            std::string_view cause, std::string_view cure);
// The status goes with the code.
HttpResponse error_response(const Error& error);
// The answer for any exception.
HttpResponse failure_response(std::exception_ptr failure);

}  // namespace zeroshelf::serve
