#pragma once

// A labelling's answers about a whole collection, kept in 12 bytes a picture, and what is asked of
// them again and again: how many, how sure, which ones. The threshold is not a part of them: it is
// applied when they are asked, so moving it costs a pass over these bytes and no scan.

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/labelling/classify.h"
#include "query/serve/living_view.h"

namespace zeroshelf::serve {

enum class ShelfOrder {
  Score,         // best first
  Margin,        // the least sure first
  Disagreement,  // those whose sides say different labels, the least sure first; then the others
};

// The shelf of a label, or of the pictures without an answer.
using ShelfLabel = std::optional<uint32_t>;

// Threads: const calls may run together.
class Shelves {
 public:
  // Scans the collection; go_on is asked for each block, and what it throws ends the scan. The
  // labelling's threshold is ignored. multi: a picture is on the shelf of every label that has this
  // score or more. Throws what scan() throws, and InvalidArgument where that puts too many on too
  // many.
  Shelves(SnapshotPointer snapshot, Labelling labelling, std::optional<float> multi,
          const std::function<void()>& go_on);
  ~Shelves();

  const SnapshotPointer& snapshot() const { return snapshot_; }
  const View& view() const { return snapshot_->view; }
  const Labelling& labelling() const { return labelling_; }  // without a threshold
  std::optional<float> multi() const { return multi_; }
  size_t labels() const { return labelling_.places(); }
  size_t bytes() const;

  struct Counts {
    std::vector<uint64_t> of_label;
    uint64_t unsure = 0;
    // [labels][bins]: of the scores of all pictures whose best label it is (multi: of every label's
    // score), from 0 to 1; what lies beyond counts at the end.
    std::vector<std::vector<uint64_t>> histograms;
    // [labels + 1]: the first `first` rows of each shelf, that of the unsure ones last.
    std::vector<std::vector<Row>> first;
    // Where each of these stands: smaller is earlier, equal ones go by path.
    std::vector<std::vector<uint64_t>> orders;
  };
  Counts count(std::optional<float> threshold, size_t bins, size_t first, ShelfOrder order) const;

  // Every row of a shelf in that order; with multi only by score. The last few are kept.
  std::shared_ptr<const std::vector<Row>> shelf(ShelfLabel label, std::optional<float> threshold,
                                                ShelfOrder order) const;

  // Where each of the shelf's first rows stands in that order, as Counts::orders.
  std::vector<uint64_t> orders(ShelfLabel label, std::span<const Row> first_of_shelf,
                               ShelfOrder order) const;

  // The first `count` of all pictures with an answer, whatever the threshold; with Disagreement
  // only those whose sides disagree. Not with multi. candidates: of how many.
  std::vector<Row> least_sure(ShelfOrder order, size_t count, uint64_t& candidates) const;

  // The labelling with a threshold.
  Labelling labelling_with(std::optional<float> threshold) const;

 private:
  struct Answer {
    static constexpr uint8_t kIsLive = 1;
    static constexpr uint8_t kHasAnswer = 2;  // the rule gives one
    static constexpr uint8_t kDisagrees = 4;  // its sides say different labels

    float score;
    float margin;
    uint16_t label;
    uint8_t flags;

    bool is(uint8_t flag) const { return (flags & flag) != 0; }
  };
  struct Placed {
    Row row = 0;
    float score = 0;
  };
  // Where a row comes among others: smaller is earlier, equal ones go by path.
  struct Key {
    uint64_t order = 0;
    Row row = 0;
  };
  struct Earlier {
    const PathOrder* by_path;
    bool operator()(const Key& a, const Key& b) const {
      return a.order != b.order ? a.order < b.order : (*by_path)(a.row, b.row);
    }
  };
  Earlier earlier() const { return {&snapshot_->by_path()}; }
  class Accumulator;

  static Key key_of(const Answer& answer, Row row, ShelfOrder order);
  // Which shelf the answer stands on with that threshold: labels() for the unsure ones.
  size_t shelf_of(const Answer& answer, float threshold) const;
  void scan_best(const std::function<void()>& go_on);
  void scan_multi(const std::function<void()>& go_on);
  Counts count_multi(size_t bins, size_t first) const;
  std::vector<Row> sorted(size_t shelf, std::optional<float> threshold, ShelfOrder order) const;

  SnapshotPointer snapshot_;
  Labelling labelling_;
  std::optional<float> multi_;
  class Memory;
  std::unique_ptr<Memory> memory_;
  std::span<Answer> answers_;  // one a row; none with multi
  // With multi: of each label, best first; and the unsure ones.
  std::vector<std::vector<Placed>> placed_;
  std::vector<std::vector<uint64_t>> fine_histograms_;

  using SortedKey = std::pair<std::pair<size_t, ShelfOrder>, std::optional<float>>;
  struct Sorted {
    SortedKey key;
    std::shared_ptr<const std::vector<Row>> rows;
  };
  mutable std::mutex mutex_;
  mutable std::list<Sorted> sorted_;  // the last used first
};

}  // namespace zeroshelf::serve
