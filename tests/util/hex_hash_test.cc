#include "lib/util/hex_hash.h"

#include <boost/test/unit_test.hpp>

#include <string>

namespace zeroshelf {
namespace {

BOOST_AUTO_TEST_SUITE(hex_hashes)

BOOST_AUTO_TEST_CASE(what_was_written_is_read) {
  ContentHash hash;
  for (size_t i = 0; i < hash.size(); ++i) hash[i] = static_cast<uint8_t>(37 * i + 250);
  BOOST_TEST((hash_from_hex(to_hex(hash)) == hash));
}

BOOST_AUTO_TEST_CASE(nothing_else_is) {
  const std::string hex(64, 'a');
  BOOST_TEST(hash_from_hex(hex).has_value());
  for (const std::string& wrong : {std::string(), hex + "a", hex.substr(1), "A" + hex.substr(1),
                                   "g" + hex.substr(1), hex.substr(1) + " ", "0x" + hex.substr(2)})
    BOOST_TEST(!hash_from_hex(wrong).has_value());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
