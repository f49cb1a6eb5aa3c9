// Tested by tests/serve/guard_test.cc.

#include "query/serve/guard.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cerrno>
#include <charconv>
#include <span>
#include <utility>

#include "lib/collection/foreign.h"
#include "lib/files/descriptor.h"
#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "query/serve/errors.h"

namespace zeroshelf::serve {
namespace {

constexpr size_t kLeastToken = 16;
constexpr size_t kMostToken = 1000;

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

// The host and the port of "host:port"; 80 where there is none. Nothing for what is neither.
std::optional<ListenAddress> split_authority(std::string_view text, uint16_t default_port) {
  ListenAddress address;
  address.port = default_port;
  std::string_view rest;
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    address.host = text.substr(1, end - 1);
    rest = text.substr(end + 1);
  } else {
    const size_t end = std::min(text.find(':'), text.size());
    address.host = text.substr(0, end);
    rest = text.substr(end);
  }
  address.host = lower(address.host);
  if (address.host.empty()) return std::nullopt;
  if (rest.empty()) return address;
  rest.remove_prefix(1);
  const auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), address.port);
  if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
  return address;
}

bool is_number_address(const std::string& host) {
  in6_addr six;
  in_addr four;
  return ::inet_pton(AF_INET, host.c_str(), &four) == 1 ||
         ::inet_pton(AF_INET6, host.c_str(), &six) == 1;
}

std::string own_host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? lower(name.data()) : "";
}

std::optional<std::string> cookie_value(const std::string& header, const std::string& name) {
  size_t begin = 0;
  while (begin < header.size()) {
    const size_t end = std::min(header.find(';', begin), header.size());
    const std::string_view pair = trimmed(std::string_view(header).substr(begin, end - begin));
    if (pair.starts_with(name + "=")) return std::string(pair.substr(name.size() + 1));
    begin = end + 1;
  }
  return std::nullopt;
}

// A page without a script, for somebody who opens the server without the code.
constexpr std::string_view kLoginPage =
    "<!doctype html><html lang=en><meta charset=utf-8><title>zeroshelf</title>"
    "<meta name=viewport content=\"width=device-width\"><h1>zeroshelf</h1>"
    "<p>This server asks for its token: the content of the file that it was started with."
    "<form method=post action=/login enctype=text/plain><label>Token <input type=password name=token "
    "autocomplete=current-password required autofocus></label> <button>Open</button></form></html>";

HttpResponse login_page(int status) {
  HttpResponse response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.body = kLoginPage;
  return response;
}

}  // namespace

bool ListenAddress::is_loopback() const {
  in_addr four;
  if (::inet_pton(AF_INET, host.c_str(), &four) == 1) return (ntohl(four.s_addr) >> 24) == 127;
  return host == "localhost" || host == "::1";
}

std::string ListenAddress::authority() const {
  return fmt::format(fmt::runtime(host.find(':') == std::string::npos ? "{}:{}" : "[{}]:{}"), host,
                     port);
}

ListenAddress parse_listen_address(const std::string& text) {
  const size_t colon = text.rfind(':');
  const bool has_port = colon != std::string::npos && colon + 1 < text.size() &&
                        text.find(']', colon) == std::string::npos;
  const auto address = split_authority(text, 0);
  if (address && has_port) return *address;
  throw Error(ErrorCode::InvalidArgument, "--listen", fmt::format("'{}' is no address with a port", text),
              "write ADDRESS:PORT, e.g. 127.0.0.1:8642; port 0 is any that is free");
}

std::string random_hex() {
  std::array<uint8_t, 16> bytes;
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    throw system_error("the token", "get random numbers", errno);
  return to_hex(bytes);
}

std::string read_token(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 && errno == ENOENT) {
    expect_outside_collections(file);
    const Descriptor made(::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!made.is_open()) throw system_error(file.string(), "make", errno);
    const std::string token = random_hex() + "\n";
    if (::write(made.get(), token.data(), token.size()) != static_cast<ssize_t>(token.size()))
      throw system_error(file.string(), "write", errno);
    return token.substr(0, token.size() - 1);
  }
  if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    throw Error(ErrorCode::InvalidArgument, file.string(), "others may read the token",
                fmt::format("chmod 600 {}", file.string()));
  const std::string content = read_file(file, 64 << 10);
  const std::string token(
      trimmed(std::string_view(content).substr(0, std::min(content.find('\n'), content.size()))));
  const bool is_plain =
      std::ranges::all_of(token, [](unsigned char c) { return c > ' ' && c < 0x7f; });
  if (token.size() < kLeastToken || token.size() > kMostToken || !is_plain)
    throw Error(ErrorCode::InvalidArgument, file.string(), "there is no usable token in it",
                fmt::format("its first line is the token, {} letters and digits or more; a file "
                            "that there is not is made",
                            kLeastToken));
  return token;
}

bool are_equal_secrets(std::string_view a, std::string_view b) {
  // Compares their hashes, so that nothing goes with where they differ, nor with their lengths.
  const ContentHash x = content_hash(std::as_bytes(std::span(a)));
  const ContentHash y = content_hash(std::as_bytes(std::span(b)));
  unsigned differ = 0;
  for (size_t i = 0; i < x.size(); ++i) differ |= static_cast<unsigned>(x[i] ^ y[i]);
  return differ == 0;
}

Guard::Guard(const ListenAddress& address, std::vector<std::string> names, std::string token)
    : address_(address), token_(std::move(token)) {
  for (std::string& name : names) names_.push_back(lower(std::move(name)));
  names_.push_back("localhost");
  if (!address.is_loopback()) {
    if (const std::string own = own_host_name(); !own.empty()) {
      names_.push_back(own);
      names_.push_back(own + ".local");
    }
  }
  names_.push_back(lower(address.host));
  if (token_.empty()) return;
  session_ = random_hex();
  code_ = random_hex();
}

bool Guard::is_own(const std::string& authority) const {
  const auto asked = split_authority(authority, 80);
  if (!asked || asked->port != address_.port) return false;
  if (std::ranges::find(names_, asked->host) != names_.end()) return true;
  // An address as a number is nobody's name, so it cannot have been made to point here.
  return address_.is_loopback() ? asked->is_loopback() : is_number_address(asked->host);
}

std::string Guard::cookie_name() const {
  return fmt::format("zeroshelf_{}", address_.port);  // cookies know no ports
}

bool Guard::is_known(const HttpHead& head) const {
  constexpr std::string_view kBearer = "bearer ";
  if (head.authorization.size() > kBearer.size() &&
      lower(head.authorization.substr(0, kBearer.size())) == kBearer &&
      are_equal_secrets(trimmed(std::string_view(head.authorization).substr(kBearer.size())),
                        token_))
    return true;
  const auto cookie = cookie_value(head.cookie, cookie_name());
  return cookie && are_equal_secrets(*cookie, session_);
}

HttpResponse Guard::with_cookie(int status) const {
  HttpResponse response;
  response.status = status;
  response.headers = {
      {"Location", "/"},
      {"Set-Cookie", fmt::format("{}={}; Path=/; HttpOnly; SameSite=Strict", cookie_name(), session_)}};
  return response;
}

HttpResponse Guard::login(std::string_view token) const {
  if (token_.empty() || !are_equal_secrets(token, token_)) return login_page(401);
  return with_cookie(303);
}

std::optional<HttpResponse> Guard::refusal(const HttpHead& head) {
  if (!is_own(head.host)) {
    return error_response(
        403, "forbidden", "Host", fmt::format("'{}' is no name of this server", to_utf8(head.host)),
        fmt::format("ask http://{}/, or start the server with --host-name", address_.authority()));
  }
  if (!head.origin.empty() && head.origin != "http://" + head.host &&
      head.origin != "https://" + head.host) {
    return error_response(403, "forbidden", "Origin",
                          fmt::format("'{}' is another site", to_utf8(head.origin)), "");
  }
  const bool opens_page =
      head.method == "GET" && head.path == "/" && head.fetch_mode == "navigate";
  if (!head.fetch_site.empty() && head.fetch_site != "same-origin" && head.fetch_site != "none" &&
      !opens_page) {
    return error_response(403, "forbidden", "Sec-Fetch-Site", "it is asked for by another site", "");
  }
  if (token_.empty() || head.path == "/healthz") return std::nullopt;
  if (head.method == "POST" && head.path == "/login") return std::nullopt;
  if (head.method == "GET" && head.path == "/") {
    const auto code = head.parameter("once");
    const std::lock_guard lock(mutex_);
    if (code && !code_is_used_ && are_equal_secrets(*code, code_)) {
      code_is_used_ = true;
      return with_cookie(303);
    }
  }
  if (is_known(head)) return std::nullopt;
  if (head.method == "GET" && (head.path == "/" || head.path == "/index.html"))
    return login_page(401);
  HttpResponse response =
      error_response(401, "forbidden", "Authorization", "the token is missing, or another one",
                     "send the header Authorization: Bearer TOKEN; the token is in the file that the "
                     "server was started with");
  response.headers.push_back({"WWW-Authenticate", "Bearer"});
  return response;
}

}  // namespace zeroshelf::serve
