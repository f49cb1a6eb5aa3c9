// The server by its sockets: answers one after the other, bounds, those who go away, and the end.
// What else clients send: serve_test.py, and the fuzzer's target "serve_head".

#include "query/serve/http_server.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>

#include "lib/util/error.h"

namespace zeroshelf::serve {
namespace {

class Client {
 public:
  explicit Client(uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    BOOST_REQUIRE(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    const timeval most{30, 0};
    ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
  }
  ~Client() { close(); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  void send(const std::string& text) const { ::send(socket_, text.data(), text.size(), MSG_NOSIGNAL); }
  // Until that stands at the end of what came, or the other side closes.
  std::string read_until(const std::string& end) const {
    std::string got;
    char buffer[4096];
    while (!got.ends_with(end) || end.empty()) {
      const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
      if (size <= 0) break;
      got.append(buffer, static_cast<size_t>(size));
    }
    return got;
  }
  std::string read_all() const { return read_until(""); }
  void close() {
    if (socket_ >= 0) ::close(socket_);
    socket_ = -1;
  }

 private:
  int socket_;
};

// Says the method, the path and the body; what else a path asks for is below.
struct Served {
  explicit Served(HttpLimits limits = {})
      : server(limits, {[this](const HttpHead& head) { return admit(head); },
                        [this](const HttpRequest& request) { return handle(request); },
                        [](int status, const std::string& cause, const std::string&) {
                          HttpResponse response;
                          response.status = status;
                          response.body = cause;
                          return response;
                        }}) {
    port = server.bind("127.0.0.1", 0);
    server.start();
  }

  HttpServer::Admission admit(const HttpHead& head) {
    HttpServer::Admission admission;
    admission.most_body_bytes = 10;
    if (head.path == "/refused") admission.refusal = HttpResponse{403, "text/plain", "no", {}, {}};
    return admission;
  }
  HttpResponse handle(const HttpRequest& request) {
    if (request.path == "/throws") throw std::runtime_error("odd");
    if (request.path == "/waits") {
      ++waiting;
      while (!request.is_abandoned()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
      ++abandoned;
    }
    HttpResponse response;
    response.content_type = "text/plain";
    if (request.path == "/stream") {
      response.stream = [](const HttpResponse::Write& write) {
        for (int i = 0; i < 3; ++i) write("piece");
      };
    } else if (request.path == "/cut") {
      response.stream = [](const HttpResponse::Write& write) {
        write("piece");
        throw std::runtime_error("odd");
      };
    } else {
      response.body = request.method + " " + request.path + " " + request.body + ".";
    }
    return response;
  }
  static void wait_for(const std::atomic<int>& number) {
    while (number == 0) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  std::atomic<int> waiting = 0;
  std::atomic<int> abandoned = 0;
  HttpServer server;
  uint16_t port = 0;
};

std::string request(const std::string& line, const std::string& body = "") {
  std::string text = line + " HTTP/1.1\r\nHost: x\r\n";
  if (line.starts_with("P")) text += "Content-Length: " + std::to_string(body.size()) + "\r\n";
  return text + "\r\n" + body;
}

bool has_status(const std::string& answer, int status) {
  return answer.starts_with("HTTP/1.1 " + std::to_string(status) + " ");
}

BOOST_AUTO_TEST_SUITE(http_server)

BOOST_AUTO_TEST_CASE(a_connection_is_answered_again_and_again) {
  const Served served;
  const Client client(served.port);
  client.send(request("GET /a"));
  BOOST_TEST(has_status(client.read_until("GET /a ."), 200));
  client.send(request("POST /b", "body"));
  BOOST_TEST(has_status(client.read_until("POST /b body."), 200));
  BOOST_TEST(served.server.counts().connections_taken == 1u);
}

BOOST_AUTO_TEST_CASE(a_refusal_ends_the_connection_and_its_body_is_no_request) {
  const Served served;
  const Client client(served.port);
  client.send(request("POST /refused", "GET /a HTTP/1.1\r\n\r\n"));
  const std::string answer = client.read_all();
  BOOST_TEST(has_status(answer, 403));
  BOOST_TEST(answer.find("HTTP/1.1", 1) == std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_is_too_long_or_of_no_length_is_refused) {
  const Served served;
  const auto answer = [&](const std::string& text) {
    const Client client(served.port);
    client.send(text);
    return client.read_all();
  };
  BOOST_TEST(has_status(answer(request("POST /a", std::string(11, 'x'))), 413));
  BOOST_TEST(has_status(answer(request("GET /" + std::string(1100, 'x'))), 414));
  BOOST_TEST(has_status(answer("POST /a HTTP/1.1\r\nHost: x\r\n\r\n"), 411));
  BOOST_TEST(has_status(answer("POST /a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"), 411));
  BOOST_TEST(has_status(answer("GET /a HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n"), 400));
}

BOOST_AUTO_TEST_CASE(an_answer_in_pieces_is_whole_or_seen_to_be_cut) {
  const Served served;
  const Client client(served.port);
  client.send(request("GET /stream"));
  const std::string whole = client.read_until("0\r\n\r\n");
  BOOST_TEST(whole.ends_with("5\r\npiece\r\n5\r\npiece\r\n5\r\npiece\r\n0\r\n\r\n"));
  client.send(request("GET /cut"));
  const std::string cut = client.read_all();
  BOOST_TEST(cut.ends_with("5\r\npiece\r\n"));
}

BOOST_AUTO_TEST_CASE(a_failure_of_the_handler_is_an_answer) {
  const Served served;
  const Client client(served.port);
  client.send(request("GET /throws"));
  BOOST_TEST(has_status(client.read_until("it could not be answered"), 500));
}

BOOST_AUTO_TEST_CASE(who_goes_away_is_not_waited_for) {
  Served served;
  Client client(served.port);
  client.send(request("GET /waits"));
  Served::wait_for(served.waiting);
  client.close();
  Served::wait_for(served.abandoned);
  BOOST_TEST(served.abandoned == 1);
}

BOOST_AUTO_TEST_CASE(the_end_does_not_wait_for_who_computes) {
  Served served;
  const Client client(served.port);
  client.send(request("GET /waits"));
  Served::wait_for(served.waiting);
  served.server.stop();
  BOOST_TEST(served.abandoned == 1);
  served.server.stop();
  BOOST_TEST(served.server.counts().connections == 0u);
}

BOOST_AUTO_TEST_CASE(one_too_many_costs_the_one_that_waited_longest) {
  HttpLimits limits;
  limits.connections = 2;
  const Served served(limits);
  // An answer arrives a little before its connection waits again.
  const auto until_waiting = [&](uint64_t connections) {
    while (served.server.counts().connections_waiting < connections)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  const Client first(served.port);
  first.send(request("GET /a"));
  first.read_until("GET /a .");
  until_waiting(1);
  const Client second(served.port);
  second.send(request("GET /b"));
  second.read_until("GET /b .");
  until_waiting(2);
  const Client third(served.port);
  third.send(request("GET /c"));
  BOOST_TEST(has_status(third.read_until("GET /c ."), 200));
  BOOST_TEST(first.read_all() == "");
}

BOOST_AUTO_TEST_CASE(a_head_has_its_time) {
  HttpLimits limits;
  limits.head_seconds = 0.2;
  const Served served(limits);
  const Client client(served.port);
  client.send("GET /a HTTP/1.1\r\nHost");
  BOOST_TEST(!has_status(client.read_all(), 200));
}

BOOST_AUTO_TEST_CASE(an_address_that_is_taken_or_not_ours_is_said) {
  const Served served;
  HttpServer other({}, {});
  BOOST_CHECK_THROW(other.bind("127.0.0.1", served.port), Error);
  BOOST_CHECK_THROW(other.bind("192.0.2.1", 0), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
