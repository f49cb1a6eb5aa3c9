// Tested by tests/serve/jobs_test.cc.

#include "query/serve/jobs.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "query/serve/errors.h"

namespace zeroshelf::serve {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kMostWaiting = 100;
constexpr size_t kMostEnded = 100;

}  // namespace

std::string_view job_state_name(JobState state) {
  switch (state) {
    case JobState::Running:
      return "running";
    case JobState::Done:
      return "done";
    case JobState::Failed:
      return "failed";
    case JobState::Cancelled:
      return "cancelled";
  }
  return "failed";
}

void Jobs::Progress::update(const std::function<void(Job&)>& change) const {
  const std::lock_guard lock(jobs_.mutex_);
  if (Entry* entry = jobs_.entry_of(id_)) change(entry->job);
}

bool Jobs::Progress::is_cancelled() const {
  const std::lock_guard lock(jobs_.mutex_);
  const Entry* entry = jobs_.entry_of(id_);
  return entry == nullptr || entry->is_cancelled;
}

Jobs::Jobs() : thread_([this] { work(); }) {}

Jobs::~Jobs() {
  end_all();
}

void Jobs::end_all() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    for (const auto& entry : entries_) entry->is_cancelled = true;
  }
  due_.notify_all();
  if (thread_.joinable()) thread_.join();
}

Jobs::Entry* Jobs::entry_of(const std::string& id) {
  const auto found =
      std::ranges::find_if(entries_, [&](const auto& entry) { return entry->job.id == id; });
  return found == entries_.end() ? nullptr : found->get();
}

Job Jobs::start(Job job, std::function<void(const Progress&)> work) {
  const std::lock_guard lock(mutex_);
  const auto has_ended = [](const auto& entry) { return entry->has_ended(); };
  const auto ended = static_cast<size_t>(std::ranges::count_if(entries_, has_ended));
  if (entries_.size() - ended >= kMostWaiting)
    throw Error(ErrorCode::Unavailable, "jobs", "too many wait", "ask again when some have ended");
  if (ended > kMostEnded) entries_.erase(std::ranges::find_if(entries_, has_ended));
  job.id = std::to_string(++numbers_);
  entries_.push_back(std::make_shared<Entry>(Entry{std::move(job), std::move(work), ends_}));
  due_.notify_one();
  return entries_.back()->job;
}

std::optional<Job> Jobs::find(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& entry : entries_) {
    if (entry->job.id == id) return entry->job;
  }
  return std::nullopt;
}

std::vector<Job> Jobs::all() const {
  const std::lock_guard lock(mutex_);
  std::vector<Job> jobs;
  for (const auto& entry : entries_) jobs.push_back(entry->job);
  std::ranges::reverse(jobs);
  return jobs;
}

bool Jobs::cancel(const std::string& id) {
  const std::lock_guard lock(mutex_);
  Entry* entry = entry_of(id);
  if (entry == nullptr) return false;
  entry->is_cancelled = true;
  return true;
}

void Jobs::work() {
  std::unique_lock lock(mutex_);
  while (true) {
    const auto next = [this] {
      return std::ranges::find_if(entries_, [](const auto& entry) { return !entry->has_ended(); });
    };
    due_.wait(lock, [&] { return ends_ || next() != entries_.end(); });
    if (next() == entries_.end()) return;
    const std::shared_ptr<Entry> entry = *next();
    lock.unlock();
    run(entry);
    lock.lock();
  }
}

void Jobs::run(const std::shared_ptr<Entry>& entry) {
  const auto start = Clock::now();
  const Progress progress(*this, entry->job.id);
  JobState state = JobState::Done;
  std::optional<Error> error;
  try {
    if (progress.is_cancelled()) throw Abandoned();
    entry->work(progress);
  } catch (const Abandoned&) {
    state = JobState::Cancelled;
  } catch (const Error& thrown) {
    state = JobState::Failed;
    error = thrown;
  } catch (const std::exception& thrown) {
    state = JobState::Failed;
    error = Error(ErrorCode::Io, entry->job.name, thrown.what());
  }
  const std::lock_guard lock(mutex_);
  entry->job.state = state;
  entry->job.error = std::move(error);
  entry->job.seconds = std::chrono::duration<double>(Clock::now() - start).count();
  entry->work = nullptr;
}

}  // namespace zeroshelf::serve
