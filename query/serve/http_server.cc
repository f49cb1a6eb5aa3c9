// Tested by tests/serve/http_server_test.cc.
//
// cpp-httplib 0.11 parses and writes; what it leaves open is closed here:
//   - It reads for as long as bytes trickle in, and lines of any length. So it reads through a
//     stream of ours, which counts and looks at the clock.
//   - It answers some requests without having read their body, and takes the body for the next
//     request. So a connection is closed where a body was not read.
//   - It stacks a call for every character of a path that it matches with a pattern. So paths are
//     bounded before.
//   - It reads bodies of unknown length without a limit, inflates compressed ones, and answers any
//     number of overlapping ranges. None of these are taken.

#include "query/serve/http_server.h"

#include <fcntl.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include <httplib.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <condition_variable>
#include <cstring>
#include <deque>
#include <map>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include "lib/util/error.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

Clock::time_point after(double seconds) {
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(
                            std::chrono::duration<double>(seconds));
}

// Waits until the socket is ready for what is asked, or the time has come. False: it has.
bool wait_for(int socket, short events, Clock::time_point deadline) {
  while (true) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    pollfd asked{socket, events, 0};
    const int ready = ::poll(&asked, 1, static_cast<int>(std::clamp<int64_t>(left, 0, 60'000)));
    if (ready > 0) return true;
    if (ready < 0 && errno != EINTR) return false;
    if (ready == 0 && Clock::now() >= deadline) return false;
  }
}

// A connection, as httplib reads and writes it.
class Connection : public httplib::Stream {
 public:
  Connection(int socket, const HttpLimits& limits) : socket_(socket), limits_(limits) {}

  // --- between requests ------------------------------------------------------------------------

  // Waits for the first byte of a request. False: none came, or the other side has closed.
  bool wait_for_request() {
    if (begin_ < end_) return true;
    return wait_for(socket_, POLLIN, after(limits_.idle_seconds)) && fill() > 0;
  }

  void begin_head() {
    head_bytes_left_ = limits_.head_bytes;
    deadline_ = after(limits_.head_seconds);
    is_failed_ = false;
  }
  void begin_body(uint64_t bytes) {
    head_bytes_left_ = SIZE_MAX;
    deadline_ = after(limits_.body_seconds +
                      static_cast<double>(bytes) / limits_.least_bytes_per_second);
  }

  // Nothing that is read from now on is to be trusted.
  void close_after_answer() { closes_ = true; }
  bool closes() const { return closes_ || is_failed_; }

  // What was refused may still be on its way: it is read for a moment and dropped, so that the other
  // side gets to the answer before it learns that nobody listens.
  void let_go() {
    constexpr size_t kMostDropped = 64 << 20;
    if (!closes_ || ::shutdown(socket_, SHUT_WR) != 0) return;
    const Clock::time_point deadline = after(2);
    for (size_t dropped = 0; dropped < kMostDropped && wait_for(socket_, POLLIN, deadline);) {
      const ssize_t got = fill();
      if (got <= 0) return;
      dropped += static_cast<size_t>(got);
    }
  }

  // The other side has closed, or reset. (One that only ends its sending is taken to be gone, too:
  // no client that waits for an answer does that.)
  bool is_gone() const {
    pollfd asked{socket_, POLLRDHUP, 0};
    return ::poll(&asked, 1, 0) > 0;
  }

  // --- httplib's -------------------------------------------------------------------------------

  bool is_readable() const override { return begin_ < end_; }
  bool is_writable() const override {
    pollfd asked{socket_, POLLOUT, 0};
    return ::poll(&asked, 1, 0) > 0 && (asked.revents & (POLLERR | POLLHUP)) == 0;
  }
  ssize_t read(char* out, size_t size) override {
    if (is_failed_) return -1;
    if (begin_ == end_) {
      if (!wait_for(socket_, POLLIN, deadline_)) return fail();
      const ssize_t got = fill();
      if (got <= 0) {
        is_failed_ = true;
        return got;
      }
    }
    const size_t taken = std::min({size, end_ - begin_, head_bytes_left_});
    if (taken == 0) return fail();
    std::memcpy(out, buffer_ + begin_, taken);
    begin_ += taken;
    if (head_bytes_left_ != SIZE_MAX) head_bytes_left_ -= taken;
    return static_cast<ssize_t>(taken);
  }
  ssize_t write(const char* data, size_t size) override {
    const Clock::time_point deadline = after(limits_.write_seconds);
    while (true) {
      const ssize_t sent = ::send(socket_, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
      if (sent >= 0) return sent;
      if (errno == EINTR) continue;
      if ((errno != EAGAIN && errno != EWOULDBLOCK) || !wait_for(socket_, POLLOUT, deadline))
        return fail();
    }
  }
  void get_remote_ip_and_port(std::string&, int&) const override {}
  void get_local_ip_and_port(std::string&, int&) const override {}
  // Only compared with what select() can take, which is never called for this stream.
  socket_t socket() const override { return 0; }

 private:
  ssize_t fail() {
    is_failed_ = true;
    return -1;
  }
  ssize_t fill() {
    ssize_t got = 0;
    do {
      got = ::recv(socket_, buffer_, sizeof buffer_, MSG_DONTWAIT);
    } while (got < 0 && errno == EINTR);
    begin_ = 0;
    end_ = got > 0 ? static_cast<size_t>(got) : 0;
    return got;
  }

  int socket_;
  const HttpLimits& limits_;
  char buffer_[16 << 10];
  size_t begin_ = 0;
  size_t end_ = 0;
  size_t head_bytes_left_ = 0;
  Clock::time_point deadline_;
  bool closes_ = false;
  bool is_failed_ = false;
};

// The answering thread's.
thread_local Connection* t_connection = nullptr;

// The connections that there are, and those of them that wait for a request.
class Register {
 public:
  void add(int socket) {
    const std::lock_guard lock(mutex_);
    open_.emplace(socket, State{Clock::now(), true});
    ++taken_;
  }
  void remove(int socket) {
    const std::lock_guard lock(mutex_);
    open_.erase(socket);
  }
  void waits(int socket, bool waiting) {
    const std::lock_guard lock(mutex_);
    open_.at(socket) = {Clock::now(), waiting};
  }
  // Ends the one that has waited for longest. False: none waits.
  bool end_longest_waiting() {
    const std::lock_guard lock(mutex_);
    auto longest = open_.end();
    for (auto it = open_.begin(); it != open_.end(); ++it) {
      if (it->second.waiting && !it->second.ended &&
          (longest == open_.end() || it->second.since < longest->second.since))
        longest = it;
    }
    if (longest == open_.end()) return false;
    end(*longest);
    return true;
  }
  // Ends those that wait; the others read no more, and may tell their answer.
  void end_all() {
    const std::lock_guard lock(mutex_);
    for (auto& one : open_) {
      if (one.second.waiting) {
        end(one);
      } else {
        ::shutdown(one.first, SHUT_RD);
      }
    }
  }
  void refused() { ++refused_; }
  HttpCounts counts() const {
    const std::lock_guard lock(mutex_);
    const auto waiting = std::ranges::count_if(
        open_, [](const auto& one) { return one.second.waiting && !one.second.ended; });
    return {open_.size(), taken_, refused_, static_cast<uint64_t>(waiting)};
  }

 private:
  struct State {
    Clock::time_point since;
    bool waiting = true;
    bool ended = false;
  };
  static void end(std::pair<const int, State>& one) {
    one.second.ended = true;
    ::shutdown(one.first, SHUT_RDWR);  // its own thread closes it
  }

  mutable std::mutex mutex_;
  std::map<int, State> open_;
  uint64_t taken_ = 0;
  std::atomic<uint64_t> refused_ = 0;
};

// A thread a connection, up to a number; threads that are there are used again.
class ConnectionThreads : public httplib::TaskQueue {
 public:
  ConnectionThreads(size_t most, Register& connections) : most_(most), connections_(connections) {}

  // Nothing before cpp-httplib 0.14, then whether it is taken: it always is.
  using Enqueued = decltype(std::declval<httplib::TaskQueue&>().enqueue(nullptr));

  Enqueued enqueue(std::function<void()> task) override {
    if (!take(task)) {
      is_refusing() = true;
      task();
      is_refusing() = false;
    }
    return Enqueued(true);
  }

  void shutdown() override {
    {
      const std::lock_guard lock(mutex_);
      ends_ = true;
    }
    due_.notify_all();
    for (std::thread& thread : threads_) thread.join();
  }

  // Whether what this thread is given is to be refused.
  static bool& is_refusing() {
    thread_local bool refusing = false;
    return refusing;
  }

 private:
  // False: there is no thread for it.
  bool take(std::function<void()>& task) {
    const std::lock_guard lock(mutex_);
    // Else somebody's place becomes free in a moment.
    const bool has_place = idle_ > tasks_.size() || start_thread() ||
                           (tasks_.size() < most_ && connections_.end_longest_waiting());
    if (!has_place) return false;
    tasks_.push_back(std::move(task));
    due_.notify_one();
    return true;
  }
  // With the lock.
  bool start_thread() {
    if (threads_.size() >= most_) return false;
    try {
      threads_.emplace_back([this] { work(); });
      return true;
    } catch (const std::system_error&) {  // the system allows no more
      return !threads_.empty() && tasks_.size() < most_ && connections_.end_longest_waiting();
    }
  }
  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      ++idle_;
      due_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
      --idle_;
      if (tasks_.empty()) return;
      const std::function<void()> task = std::move(tasks_.front());
      tasks_.pop_front();
      lock.unlock();
      task();
      lock.lock();
    }
  }

  const size_t most_;
  Register& connections_;
  std::mutex mutex_;
  std::condition_variable due_;
  std::deque<std::function<void()>> tasks_;
  std::vector<std::thread> threads_;
  size_t idle_ = 0;
  bool ends_ = false;
};

// The value of a header; nothing where it is absent. several: whether it stands more than once.
std::string only_value(const httplib::Headers& headers, const char* name, bool& several) {
  const auto [first, last] = headers.equal_range(name);
  if (first == last) return "";
  if (std::next(first) != last) several = true;
  return first->second;
}

}  // namespace

class HttpServer::Implementation : public httplib::Server {
 public:
  Implementation(HttpLimits limits, HttpServer::Handler handler)
      : limits_(limits), handler_(std::move(handler)) {
    set_tcp_nodelay(true);
    set_keep_alive_max_count(limits.requests_of_connection);
    set_keep_alive_timeout(static_cast<time_t>(limits.idle_seconds));
    set_payload_max_length(SIZE_MAX);  // bounded before it is read
    new_task_queue = [this] { return new ConnectionThreads(limits_.connections, connections_); };
    set_pre_routing_handler([this](const httplib::Request& request, httplib::Response& response) {
      return admit(request, response);
    });
    const auto handle = [this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
    };
    const char* any = ".*";
    Get(any, handle).Post(any, handle).Put(any, handle).Delete(any, handle);
    // What httplib itself refuses has no body yet.
    set_error_handler(HandlerWithResponse([this](const httplib::Request&,
                                                 httplib::Response& response) {
      if (response.body.empty() && !response.content_provider_)
        tell(response, handler_.failure(response.status, "the request cannot be understood",
                                        "send HTTP/1.1"));
      return HandlerResponse::Handled;
    }));
    set_exception_handler(
        [this](const httplib::Request&, httplib::Response& response, std::exception_ptr) {
          tell(response, handler_.failure(500, "it could not be answered", ""));
        });
  }

  uint16_t bind_to(const std::string& address, uint16_t port) {
    set_socket_options([](socket_t socket) {
      const int yes = 1;
      ::setsockopt(socket, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    });
    errno = 0;
    int bound = -1;
    if (port == 0) {
      bound = bind_to_any_port(address);
    } else if (bind_to_port(address, port)) {
      bound = port;
    }
    const int cause = errno;
    if (bound > 0) {
      // httplib lets 5 wait to be taken, and the sixth tries again after a second.
      ::listen(svr_sock_, SOMAXCONN);
      return static_cast<uint16_t>(bound);
    }
    const std::string subject = address + ":" + std::to_string(port);
    if (cause == EADDRINUSE)
      throw Error(ErrorCode::Unavailable, subject, "another program listens there",
                  "name another port, or 0 for any that is free");
    throw Error(ErrorCode::InvalidArgument, subject,
                "cannot listen there" + (cause != 0 ? ": " + errno_text(cause) : ""),
                "name an address of this machine and a port, e.g. 127.0.0.1:8642");
  }

  void start_listening() {
    listener_ = std::thread([this] { listen_after_bind(); });
    while (!is_running()) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }

  void stop_listening() {
    ends_ = true;
    if (!listener_.joinable()) return;
    stop();
    connections_.end_all();  // one that comes after this sees `ends_`
    listener_.join();
  }

  HttpCounts counts() const { return connections_.counts(); }

 private:
  // --- connections -----------------------------------------------------------------------------

  bool process_and_close_socket(socket_t socket) override {
    if (ConnectionThreads::is_refusing()) {
      refuse(socket);
    } else {
      connections_.add(socket);
      converse(socket);
      connections_.remove(socket);
    }
    ::shutdown(socket, SHUT_RDWR);
    ::close(socket);
    return true;
  }

  void refuse(int socket) {
    connections_.refused();
    const std::string body =
        handler_.failure(503, "too many connections", "close some, and ask again").body;
    const std::string text =
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/json\r\nConnection: "
        "close\r\nRetry-After: 1\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body;
    ::send(socket, text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  void converse(int socket) {
    Connection connection(socket, limits_);
    t_connection = &connection;
    for (size_t left = limits_.requests_of_connection; left > 0 && !ends_; --left) {
      connections_.waits(socket, true);
      if (ends_ || !connection.wait_for_request()) break;
      connection.begin_head();
      bool closed = false;
      bool is_understood = false;  // else what follows cannot be, either
      const bool is_last = left == 1;
      const bool written = process(*this, connection, is_last, closed, [&](httplib::Request& it) {
        is_understood = true;
        connections_.waits(socket, false);
        // Neither parts of an answer nor compressed ones are given.
        it.ranges.clear();
        it.headers.erase("Range");
        it.headers.erase("Accept-Encoding");
      });
      if (!is_understood) connection.close_after_answer();
      if (!written || closed || connection.closes()) break;
    }
    connection.let_go();
    t_connection = nullptr;
  }

  // From cpp-httplib 0.15 on it is also given the addresses, which handlers would see and none asks for.
  static bool process(auto& server, Connection& connection, bool is_last, bool& closed,
                      const std::function<void(httplib::Request&)>& set_up) {
    if constexpr (requires { server.process_request(connection, is_last, closed, set_up); }) {
      return server.process_request(connection, is_last, closed, set_up);
    } else {
      return server.process_request(connection, "", 0, "", 0, is_last, closed, set_up);
    }
  }

  // --- requests --------------------------------------------------------------------------------

  HttpHead head_of(const httplib::Request& request, bool& several) const {
    HttpHead head;
    head.method = request.method;
    head.path = request.path;
    head.query.insert(request.params.begin(), request.params.end());
    const auto header = [&](const char* name) {
      return only_value(request.headers, name, several);
    };
    head.host = header("Host");
    head.origin = header("Origin");
    head.authorization = header("Authorization");
    head.cookie = header("Cookie");
    head.content_type = header("Content-Type");
    head.fetch_site = header("Sec-Fetch-Site");
    head.fetch_mode = header("Sec-Fetch-Mode");
    head.if_none_match = header("If-None-Match");
    return head;
  }

  // The length of the body as the request tells it. Refusal: it cannot be read.
  std::optional<HttpResponse> read_length(const httplib::Request& request, HttpHead& head,
                                          bool& several) const {
    const std::string length = only_value(request.headers, "Content-Length", several);
    const bool has_coding = request.headers.count("Transfer-Encoding") > 0;
    const bool may_have_body = head.method == "POST" || head.method == "PUT";
    if (has_coding || (may_have_body && length.empty()))
      return handler_.failure(411, "the length of the body must be told beforehand",
                              "send Content-Length, and no Transfer-Encoding");
    if (!length.empty()) {
      const bool is_number = length.size() <= 15 &&
                             length.find_first_not_of("0123456789") == std::string::npos;
      if (!is_number)
        return handler_.failure(400, "the length of the body is no number",
                                "send Content-Length: the number of its bytes");
      head.body_bytes = std::stoull(length);
    }
    if (request.headers.count("Content-Encoding") > 0)
      return handler_.failure(415, "the body must not be compressed",
                              "send it as it is, without Content-Encoding");
    if (request.is_multipart_form_data() ||
        head.content_type.starts_with("application/x-www-form-urlencoded"))
      return handler_.failure(415, "forms are not taken",
                              "send Content-Type: application/json (text/csv for a CSV file)");
    return std::nullopt;
  }

  std::optional<HttpResponse> refusal_of(const httplib::Request& request) const {
    bool several = false;
    HttpHead head = head_of(request, several);
    if (head.path.size() > limits_.path_bytes)
      return handler_.failure(414, "the path is too long",
                              "GET /openapi.json tells which there are");
    if (head.method != "GET" && head.method != "HEAD" && head.method != "POST" &&
        head.method != "PUT" && head.method != "DELETE")
      return handler_.failure(405, "there is no such method here",
                              "use GET, HEAD, POST, PUT or DELETE");
    if (auto refusal = read_length(request, head, several)) return refusal;
    if (several) return handler_.failure(400, "a header is given twice", "send it once");
    HttpServer::Admission admission = handler_.admit(head);
    if (admission.refusal) return std::move(admission.refusal);
    const bool may_have_body = head.method == "POST" || head.method == "PUT";
    if (head.body_bytes > 0 && !may_have_body)
      return handler_.failure(400, "a " + head.method + " has no body", "send it without one");
    if (head.body_bytes > admission.most_body_bytes)
      return handler_.failure(413,
                              "the body has " + std::to_string(head.body_bytes) +
                                  " bytes; at most " + std::to_string(admission.most_body_bytes) +
                                  " are taken",
                              "send less at once");
    t_connection->begin_body(head.body_bytes);
    return std::nullopt;
  }

  HandlerResponse admit(const httplib::Request& request, httplib::Response& response) const {
    std::optional<HttpResponse> refusal = refusal_of(request);
    if (!refusal) return HandlerResponse::Unhandled;
    // Its body would be taken for the next request.
    t_connection->close_after_answer();
    response.set_header("Connection", "close");
    tell(response, *std::move(refusal));
    return HandlerResponse::Handled;
  }

  void answer(const httplib::Request& request, httplib::Response& response) const {
    bool several = false;
    HttpRequest asked;
    static_cast<HttpHead&>(asked) = head_of(request, several);
    asked.body = request.body;
    asked.is_abandoned = [this, connection = t_connection] {
      return ends_.load(std::memory_order_relaxed) || connection->is_gone();
    };
    tell(response, handler_.handle(asked));
  }

  static void tell(httplib::Response& response, HttpResponse answer) {
    response.status = answer.status;
    for (const auto& [name, value] : answer.headers) response.headers.emplace(name, value);
    if (answer.stream) {
      response.set_chunked_content_provider(
          answer.content_type,
          [stream = std::move(answer.stream)](size_t, httplib::DataSink& sink) {
            try {
              stream([&](std::string_view piece) {
                return piece.empty() || sink.write(piece.data(), piece.size());
              });
            } catch (const std::exception&) {
              t_connection->close_after_answer();
              return false;
            }
            sink.done();
            return true;
          });
      return;
    }
    if (!answer.content_type.empty()) {
      response.headers.erase("Content-Type");
      response.headers.emplace("Content-Type", answer.content_type);
    }
    response.body = std::move(answer.body);
  }

  const HttpLimits limits_;
  const HttpServer::Handler handler_;
  mutable Register connections_;
  std::thread listener_;
  std::atomic<bool> ends_ = false;
};

HttpServer::HttpServer(HttpLimits limits, Handler handler)
    : implementation_(std::make_unique<Implementation>(limits, std::move(handler))) {}

HttpServer::~HttpServer() {
  stop();
}

uint16_t HttpServer::bind(const std::string& address, uint16_t port) {
  return implementation_->bind_to(address, port);
}

void HttpServer::start() {
  implementation_->start_listening();
}

void HttpServer::stop() {
  implementation_->stop_listening();
}

HttpCounts HttpServer::counts() const {
  return implementation_->counts();
}

}  // namespace zeroshelf::serve
