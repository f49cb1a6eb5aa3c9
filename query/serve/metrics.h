#pragma once

// How often each endpoint was asked, and how long it took, for Prometheus.

#include <array>
#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace zeroshelf::serve {

// Threads: any.
class Metrics {
 public:
  // Counts a request when it is answered. The name must outlive the metrics.
  class Timer {
   public:
    Timer(Metrics& metrics, std::string_view endpoint)
        : metrics_(metrics), endpoint_(endpoint), start_(std::chrono::steady_clock::now()) {}
    void ends(int status) const;

   private:
    Metrics& metrics_;
    std::string_view endpoint_;
    std::chrono::steady_clock::time_point start_;
  };

  // In Prometheus' text format, version 0.0.4.
  std::string text() const;

 private:
  static constexpr std::array<double, 12> kBounds = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                     0.1,   0.25,   0.5,   1,    2.5,   10};
  struct Endpoint {
    std::map<int, uint64_t> of_status;
    std::array<uint64_t, kBounds.size()> within{};
    uint64_t count = 0;
    double seconds = 0;
  };

  mutable std::mutex mutex_;
  std::map<std::string_view, Endpoint> endpoints_;
};

// One line with its help and type: a number that the server has.
void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, double value);

}  // namespace zeroshelf::serve
