#pragma once

// What people said of the pictures, in memory and with the collection.

#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "lib/labelling/kept_truth.h"
#include "lib/util/hash.h"
#include "lib/util/ranks.h"

namespace zeroshelf::serve {

// For the collection that is at that place when it is asked for: what another process says, and
// another collection that takes the place, are seen by the next call.
//
// Threads: any.
class Truths {
 public:
  // Reads what the collection has. Throws Corruption, Io.
  explicit Truths(const View& collection);

  // As it is now; what is said later is in the next one. Cost: a stat, and reading it where it is
  // another one. While there is no collection at the place, it is what it was. Throws Corruption,
  // Io.
  std::shared_ptr<const KeptTruth> all() const;
  size_t count() const;

  // Changes it as `change` does, on what is kept with the collection now, and keeps it. Throws what
  // change throws and Io; then nothing is changed. Returns what change returns.
  uint64_t change(const View& collection, const std::function<uint64_t(KeptTruth&)>& change);

 private:
  std::filesystem::path collection_;
  std::mutex change_mutex_;  // one changes it at a time; nobody who reads waits for that
  mutable std::mutex mutex_;
  mutable std::optional<std::string>
      mark_;  // of the file that truth_ was read from; absent: unknown
  mutable std::shared_ptr<const KeptTruth> truth_;
};

// The first process's, in all of them: a file system may show one of them what was said a little
// later than another. All call it together.
std::shared_ptr<const KeptTruth> truth_of_first(std::shared_ptr<const KeptTruth> own, Ranks& ranks);

std::optional<std::string> label_of(const KeptTruth& truth, const ContentHash& content);

// Under which name it is kept.
inline constexpr const char* kTruthName = "judged";

}  // namespace zeroshelf::serve
