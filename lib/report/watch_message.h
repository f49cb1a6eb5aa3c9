#pragma once

// What watch says to other programs (see messages.h for what holds for every line).

#include <cstdint>
#include <string_view>

#include "lib/report/json.h"
#include "lib/report/messages.h"

namespace zeroshelf::message {

// Everything was looked at, and what comes from now on is taken up.
struct Watching {
  static constexpr std::string_view kType = "watching";
  uint64_t folders = 0;
  uint64_t pictures = 0;
};
void write_members(JsonWriter& json, const Watching& watching);

// A new picture's answer by a run that is kept current: a prediction with the run's name.
struct RunPrediction {
  static constexpr std::string_view kType = Prediction::kType;
  std::string_view run;
  const Prediction& prediction;
};
void write_members(JsonWriter& json, const RunPrediction& answer);

}  // namespace zeroshelf::message
