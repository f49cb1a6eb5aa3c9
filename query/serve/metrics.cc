// Tested by tests/serve/metrics_test.cc.

#include "query/serve/metrics.h"

#include <fmt/format.h>

#include <iterator>

namespace zeroshelf::serve {

void Metrics::Timer::ends(int status) const {
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  const std::lock_guard lock(metrics_.mutex_);
  Endpoint& endpoint = metrics_.endpoints_[endpoint_];
  ++endpoint.of_status[status];
  ++endpoint.count;
  endpoint.seconds += seconds;
  for (size_t i = 0; i < kBounds.size(); ++i) endpoint.within[i] += seconds <= kBounds[i];
}

std::string Metrics::text() const {
  const std::lock_guard lock(mutex_);
  std::string out =
      "# HELP zeroshelf_requests_total Requests that were answered.\n"
      "# TYPE zeroshelf_requests_total counter\n";
  const auto to = std::back_inserter(out);
  for (const auto& [name, endpoint] : endpoints_) {
    for (const auto& [status, count] : endpoint.of_status)
      fmt::format_to(to, "zeroshelf_requests_total{{endpoint=\"{}\",status=\"{}\"}} {}\n", name,
                     status, count);
  }
  out +=
      "# HELP zeroshelf_request_seconds How long the answers took.\n"
      "# TYPE zeroshelf_request_seconds histogram\n";
  for (const auto& [name, endpoint] : endpoints_) {
    for (size_t i = 0; i < kBounds.size(); ++i)
      fmt::format_to(to, "zeroshelf_request_seconds_bucket{{endpoint=\"{}\",le=\"{}\"}} {}\n", name,
                     kBounds[i], endpoint.within[i]);
    fmt::format_to(to,
                   "zeroshelf_request_seconds_bucket{{endpoint=\"{0}\",le=\"+Inf\"}} {1}\n"
                   "zeroshelf_request_seconds_sum{{endpoint=\"{0}\"}} {2}\n"
                   "zeroshelf_request_seconds_count{{endpoint=\"{0}\"}} {1}\n",
                   name, endpoint.count, endpoint.seconds);
  }
  return out;
}

void append_metric(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help, double value) {
  fmt::format_to(std::back_inserter(out), "# HELP {0} {2}\n# TYPE {0} {1}\n{0} {3}\n", name, type,
                 help, value);
}

}  // namespace zeroshelf::serve
