#pragma once

// Who may ask: looked at for every request, before anything else of it.
//
//   - Host must be a name of this server, so that a page of another name that is made to point here
//     (DNS rebinding) gets nothing; Origin, where a browser sends it, must be the same.
//   - What browsers ask for the sake of other sites' pages (Sec-Fetch-Site) is refused, but for
//     opening the page itself.
//   - With a token: Authorization: Bearer TOKEN, or the cookie that the server gives for a code that
//     works once, or for the token on the page that asks for it.
//
// Threads: any.

#include <cstdint>
#include <filesystem>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "query/serve/http.h"

namespace zeroshelf::serve {

struct ListenAddress {
  std::string host;  // a name, or an address as a number, without brackets
  uint16_t port = 8642;

  bool is_loopback() const;
  // "127.0.0.1:8642", "[::1]:8642"
  std::string authority() const;
};

// "127.0.0.1:8642", "[::1]:0", "localhost:8642". Throws InvalidArgument.
ListenAddress parse_listen_address(const std::string& text);

// The token in the file: its first line, of 16 to 1,000 characters without blanks. A file that there is not is made with a token by chance,
// for the user alone. Throws InvalidArgument when others may read it, or it has no such line; Io.
std::string read_token(const std::filesystem::path& file);

// 32 hexadecimal digits by chance. Throws Io.
std::string random_hex();

// Whether two secrets are the same, in a time that goes with neither.
bool are_equal_secrets(std::string_view a, std::string_view b);

class Guard {
 public:
  // address: with the port that was got. names: others, by which the server is reached. token:
  // empty: none is asked for.
  Guard(const ListenAddress& address, std::vector<std::string> names, std::string token);

  // Nothing: it may ask. Else what it is answered. Opening the page with the code gives the cookie.
  std::optional<HttpResponse> refusal(const HttpHead& head);

  // Answers POST /login, whose body is TOKEN: the cookie, or a refusal.
  HttpResponse login(std::string_view token) const;

  // The path that opens the page; works once.
  std::string opening_path() const { return token_.empty() ? "/" : "/?once=" + code_; }

 private:
  bool is_own(const std::string& authority) const;
  bool is_known(const HttpHead& head) const;
  std::string cookie_name() const;
  HttpResponse with_cookie(int status) const;

  ListenAddress address_;
  std::vector<std::string> names_;
  std::string token_;
  std::string session_;  // the cookie's value; as long as the server runs
  std::mutex mutex_;
  std::string code_;
  bool code_is_used_ = false;
};

}  // namespace zeroshelf::serve
