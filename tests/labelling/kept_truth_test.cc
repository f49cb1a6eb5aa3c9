// What people said comes back, and belongs to contents.

#include "lib/labelling/kept_truth.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/random_collection.h"

namespace zeroshelf {
namespace {

ContentHash content(uint8_t number) {
  ContentHash hash{};
  hash[0] = number;
  return hash;
}

BOOST_FIXTURE_TEST_SUITE(kept_truth, testing::RandomCollection)

BOOST_AUTO_TEST_CASE(what_was_said_comes_back_in_order) {
  const View view = open();
  KeptTruth truth;
  BOOST_TEST(truth.say(content(9), "cat", "/9"));
  BOOST_TEST(truth.say(content(3), "dog", "/\xff"));
  BOOST_TEST(!truth.say(content(9), "cat", "/moved"));
  BOOST_TEST(truth.say(content(5), "fox", "/5"));
  BOOST_TEST(truth.take_back(content(5)));
  BOOST_TEST(!truth.take_back(content(5)));
  save_truth(view, "mine", truth);
  const KeptTruth back = load_truth(view, "mine");
  const auto entries = back.in_order();
  BOOST_REQUIRE_EQUAL(entries.size(), 2u);
  BOOST_TEST(entries[0]->second.path == "/\xff");
  BOOST_TEST(entries[1]->second.path == "/moved");
  BOOST_TEST(*back.find(content(9)) == "cat");
  BOOST_TEST(back.find(content(5)) == nullptr);
  BOOST_TEST(encode_truth(back) == encode_truth(truth));
  BOOST_TEST(load_truth(view, "other").all().empty());
}

BOOST_AUTO_TEST_CASE(a_label_is_a_text) {
  KeptTruth truth;
  BOOST_CHECK_THROW(truth.say(content(1), "", "/1"), Error);
  BOOST_CHECK_THROW(truth.say(content(1), "\xff", "/1"), Error);
  BOOST_TEST(truth.all().empty());
}

BOOST_AUTO_TEST_CASE(damaged_bytes_are_refused) {
  KeptTruth truth;
  truth.say(content(1), "cat", "/1");
  truth.say(content(2), "dog", "/2");
  const std::string whole = encode_truth(truth);
  for (size_t size = 0; size < whole.size(); ++size)
    BOOST_CHECK_THROW(decode_truth(whole.substr(0, size), "it"), Error);
  BOOST_CHECK_THROW(decode_truth(whole + "x", "it"), Error);
  KeptTruth twice;
  twice.say(content(1), "cat", "/1");
  std::string bytes = encode_truth(twice);
  bytes[1] = 2;
  BOOST_CHECK_THROW(decode_truth(bytes + bytes.substr(2), "it"), Error);
}

BOOST_AUTO_TEST_CASE(known_are_those_that_the_collection_has) {
  const View view = open();
  KeptTruth truth;
  truth.say(content(8), "b", "/8");
  truth.say(content(5), "a", "/5");
  truth.say(content(7), "a", "/7");  // removed
  truth.say(content(6), "c", "/6");  // no such label
  ContentHash gone{};
  gone[5] = 1;
  truth.say(gone, "a", "/gone");
  const KnownContents known = known_contents(view, {{"a", {"a"}}, {"b", {"b"}}}, truth);
  BOOST_REQUIRE_EQUAL(known.pictures.size(), 2u);
  BOOST_TEST(known.pictures[0].row == 5u);
  BOOST_TEST(known.pictures[0].label == 0u);
  BOOST_TEST(known.pictures[1].row == 8u);
  BOOST_TEST(known.other_labels == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
