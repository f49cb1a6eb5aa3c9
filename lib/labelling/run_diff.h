#pragma once

// What changed between two runs.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/labelling/run.h"

namespace zeroshelf {

// How many pictures had one label and now have another. Absent: no answer.
struct Transition {
  std::optional<std::string> from;
  std::optional<std::string> to;
  uint64_t pictures = 0;
  bool is_move() const { return from != to; }
};

struct MovedPicture {
  Row row = 0;
  std::string path;
  const RunEntry* before = nullptr;  // of the runs that were compared, which must outlive this
  const RunEntry* after = nullptr;
};

struct RunDiff {
  std::vector<Transition> transitions;  // also from a label to itself; most pictures first
  std::vector<MovedPicture> moved;      // by path
  uint64_t same = 0;                    // pictures with the same label in both
  uint64_t only_before = 0;             // pictures of the collection that only one run knows
  uint64_t only_after = 0;
  uint64_t in_neither = 0;
};

// Labels are the same when their names are. Pictures are those that the collection has now.
RunDiff diff_runs(const View& collection, const Run& before, const Run& after);

// The name of a run's label; nothing for no answer.
std::optional<std::string> label_name(const Run& run, std::optional<uint32_t> label);

}  // namespace zeroshelf
