// Tested by tests/vectors/near_pairs_test.cc.

#include "lib/vectors/near_pairs.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <mutex>
#include <numbers>
#include <span>
#include <tuple>

#include "lib/util/drop_repeated.h"
#include "lib/util/matrix.h"
#include "lib/util/parallel.h"
#include "lib/util/random.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

constexpr size_t kTables = 24;
constexpr size_t kNeighbours = 32;  // each row is compared with this many behind it in its bucket

struct Keys {
  size_t bits = 0;
  std::vector<uint32_t> of_table[kTables];  // one a kept row
};

// So that a bucket of rows at random has some 32.
size_t bits_for(size_t rows) {
  return std::clamp<size_t>(std::bit_width(rows / 32), 4, 20);
}

std::vector<float> mean_of(const VectorRows& vectors, std::span<const Row> rows) {
  constexpr size_t kSample = 10'000;
  std::vector<float> mean(vectors.dimension());
  std::vector<float> values(vectors.dimension());
  const size_t step = std::max<size_t>(1, rows.size() / kSample);
  size_t count = 0;
  for (size_t i = 0; i < rows.size(); i += step, ++count) {
    from_fp16(vectors.row(rows[i]), values);
    for (size_t j = 0; j < mean.size(); ++j) mean[j] += values[j];
  }
  for (float& value : mean) value /= static_cast<float>(std::max<size_t>(1, count));
  return mean;
}

Matrix random_projections(size_t count, size_t dimension) {
  Random random(20'261);
  Matrix projections(count, dimension);
  for (size_t i = 0; i < count * dimension; ++i) {
    // Box and Muller (1958).
    const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
    projections.data()[i] =
        static_cast<float>(radius * std::cos(2 * std::numbers::pi * random.uniform()));
  }
  return projections;
}

Keys keys_of(const VectorRows& vectors, std::span<const Row> rows, unsigned threads) {
  constexpr size_t kChunk = 1024;
  Keys keys;
  keys.bits = bits_for(rows.size());
  const size_t count = kTables * keys.bits;
  const Matrix projections = random_projections(count, vectors.dimension());
  const std::vector<float> mean = mean_of(vectors, rows);
  std::vector<float> centres(count);
  for (size_t i = 0; i < count; ++i) {
    for (size_t j = 0; j < mean.size(); ++j) centres[i] += projections.row(i)[j] * mean[j];
  }
  for (auto& table : keys.of_table) table.resize(rows.size());
  parallel_chunks(rows.size(), kChunk, threads, [&](size_t begin, size_t end) {
    std::vector<float> products;
    for (size_t first = begin; first < end;) {
      // Rows that follow each other go through the kernel together.
      size_t last = first + 1;
      while (last < end && rows[last] == rows[last - 1] + 1) ++last;
      products.resize((last - first) * count);
      inner_products(vectors, rows[first], last - first, projections, products);
      for (size_t i = first; i < last; ++i) {
        for (size_t table = 0; table < kTables; ++table) {
          uint32_t key = 0;
          for (size_t bit = 0; bit < keys.bits; ++bit) {
            const size_t at = table * keys.bits + bit;
            key |= uint32_t{products[(i - first) * count + at] > centres[at]} << bit;
          }
          keys.of_table[table][i] = key;
        }
      }
      first = last;
    }
  });
  return keys;
}

// The pairs of one table. The next table's keys order the rows within a bucket, so that in a large
// one those stand together that have more in common.
std::vector<NearPair> pairs_of_table(const VectorRows& vectors, std::span<const Row> rows,
                                     const Keys& keys, size_t table, float least_cosine) {
  const std::vector<uint32_t>& bucket = keys.of_table[table];
  const std::vector<uint32_t>& within = keys.of_table[(table + 1) % kTables];
  std::vector<uint32_t> order(rows.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::tie(bucket[a], within[a], a) < std::tie(bucket[b], within[b], b);
  });
  std::vector<Row> ordered;
  ordered.reserve(order.size());
  for (const uint32_t i : order) ordered.push_back(rows[i]);
  std::vector<NearPair> pairs;
  std::vector<float> query(vectors.dimension());
  std::array<float, kNeighbours> cosines;
  for (size_t i = 0; i < order.size(); ++i) {
    const size_t most = std::min(order.size(), i + 1 + kNeighbours);
    size_t end = i + 1;
    while (end < most && bucket[order[end]] == bucket[order[i]]) ++end;
    const std::span<const Row> neighbours = std::span(ordered).subspan(i + 1, end - i - 1);
    if (neighbours.empty()) continue;
    from_fp16(vectors.row(ordered[i]), query);
    inner_products_of(vectors, neighbours, query, std::span(cosines).first(neighbours.size()));
    for (size_t j = 0; j < neighbours.size(); ++j) {
      if (cosines[j] < least_cosine) continue;
      const auto [first, second] = std::minmax(ordered[i], neighbours[j]);
      pairs.push_back({first, second, cosines[j]});
    }
  }
  return pairs;
}

}  // namespace

std::vector<NearPair> near_pairs(const VectorRows& vectors, const std::function<bool(Row)>& keep,
                                 float least_cosine, unsigned threads) {
  std::vector<Row> rows;
  for (Row row = 0; row < vectors.size(); ++row) {
    if (keep(row)) rows.push_back(row);
  }
  return near_pairs(vectors, rows, least_cosine, threads);
}

std::vector<NearPair> near_pairs(const VectorRows& vectors, std::span<const Row> rows,
                                 float least_cosine, unsigned threads) {
  const Keys keys = keys_of(vectors, rows, threads);
  std::vector<NearPair> pairs;
  std::mutex mutex;
  parallel_chunks(kTables, 1, threads, [&](size_t begin, size_t) {
    std::vector<NearPair> found = pairs_of_table(vectors, rows, keys, begin, least_cosine);
    const std::lock_guard lock(mutex);
    pairs.insert(pairs.end(), found.begin(), found.end());
  });
  const auto place = [](const NearPair& pair) { return std::pair(pair.first, pair.second); };
  // A pair that several tables found may differ in the last bit: the least stays.
  std::ranges::sort(pairs, {}, [](const NearPair& pair) {
    return std::tuple(pair.first, pair.second, pair.cosine);
  });
  drop_repeated(pairs, place);
  return pairs;
}

}  // namespace zeroshelf
