#pragma once

// How an indexing run shows itself while it goes on.

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "lib/ingest/sync.h"
#include "lib/util/output_stream.h"

namespace zeroshelf {

// The numbers that both kinds of progress show.
class RunningNumbers {
 public:
  using Clock = std::chrono::steady_clock;

  void begin(uint64_t total);
  void read_one() { ++done_; }
  void skipped() { ++skips_; }
  // Looks at the stages once a second.
  void look(const StageTimes& times);

  uint64_t total() const { return total_; }
  uint64_t done() const { return done_; }
  uint64_t skips() const { return skips_; }
  double per_second() const;                   // since the beginning
  std::optional<double> seconds_left() const;  // absent before the first file
  // The stage in which the threads spent most of the last second; empty before one is over.
  std::string_view bottleneck() const { return bottleneck_; }

 private:
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  uint64_t skips_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point looked_ = start_;
  StageTimes::Seconds before_{};
  std::string_view bottleneck_;
};

// The line of a terminal that many columns wide: a bar, files, rate, time left, skips, bottleneck.
// Never longer than one column less, so that it does not wrap.
std::string progress_line(const RunningNumbers& numbers, int columns);

// On a terminal a line that is drawn again and again. Elsewhere only the skipped files: the first
// few of each reason, one line each, and how many more there were. All on stderr.
class TextProgress : public SyncObserver {
 public:
  // collection: to be named where more is told than is shown.
  explicit TextProgress(std::filesystem::path collection);
  // Before there are numbers.
  void begin();
  void planned(uint64_t files_to_read) override;
  void read_one() override;
  void skipped(const SkippedFile& file) override;
  void working(const StageTimes& times) override;
  // Ends the line, and sums up the skips.
  void finish();

 private:
  void draw();
  void erase();

  using Clock = std::chrono::steady_clock;
  std::filesystem::path collection_;
  std::map<SkipReason, uint64_t> skips_;
  bool terminal_;
  bool drawn_ = false;
  RunningNumbers numbers_;
  Clock::time_point last_drawn_;
};

// The same as JSON lines on stdout: {"type":"plan"}, {"type":"skip"}, {"type":"commit"}, and once
// a second {"type":"progress"} with what the line of a terminal shows.
class JsonProgress : public SyncObserver {
 public:
  explicit JsonProgress(OutputStream& out) : out_(out) {}
  void planned(uint64_t files_to_read) override;
  void read_one() override { numbers_.read_one(); }
  void skipped(const SkippedFile& file) override;
  void committed(uint64_t pictures) override;
  void working(const StageTimes& times) override;

 private:
  OutputStream& out_;
  RunningNumbers numbers_;
  RunningNumbers::Clock::time_point last_written_ = RunningNumbers::Clock::now();
};

// The stages of a run and their share, as lines of text.
std::string profile_text(const StageTimes::Seconds& seconds);

// {"type":"skip","path":...,"reason":...,"detail":...}
std::string skip_json(const SkippedFile& file);

}  // namespace zeroshelf
