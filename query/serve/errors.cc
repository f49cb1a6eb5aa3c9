// Tested by tests/serve/errors_test.cc.

#include "query/serve/errors.h"

#include <new>
#include <string>
#include <utility>

namespace zeroshelf::serve {
namespace {

struct Wrapped {
  Problem error;
};
void write_members(JsonWriter& json, const Wrapped& wrapped) {
  json.member("error", wrapped.error);
}

// What the library says to who types commands, and what it is for who sends requests.
constexpr std::pair<std::string_view, std::string_view> kOverHttp[] = {
    {"train --save NAME", "POST /v1/train"},
    {"calibrate --save NAME", "POST /v1/calibrate"},
    {"classify --save NAME", "PUT /v1/runs/{name}"},
    {"use --mode copy or symlink", "use the mode copy or symlink"},
    {"use --mode symlink or copy for it", "use the mode symlink or copy for it"},
    {"use --mode copy (or move)", "use the mode copy (or move)"},
    {"an export with --mode move", "an export with the mode move"},
};

// How many pixels are decoded is fixed here.
constexpr std::string_view kPixelCures[] = {"; raise --max-pixels",
                                            "; lower --max-pixels or free memory"};

std::string text_over_http(std::string text) {
  for (const auto& [typed, sent] : kOverHttp) {
    if (const size_t place = text.find(typed); place != std::string::npos)
      text.replace(place, typed.size(), sent);
  }
  return text;
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

Error over_http(const Error& error) {
  std::string cause = text_over_http(error.cause());
  std::string cure = text_over_http(error.cure());
  for (const std::string_view typed : kPixelCures) {
    const size_t place = cause.find(typed);
    if (place == std::string::npos) continue;
    cause.erase(place, typed.size());
    cure = "take a smaller picture";
  }
  return {error.code(), error.subject(), cause, cure};
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
  const Error told = over_http(error);
  const Problem it = problem_of(told);
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
