// Tested by tests/programs/queries_test.cc.

#include "query/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <mutex>
#include <numbers>

#include "lib/util/error.h"
#include "lib/util/parallel.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

constexpr size_t kSample = 16'384;

std::vector<float> cosines_of(const VectorRows& vectors, std::span<const float> query,
                              unsigned threads) {
  constexpr size_t kChunk = 16'384;
  Matrix queries(1, query.size());
  std::ranges::copy(query, queries.row(0).begin());
  std::vector<float> cosines(vectors.size());
  parallel_chunks(vectors.size(), kChunk, threads, [&](size_t begin, size_t end) {
    inner_products(vectors, begin, end - begin, queries,
                   std::span(cosines).subspan(begin, end - begin));
  });
  return cosines;
}

// nats_of by linear interpolation, exact to 1e-3: a million rows need a million of them.
class NatsTable {
 public:
  NatsTable() {
    for (size_t i = 0; i < values_.size(); ++i)
      values_[i] = static_cast<float>(nats_of(kFirst + static_cast<double>(i) / kSteps));
  }

  float operator()(float z) const {
    if (!(z > kFirst)) return values_[0];
    const float at = (z - static_cast<float>(kFirst)) * kSteps;
    if (at >= static_cast<float>(values_.size() - 1)) return static_cast<float>(nats_of(z));
    const auto i = static_cast<size_t>(at);
    return values_[i] + (at - static_cast<float>(i)) * (values_[i + 1] - values_[i]);
  }

 private:
  static constexpr int kFirst = -8;
  static constexpr int kSteps = 32;
  std::array<float, 32 * kSteps> values_;
};

// The cosines of one kind, and how they are spread.
struct Evidence {
  std::vector<float> cosines;
  CosineSpread spread;
};

Evidence gather(const Collection& collection, const VectorRows& vectors,
                const std::vector<Row>& owners, std::span<const float> query, unsigned threads) {
  Evidence evidence;
  evidence.cosines = cosines_of(vectors, query, threads);
  std::vector<float> sample;
  for (const Row row : even_sample(collection, vectors.size(), owners, kSample))
    sample.push_back(evidence.cosines[row]);
  evidence.spread = spread_of(std::move(sample));
  return evidence;
}

// What a hit is ranked by: its nats, and where these are equal the first cosine.
struct Candidate {
  SearchHit hit;
  float tie = 0;
};

bool better(const Candidate& a, const Candidate& b) {
  if (a.hit.score != b.hit.score) return a.hit.score > b.hit.score;
  return a.tie != b.tie ? a.tie > b.tie : a.hit.row < b.hit.row;
}

// The best `count`, as a heap with the worst on top.
class Best {
 public:
  explicit Best(size_t count) : count_(count) {}

  template <class Keep>
  void offer(const Candidate& candidate, const Keep& keep) {
    if (heap_.size() == count_ && !better(candidate, heap_.front())) return;
    if (!keep(candidate.hit.row)) return;
    if (heap_.size() == count_) {
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), better);
  }

  void merge(const Best& other) {
    for (const Candidate& candidate : other.heap_) offer(candidate, [](Row) { return true; });
  }

  std::vector<SearchHit> sorted() && {
    std::sort(heap_.begin(), heap_.end(), better);
    std::vector<SearchHit> hits;
    for (const Candidate& candidate : heap_) hits.push_back(candidate.hit);
    return hits;
  }

 private:
  size_t count_;
  std::vector<Candidate> heap_;
};

void expect_dimension(const Collection& collection, const std::vector<float>& vector) {
  if (vector.size() != collection.manifest().dimension)
    throw Error(ErrorCode::InvalidArgument, "query", "its dimension is not the collection's");
}

}  // namespace

double nats_of(double z) {
  constexpr double kFarOut =
      20;  // from here on erfc loses nothing to the first terms of its series
  if (z < kFarOut) return -std::log(std::erfc(z / std::numbers::sqrt2));
  return z * z / 2 + std::log(z * std::sqrt(std::numbers::pi / 2)) + 1 / (z * z);
}

CosineSpread spread_of(std::vector<float> cosines) {
  constexpr float kLeastSpread = 1e-3f;  // as many pictures of one content would have
  constexpr double kOneSigmaBelow = 0.158655;
  if (cosines.empty()) return {};
  const auto quantile = [&](double share) {
    const double at = share * static_cast<double>(cosines.size() - 1);
    const auto low = static_cast<size_t>(at);
    const auto nth = cosines.begin() + static_cast<ptrdiff_t>(low);
    std::nth_element(cosines.begin(), nth, cosines.end());
    const float below = *nth;
    if (low + 1 == cosines.size()) return below;
    const float above = *std::min_element(nth + 1, cosines.end());
    return below + static_cast<float>(at - static_cast<double>(low)) * (above - below);
  };
  const float centre = quantile(0.5);
  return {centre, std::max(kLeastSpread, centre - quantile(kOneSigmaBelow))};
}

std::vector<Row> even_sample(const Collection& collection, size_t vectors,
                             const std::vector<Row>& owners, size_t count) {
  std::vector<Row> rows;
  const size_t step = std::max<size_t>(1, vectors / std::max<size_t>(1, count));
  for (size_t i = 0; i < vectors && rows.size() < count; i += step) {
    if (collection.is_live(owners.empty() ? i : owners[i])) rows.push_back(i);
  }
  return rows;
}

std::vector<SearchHit> search(const Collection& collection, const SearchQuery& query,
                              const SearchLimits& limits) {
  constexpr size_t kChunk = 16'384;
  expect_dimension(collection, query.picture);
  const bool has_meaning = !query.text.empty() || limits.space == SearchSpace::Text;
  if (has_meaning) expect_dimension(collection, query.text);
  if (limits.count == 0) return {};
  const bool by_picture = limits.space != SearchSpace::Text;
  const bool by_text = limits.space != SearchSpace::Picture && has_meaning;
  const std::vector<Row>& owners = collection.text_owners();
  const Evidence picture =
      gather(collection, collection.image_vectors(), {}, query.picture, limits.threads);
  const Evidence text = has_meaning ? gather(collection, collection.text_vectors(), owners,
                                             query.text, limits.threads)
                                    : Evidence();
  const std::vector<float> letters =
      by_text && !query.letters.words.empty()
          ? letter_evidence(collection.lexicon(), query.letters, collection.image_vectors().size())
                .nats
          : std::vector<float>();
  static const NatsTable nats;
  const auto keep = [&](Row row) {
    return collection.is_live(row) && (!limits.keep || limits.keep(row));
  };

  Best best(limits.count);
  std::mutex mutex;
  parallel_chunks(picture.cosines.size(), kChunk, limits.threads, [&](size_t begin, size_t end) {
    Best mine(limits.count);
    auto owner =
        static_cast<size_t>(std::lower_bound(owners.begin(), owners.end(), begin) - owners.begin());
    for (Row row = begin; row < end; ++row) {
      const bool has_text = owner < owners.size() && owners[owner] == row;
      if (!by_picture && !has_text) continue;
      Candidate candidate;
      SearchHit& hit = candidate.hit;
      hit.row = row;
      hit.image_score = picture.cosines[row];
      hit.image_nats = nats(picture.spread.standardised(hit.image_score));
      candidate.tie = hit.image_score;
      if (has_text && has_meaning) {
        hit.text_score = text.cosines[owner++];
        hit.text_nats = nats(text.spread.standardised(*hit.text_score));
        if (!letters.empty()) hit.letter_nats = letters[row];
        if (!by_picture) candidate.tie = *hit.text_score;
      }
      hit.score = (by_picture ? hit.image_nats : 0) + (by_text ? hit.text_nats : 0) +
                  (by_text ? hit.letter_nats : 0);
      mine.offer(candidate, keep);
    }
    const std::lock_guard lock(mutex);
    best.merge(mine);
  });
  return std::move(best).sorted();
}

}  // namespace zeroshelf
