// Tested by tests/search/search_test.cc.

#include "lib/search/search.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <mutex>
#include <numbers>

#include "lib/collection/elsewhere.h"
#include "lib/collection/path_order.h"
#include "lib/util/error.h"
#include "lib/util/parallel.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

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

// What a hit is ranked by: whether it fits, its nats, and where these are equal the first cosine.
struct Candidate {
  SearchHit hit;
  float tie = 0;
};

// And where that is equal too, by path.
class Better {
 public:
  explicit Better(const PathOrder& order) : order_(&order) {}

  bool operator()(const Candidate& a, const Candidate& b) const {
    if (a.hit.fits != b.hit.fits) return a.hit.fits > b.hit.fits;
    if (a.hit.score != b.hit.score) return a.hit.score > b.hit.score;
    return a.tie != b.tie ? a.tie > b.tie : (*order_)(a.hit.row, b.hit.row);
  }

 private:
  const PathOrder* order_;
};

// The best `count`, as a heap with the worst on top.
class Best {
 public:
  Best(size_t count, const PathOrder& order) : count_(count), better_(order) {}

  // judge: sets whether it fits, and returns whether it may be taken.
  template <class Judge>
  void offer(Candidate candidate, const Judge& judge) {
    // Asked first, since the order of equal ones is asked of pictures that live.
    if (heap_.size() == count_ && heap_.front().hit.fits.value_or(true) &&
        candidate.hit.score < heap_.front().hit.score)
      return;
    if (!judge(candidate.hit)) return;
    if (heap_.size() == count_ && !better_(candidate, heap_.front())) return;
    if (heap_.size() == count_) {
      std::pop_heap(heap_.begin(), heap_.end(), better_);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), better_);
  }

  void merge(const Best& other) {
    for (const Candidate& candidate : other.heap_)
      offer(candidate, [](const SearchHit&) { return true; });
  }

  std::vector<SearchHit> sorted() && {
    std::sort(heap_.begin(), heap_.end(), better_);
    std::vector<SearchHit> hits;
    for (const Candidate& candidate : heap_) hits.push_back(candidate.hit);
    return hits;
  }

 private:
  size_t count_;
  Better better_;
  std::vector<Candidate> heap_;
};

void expect_dimension(const View& collection, const std::vector<float>& vector) {
  if (vector.size() != collection.manifest().dimension)
    throw Error(ErrorCode::InvalidArgument, "query", "its dimension is not the collection's");
}

bool has_picture(SearchSpace space) {
  return space != SearchSpace::Text;
}

Matrix matrix_of(std::span<const float> vector) {
  Matrix matrix(1, vector.size());
  std::ranges::copy(vector, matrix.row(0).begin());
  return matrix;
}

// Where the texts of rows are that are asked for in ascending order: near where the last one was.
class TextFinder {
 public:
  explicit TextFinder(const std::vector<Row>& owners) : owners_(owners) {}

  std::optional<Row> find(Row row) {
    size_t step = 1;
    size_t end = at_;
    while (end < owners_.size() && owners_[end] < row) {
      at_ = end + 1;
      end += step;
      step *= 2;
    }
    const auto begin = owners_.begin();
    const auto last = begin + static_cast<ptrdiff_t>(std::min(end, owners_.size()));
    at_ = static_cast<size_t>(std::lower_bound(begin + static_cast<ptrdiff_t>(at_), last, row) -
                              begin);
    if (at_ == owners_.size() || owners_[at_] != row) return std::nullopt;
    return at_;
  }

 private:
  const std::vector<Row>& owners_;
  size_t at_ = 0;
};

// One search: its background over the collection, and the scores of rows.
class Search {
 public:
  Search(const View& collection, const SearchQuery& query, const SearchLimits& limits)
      : collection_(collection),
        query_(query),
        limits_(limits),
        has_meaning_(!query.text.empty()),
        by_text_(has_meaning_ && limits.space != SearchSpace::Picture),
        pictures_(ViewVectors::pictures(collection)),
        texts_(ViewVectors::texts(collection)),
        owners_(collection.text_owners()),
        order_(collection),
        picture_(matrix_of(query.picture)),
        text_(matrix_of(query.text)) {
    find_spreads();
    if (by_text_ && !query.lexical.words.empty()) {
      Ranks* ranks = ranks_of(collection);
      lexical_ = lexical_evidence(collection.lexicons(), query.lexical, rows(), ranks);
      uint64_t any = std::ranges::find(lexical_.fits, true) != lexical_.fits.end();
      if (ranks != nullptr) ranks->add_up(std::span(&any, 1));
      any_lexical_fits_ = any > 0;
    }
  }

  std::vector<SearchHit> run() const {
    if (const auto proposed = proposed_rows()) {
      return best_of(proposed->size(), [&](size_t begin, size_t end, Best& best) {
        score_rows(std::span(*proposed).subspan(begin, end - begin), best);
      });
    }
    return best_of(rows(),
                   [&](size_t begin, size_t end, Best& best) { score_range(begin, end, best); });
  }

 private:
  // Both spaces at once: each thread that is started costs as much as some hundred rows.
  void find_spreads() {
    constexpr size_t kSample = 4096;  // gives centre and spread to a fortieth of the spread
    const unsigned threads = limits_.threads == 0 ? available_cores() : limits_.threads;
    const size_t spaces = has_meaning_ ? 2 : 1;
    const auto each = static_cast<unsigned>(std::max<size_t>(1, threads / spaces));
    parallel_chunks(spaces, 1, threads, [&](size_t space, size_t) {
      if (space == 0) {
        picture_spread_ = sampled_spread(pictures_, query_.picture, kSample, each);
      } else {
        text_spread_ = sampled_spread(texts_, query_.text, kSample, each);
      }
    });
  }
  Row rows() const { return collection_.rows(); }
  bool keep(Row row) const {
    return collection_.is_live(row) && (!limits_.keep || limits_.keep(row));
  }
  size_t first_text(Row row) const {
    return static_cast<size_t>(std::ranges::lower_bound(owners_, row) - owners_.begin());
  }

  template <class Score>
  std::vector<SearchHit> best_of(size_t count, const Score& score) const {
    constexpr size_t kChunk = 4096;
    Best best(limits_.count, order_);
    std::mutex mutex;
    const size_t chunk = std::min(kChunk, count / (2 * available_cores()) + 1);
    parallel_chunks(count, chunk, limits_.threads, [&](size_t begin, size_t end) {
      Best mine(limits_.count, order_);
      score(begin, end, mine);
      const std::lock_guard lock(mutex);
      best.merge(mine);
    });
    return std::move(best).sorted();
  }

  // Consecutive rows.
  void score_range(Row begin, Row end, Best& best) const {
    const size_t first = first_text(begin);
    const size_t last = has_meaning_ ? first_text(end) : first;
    std::vector<float> pictures(end - begin);
    std::vector<float> texts(last - first);
    pictures_.inner_products(begin, end - begin, picture_, pictures);
    if (!texts.empty()) texts_.inner_products(first, last - first, text_, texts);
    size_t text = 0;
    for (Row row = begin; row < end; ++row) {
      const bool texted = text < texts.size() && owners_[first + text] == row;
      offer(row, pictures[row - begin], texted ? std::optional(texts[text++]) : std::nullopt, best);
    }
  }

  // Rows that lie anywhere, ascending.
  void score_rows(std::span<const Row> some, Best& best) const {
    std::vector<size_t> owned;  // places in `some` of those with text
    std::vector<Row> text_rows;
    if (has_meaning_) {
      TextFinder texts_of(owners_);
      for (size_t i = 0; i < some.size(); ++i) {
        if (const auto text = texts_of.find(some[i])) {
          owned.push_back(i);
          text_rows.push_back(*text);
        }
      }
    }
    std::vector<float> pictures(some.size());
    std::vector<float> texts(text_rows.size());
    pictures_.inner_products_of(some, query_.picture, pictures);
    if (!texts.empty()) texts_.inner_products_of(text_rows, query_.text, texts);
    size_t text = 0;
    for (size_t i = 0; i < some.size(); ++i) {
      const bool texted = text < owned.size() && owned[text] == i;
      offer(some[i], pictures[i], texted ? std::optional(texts[text++]) : std::nullopt, best);
    }
  }

  void offer(Row row, float picture, std::optional<float> text, Best& best) const {
    static const NatsTable nats;
    const SearchSpace space = limits_.space;
    if (!has_picture(space) && !text) return;
    Candidate candidate;
    SearchHit& hit = candidate.hit;
    hit.row = row;
    hit.image_score = picture;
    hit.image_nats = nats(picture_spread_.standardised(picture));
    hit.any_lexical_fits = any_lexical_fits_;
    if (text) {
      hit.text_score = text;
      hit.text_nats = nats(text_spread_.standardised(*text));
      if (!lexical_.nats.empty()) {
        hit.lexical_nats = lexical_.nats[row];
        hit.lexical_fits = lexical_.fits[row];
      }
    }
    candidate.tie = has_picture(space) ? picture : *text;
    hit.score = (has_picture(space) ? hit.image_nats : 0) +
                (by_text_ ? hit.text_nats + hit.lexical_nats : 0);
    best.offer(candidate, [&](SearchHit& one) {
      if (!keep(one.row)) return false;
      if (limits_.fits) one.fits = limits_.fits(one);
      return limits_.weak || one.fits.value_or(true);
    });
  }

  // The rows worth looking at by the approximate indexes of the parts, ascending; nothing: all.
  std::optional<std::vector<Row>> proposed_rows() const {
    constexpr size_t kCandidates = 2000;  // of each kind of evidence
    constexpr size_t kCandidatesOfHit = 20;
    constexpr uint64_t kLeastShare = 8;  // of the rows as candidates: more is done faster by all
    const size_t candidates = std::max(kCandidates, kCandidatesOfHit * limits_.count);
    if (limits_.reach != SearchReach::BySize || candidates > rows() / kLeastShare ||
        !has_vector_index() || filter_keeps_few())
      return std::nullopt;
    std::vector<Row> proposed;
    for (const View::Part& part : collection_.parts()) {
      const std::vector<Row> of_part = proposed_of_part(part, candidates);
      proposed.insert(proposed.end(), of_part.begin(), of_part.end());
    }
    if (by_text_ && !lexical_.nats.empty())
      proposed = united(proposed, best_by_lexical_match(candidates));
    return proposed;
  }

  bool has_vector_index() const {
    return std::ranges::any_of(collection_.parts(), [](const View::Part& part) {
      return part.collection.vector_index() != nullptr;
    });
  }

  // The proposals of one part, all of its rows where it has no index.
  std::vector<Row> proposed_of_part(const View::Part& part, size_t candidates) const {
    constexpr uint64_t kPart = 4;
    constexpr uint64_t kPartBesideTexts = 6;  // the hits with both are among the texts' candidates
    const VectorIndex* index = part.collection.vector_index();
    const auto& owners = part.collection.text_owners();
    std::vector<Row> proposed;
    if (index != nullptr && has_picture(limits_.space)) {
      const uint64_t looked_at = by_text_ ? kPartBesideTexts : kPart;
      proposed = index->image.candidates(query_.picture, reach(index->image, looked_at, candidates),
                                         [&](Row row) { return keep(part.first_row + row); });
    }
    if (index != nullptr && by_text_) {
      std::vector<Row> more =
          index->text.candidates(query_.text, reach(index->text, kPart, candidates),
                                 [&](Row text) { return keep(part.first_row + owners[text]); });
      for (Row& text : more) text = owners[text];
      for (size_t text = index->text.size(); text < owners.size(); ++text)
        more.push_back(owners[text]);
      proposed = united(proposed, more);
    }
    std::vector<Row> later;
    for (Row row = index == nullptr ? 0 : index->image.size();
         row < part.collection.image_vectors().size(); ++row)
      later.push_back(row);
    proposed = united(proposed, later);
    for (Row& row : proposed) row += part.first_row;
    return proposed;
  }

  // The lists with this part of the vectors are looked at.
  IvfReach reach(const Ivf& ivf, uint64_t part, size_t candidates) const {
    return {candidates, ivf.size() / part, limits_.threads};
  }

  // Both lists are ascending.
  static std::vector<Row> united(const std::vector<Row>& a, const std::vector<Row>& b) {
    std::vector<Row> both;
    std::ranges::set_union(a, b, std::back_inserter(both));
    return both;
  }

  // The rows with most lexical evidence, ascending.
  std::vector<Row> best_by_lexical_match(size_t candidates) const {
    constexpr size_t kTimes = 4;  // many match equally well
    const std::vector<float>& nats = lexical_.nats;
    std::vector<Row> found;
    for (Row row = 0; row < nats.size(); ++row) {
      if (nats[row] > 0 && keep(row)) found.push_back(row);
    }
    const size_t wanted = std::min(found.size(), kTimes * candidates);
    std::ranges::nth_element(
        found, found.begin() + static_cast<ptrdiff_t>(wanted),
        [&](Row a, Row b) { return nats[a] != nats[b] ? nats[a] > nats[b] : a < b; });
    found.resize(wanted);
    std::ranges::sort(found);
    return found;
  }

  // Some of the own pictures.
  std::vector<Row> own_sample(size_t count) const {
    if (collection_.elsewhere() == nullptr) return pictures_.sample(count);
    std::vector<Row> sample;
    const Row step = std::max<Row>(1, rows() / count);
    for (Row row = 0; row < rows(); row += step) {
      if (collection_.is_live(row)) sample.push_back(row);
    }
    return sample;
  }

  bool filter_keeps_few() const {
    constexpr size_t kSample = 4096;
    constexpr size_t kFew = 10;  // a tenth
    if (!limits_.keep) return false;
    const std::vector<Row> sample = own_sample(kSample);
    const auto kept = std::ranges::count_if(sample, limits_.keep);
    return static_cast<size_t>(kept) * kFew < sample.size();
  }

  const View& collection_;
  const SearchQuery& query_;
  const SearchLimits& limits_;
  bool has_meaning_;  // the query says something of texts
  bool by_text_;      // and that counts
  ViewVectors pictures_;
  ViewVectors texts_;
  const std::vector<Row>& owners_;
  PathOrder order_;
  Matrix picture_;  // [1, dimension]
  Matrix text_;
  CosineSpread picture_spread_;
  CosineSpread text_spread_;
  LexicalEvidence lexical_;
  bool any_lexical_fits_ = false;
};

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

CosineSpread sampled_spread(const ViewVectors& vectors, std::span<const float> query, size_t count,
                            unsigned threads) {
  constexpr size_t kChunk = 1024;
  const std::vector<Row> sample = vectors.sample(count);
  std::vector<float> cosines(sample.size());
  parallel_chunks(sample.size(), kChunk, threads, [&](size_t begin, size_t end) {
    vectors.inner_products_of(std::span(sample).subspan(begin, end - begin), query,
                              std::span(cosines).subspan(begin, end - begin));
  });
  return spread_of(std::move(cosines));
}

std::vector<SearchHit> search(const View& collection, const SearchQuery& query,
                              const SearchLimits& limits) {
  expect_dimension(collection, query.picture);
  if (!query.text.empty() || limits.space == SearchSpace::Text)
    expect_dimension(collection, query.text);
  if (limits.count == 0) return {};
  return Search(collection, query, limits).run();
}

}  // namespace zeroshelf
