#pragma once

// Requests and answers as the rest of the server sees them; http_server.h carries them.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace zeroshelf::serve {

// Everything of a request before its body. All of it is hostile.
struct HttpHead {
  std::string method;
  std::string path;                           // percent-decoded
  std::multimap<std::string, std::string> query;  // decoded
  // The headers that matter; empty: not there, or there several times where once is meant.
  std::string host;
  std::string origin;
  std::string authorization;
  std::string cookie;
  std::string content_type;
  std::string fetch_site;  // Sec-Fetch-Site
  std::string fetch_mode;  // Sec-Fetch-Mode
  std::string if_none_match;
  uint64_t body_bytes = 0;

  // The first of that name.
  std::optional<std::string> parameter(const std::string& name) const {
    const auto found = query.find(name);
    return found == query.end() ? std::nullopt : std::optional(found->second);
  }
};

struct HttpRequest : HttpHead {
  std::string body;
  // Whether nobody waits for the answer any more: the other side has closed, or the server ends.
  // Cheap enough to be asked every few hundred microseconds. Never empty.
  std::function<bool()> is_abandoned;
};

struct HttpResponse {
  int status = 200;
  std::string content_type;
  std::string body;
  std::vector<std::pair<std::string, std::string>> headers;
  // In place of body: called once, gives the body piece by piece to `write`, which returns false
  // when it cannot be written any more. What it throws ends the connection, so that the other side
  // sees an answer that was cut short.
  using Write = std::function<bool(std::string_view piece)>;
  std::function<void(const Write& write)> stream;
};

}  // namespace zeroshelf::serve
