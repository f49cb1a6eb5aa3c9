#pragma once

// How an indexing run shows itself while it goes on.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "indexer/sync.h"
#include "lib/output/output_stream.h"

namespace zeroshelf {

// On a terminal a line that is drawn again and again: files, rate, time left, skips. Elsewhere only
// the skipped files, one line each. All on stderr.
class TextProgress : public SyncObserver {
 public:
  TextProgress();
  void planned(uint64_t files_to_read) override;
  void read_one() override;
  void skipped(const SkippedFile& file) override;
  // Ends the line.
  void finish();

 private:
  void draw();
  void erase();

  using Clock = std::chrono::steady_clock;
  bool terminal_;
  bool drawn_ = false;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
  uint64_t skips_ = 0;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_drawn_;
};

// The same as JSON lines on stdout: {"type":"plan"}, {"type":"skip"}, {"type":"commit"}.
class JsonProgress : public SyncObserver {
 public:
  explicit JsonProgress(OutputStream& out) : out_(out) {}
  void planned(uint64_t files_to_read) override;
  void read_one() override { ++done_; }
  void skipped(const SkippedFile& file) override;
  void committed(uint64_t pictures) override;

 private:
  OutputStream& out_;
  uint64_t total_ = 0;
  uint64_t done_ = 0;
};

// {"type":"skip","path":...,"reason":...,"detail":...}
std::string skip_json(const SkippedFile& file);

}  // namespace zeroshelf
