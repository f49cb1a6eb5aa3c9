// Tested by tests/serve/truths_test.cc.

#include "query/serve/truths.h"

#include <utility>

namespace zeroshelf::serve {

Truths::Truths(const View& collection)
    : truth_(std::make_shared<const KeptTruth>(load_truth(collection, kTruthName))) {}

std::shared_ptr<const KeptTruth> Truths::all() const {
  const std::lock_guard lock(mutex_);
  return truth_;
}

std::optional<std::string> Truths::label_of(const ContentHash& content) const {
  const auto truth = all();
  const std::string* label = truth->find(content);
  return label == nullptr ? std::nullopt : std::optional(*label);
}

size_t Truths::count() const {
  return all()->all().size();
}

uint64_t Truths::change(const View& collection, const std::function<uint64_t(KeptTruth&)>& change) {
  const std::lock_guard changing(change_mutex_);
  KeptTruth changed = load_truth(collection, kTruthName);  // another process may have said more
  const uint64_t result = change(changed);
  save_truth(collection, kTruthName, changed);
  auto kept = std::make_shared<const KeptTruth>(std::move(changed));
  const std::lock_guard lock(mutex_);
  truth_ = std::move(kept);
  return result;
}

}  // namespace zeroshelf::serve
