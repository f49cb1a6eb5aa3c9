// Tested by tests/serve/shelves_test.cc.

#include "query/serve/shelves.h"

#include <fmt/format.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <bit>
#include <cmath>
#include <cstddef>
#include <cstdlib>
#include <limits>
#include <new>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/parallel.h"

namespace zeroshelf::serve {
namespace {

constexpr size_t kChunk = 1 << 16;
constexpr size_t kMostLabels = UINT16_MAX;
constexpr size_t kFineBins = 1000;
constexpr size_t kMostPlaced = 64'000'000;  // of --multi: 1 GB
constexpr size_t kMostSorted = 12;
constexpr float kNoThreshold = -std::numeric_limits<float>::infinity();

// Numbers in the order of the floats, none of which is NaN.
uint32_t ordered_bits(float value) {
  const auto bits = std::bit_cast<uint32_t>(value + 0.0f);  // -0 is 0
  return (bits & 0x80000000u) != 0 ? ~bits : bits | 0x80000000u;
}

uint64_t best_first(float score) {
  return ~ordered_bits(score) & 0xffffffffu;
}

size_t bin_of(float score, size_t bins) {
  const float place = score * static_cast<float>(bins);
  if (!(place > 0)) return 0;
  return std::min(static_cast<size_t>(place), bins - 1);
}

}  // namespace

// Not written yet, in large pages where there is much of it: the faults of small ones would take a
// tenth of a scan's time. What was given back last is taken again, without any faults: while
// somebody edits labels, shelves come as others go.
class Shelves::Memory {
 public:
  explicit Memory(size_t bytes) {
    constexpr size_t kPage = size_t{2} << 20;
    const size_t unit = bytes >= kPage ? kPage : alignof(std::max_align_t);
    size_ = (std::max<size_t>(bytes, 1) + unit - 1) / unit * unit;
    {
      const std::lock_guard lock(spare_mutex_);
      if (spare_size_ == size_) data_ = std::exchange(spare_, nullptr);
      if (data_ != nullptr) return;
    }
    data_ = std::aligned_alloc(unit, size_);
    if (data_ == nullptr) throw std::bad_alloc();
    if (unit == kPage) ::madvise(data_, size_, MADV_HUGEPAGE);
  }
  ~Memory() {
    const std::lock_guard lock(spare_mutex_);
    std::free(std::exchange(spare_, data_));
    spare_size_ = size_;
  }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;
  void* data() const { return data_; }

 private:
  static inline std::mutex spare_mutex_;
  static inline void* spare_ = nullptr;
  static inline size_t spare_size_ = 0;

  void* data_ = nullptr;
  size_t size_ = 0;
};

Shelves::~Shelves() = default;

// What one thread counts.
class Shelves::Accumulator {
 public:
  Accumulator(size_t shelves, size_t bins, size_t first, const Earlier& earlier)
      : counts_(shelves),
        histograms_(shelves * bins),
        best_(shelves),
        bins_(bins),
        first_(first),
        earlier_(earlier) {}

  void place(size_t shelf, const Key& key) {
    ++counts_[shelf];
    std::vector<Key>& best = best_[shelf];
    if (best.size() < first_) {
      best.push_back(key);
      std::ranges::push_heap(best, earlier_);
    } else if (first_ > 0 && earlier_(key, best.front())) {
      std::ranges::pop_heap(best, earlier_);
      best.back() = key;
      std::ranges::push_heap(best, earlier_);
    }
  }
  void see(size_t label, float score) { ++histograms_[label * bins_ + bin_of(score, bins_)]; }

  void add_to(Counts& counts, std::vector<std::vector<Key>>& best) const {
    const size_t labels = counts.of_label.size();
    for (size_t k = 0; k < labels; ++k) {
      counts.of_label[k] += counts_[k];
      for (size_t bin = 0; bin < bins_; ++bin)
        counts.histograms[k][bin] += histograms_[k * bins_ + bin];
    }
    counts.unsure += counts_[labels];
    for (size_t k = 0; k <= labels; ++k)
      best[k].insert(best[k].end(), best_[k].begin(), best_[k].end());
  }

 private:
  std::vector<uint64_t> counts_;
  std::vector<uint64_t> histograms_;
  std::vector<std::vector<Key>> best_;  // heaps, the last in order on top
  size_t bins_;
  size_t first_;
  Earlier earlier_;
};

Shelves::Shelves(SnapshotPointer snapshot, Labelling labelling, std::optional<float> multi,
                 const std::function<void()>& go_on)
    : snapshot_(std::move(snapshot)), labelling_(std::move(labelling)), multi_(multi) {
  labelling_.threshold.reset();
  if (labels() > kMostLabels)
    throw Error(ErrorCode::InvalidArgument, "labels",
                fmt::format("{} are too many; at most {} are taken", labels(), kMostLabels));
  multi ? scan_multi(go_on) : scan_best(go_on);
}

void Shelves::scan_best(const std::function<void()>& go_on) {
  const size_t rows = view().rows();
  memory_ = std::make_unique<Memory>(rows * sizeof(Answer));
  answers_ = {static_cast<Answer*>(memory_->data()), rows};
  const bool all_live = view().pictures() == rows;
  scan(view(), labelling_, {}, [&](const PredictionBlock& block) {
    go_on();
    for (size_t i = 0; i < block.predictions.size(); ++i) {
      const Prediction& from = block.predictions[i];
      Answer& to = answers_[block.first_row + i];
      to.score = from.fused.score;
      to.margin = from.margin();
      to.label = static_cast<uint16_t>(from.fused.label);
      to.flags = static_cast<uint8_t>(
          (all_live || view().is_live(block.first_row + i) ? Answer::kIsLive : 0) |
          (from.winner ? Answer::kHasAnswer : 0) |
          (from.text && from.text->label != from.image.label ? Answer::kDisagrees : 0));
    }
  });
}

void Shelves::scan_multi(const std::function<void()>& go_on) {
  const size_t count = labels();
  placed_.resize(count + 1);
  fine_histograms_.assign(count, std::vector<uint64_t>(kFineBins));
  std::mutex mutex;
  std::atomic<size_t> placed = 0;
  ScanOptions options;
  options.all_scores = true;
  scan(view(), labelling_, options, [&](const PredictionBlock& block) {
    go_on();
    std::vector<std::pair<size_t, Placed>> found;
    std::vector<uint32_t> seen(count * kFineBins);
    for (size_t i = 0; i < block.predictions.size(); ++i) {
      const Row row = block.first_row + i;
      if (!view().is_live(row)) continue;
      if (block.predictions[i].winner) {
        const std::span<const float> scores = block.scores_of(i);
        for (size_t k = 0; k < count; ++k) ++seen[k * kFineBins + bin_of(scores[k], kFineBins)];
      }
      const std::vector<Scored> above = labels_above(block, i, *multi_);
      for (const Scored& one : above) found.push_back({one.label, {row, one.score}});
      if (above.empty()) found.push_back({count, {row, block.predictions[i].fused.score}});
    }
    if ((placed += found.size()) > kMostPlaced)
      throw Error(
          ErrorCode::InvalidArgument, "threshold",
          fmt::format("{} puts every picture under so many labels that they are too many", *multi_),
          "raise it");
    const std::lock_guard lock(mutex);
    for (const auto& [shelf, one] : found) placed_[shelf].push_back(one);
    for (size_t k = 0; k < count; ++k) {
      for (size_t bin = 0; bin < kFineBins; ++bin)
        fine_histograms_[k][bin] += seen[k * kFineBins + bin];
    }
  });
  for (std::vector<Placed>& of_label : placed_) {
    std::ranges::sort(of_label, [&](const Placed& a, const Placed& b) {
      return a.score != b.score ? a.score > b.score : snapshot_->by_path()(a.row, b.row);
    });
  }
}

size_t Shelves::bytes() const {
  size_t bytes = answers_.size() * sizeof(Answer);
  for (const std::vector<Placed>& of_label : placed_) bytes += of_label.size() * sizeof(Placed);
  return bytes;
}

Labelling Shelves::labelling_with(std::optional<float> threshold) const {
  Labelling labelling = labelling_;
  labelling.threshold = threshold;
  return labelling;
}

Shelves::Key Shelves::key_of(const Answer& answer, Row row, ShelfOrder order) {
  if (order == ShelfOrder::Score) return {best_first(answer.score), row};
  const uint64_t margin = ordered_bits(answer.margin);
  const bool later = order == ShelfOrder::Disagreement && !answer.is(Answer::kDisagrees);
  return {(uint64_t{later} << 32) | margin, row};
}

size_t Shelves::shelf_of(const Answer& answer, float threshold) const {
  if (!answer.is(Answer::kHasAnswer)) return labels();
  if (answer.score >= threshold) return answer.label;
  return labelling_.none ? *labelling_.none : labels();
}

Shelves::Counts Shelves::count(std::optional<float> threshold, size_t bins, size_t first,
                               ShelfOrder order) const {
  if (multi_) return count_multi(bins, first);
  Counts counts;
  counts.of_label.resize(labels());
  counts.histograms.assign(labels(), std::vector<uint64_t>(bins));
  std::vector<std::vector<Key>> best(labels() + 1);
  const float least = threshold.value_or(kNoThreshold);
  std::mutex mutex;
  parallel_chunks(answers_.size(), kChunk, 0, [&](size_t begin, size_t end) {
    Accumulator accumulator(labels() + 1, bins, first, earlier());
    for (Row row = begin; row < end; ++row) {
      const Answer& answer = answers_[row];
      if (!answer.is(Answer::kIsLive)) continue;
      if (answer.is(Answer::kHasAnswer)) accumulator.see(answer.label, answer.score);
      accumulator.place(shelf_of(answer, least), key_of(answer, row, order));
    }
    const std::lock_guard lock(mutex);
    accumulator.add_to(counts, best);
  });
  for (std::vector<Key>& keys : best) {
    const size_t kept = std::min(first, keys.size());
    std::ranges::partial_sort(keys, keys.begin() + static_cast<ptrdiff_t>(kept), earlier());
    std::vector<Row>& rows = counts.first.emplace_back();
    std::vector<uint64_t>& orders = counts.orders.emplace_back();
    for (size_t i = 0; i < kept; ++i) {
      rows.push_back(keys[i].row);
      orders.push_back(keys[i].order);
    }
  }
  return counts;
}

Shelves::Counts Shelves::count_multi(size_t bins, size_t first) const {
  Counts counts;
  counts.of_label.resize(labels());
  counts.histograms.assign(labels(), std::vector<uint64_t>(bins));
  for (size_t k = 0; k <= labels(); ++k) {
    const std::vector<Placed>& placed = placed_[k];
    (k < labels() ? counts.of_label[k] : counts.unsure) = placed.size();
    std::vector<Row>& rows = counts.first.emplace_back();
    std::vector<uint64_t>& orders = counts.orders.emplace_back();
    for (size_t i = 0; i < std::min(first, placed.size()); ++i) {
      rows.push_back(placed[i].row);
      orders.push_back(best_first(placed[i].score));
    }
    if (k == labels()) break;
    for (size_t bin = 0; bin < kFineBins; ++bin)
      counts.histograms[k][bin * bins / kFineBins] += fine_histograms_[k][bin];
  }
  return counts;
}

std::vector<Row> Shelves::sorted(size_t shelf, std::optional<float> threshold,
                                 ShelfOrder order) const {
  std::vector<Row> rows;
  if (multi_) {
    for (const Placed& one : placed_[shelf]) rows.push_back(one.row);
    return rows;
  }
  std::vector<Key> keys;
  const float least = threshold.value_or(kNoThreshold);
  for (Row row = 0; row < answers_.size(); ++row) {
    if (answers_[row].is(Answer::kIsLive) && shelf_of(answers_[row], least) == shelf)
      keys.push_back(key_of(answers_[row], row, order));
  }
  std::ranges::sort(keys, earlier());
  rows.reserve(keys.size());
  for (const Key& key : keys) rows.push_back(key.row);
  return rows;
}

std::vector<uint64_t> Shelves::orders(ShelfLabel label, std::span<const Row> first_of_shelf,
                                      ShelfOrder order) const {
  std::vector<uint64_t> orders;
  orders.reserve(first_of_shelf.size());
  for (const Row row : first_of_shelf) {
    orders.push_back(multi_ ? best_first(placed_[label ? *label : labels()][orders.size()].score)
                            : key_of(answers_[row], row, order).order);
  }
  return orders;
}

std::vector<Row> Shelves::least_sure(ShelfOrder order, size_t count, uint64_t& candidates) const {
  std::vector<Key> keys;
  for (Row row = 0; row < answers_.size(); ++row) {
    const Answer& answer = answers_[row];
    const bool counts = answer.is(Answer::kIsLive) && answer.is(Answer::kHasAnswer) &&
                        (order != ShelfOrder::Disagreement || answer.is(Answer::kDisagrees));
    if (counts) keys.push_back(key_of(answer, row, order));
  }
  candidates = keys.size();
  const auto end = keys.begin() + static_cast<ptrdiff_t>(std::min(count, keys.size()));
  std::ranges::partial_sort(keys, end, earlier());
  std::vector<Row> rows;
  for (auto key = keys.begin(); key != end; ++key) rows.push_back(key->row);
  return rows;
}

std::shared_ptr<const std::vector<Row>> Shelves::shelf(ShelfLabel label,
                                                       std::optional<float> threshold,
                                                       ShelfOrder order) const {
  const size_t place = label ? *label : labels();
  const SortedKey key{{place, order}, threshold};
  {
    const std::lock_guard lock(mutex_);
    const auto found = std::ranges::find(sorted_, key, &Sorted::key);
    if (found != sorted_.end()) {
      sorted_.splice(sorted_.begin(), sorted_, found);
      return found->rows;
    }
  }
  auto rows = std::make_shared<const std::vector<Row>>(sorted(place, threshold, order));
  const std::lock_guard lock(mutex_);
  sorted_.push_front({key, rows});
  if (sorted_.size() > kMostSorted) sorted_.pop_back();
  return rows;
}

}  // namespace zeroshelf::serve
