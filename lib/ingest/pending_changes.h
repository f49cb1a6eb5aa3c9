#pragma once

// When to look at the folders again, after the system told that something happened there: not at
// once, since a copy of many files is many events, and not while a file is still being written. No
// clock and no file is asked here.
//
// A look is a whole sync: it finds what there is, whatever was told. So nothing that is told need be
// remembered but that something was, and which files were begun and not finished.

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/files/find_files.h"
#include "lib/files/folder_watch.h"

namespace zeroshelf {

struct QuietOptions {
  std::chrono::milliseconds quiet{1'000};       // so long nothing happened
  std::chrono::milliseconds most_wait{10'000};  // after the first change, while more and more come
  // A file that was created and not closed since, and was not changed for so long, is taken for
  // complete; before that it is left alone.
  std::chrono::milliseconds writing{60'000};
  std::chrono::milliseconds every{3'600'000};  // a look at least so often
  int rest_times = 9;  // between two looks, in times of what looking at all files took
};

class PendingChanges {
 public:
  using Clock = std::chrono::steady_clock;

  PendingChanges(QuietOptions options, Clock::time_point now);

  void note(const FolderEvent& event, Clock::time_point now);
  // When the next look shall begin; in the past: now. With other periods than the options' own.
  Clock::time_point due(std::chrono::milliseconds every) const;
  Clock::time_point due() const { return due(options_.every); }

  // A look begins: what was noted is seen by it.
  void begin_look();
  // Asked for each file of a look: whether it is left alone. now_ns: since the epoch.
  bool is_being_written(const FoundFile& file, int64_t now_ns);
  // cost: what looking at all files took, without what was done with them.
  void end_look(Clock::time_point now, Clock::duration cost);
  // The look failed: another one after that time.
  void try_again(Clock::time_point now, Clock::duration after);

 private:
  QuietOptions options_;
  std::optional<Clock::time_point> first_;  // change since the last look
  Clock::time_point last_{};
  Clock::time_point not_before_;
  Clock::time_point looked_;
  // Files that were created and not closed, and since when they are known to be so.
  std::unordered_map<std::string, Clock::time_point> open_;
  std::vector<std::string> left_alone_;  // by the look that goes on
};

}  // namespace zeroshelf
