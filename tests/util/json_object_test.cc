#include "lib/util/json_object.h"

#include <boost/test/unit_test.hpp>

#include "tests/support/growth.h"

namespace zeroshelf {
namespace {

using nlohmann::json;

BOOST_AUTO_TEST_SUITE(json_objects)

BOOST_AUTO_TEST_CASE(deep_nesting_is_refused_before_it_can_harm) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  BOOST_TEST(parse_bounded_json(nested(kMaxJsonDepth)).has_value());
  BOOST_TEST(!parse_bounded_json(nested(kMaxJsonDepth + 2)).has_value());
  BOOST_TEST(!parse_bounded_json(nested(1'000'000)).has_value());
  std::string objects;
  for (int i = 0; i < 200'000; ++i) objects += "{\"a\":";
  BOOST_TEST(!parse_bounded_json(objects + "1" + std::string(200'000, '}')).has_value());
}

BOOST_AUTO_TEST_CASE(nesting_is_counted_exactly) {
  const auto nested = [](size_t depth) {
    return std::string(depth, '[') + "1" + std::string(depth, ']');
  };
  BOOST_TEST(JsonBuilder(3).parse(nested(3)).has_value());
  JsonBuilder builder(3);
  BOOST_TEST(!builder.parse(nested(4)).has_value());
  BOOST_TEST(builder.is_too_deep());
  BOOST_TEST(parse_bounded_json("1").value() == 1);
}

BOOST_AUTO_TEST_CASE(values_are_those_of_the_parser_without_bounds) {
  for (const char* text :
       {"{}", "[]", "null", "[[],{},[{}]]", "[true,false,null,-1,18446744073709551615,1.5e3,\"\"]",
        R"({"b":{"a":[1,{"c":2}],"d":{}},"a":"\u00e4\ud83d\ude00"})",
        R"({"a":1,"b":2,"a":{"c":3}})", "-9223372036854775808", "[1e400]", "[1e-400]",
        "\"\\ud800\"", "[1", "{\"a\"}", "1 1"}) {
    const json expected = json::parse(text, nullptr, /*allow_exceptions=*/false);
    const std::optional<json> value = parse_bounded_json(text);
    BOOST_TEST_CONTEXT(text) {
      BOOST_TEST(value.has_value() == !expected.is_discarded());
      if (value) BOOST_TEST(*value == expected);
    }
  }
}

// A text of parts that look alike.
std::string repeated(const char* begin, const char* part, size_t count, const char* end) {
  std::string text = begin;
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) text += ',';
    for (const char* at = part; *at != '\0'; ++at)
      *at == '#' ? text += std::to_string(i) : text += *at;
  }
  return text + end;
}

BOOST_AUTO_TEST_CASE(the_time_goes_with_the_size) {
  for (const char* part : {R"("name #":1)", R"("name #":{})", R"("name #":[])",
                           R"("name #":{"a":{"b":[]}})", R"("name":{})"}) {
    const auto object = [part](size_t size) { return repeated("{", part, size, "}"); };
    BOOST_TEST_CONTEXT(part)
    BOOST_TEST(testing::growth_over_four_sizes(5'000, object, parse_bounded_json) <
               testing::kLinearGrowth);
  }
  for (const char* part : {"1", "{}", "[]", R"({"a":[{}]})", R"(["a",[]])"}) {
    const auto array = [part](size_t size) { return repeated("[", part, size, "]"); };
    BOOST_TEST_CONTEXT(part)
    BOOST_TEST(testing::growth_over_four_sizes(10'000, array, parse_bounded_json) <
               testing::kLinearGrowth);
  }
}

BOOST_AUTO_TEST_CASE(text_that_is_no_json_is_refused) {
  for (const char* text : {"", "{", "{\"a\":1,}", "[1] 2", "\"\xff\"", "nul"}) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(!parse_bounded_json(text).has_value());
  }
}

BOOST_AUTO_TEST_CASE(integers_are_exact_or_refused) {
  const auto is = [](const char* text) { return json_as<uint32_t>(json::parse(text)); };
  BOOST_TEST(is("4294967295").value() == 4294967295u);
  for (const char* text : {"4294967296", "4294967312", "-1", "16.0", "1e3", "\"16\"", "null",
                           "true", "18446744073709551616"}) {
    BOOST_TEST_CONTEXT(text) BOOST_TEST(!is(text).has_value());
  }
  BOOST_TEST(json_as<int64_t>(json::parse("-9223372036854775808")).value() == INT64_MIN);
  BOOST_TEST(!json_as<int64_t>(json::parse("9223372036854775808")).has_value());
  BOOST_TEST(json_as<uint64_t>(json::parse("18446744073709551615")).value() == UINT64_MAX);
  BOOST_TEST(!json_as<int32_t>(json::parse("-2147483649")).has_value());
}

BOOST_AUTO_TEST_CASE(numbers_are_finite_in_their_type) {
  BOOST_TEST(json_as<float>(json::parse("2")).value() == 2.0f);
  BOOST_TEST(json_as<double>(json::parse("1e300")).value() == 1e300);
  BOOST_TEST(!json_as<float>(json::parse("1e300")).has_value());
  BOOST_TEST(!json_as<float>(json::parse("\"2\"")).has_value());
}

BOOST_AUTO_TEST_CASE(a_member_that_is_not_usable_is_named) {
  const json object = {{"name", 5}};
  BOOST_TEST(json_member<int>(object, "name", "file") == 5);
  for (const char* name : {"name", "absent"}) {
    BOOST_CHECK_EXCEPTION(
        json_member<std::string>(object, name, "file"), Error, [&](const Error& error) {
          return error.code() == ErrorCode::Corruption && error.subject() == "file" &&
                 error.cause().find(name) != std::string::npos;
        });
  }
  BOOST_CHECK_THROW(json_member<int>(json::array(), "name", "file"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
