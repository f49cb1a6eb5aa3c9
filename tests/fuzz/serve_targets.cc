// What clients send to the server: JSON bodies, and whole requests through the HTTP layer.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <memory>
#include <thread>

#include "query/serve/asked.h"
#include "query/serve/errors.h"
#include "query/serve/guard.h"
#include "query/serve/http_server.h"
#include "tests/fuzz/file_targets.h"

namespace zeroshelf::testing {
namespace {

using namespace serve;

void check_labelling(const AskedLabelling& asked) {
  promise(asked.request.vectors.empty(), "no path of a request is read");
  promise(asked.request.labels.size() <= 1001, "labels are bounded");
  promise(asked.request.classifier.empty() != asked.request.labels.empty(),
          "labels or a classifier");
  const std::optional<float> threshold = asked.request.threshold;
  promise(!threshold || (*threshold >= -1 && *threshold <= 1), "a threshold is a score");
  promise(asked.key({}) == asked.key({}), "a key is one");
}

void read_labelling(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  const AskedLabelling asked = ask_labelling(members);
  ask_order(members);
  members.whole("per_label", 0, 1000);
  members.expect_no_others();
  check_labelling(asked);
}

void read_search(const std::string& body) {
  const AskedSearch asked = ask_search(body);
  promise(!asked.terms.empty(), "there is something to search for");
  for (const AskedTerm& term : asked.terms) {
    promise(term.term.kind != SearchTerm::Kind::PictureFile &&
                term.term.kind != SearchTerm::Kind::PictureOfCollection &&
                term.term.kind != SearchTerm::Kind::Vector,
            "no path of a request is read");
  }
  if (asked.labelling) check_labelling(*asked.labelling);
}

// A server on the loopback interface whose handler says what it was given.
class Echo {
 public:
  Echo() : server_(limits(), handler()) {
    port_ = server_.bind("127.0.0.1", 0);
    server_.start();
  }

  // A thousand connections a second use up the ports of this machine, which come back after a
  // minute.
  static bool connect_when_ports_are_free(int socket, const sockaddr_in& address) {
    constexpr int kTries = 2000;
    for (int i = 0; i < kTries; ++i) {
      if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0)
        return true;
      if (errno != EADDRNOTAVAIL) return false;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }

  // Everything that comes back.
  std::string ask(const std::string& bytes) const {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port_);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    promise(connect_when_ports_are_free(socket, address), "the server takes connections");
    ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    ::shutdown(socket, SHUT_WR);
    std::string got;
    char buffer[4096];
    for (pollfd asked{socket, POLLIN, 0}; ::poll(&asked, 1, 20'000) > 0;) {
      const ssize_t size = ::recv(socket, buffer, sizeof buffer, 0);
      if (size <= 0) break;
      got.append(buffer, static_cast<size_t>(size));
    }
    ::close(socket);
    return got;
  }

 private:
  static HttpLimits limits() {
    HttpLimits limits;
    limits.connections = 4;
    return limits;
  }
  static HttpServer::Handler handler() {
    const auto guard =
        std::make_shared<Guard>(ListenAddress{"127.0.0.1", 80}, std::vector<std::string>(), "");
    return {[guard](const HttpHead& head) {
              promise(head.path.size() <= 1024, "a path is bounded");
              return HttpServer::Admission{guard->refusal(head), 1000};
            },
            [](const HttpRequest& request) {
              promise(request.body.size() <= 1000, "a body is bounded");
              HttpResponse response;
              response.content_type = "text/plain";
              response.body = request.method + " " + std::to_string(request.body.size());
              return response;
            },
            [](int status, const std::string& cause, const std::string& cure) {
              return error_response(status, "invalid_argument", "the request", cause, cure);
            }};
  }

  HttpServer server_;
  uint16_t port_ = 0;
};

std::string read_request(const Echo& echo, const std::string& bytes) {
  const std::string got = echo.ask(bytes);
  promise(got.empty() || got.starts_with("HTTP/1.1 "), "what comes back is an answer, or nothing");
  promise(!got.starts_with("HTTP/1.1 500"), "no promise of the server is broken");
  return got.substr(0, got.find('\r'));  // with the words of the status
}

}  // namespace

Target serve_json_target() {
  return {
      "",
      {R"({"labels":[{"name":"cat","prompts":["a {}"]},{"name":"dog"}],"fusion":"mix","threshold":0.5})",
       R"({"labels":[{"name":"a"}],"none":["x"],"template":["photo","a {}"],"multi":true,"client":"c"})",
       R"({"classifier":"pets","sort":"margin","per_label":5})",
       R"({"text":"two \"words\"","plus":["a",{"row":1,"weight":2}],"minus":[{"vector":[1,2]}],"k":5})",
       R"({"image":"AAAA","in":"text","filters":{"path":["*.jpg"],"since":"2024-01-01","has_text":true,"run":"r","label":["a"]}})"},
      {"\"labels\":", "\"prompts\":", "\"threshold\":", "null", "1e999", "-0", "{}", "[]",
       "\\u0000", "\\ud800", "\"filters\":{", "\"labelling\":{", "18446744073709551616", "../",
       "true"},
      nullptr,
      [](const std::string& input) {
        return outcome_of([&] { read_labelling(input); }).substr(0, 20) +
               outcome_of([&] { read_search(input); });
      }};
}

Target serve_head_target() {
  const auto echo = std::make_shared<Echo>();
  return {"",
          {"GET /v1/collection?a=b%20c HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
           "POST /v1/classify HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
           "Content-Length: 2\r\n\r\n{}GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
           "PUT /v1/truth HTTP/1.0\r\nHost: localhost\r\nOrigin: http://localhost\r\nExpect: "
           "100-continue\r\nContent-Length: 3\r\n\r\nabc"},
          {"\r\n", "\r\n\r\n", "HTTP/1.1", "Host: 127.0.0.1",
           "Content-Length: ", "Transfer-Encoding: chunked", "Content-Encoding: gzip",
           "multipart/form-data; boundary=", "Range: bytes=0-", "%00", "%", "?", "#",
           "Connection: keep-alive", "18446744073709551616", "DELETE ", "HEAD ", "PRI * HTTP/2.0"},
          nullptr,
          [echo](const std::string& input) { return read_request(*echo, input); }};
}

}  // namespace zeroshelf::testing
