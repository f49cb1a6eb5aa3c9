// Tested by tests/serve/serve_test.cc.

#include "query/serve/truths.h"

#include <utility>

namespace zeroshelf::serve {

Truths::Truths(const View& collection) : truth_(load_truth(collection, kTruthName)) {}

std::optional<std::string> Truths::label_of(const ContentHash& content) const {
  const std::lock_guard lock(mutex_);
  const std::string* label = truth_.find(content);
  return label == nullptr ? std::nullopt : std::optional(*label);
}

KeptTruth Truths::all() const {
  const std::lock_guard lock(mutex_);
  return truth_;
}

size_t Truths::count() const {
  const std::lock_guard lock(mutex_);
  return truth_.all().size();
}

uint64_t Truths::change(const View& collection, const std::function<uint64_t(KeptTruth&)>& change) {
  const std::lock_guard lock(mutex_);
  KeptTruth changed = load_truth(collection, kTruthName);  // another process may have said more
  const uint64_t result = change(changed);
  save_truth(collection, kTruthName, changed);
  truth_ = std::move(changed);
  return result;
}

}  // namespace zeroshelf::serve
