#pragma once

// Work that goes on when its request has been answered: exports and undos, one after the other.

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "lib/util/error.h"

namespace zeroshelf::serve {

enum class JobState { Running, Done, Failed, Cancelled };
std::string_view job_state_name(JobState state);

struct Job {
  std::string id;
  std::string kind;  // "export" or "undo"
  std::string name;  // of the export
  std::string target;
  JobState state = JobState::Running;
  uint64_t done = 0;
  uint64_t total = 0;
  double seconds = 0;
  std::string told;
  uint64_t exported = 0;
  uint64_t failed = 0;
  std::vector<Error> failures;  // the first of them
  std::optional<Error> error;
  bool moves = false;  // so that it can be undone
};

// Threads: any.
class Jobs {
 public:
  // What work tells of itself, and where it hears that it is to end.
  class Progress {
   public:
    Progress(Jobs& jobs, std::string id) : jobs_(jobs), id_(std::move(id)) {}
    // Changes what is known of the job; may be called from any thread.
    void update(const std::function<void(Job&)>& change) const;
    bool is_cancelled() const;

   private:
    Jobs& jobs_;
    std::string id_;
  };

  Jobs();
  ~Jobs();

  // Begins it, behind those that run; what work throws is its end. Throws Unavailable where a
  // hundred wait.
  Job start(Job job, std::function<void(const Progress&)> work);
  std::optional<Job> find(const std::string& id) const;
  std::vector<Job> all() const;  // the newest first; of those that have ended the last hundred
  bool cancel(const std::string& id);
  // Cancels all and waits for the one that runs.
  void end_all();

 private:
  struct Entry {
    Job job;
    std::function<void(const Progress&)> work;
    bool is_cancelled = false;

    bool has_ended() const { return job.state != JobState::Running; }
  };
  Entry* entry_of(const std::string& id);
  void work();
  void run(const std::shared_ptr<Entry>& entry);

  mutable std::mutex mutex_;
  std::condition_variable due_;
  std::deque<std::shared_ptr<Entry>> entries_;  // the oldest first
  uint64_t numbers_ = 0;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace zeroshelf::serve
