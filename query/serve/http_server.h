#pragma once

// An HTTP/1.1 server: the only user of cpp-httplib. Everything that a client can make large or slow
// is bounded here, before anybody sees it:
//
//   - connections; where there are too many, the one that has kept a request waiting for longest is
//     closed, so those who send nothing keep nobody out
//   - the size of the head, of the path and of the body, which must say its length beforehand
//   - the time in which a head has to come, a body to come, and an answer to be taken
//   - no ranges, no compression, no bodies of several parts
//
// A connection has a thread of its own, which waits for the network and calls the handler; what is
// computed at the same time is the handler's to bound.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "query/serve/http.h"

namespace zeroshelf::serve {

struct HttpLimits {
  size_t connections = 128;
  size_t head_bytes = 32 << 10;
  size_t path_bytes = 1024;
  double head_seconds = 10;   // from the first byte of a head to its last
  double idle_seconds = 60;   // between two requests of a connection
  double body_seconds = 20;   // for a body, and more by its size:
  double least_bytes_per_second = 64 << 10;
  double write_seconds = 20;  // in which some of an answer must be taken
  size_t requests_of_connection = 10'000;
};

struct HttpCounts {
  uint64_t connections = 0;        // open now
  uint64_t connections_taken = 0;  // since the start
  uint64_t connections_refused = 0;
  uint64_t connections_waiting = 0;  // of those that are open: for a request
};

class HttpServer {
 public:
  // What is to become of a request, told by its head. Either an answer, after which the connection
  // is closed and the body never read, or how many bytes the body may have.
  struct Admission {
    std::optional<HttpResponse> refusal;
    uint64_t most_body_bytes = 0;
  };
  // Both are called from several threads at once. What `handle` throws becomes `failure`'s answer.
  struct Handler {
    std::function<Admission(const HttpHead&)> admit;
    std::function<HttpResponse(const HttpRequest&)> handle;
    // What the server itself has to say: the status, the cause and the cure, which may be empty.
    std::function<HttpResponse(int status, const std::string& cause, const std::string& cure)>
        failure;
  };

  HttpServer(HttpLimits limits, Handler handler);
  ~HttpServer();  // stops
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Takes the address, a number or a name, and the port, 0: any that is free. Returns the port.
  // Throws Unavailable when it is taken, InvalidArgument when this machine has no such address.
  uint16_t bind(const std::string& address, uint16_t port);

  // Begins to answer, in threads of its own. Throws Unavailable.
  void start();

  // Takes no further connection, tells those who are being answered that nobody waits (see
  // is_abandoned), and returns when all are closed. Any number of times.
  void stop();

  HttpCounts counts() const;

 private:
  class Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace zeroshelf::serve
