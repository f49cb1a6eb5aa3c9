// Tested by tests/ingest/pending_changes_test.cc.

#include "lib/ingest/pending_changes.h"

#include <algorithm>
#include <utility>

namespace zeroshelf {

PendingChanges::PendingChanges(QuietOptions options, Clock::time_point now)
    : options_(options), not_before_(now), looked_(now) {}

void PendingChanges::note(const FolderEvent& event, Clock::time_point now) {
  if (event.kind == FolderEvent::Kind::Created) {
    open_[event.path] = now;
    return;
  }
  if (event.kind == FolderEvent::Kind::Finished) open_.erase(event.path);
  if (event.kind == FolderEvent::Kind::Lost) open_.clear();  // that they were closed may be lost
  if (!first_) first_ = now;
  last_ = now;
}

PendingChanges::Clock::time_point PendingChanges::due(std::chrono::milliseconds every) const {
  Clock::time_point when = looked_ + every;
  if (first_) when = std::min({when, last_ + options_.quiet, *first_ + options_.most_wait});
  for (const auto& [path, since] : open_) when = std::min(when, since + options_.writing);
  return std::max(when, not_before_);
}

void PendingChanges::begin_look() {
  first_.reset();
  left_alone_.clear();
}

bool PendingChanges::is_being_written(const FoundFile& file, int64_t now_ns) {
  if (!open_.contains(file.path)) return false;
  const auto age = std::chrono::nanoseconds(now_ns) - std::chrono::nanoseconds(file.mtime_ns);
  if (std::chrono::abs(age) >= options_.writing) return false;
  left_alone_.push_back(file.path);
  return true;
}

void PendingChanges::end_look(Clock::time_point now, Clock::duration cost) {
  open_.clear();
  for (std::string& path : std::exchange(left_alone_, {})) open_[std::move(path)] = now;
  looked_ = now;
  not_before_ = now + options_.rest_times * cost;
}

void PendingChanges::try_again(Clock::time_point now, Clock::duration after) {
  if (!first_) first_ = now;
  last_ = now;
  not_before_ = now + after;
}

}  // namespace zeroshelf
