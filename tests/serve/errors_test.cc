// What fails, as an answer: the status that fits, and code, subject, cause and cure.

#include "query/serve/errors.h"

#include <boost/test/unit_test.hpp>

#include <new>
#include <nlohmann/json.hpp>
#include <stdexcept>

namespace zeroshelf::serve {
namespace {

template <class Thrown>
HttpResponse answer_of(const Thrown& thrown) {
  return failure_response(std::make_exception_ptr(thrown));
}
nlohmann::json error_of(const HttpResponse& response) {
  return nlohmann::json::parse(response.body)["error"];
}

BOOST_AUTO_TEST_SUITE(errors)

BOOST_AUTO_TEST_CASE(every_code_has_a_name_and_a_status) {
  const std::tuple<ErrorCode, const char*, int> expected[] = {
      {ErrorCode::NotFound, "not_found", 404},       {ErrorCode::InvalidArgument, "invalid_argument", 400},
      {ErrorCode::Corruption, "corruption", 500},    {ErrorCode::Incompatible, "incompatible", 409},
      {ErrorCode::Io, "io", 500},                    {ErrorCode::Unavailable, "unavailable", 503}};
  for (const auto& [code, name, status] : expected) {
    const HttpResponse response = answer_of(Error(code, "the subject", "the cause", "the cure"));
    BOOST_TEST(response.status == status);
    BOOST_TEST(response.content_type == "application/json");
    BOOST_TEST(error_of(response) ==
               nlohmann::json({{"code", name}, {"subject", "the subject"}, {"cause", "the cause"}, {"cure", "the cure"}}));
  }
}

BOOST_AUTO_TEST_CASE(who_was_overtaken_hears_it_and_who_went_away_could) {
  BOOST_TEST(answer_of(Overtaken()).status == 409);
  BOOST_TEST(error_of(answer_of(Overtaken()))["code"] == "overtaken");
  BOOST_TEST(answer_of(Abandoned()).status == 503);
}

BOOST_AUTO_TEST_CASE(what_nobody_expected_is_an_answer_too) {
  BOOST_TEST(answer_of(std::bad_alloc()).status == 503);
  BOOST_TEST(answer_of(std::runtime_error("odd")).status == 500);
  BOOST_TEST(error_of(answer_of(std::runtime_error("odd")))["cause"] == "odd");
}

BOOST_AUTO_TEST_CASE(who_sends_requests_hears_nothing_of_flags) {
  const auto told = error_of(
      error_response(Error(ErrorCode::NotFound, "pets", "9 pixels; raise --max-pixels", "")));
  BOOST_TEST(told["cause"] == "9 pixels");
  BOOST_TEST(told["cure"] == "take a smaller picture");
  BOOST_TEST(error_of(error_response(Error(ErrorCode::NotFound, "pets", "none",
                                           "make one with train --save NAME")))["cure"] ==
             "make one with POST /v1/train");
}

BOOST_AUTO_TEST_CASE(text_of_others_is_text) {
  const std::string hostile = "\"},{\"\xff<script>";
  BOOST_TEST(error_of(error_response(400, "io", hostile, "x", "")).contains("subject"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
