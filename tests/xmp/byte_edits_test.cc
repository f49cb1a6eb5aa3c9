#include "lib/xmp/byte_edits.h"

#include <boost/test/unit_test.hpp>

#include <random>

#include "lib/util/error.h"
#include "tests/support/checks.h"

namespace zeroshelf {
namespace {

using testing::is_corruption;

ByteEdits random_edits(std::mt19937& random, size_t size) {
  ByteEdits edits;
  for (uint64_t at = random() % 20; at <= size; at += 1 + random() % 40) {
    const uint64_t length = std::min<uint64_t>(random() % 20, size - at);
    edits.push_back({at, length, std::string(random() % 30, static_cast<char>('a' + random() % 26))});
    at += length;
  }
  return edits;
}

BOOST_AUTO_TEST_SUITE(byte_edits)

BOOST_AUTO_TEST_CASE(the_inverse_of_any_edits_gives_the_bytes_back) {
  std::mt19937 random(7);
  for (int turn = 0; turn < 500; ++turn) {
    std::string before(random() % 300, '\0');
    for (char& c : before) c = static_cast<char>(random());
    const ByteEdits edits = random_edits(random, before.size());
    const std::string after = edited(before, edits);
    const ByteEdits back = decode_edits(encode_edits(inverse(before, edits)));
    BOOST_TEST((edited(after, back) == before), "turn " << turn);
  }
}

BOOST_AUTO_TEST_CASE(edits_that_do_not_fit_are_refused) {
  BOOST_TEST(edited("abcdef", {{1, 2, "XYZ"}, {6, 0, "!"}}) == "aXYZdef!");
  BOOST_CHECK_EXCEPTION(edited("abc", {{4, 0, ""}}), Error, is_corruption);
  BOOST_CHECK_EXCEPTION(edited("abc", {{2, 2, ""}}), Error, is_corruption);
  BOOST_CHECK_EXCEPTION(edited("abc", {{2, UINT64_MAX, ""}}), Error, is_corruption);
  BOOST_CHECK_EXCEPTION(edited("abc", {{1, 2, ""}, {2, 0, "x"}}), Error, is_corruption);
}

BOOST_AUTO_TEST_CASE(what_is_cut_short_or_longer_is_no_edits) {
  const std::string whole = encode_edits({{1, 2, "abc"}, {300, 70'000, std::string(200, 'x')}});
  BOOST_TEST((decode_edits(whole).back().length == 70'000u));
  for (size_t size = 0; size < whole.size(); ++size)
    BOOST_CHECK_EXCEPTION(decode_edits(whole.substr(0, size)), Error, is_corruption);
  BOOST_CHECK_EXCEPTION(decode_edits(whole + "x"), Error, is_corruption);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
