// The server of a large collection, as a page and other programs ask it: ten labels of which one is
// another with every request, and searches; how long an answer takes, and how many there are a
// second.
//
//   ./dev bench serve [ROWS [FOLDER]]     default 1,000,000 rows of 512, 40 % with text
//
// With FOLDER the collection stays there and is used again by the next run.

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <nlohmann/json.hpp>
#include <string>
#include <thread>
#include <vector>

#include "benchmarks/random_shelf.h"
#include "lib/program/version.h"
#include "lib/util/parallel.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLabels = 10;
constexpr size_t kPrompts = 4000;  // that are known without a model

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

std::string prompt_of(size_t number) {
  return fmt::format("label {}", number % kPrompts);
}

// --- the server ---------------------------------------------------------------------------------

class ServerProcess {
 public:
  explicit ServerProcess(const std::filesystem::path& collection) {
    int pipe_ends[2];
    if (::pipe(pipe_ends) != 0) std::abort();
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
    posix_spawn_file_actions_addclose(&actions, pipe_ends[0]);
    std::vector<std::string> arguments = {ZEROSHELF_QUERY_PROGRAM, "serve", collection.string(),
                                          "--listen", "127.0.0.1:0", "--read-only"};
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    if (posix_spawn(&pid_, argv[0], &actions, nullptr, argv.data(), environ) != 0) std::abort();
    posix_spawn_file_actions_destroy(&actions);
    ::close(pipe_ends[1]);
    std::string line;
    for (char c; ::read(pipe_ends[0], &c, 1) == 1 && c != '\n';) line += c;
    const std::string url = nlohmann::json::parse(line).at("url");
    port_ = static_cast<uint16_t>(std::stoi(url.substr(url.rfind(':') + 1)));
  }
  ~ServerProcess() {
    ::kill(pid_, SIGTERM);
    int status = 0;
    ::waitpid(pid_, &status, 0);
  }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;
  uint16_t port() const { return port_; }

 private:
  pid_t pid_ = 0;
  uint16_t port_ = 0;
};

// A connection that is kept.
class Client {
 public:
  explicit Client(uint16_t port) : port_(port), socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const int yes = 1;
    ::setsockopt(socket_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
      std::abort();
  }
  ~Client() { ::close(socket_); }
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  // The bytes of the answer, which must be a 200.
  std::string post(const std::string& path, const std::string& body) {
    const std::string request = fmt::format(
        "POST {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\n"
        "Content-Length: {}\r\n\r\n{}",
        path, port_, body.size(), body);
    for (size_t sent = 0; sent < request.size();) {
      const ssize_t size = ::send(socket_, request.data() + sent, request.size() - sent, 0);
      if (size <= 0) fail("cannot send");
      sent += static_cast<size_t>(size);
    }
    std::string got;
    size_t end = std::string::npos;
    while ((end = got.find("\r\n\r\n")) == std::string::npos) receive(got);
    if (!got.starts_with("HTTP/1.1 200")) fail(got);
    const size_t at = got.find("Content-Length: ");
    const size_t length = std::strtoull(got.c_str() + at + 16, nullptr, 10);
    while (got.size() < end + 4 + length) receive(got);
    return got.substr(end + 4);
  }

 private:
  void receive(std::string& got) {
    char buffer[65536];
    const ssize_t size = ::recv(socket_, buffer, sizeof buffer, 0);
    if (size <= 0) fail("the server closed");
    got.append(buffer, static_cast<size_t>(size));
  }
  [[noreturn]] static void fail(const std::string& why) {
    fmt::print(stderr, "bench_serve: {}\n", why.substr(0, 500));
    std::exit(2);
  }

  uint16_t port_;
  int socket_;
};

// --- what is asked ------------------------------------------------------------------------------

// Ten labels, of which the `edit`th request has another one than the request before.
std::string labels_body(size_t edit, size_t per_label, const std::string& more = "") {
  std::string labels;
  for (size_t k = 0; k < kLabels; ++k) {
    const size_t number = k + kLabels * (edit / kLabels + (k < edit % kLabels ? 1 : 0));
    labels += fmt::format("{}{{\"name\":\"{}\"}}", k == 0 ? "" : ",", prompt_of(number));
  }
  return fmt::format("{{\"labels\":[{}],\"per_label\":{}{}}}", labels, per_label, more);
}

std::string search_body(size_t number, uint64_t rows) {
  return fmt::format("{{\"row\":{},\"k\":20,\"all\":true}}", number * 7919 % rows);
}

double quantile(std::vector<double> values, double share) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(share * static_cast<double>(values.size() - 1))];
}

void latencies(uint16_t port, const char* what, size_t count,
               const std::function<std::string(size_t)>& body, const char* path) {
  Client client(port);
  client.post(path, body(count + 1));
  std::vector<double> ms;
  size_t bytes = 0;
  for (size_t i = 0; i < count; ++i) {
    const auto start = Clock::now();
    bytes += client.post(path, body(i)).size();
    ms.push_back(1000 * seconds_since(start));
  }
  fmt::print("{:44} {:8.1f} {:8.1f} {:8.1f} {:9.0f}\n", what, quantile(ms, 0.5),
             quantile(ms, 0.9), quantile(ms, 0.99),
             static_cast<double>(bytes) / static_cast<double>(count) / 1024);
}

void throughput(uint16_t port, const char* what, const char* path, size_t clients, double seconds,
                const std::function<std::string(size_t)>& body) {
  std::atomic<size_t> asked = 0;
  std::atomic<size_t> answered = 0;
  const auto start = Clock::now();
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clients; ++i) {
    threads.emplace_back([&] {
      Client client(port);
      while (seconds_since(start) < seconds) {
        client.post(path, body(asked++));
        ++answered;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  fmt::print("{:44} {:8} {:10.1f}\n", what, clients,
             static_cast<double>(answered) / seconds_since(start));
}

void report(uint64_t rows, const std::filesystem::path& path) {
  auto start = Clock::now();
  const uint64_t texts = make_random_shelf(path, rows).texts();
  std::vector<std::string> prompts;
  for (size_t i = 0; i < kPrompts; ++i) prompts.push_back(prompt_of(i));
  keep_random_prompts(path, prompts);
  fmt::print("zeroshelf {}, {} rows of {}, {} with text, {} cores; made or opened in {:.0f} s\n",
             version(), rows, kRandomShelfDimension, texts, available_cores(),
             seconds_since(start));
  start = Clock::now();
  const ServerProcess server(path);
  fmt::print("the server listens after {:.2f} s\n\n", seconds_since(start));

  fmt::print("{:44} {:>8} {:>8} {:>8} {:>9}\n", "one client, ms", "median", "p90", "p99",
             "KiB");
  latencies(server.port(), "classify, a label edited, 50 pictures a label", 200,
            [](size_t i) { return labels_body(i, 50); }, "/v1/classify");
  latencies(server.port(), "classify, a label edited, 12 pictures a label", 200,
            [](size_t i) { return labels_body(i, 12); }, "/v1/classify");
  latencies(server.port(), "classify, the threshold moved, 12 a label", 200,
            [](size_t i) {
              return labels_body(0, 12, fmt::format(",\"threshold\":{:.3f}",
                                                    static_cast<double>(i % 900) / 1000));
            },
            "/v1/classify");
  latencies(server.port(), "further pages of a shelf, 100 pictures", 200,
            [](size_t i) {
              std::string body = labels_body(0, 0);
              body.resize(body.rfind(",\"per_label\""));
              return body + fmt::format(",\"label\":\"label 3\",\"limit\":100,\"offset\":{}}}",
                                        100 * (i % 300));
            },
            "/v1/classify/pictures");
  latencies(server.port(), "search, like a picture", 100,
            [&](size_t i) { return search_body(i, rows); }, "/v1/search");

  fmt::print("\n{:44} {:>8} {:>10}\n", "answers a second", "clients", "a second");
  for (const size_t clients : {1, 8, 64}) {
    throughput(server.port(), "classify, a label edited, 12 pictures a label", "/v1/classify",
               clients, 10, [](size_t i) { return labels_body(i + 5000, 12); });
    throughput(server.port(), "classify, the same labels", "/v1/classify", clients, 5,
               [](size_t) { return labels_body(0, 12); });
    throughput(server.port(), "search, like a picture", "/v1/search", clients, 10,
               [&](size_t i) { return search_body(i, rows); });
  }
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  const uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  if (rows < 10'000 || rows > 100'000'000 || argc > 3) {
    fmt::print(stderr, "usage: bench_serve [ROWS [FOLDER]], ROWS from 10,000 to 100,000,000\n");
    return 2;
  }
  const zeroshelf::testing::TemporaryDirectory directory;
  zeroshelf::report(rows, argc > 2 ? std::filesystem::path(argv[2]) : directory / "collection");
}
