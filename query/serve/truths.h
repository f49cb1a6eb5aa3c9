#pragma once

// What people said of the pictures, in memory and with the collection.

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "lib/labelling/kept_truth.h"
#include "lib/util/hash.h"

namespace zeroshelf::serve {

// Threads: any.
class Truths {
 public:
  // Reads what the collection has. Throws Corruption, Io.
  explicit Truths(const View& collection);

  std::optional<std::string> label_of(const ContentHash& content) const;
  // As it is now; what is said later is in the next one.
  std::shared_ptr<const KeptTruth> all() const;
  size_t count() const;

  // Changes it as `change` does, on what is kept with the collection now, and keeps it. Throws what
  // change throws and Io; then nothing is changed. Returns what change returns.
  uint64_t change(const View& collection, const std::function<uint64_t(KeptTruth&)>& change);

 private:
  std::mutex change_mutex_;  // one changes it at a time; nobody who reads waits for that
  mutable std::mutex mutex_;
  std::shared_ptr<const KeptTruth> truth_;
};

// Under which name it is kept.
inline constexpr const char* kTruthName = "judged";

}  // namespace zeroshelf::serve
