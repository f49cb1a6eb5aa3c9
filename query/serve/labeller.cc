// Tested by tests/serve/labeller_test.cc.

#include "query/serve/labeller.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <span>
#include <utility>

#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labelling/labelling_bytes.h"
#include "lib/labelling/told_apart.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "query/serve/chorus.h"

namespace zeroshelf::serve {
namespace {

constexpr size_t kMostEntries = 16;
constexpr size_t kMostBytes = size_t{512} << 20;  // but one in any case
constexpr size_t kPromptsAtOnce = 32;
constexpr size_t kMostClients = 10'000;

// What is kept under these names now, since another may be kept under the same name later.
std::string kept_marks(const View& view, const LabellingRequest& request) {
  std::string marks;
  const auto add = [&](std::string_view kind, const std::string& name) {
    if (name.empty()) return;
    const auto bytes = view.attachments().get(kind, name);
    marks += bytes ? fmt::format("{:x}", checksum64(std::as_bytes(std::span(*bytes)))) : "none";
    marks += '\n';
  };
  add(kCalibrationKind, request.calibration);
  add(kClassifierKind, request.classifier);
  return marks;
}

std::string key_of(const Snapshot& snapshot, const AskedLabelling& asked) {
  return fmt::format("{}\n", snapshot.serial) + kept_marks(snapshot.view, asked.request) +
         asked.key(snapshot.view.manifest());
}

}  // namespace

Gate::Pass::Pass(Gate& gate, const GoOn& go_on) : gate_(gate) {
  constexpr auto kLook = std::chrono::milliseconds(5);
  std::unique_lock lock(gate_.mutex_);
  place_ = gate_.queue_.insert(gate_.queue_.end(), 0);
  while (place_ != gate_.queue_.begin()) {
    gate_.moved_.wait_for(lock, kLook);
    lock.unlock();
    try {
      go_on();
    } catch (...) {
      lock.lock();
      gate_.queue_.erase(place_);
      gate_.moved_.notify_all();
      throw;
    }
    lock.lock();
  }
}

Gate::Pass::~Pass() {
  const std::lock_guard lock(gate_.mutex_);
  gate_.queue_.erase(place_);
  gate_.moved_.notify_all();
}

size_t Gate::waiting() const {
  const std::lock_guard lock(mutex_);
  return queue_.size();
}

uint64_t Clients::arrive(const std::string& kind, const std::string& client) {
  const std::lock_guard lock(mutex_);
  ++numbers_;
  if (client.empty()) return numbers_;
  if (latest_.size() > kMostClients) latest_.clear();
  latest_[kind + client] = numbers_;
  return numbers_;
}

bool Clients::is_overtaken(const std::string& kind, const std::string& client,
                           uint64_t number) const {
  if (client.empty()) return false;
  const std::lock_guard lock(mutex_);
  const auto found = latest_.find(kind + client);
  return found != latest_.end() && found->second > number;
}

Matrix Labeller::encode(const std::vector<std::string>& prompts, const GoOn& go_on) {
  Matrix vectors;
  for (size_t first = 0; first < prompts.size(); first += kPromptsAtOnce) {
    go_on();
    const size_t count = std::min(kPromptsAtOnce, prompts.size() - first);
    const Matrix some =
        encoder_.encode_texts(std::span(prompts).subspan(first, count), LongText::Truncate);
    if (first == 0) vectors = Matrix(prompts.size(), some.columns());
    for (size_t i = 0; i < count; ++i)
      std::ranges::copy(some.row(i), vectors.row(first + i).begin());
  }
  return vectors;
}

LabelVectors Labeller::label_vectors(const SnapshotPointer& snapshot,
                                     const LabellingRequest& request, const GoOn& go_on) {
  const EncodePrompts encode_prompts = [&](const std::vector<std::string>& prompts) {
    return encode(prompts, go_on);
  };
  return zeroshelf::label_vectors(snapshot->view, request, encode_prompts);
}

Labelling Labeller::labelling(const SnapshotPointer& snapshot, const AskedLabelling& asked,
                              const GoOn& go_on) {
  if (ranks_of(snapshot->view) != nullptr && has_examples(asked.request.labels))
    throw Error(ErrorCode::InvalidArgument, "labels",
                "pictures among prompts are compared with all parts in one process",
                "describe the labels in words, or start serve without mpirun");
  const EncodePrompts encode_prompts = [&](const std::vector<std::string>& prompts) {
    return encode(prompts, go_on);
  };
  return make_labelling(snapshot->view, asked.request, encode_prompts);
}

std::shared_ptr<const Shelves> Labeller::find(const std::string& key) {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(entries_, key, &Entry::key);
  if (found == entries_.end()) return nullptr;
  entries_.splice(entries_.begin(), entries_, found);
  ++hits_;
  return found->shelves;
}

void Labeller::keep(std::string key, std::shared_ptr<const Shelves> shelves) {
  const std::lock_guard lock(mutex_);
  ++scans_;
  entries_.push_front({std::move(key), std::move(shelves)});
  size_t bytes = 0;
  size_t kept = 0;
  for (const Entry& entry : entries_) {
    bytes += entry.shelves->bytes();
    if (kept > 0 && (bytes > kMostBytes || kept >= kMostEntries)) break;
    ++kept;
  }
  entries_.resize(kept);
}

std::shared_ptr<const Shelves> Labeller::shelves(const SnapshotPointer& snapshot,
                                                 const AskedLabelling& asked, const GoOn& go_on) {
  if (Ranks* ranks = ranks_of(snapshot->view))
    return shelves_together(snapshot, asked, go_on, *ranks);
  const std::string key = key_of(*snapshot, asked);
  if (auto known = find(key)) return known;
  const Gate::Pass pass(gate_, go_on);
  if (auto known = find(key)) return known;  // somebody asked the same meanwhile
  auto shelves = std::make_shared<const Shelves>(snapshot, labelling(snapshot, asked, go_on),
                                                 asked.multi(), go_on);
  keep(key, shelves);
  return shelves;
}

// The first process makes the labelling, and each its own shelves. One may still have what another
// had to forget, since shelves differ in size.
std::shared_ptr<const Shelves> Labeller::shelves_together(const SnapshotPointer& snapshot,
                                                          const AskedLabelling& asked,
                                                          const GoOn& go_on, Ranks& ranks) {
  const std::string key = ranks.made_by_first([&] { return key_of(*snapshot, asked); });
  std::shared_ptr<const Shelves> known = find(key);
  if (sum_of_all(*snapshot, known != nullptr) == ranks.size()) return known;
  const Labelling made = labelling_of_bytes(
      ranks.made_by_first([&] { return bytes_of_labelling(labelling(snapshot, asked, go_on)); }));
  ranks.agree_after([&] {
    if (known) return;
    known = std::make_shared<const Shelves>(snapshot, made, asked.multi(), go_on);
    keep(key, known);
  });
  return known;
}

std::vector<std::string> Labeller::warnings(const Labelling& labelling) const {
  return label_warnings(labelling, encoder_.loaded());
}

void Labeller::forget_others(uint64_t serial) {
  const std::lock_guard lock(mutex_);
  entries_.remove_if(
      [&](const Entry& entry) { return entry.shelves->snapshot()->serial != serial; });
}

Labeller::Figures Labeller::figures() const {
  const std::lock_guard lock(mutex_);
  Figures figures{hits_, scans_, 0};
  for (const Entry& entry : entries_) figures.bytes += entry.shelves->bytes();
  return figures;
}

}  // namespace zeroshelf::serve
