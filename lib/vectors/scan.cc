// The streaming scan. Tested by tests/vectors/scan_test.cc.

#include "lib/vectors/scan.h"

#include <algorithm>
#include <cassert>
#include <mutex>

#include "lib/util/cpu.h"
#include "lib/util/parallel.h"
#include "lib/vectors/kernel.h"

namespace zeroshelf {
namespace {

struct Kernel {
  kernel::InnerProducts run;
  kernel::ScatteredProducts run_scattered;
  kernel::CodeSums sum_codes;
};

Kernel best_kernel() {
#if defined(__x86_64__)
  switch (instruction_set()) {
    case InstructionSet::Avx512:
      return {kernel::inner_products_avx512, kernel::scattered_products_avx512,
              kernel::code_sums_avx2};
    case InstructionSet::Avx2:
      return {kernel::inner_products_avx2, kernel::scattered_products_avx2, kernel::code_sums_avx2};
    case InstructionSet::Portable:
      break;
  }
#endif
  return {kernel::inner_products_portable, kernel::scattered_products_portable,
          kernel::code_sums_portable};
}

const Kernel& chosen_kernel() {
  static const Kernel chosen = best_kernel();
  return chosen;
}

// Better first: the higher score, then the earlier row.
bool better(const ScoredRow& a, const ScoredRow& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

// Keeps the k best of what it is shown, as a heap with the worst of them on top.
class BestRows {
 public:
  explicit BestRows(size_t k) : k_(k) {}

  bool would_take(const ScoredRow& candidate) const {
    return heap_.size() < k_ || better(candidate, heap_.front());
  }

  void take(const ScoredRow& candidate) {
    if (heap_.size() == k_) {
      std::pop_heap(heap_.begin(), heap_.end(), better);
      heap_.pop_back();
    }
    heap_.push_back(candidate);
    std::push_heap(heap_.begin(), heap_.end(), better);
  }

  void merge(const BestRows& other) {
    for (const ScoredRow& row : other.heap_) {
      if (would_take(row)) take(row);
    }
  }

  std::vector<ScoredRow> sorted() && {
    std::sort(heap_.begin(), heap_.end(), better);
    return std::move(heap_);
  }

 private:
  size_t k_;
  std::vector<ScoredRow> heap_;
};

}  // namespace

kernel::InnerProducts kernel::chosen_inner_products() {
  return chosen_kernel().run;
}

kernel::CodeSums kernel::chosen_code_sums() {
  return chosen_kernel().sum_codes;
}

std::string_view scan_kernel_name() {
  return instruction_set_name(instruction_set());
}

void inner_products(const VectorRows& vectors, Row first_row, size_t rows, const Matrix& queries,
                    std::span<float> out) {
  assert(first_row + rows <= vectors.size());
  assert(queries.columns() == vectors.dimension());
  assert(out.size() == rows * queries.rows());
  for (const VectorRows::Segment& part : vectors.segments(first_row, rows)) {
    chosen_kernel().run(part.data, part.rows, vectors.dimension(), queries.data(), queries.rows(),
                        out.data() + (part.first_row - first_row) * queries.rows());
  }
}

void inner_products_of(const VectorRows& vectors, std::span<const Row> rows,
                       std::span<const float> query, std::span<float> out) {
  assert(query.size() == vectors.dimension());
  std::vector<const uint16_t*> places;
  places.reserve(rows.size());
  for (const Row row : rows) places.push_back(vectors.row(row).data());
  inner_products_of(places, query, out);
}

void inner_products_of(std::span<const uint16_t* const> rows, std::span<const float> query,
                       std::span<float> out) {
  assert(out.size() == rows.size());
  chosen_kernel().run_scattered(rows.data(), rows.size(), query.size(), query.data(), out.data());
}

std::vector<ScoredRow> top_rows(const VectorRows& vectors, std::span<const float> query, size_t k,
                                const std::function<bool(Row)>& keep, unsigned threads) {
  constexpr size_t kChunk = 16'384;
  constexpr size_t kBlock = 256;
  if (k == 0) return {};
  Matrix queries(1, query.size());
  std::copy(query.begin(), query.end(), queries.row(0).begin());
  BestRows best(k);
  std::mutex mutex;
  parallel_chunks(vectors.size(), kChunk, threads, [&](size_t begin, size_t end) {
    BestRows mine(k);
    float scores[kBlock];
    for (size_t first = begin; first < end; first += kBlock) {
      const size_t rows = std::min(kBlock, end - first);
      inner_products(vectors, first, rows, queries, std::span(scores, rows));
      for (size_t i = 0; i < rows; ++i) {
        const ScoredRow candidate{first + i, scores[i]};
        if (mine.would_take(candidate) && keep(candidate.row)) mine.take(candidate);
      }
    }
    const std::lock_guard lock(mutex);
    best.merge(mine);
  });
  return std::move(best).sorted();
}

}  // namespace zeroshelf
