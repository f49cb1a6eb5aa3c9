#pragma once

// Where an indexing run's time goes, by stage.

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace zeroshelf {

enum class Stage { Read, Decode, Resize, Ocr, EncodeImages, EncodeTexts, Commit };
inline constexpr size_t kStages = 7;
inline constexpr std::array<std::string_view, kStages> kStageNames = {
    "read", "decode", "resize", "ocr", "encode_images", "encode_texts", "commit"};

// Thread time spent in each stage. Threads: any.
class StageTimes {
 public:
  using Seconds = std::array<double, kStages>;

  void add(Stage stage, std::chrono::nanoseconds time) {
    nanoseconds_[static_cast<size_t>(stage)] += static_cast<uint64_t>(time.count());
  }

  Seconds seconds() const {
    Seconds result{};
    for (size_t i = 0; i < kStages; ++i) result[i] = static_cast<double>(nanoseconds_[i]) * 1e-9;
    return result;
  }

 private:
  std::array<std::atomic<uint64_t>, kStages> nanoseconds_{};
};

// Counts for its stage from its beginning to its end.
class StageTimer {
 public:
  StageTimer(StageTimes& times, Stage stage) : times_(times), stage_(stage) {}
  ~StageTimer() { times_.add(stage_, std::chrono::steady_clock::now() - start_); }
  StageTimer(const StageTimer&) = delete;
  StageTimer& operator=(const StageTimer&) = delete;

 private:
  StageTimes& times_;
  Stage stage_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

}  // namespace zeroshelf
