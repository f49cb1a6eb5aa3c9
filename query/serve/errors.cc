// Tested by tests/serve/errors_test.cc.

#include "query/serve/errors.h"

#include <new>

namespace zeroshelf::serve {
namespace {

struct Wrapped {
  Problem error;
};
void write_members(JsonWriter& json, const Wrapped& wrapped) {
  json.member("error", wrapped.error);
}

int status_of(ErrorCode code) {
  switch (code) {
    case ErrorCode::NotFound:
      return 404;
    case ErrorCode::InvalidArgument:
      return 400;
    case ErrorCode::Incompatible:
      return 409;
    case ErrorCode::Unavailable:
      return 503;
    case ErrorCode::Corruption:
    case ErrorCode::Io:
      return 500;
  }
  return 500;
}

}  // namespace

void write_members(JsonWriter& json, const Problem& problem) {
  json.member("code", problem.code)
      .member("subject", problem.subject)
      .member("cause", problem.cause)
      .member("cure", problem.cure);
}

std::string_view code_name(ErrorCode code) {
  switch (code) {
    case ErrorCode::NotFound:
      return "not_found";
    case ErrorCode::InvalidArgument:
      return "invalid_argument";
    case ErrorCode::Corruption:
      return "corruption";
    case ErrorCode::Incompatible:
      return "incompatible";
    case ErrorCode::Io:
      return "io";
    case ErrorCode::Unavailable:
      return "unavailable";
  }
  return "io";
}

Problem problem_of(const Error& error) {
  return {code_name(error.code()), error.subject(), error.cause(), error.cure()};
}

HttpResponse error_response(int status, std::string_view code, std::string_view subject,
                            std::string_view cause, std::string_view cure) {
  HttpResponse response;
  response.status = status;
  response.content_type = "application/json";
  response.body = json_line(Wrapped{{code, subject, cause, cure}});
  return response;
}

HttpResponse error_response(const Error& error) {
  const Problem it = problem_of(error);
  return error_response(status_of(error.code()), it.code, it.subject, it.cause, it.cure);
}

HttpResponse failure_response(std::exception_ptr failure) {
  try {
    std::rethrow_exception(failure);
  } catch (const Error& error) {
    return error_response(error);
  } catch (const Overtaken&) {
    return error_response(409, "overtaken", "the request", "a later one of the same client came",
                          "");
  } catch (const Abandoned&) {
    return error_response(503, "unavailable", "the request", "nobody waited for the answer", "");
  } catch (const std::bad_alloc&) {
    return error_response(503, "unavailable", "the request", "there is no memory for it",
                          "ask for less at once");
  } catch (const std::exception& error) {
    return error_response(500, "io", "the server", error.what(), "");
  }
}

}  // namespace zeroshelf::serve
