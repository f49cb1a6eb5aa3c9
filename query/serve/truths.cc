// Tested by tests/serve/truths_test.cc.

#include "query/serve/truths.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdint>
#include <span>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/collection/layout.h"

namespace zeroshelf::serve {
namespace {

namespace fs = std::filesystem;

// Another one after every change: a file that is kept takes the place of the one before. Absent:
// there is no collection.
std::optional<std::string> mark_of(const fs::path& collection) {
  struct stat status {};
  const fs::path file = collection / layout::kAttachmentsFolder / kTruthKind / kTruthName;
  if (::stat(file.c_str(), &status) == 0)
    return fmt::format("{} {} {} {}.{} {}.{}", status.st_dev, status.st_ino, status.st_size,
                       status.st_mtim.tv_sec, status.st_mtim.tv_nsec, status.st_ctim.tv_sec,
                       status.st_ctim.tv_nsec);
  if (errno != ENOENT) return fmt::format("error {}", errno);
  if (::stat((collection / layout::kCurrentFile).c_str(), &status) != 0) return std::nullopt;
  return "none";
}

KeptTruth read_truth_of(const fs::path& collection) {
  const auto bytes = Attachments(collection).get(kTruthKind, kTruthName);
  return bytes ? decode_truth(*bytes, fmt::format("truth {}", kTruthName)) : KeptTruth();
}

}  // namespace

Truths::Truths(const View& collection)
    : collection_(collection.directory()), truth_(std::make_shared<const KeptTruth>()) {
  all();
}

std::shared_ptr<const KeptTruth> Truths::all() const {
  const std::lock_guard lock(mutex_);
  const auto mark = mark_of(collection_);
  if (!mark || mark == mark_) return truth_;
  auto truth = std::make_shared<const KeptTruth>(read_truth_of(collection_));
  const auto mark_after = mark_of(collection_);
  if (!mark_after) return truth_;  // it went away meanwhile
  truth_ = std::move(truth);
  mark_ = mark_after == mark ? mark : std::nullopt;
  return truth_;
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
  mark_.reset();  // another process may have kept its own meanwhile
  return result;
}

std::shared_ptr<const KeptTruth> truth_of_first(std::shared_ptr<const KeptTruth> own,
                                                Ranks& ranks) {
  const std::string bytes = encode_truth(*own);
  const std::string mark =
      fmt::format("{} {:016x}", bytes.size(), checksum64(std::as_bytes(std::span(bytes))));
  uint64_t same = ranks.broadcast(mark) == mark;
  ranks.add_up(std::span(&same, 1));
  if (same == ranks.size()) return own;
  const std::string of_first = ranks.broadcast(bytes);
  if (ranks.is_first()) return own;
  return std::make_shared<const KeptTruth>(decode_truth(of_first, kRanksMessage));
}

std::optional<std::string> label_of(const KeptTruth& truth, const ContentHash& content) {
  const std::string* label = truth.find(content);
  return label == nullptr ? std::nullopt : std::optional(*label);
}

}  // namespace zeroshelf::serve
