// What was asked comes back as it was, and nothing else is taken for it.

#include "lib/labelling/kept_request.h"

#include <boost/test/unit_test.hpp>

#include "lib/collection/attachments.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"

namespace zeroshelf {
namespace {

LabellingRequest asked() {
  LabellingRequest request;
  request.labels = {{"cat", {"a cat", "a \"kitten\"", "- a lion", "@/pictures/cat.jpg"}}, {"größer", {"größer"}}, {"none", {"x"}}};
  request.fusion = "image";
  request.calibration = "mine";
  request.last_is_none = true;
  request.none_has_own_prompts = true;
  request.several = true;
  request.threshold = 0.1f;
  request.slash = Slash::Letter;
  request.depth = 2;
  return request;
}

void expect_same(const LabellingRequest& a, const LabellingRequest& b) {
  BOOST_TEST((a.labels == b.labels));
  BOOST_TEST(a.fusion == b.fusion);
  BOOST_TEST(a.calibration == b.calibration);
  BOOST_TEST(a.classifier == b.classifier);
  BOOST_TEST(a.last_is_none == b.last_is_none);
  BOOST_TEST(a.none_has_own_prompts == b.none_has_own_prompts);
  BOOST_TEST(a.several == b.several);
  BOOST_TEST((a.threshold == b.threshold));
  BOOST_TEST((a.slash == b.slash));
  BOOST_TEST((a.depth == b.depth));
}

bool is_damaged(const std::string& json) {
  try {
    parse_request(json, "x");
  } catch (const Error& error) {
    return error.code() == ErrorCode::Corruption || error.code() == ErrorCode::InvalidArgument;
  }
  return false;
}

BOOST_AUTO_TEST_SUITE(kept_request)

BOOST_AUTO_TEST_CASE(a_request_comes_back_as_it_was) {
  expect_same(parse_request(request_json(asked()), "x"), asked());
  LabellingRequest learned;
  learned.classifier = "pets";
  expect_same(parse_request(request_json(learned), "x"), learned);
}

BOOST_AUTO_TEST_CASE(what_is_no_request_is_refused) {
  const std::string good = request_json(asked());
  for (size_t i = 0; i < good.size(); ++i) BOOST_TEST(is_damaged(good.substr(0, i)));
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string changed = good;
    const size_t at = changed.find(from);
    BOOST_REQUIRE(at != std::string::npos);
    return changed.replace(at, from.size(), to);
  };
  BOOST_TEST(is_damaged(with("\"cat\"", "\"none\"")));           // twice
  BOOST_TEST(is_damaged(with("\"cat\"", "\"\"")));               // no name
  BOOST_TEST(is_damaged(with("[\"x\"]", "[]")));                 // no prompt
  BOOST_TEST(is_damaged(with("[\"x\"]", "[7]")));
  BOOST_TEST(is_damaged(with("\"mine\"", "\"../mine\"")));       // a path
  BOOST_TEST(is_damaged(with("\"several\":true", "\"several\":1")));
  BOOST_TEST(is_damaged(with("\"threshold\":0.1", "\"threshold\":\"high\",\"x\":0.1")));
  BOOST_TEST(is_damaged(R"({"labels":[],"rule":"mix","calibration":null,"classifier":null,)"
                        R"("none":false,"none_has_own_prompts":false,"several":false,)"
                        R"("threshold":null})"));
}

BOOST_AUTO_TEST_CASE(a_label_that_is_not_utf8_is_not_kept) {
  LabellingRequest request = asked();
  request.labels[0].prompts[0] = "caf\xe9";
  BOOST_CHECK_EXCEPTION(request_json(request), Error, [](const Error& error) {
    return error.code() == ErrorCode::InvalidArgument;
  });
}

BOOST_AUTO_TEST_CASE(it_is_kept_by_the_name_of_its_run) {
  const testing::DrawnCollection shelf(1);
  BOOST_TEST(!load_request(shelf.open(), "monday").has_value());
  save_request(shelf.open(), "monday", asked());
  expect_same(load_request(shelf.open(), "monday").value(), asked());
  LabellingRequest by_vectors = asked();
  by_vectors.vectors = "labels.npy";  // which may be another file tomorrow
  save_request(shelf.open(), "monday", by_vectors);
  BOOST_TEST(!load_request(shelf.open(), "monday").has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
