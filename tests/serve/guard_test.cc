// Addresses, names, secrets and tokens.

#include "query/serve/guard.h"

#include <boost/test/unit_test.hpp>

#include <fstream>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::serve {
namespace {

HttpHead head_of(const std::string& host, const std::string& path = "/v1/collection") {
  HttpHead head;
  head.method = "GET";
  head.path = path;
  head.host = host;
  return head;
}

int status_of(Guard& guard, const HttpHead& head) {
  const auto refusal = guard.refusal(head);
  return refusal ? refusal->status : 200;
}

BOOST_AUTO_TEST_SUITE(guard)

BOOST_AUTO_TEST_CASE(addresses_are_read) {
  BOOST_TEST(parse_listen_address("127.0.0.1:8642").authority() == "127.0.0.1:8642");
  BOOST_TEST(parse_listen_address("[::1]:0").host == "::1");
  BOOST_TEST(parse_listen_address("[::1]:80").authority() == "[::1]:80");
  for (const char* loopback : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1"})
    BOOST_TEST(parse_listen_address(loopback).is_loopback(), loopback);
  for (const char* open : {"0.0.0.0:1", "[::]:1", "10.0.0.1:1", "127.0.0.1.example:1", "a:1"})
    BOOST_TEST(!parse_listen_address(open).is_loopback(), open);
  for (const char* wrong : {"", ":", "8642", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x",
                            "127.0.0.1:65536", "127.0.0.1:-1", "[::1]", "[::1:8", "127.0.0.1:1 "})
    BOOST_CHECK_THROW(parse_listen_address(wrong), Error);
}

BOOST_AUTO_TEST_CASE(only_own_names_are_answered) {
  Guard guard({"127.0.0.1", 8642}, {"Shelf.Example"}, "");
  for (const char* own :
       {"127.0.0.1:8642", "localhost:8642", "[::1]:8642", "shelf.example:8642", "LocalHost:8642"})
    BOOST_TEST(status_of(guard, head_of(own)) == 200, own);
  for (const char* other : {"", "127.0.0.1", "127.0.0.1:80", "evil.example:8642", "10.0.0.1:8642",
                            "localhost.:8642", "127.0.0.1:8642x", "[::1:8642", " 127.0.0.1:8642"})
    BOOST_TEST(status_of(guard, head_of(other)) == 403, other);
  HttpHead head = head_of("127.0.0.1:8642");
  head.origin = "http://localhost:8642";
  BOOST_TEST(status_of(guard, head) == 403);
  head.origin = "http://127.0.0.1:8642";
  BOOST_TEST(status_of(guard, head) == 200);
}

BOOST_AUTO_TEST_CASE(with_an_open_address_numbers_are_nobodys_names) {
  Guard guard({"0.0.0.0", 80}, {}, std::string(32, 'x'));
  BOOST_TEST(status_of(guard, head_of("10.1.2.3")) == 401);
  BOOST_TEST(status_of(guard, head_of("[fe80::1]:80")) == 401);
  BOOST_TEST(status_of(guard, head_of("evil.example")) == 403);
}

BOOST_AUTO_TEST_CASE(secrets_are_compared_whole) {
  BOOST_TEST(are_equal_secrets("abc", "abc"));
  for (const char* other : {"", "ab", "abd", "abcd", "ABC"})
    BOOST_TEST(!are_equal_secrets("abc", other), other);
}

BOOST_AUTO_TEST_CASE(tokens_are_made_and_read) {
  const testing::TemporaryDirectory folder;
  const std::string made = read_token(folder / "token");
  BOOST_TEST(made.size() == 32u);
  BOOST_TEST(read_token(folder / "token") == made);
  const auto with = [&](const std::string& content) {
    const auto path = folder / "given";
    std::ofstream(path) << content;
    std::filesystem::permissions(path, std::filesystem::perms::owner_read |
                                           std::filesystem::perms::owner_write);
    return path;
  };
  BOOST_TEST(read_token(with("  abcdefghijklmnop  \nmore\n")) == "abcdefghijklmnop");
  for (const char* wrong : {"", "\n", "short", "abcdefgh ijklmnop", "abcdefghijklmno\xc3\xa4"})
    BOOST_CHECK_THROW(read_token(with(wrong)), Error);
  const auto path = with("abcdefghijklmnop");
  std::filesystem::permissions(path, std::filesystem::perms::others_read,
                               std::filesystem::perm_options::add);
  BOOST_CHECK_THROW(read_token(path), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
