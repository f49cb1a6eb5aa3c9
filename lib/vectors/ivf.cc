// Tested by tests/vectors/ivf_test.cc; `./dev bench search` measures what it finds.

#include "lib/vectors/ivf.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>
#include <numeric>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/parallel.h"
#include "lib/vectors/kernel.h"
#include "lib/vectors/scan.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kMagic = "zsivf002";
constexpr size_t kBlock = kernel::kCodeBlock;
constexpr size_t kSealBytes = 8;

// The numbers at the beginning of the file, behind the magic.
struct Header {
  uint64_t epoch;
  uint64_t generation;
  uint64_t dimension;
  uint64_t vectors;
  uint64_t lists;
  uint64_t trained_size;
};
constexpr size_t kHeaderBytes = 8 + sizeof(Header);

// For a normal distribution of spread 1 (Max 1960).
constexpr std::array<float, 4> kLevels = {-1.510f, -0.4528f, 0.4528f, 1.510f};
constexpr float kOuterBoundary = 0.9816f;

// Two dimensions share a group; the kernels take two groups at once.
size_t groups_of(size_t dimension) {
  return (dimension + 3) / 4 * 2;
}

size_t block_bytes(size_t dimension) {
  return groups_of(dimension) * kBlock / 2;
}

uint64_t blocks_of(uint64_t vectors) {
  return (vectors + kBlock - 1) / kBlock;
}

// --- training -----------------------------------------------------------------------------------

VectorRows even_sample(const VectorRows& vectors, const std::function<bool(Row)>& keep,
                       size_t count) {
  VectorRows sample(vectors.dimension());
  const uint64_t step = std::max<uint64_t>(1, vectors.size() / std::max<size_t>(1, count));
  for (Row row = 0; row < vectors.size(); row += step) {
    if (keep(row)) sample.append(vectors.row(row));
  }
  return sample;
}

struct Assignment {
  std::vector<uint32_t> list;   // one a vector
  std::vector<float> nearness;  // 1/2 (|vector|^2 - distance^2)
};

// The nearest centroid of each vector from `first` on.
Assignment assign(const VectorRows& vectors, Row first, const Matrix& centroids, unsigned threads) {
  constexpr size_t kChunk = 64;
  const size_t lists = centroids.rows();
  std::vector<float> half_squares(lists);
  for (size_t i = 0; i < lists; ++i) {
    for (const float value : centroids.row(i)) half_squares[i] += value * value / 2;
  }
  const size_t count = vectors.size() - first;
  Assignment assignment{std::vector<uint32_t>(count), std::vector<float>(count)};
  parallel_chunks(count, kChunk, threads, [&](size_t begin, size_t end) {
    std::vector<float> products((end - begin) * lists);
    inner_products(vectors, first + begin, end - begin, centroids, products);
    for (size_t i = begin; i < end; ++i) {
      const float* of_lists = products.data() + (i - begin) * lists;
      float best = -std::numeric_limits<float>::infinity();
      uint32_t list = 0;
      for (uint32_t j = 0; j < lists; ++j) {
        const float nearness = of_lists[j] - half_squares[j];
        if (nearness > best) {
          best = nearness;
          list = j;
        }
      }
      assignment.list[i] = list;
      assignment.nearness[i] = best;
    }
  });
  return assignment;
}

Matrix means(const VectorRows& vectors, const Assignment& assignment, size_t lists) {
  Matrix sums(lists, vectors.dimension());
  std::vector<size_t> counts(lists);
  std::vector<float> values(vectors.dimension());
  for (Row row = 0; row < vectors.size(); ++row) {
    from_fp16(vectors.row(row), values);
    const std::span<float> sum = sums.row(assignment.list[row]);
    for (size_t i = 0; i < values.size(); ++i) sum[i] += values[i];
    ++counts[assignment.list[row]];
  }
  // A list that lost all its vectors begins anew at one of those that fit worst.
  std::vector<Row> worst;
  for (size_t list = 0; list < lists; ++list) {
    if (counts[list] > 0) {
      for (float& value : sums.row(list)) value /= static_cast<float>(counts[list]);
      continue;
    }
    if (worst.empty()) {
      worst.resize(vectors.size());
      std::iota(worst.begin(), worst.end(), Row{0});
      std::ranges::stable_sort(
          worst, [&](Row a, Row b) { return assignment.nearness[a] > assignment.nearness[b]; });
    }
    from_fp16(vectors.row(worst.back()), sums.row(list));
    worst.pop_back();
  }
  return sums;
}

// Centroids are kept in fp16, so everything is computed from what is kept.
Matrix rounded(const Matrix& matrix) {
  Matrix result(matrix.rows(), matrix.columns());
  std::vector<uint16_t> halves(matrix.columns());
  for (size_t i = 0; i < matrix.rows(); ++i) {
    to_fp16(matrix.row(i), halves);
    from_fp16(halves, result.row(i));
  }
  return result;
}

struct Training {
  Matrix centroids;
  std::vector<float> scales;
};

Training train(const VectorRows& sample, size_t lists, unsigned threads) {
  constexpr int kRounds = 10;
  if (sample.size() == 0) {
    return {Matrix(1, sample.dimension()), std::vector<float>(sample.dimension())};
  }
  Matrix centroids(std::min<size_t>(lists, sample.size()), sample.dimension());
  for (size_t i = 0; i < centroids.rows(); ++i)
    from_fp16(sample.row(i * sample.size() / centroids.rows()), centroids.row(i));
  for (int round = 0; round < kRounds; ++round)
    centroids = means(sample, assign(sample, 0, centroids, threads), centroids.rows());
  Training training{rounded(centroids), std::vector<float>(sample.dimension())};
  const Assignment last = assign(sample, 0, training.centroids, threads);
  std::vector<double> squares(sample.dimension());
  std::vector<float> values(sample.dimension());
  for (Row row = 0; row < sample.size(); ++row) {
    from_fp16(sample.row(row), values);
    const std::span<const float> centroid = training.centroids.row(last.list[row]);
    for (size_t i = 0; i < values.size(); ++i) {
      const double residual = static_cast<double>(values[i]) - centroid[i];
      squares[i] += residual * residual;
    }
  }
  for (size_t i = 0; i < squares.size(); ++i) {
    training.scales[i] =
        static_cast<float>(std::sqrt(squares[i] / static_cast<double>(sample.size())));
  }
  return training;
}

// --- writing ------------------------------------------------------------------------------------

uint8_t code_of(float residual, float scale) {
  const float boundary = kOuterBoundary * scale;
  return residual < 0 ? (residual < -boundary ? 0 : 1) : (residual < boundary ? 2 : 3);
}

// Group g of a block is 16 bytes: byte i has the codes of dimensions 2g and 2g + 1 of vector i in
// its lower half, and those of vector i + 16 in its upper half.
void put_code(std::span<const float> residual, std::span<const float> scales, size_t place,
              uint8_t* block) {
  for (size_t i = 0; i < residual.size(); ++i) {
    const unsigned code = code_of(residual[i], scales[i]);
    block[i / 2 * 16 + place % 16] |=
        static_cast<uint8_t>(code << (i % 2 * 2 + (place < 16 ? 0 : 4)));
  }
}

// How much wider than all together the vectors of each list lie around their centroid, from the
// root mean square of the distances.
std::vector<float> widths_of(std::span<const float> spreads, std::span<const float> scales) {
  constexpr float kMost = 1000;
  double squares = 0;
  for (const float scale : scales) squares += static_cast<double>(scale) * scale;
  const auto whole = static_cast<float>(std::sqrt(squares));
  std::vector<float> widths;
  for (const float spread : spreads)
    widths.push_back(whole > 0 ? std::min(spread / whole, kMost) : 0);
  return widths;
}

// The residuals of a list: its vectors less its centroid.
class Residuals {
 public:
  Residuals(const VectorRows& vectors, std::span<const uint32_t> rows,
            std::span<const float> centroid)
      : vectors_(vectors), rows_(rows), centroid_(centroid), residual_(centroid.size()) {}

  template <class Visit>
  void for_each(const Visit& visit) {
    for (size_t i = 0; i < rows_.size(); ++i) {
      from_fp16(vectors_.row(rows_[i]), residual_);
      for (size_t j = 0; j < residual_.size(); ++j) residual_[j] -= centroid_[j];
      visit(i, std::span<const float>(residual_));
    }
  }

  float spread() {
    double squares = 0;
    for_each([&](size_t, std::span<const float> residual) {
      for (const float value : residual) squares += static_cast<double>(value) * value;
    });
    return rows_.empty()
               ? 0
               : static_cast<float>(std::sqrt(squares / static_cast<double>(rows_.size())));
  }

 private:
  const VectorRows& vectors_;
  std::span<const uint32_t> rows_;
  std::span<const float> centroid_;
  std::vector<float> residual_;
};

std::string built(const VectorRows& vectors, const Training& training,
                  const std::vector<uint32_t>& list_of, Header header, unsigned threads) {
  const size_t lists = training.centroids.rows();
  const uint32_t dimension = vectors.dimension();
  std::vector<uint64_t> ends(lists);
  for (const uint32_t list : list_of) ++ends[list];
  std::vector<uint64_t> first_block(lists);
  uint64_t blocks = 0;
  for (size_t i = 0; i < lists; ++i) {
    first_block[i] = blocks;
    blocks += blocks_of(ends[i]);
  }
  std::partial_sum(ends.begin(), ends.end(), ends.begin());
  std::vector<uint32_t> rows(list_of.size());
  std::vector<uint64_t> next(lists);
  for (size_t i = 1; i < lists; ++i) next[i] = ends[i - 1];
  for (uint32_t row = 0; row < list_of.size(); ++row) rows[next[list_of[row]]++] = row;

  const auto residuals_of = [&](size_t list) {
    const uint64_t begin = list == 0 ? 0 : ends[list - 1];
    return Residuals(vectors, std::span(rows).subspan(begin, ends[list] - begin),
                     training.centroids.row(list));
  };
  std::vector<float> spreads(lists);
  parallel_chunks(lists, 1, threads,
                  [&](size_t list, size_t) { spreads[list] = residuals_of(list).spread(); });
  const std::vector<float> widths = widths_of(spreads, training.scales);

  header.dimension = dimension;
  header.vectors = vectors.size();
  header.lists = lists;
  ByteWriter writer;
  writer.raw(std::as_bytes(std::span(kMagic)));
  writer.raw(std::as_bytes(std::span(&header, 1)));
  writer.array(std::span<const float>(training.scales));
  writer.array(std::span<const float>(spreads));
  std::vector<uint16_t> centroids(lists * dimension);
  to_fp16({training.centroids.data(), centroids.size()}, centroids);
  writer.array(std::span<const uint16_t>(centroids));
  writer.array(std::span<const uint64_t>(ends));
  writer.array(std::span<const uint32_t>(rows));
  std::string bytes = std::move(writer).bytes();
  const size_t begin_of_codes = bytes.size();
  bytes.reserve(begin_of_codes + blocks * block_bytes(dimension) + kSealBytes);
  bytes.resize(begin_of_codes + blocks * block_bytes(dimension));
  auto* codes = reinterpret_cast<uint8_t*>(bytes.data() + begin_of_codes);
  parallel_chunks(lists, 1, threads, [&](size_t list, size_t) {
    std::vector<float> scales(training.scales);
    for (float& scale : scales) scale *= widths[list];
    residuals_of(list).for_each([&](size_t i, std::span<const float> residual) {
      const uint64_t block = first_block[list] + i / kBlock;
      put_code(residual, scales, i % kBlock, codes + block * block_bytes(dimension));
    });
  });
  const uint64_t seal = checksum64(std::as_bytes(std::span(bytes)));
  bytes.append(reinterpret_cast<const char*>(&seal), sizeof seal);
  return bytes;
}

// --- searching ----------------------------------------------------------------------------------

struct Estimate {
  float score;
  uint32_t row;
};

bool better(const Estimate& a, const Estimate& b) {
  return a.score != b.score ? a.score > b.score : a.row < b.row;
}

// What the codes of a group add to the inner product, in steps of one size, from 0 on.
struct Tables {
  std::vector<uint8_t> steps;  // [groups, 16]
  float step = 0;
  float base = 0;  // the inner product of 0 steps
};

// Rounded, from 0 to most; what is no number is 0.
uint8_t whole_steps(float steps, size_t most) {
  if (!(steps > 0)) return 0;
  return static_cast<uint8_t>(std::min(steps + 0.5f, static_cast<float>(most)));
}

Tables tables_of(std::span<const float> query, std::span<const float> scales) {
  const size_t groups = groups_of(query.size());
  std::vector<std::array<float, 16>> values(groups);
  Tables tables;
  float widest = 0;
  for (size_t group = 0; group < groups; ++group) {
    const auto part = [&](size_t i, size_t code) {
      return i < query.size() ? query[i] * scales[i] * kLevels[code] : 0.0f;
    };
    for (size_t code = 0; code < 16; ++code)
      values[group][code] = part(2 * group, code % 4) + part(2 * group + 1, code / 4);
    const auto [low, high] = std::ranges::minmax(values[group]);
    widest = std::max(widest, high - low);
    tables.base += low;
    for (float& value : values[group]) value -= low;
  }
  // So that the sum over all groups fits 16 bits.
  const size_t most = std::min<size_t>(255, 65'535 / groups);
  // (A width of the smallest numbers that there are divides to nothing.)
  const float step = widest / static_cast<float>(most);
  tables.step = step > 0 ? step : 1;
  for (const std::array<float, 16>& group : values) {
    for (const float value : group) tables.steps.push_back(whole_steps(value / tables.step, most));
  }
  return tables;
}

}  // namespace

std::string trained_ivf(const VectorRows& vectors, const std::function<bool(Row)>& keep,
                        const IvfOrigin& origin, unsigned threads) {
  constexpr size_t kSampleOfList = 64;
  assert(vectors.size() < std::numeric_limits<uint32_t>::max());
  const auto lists = static_cast<size_t>(std::sqrt(static_cast<double>(vectors.size())));
  const Training training =
      train(even_sample(vectors, keep, lists * kSampleOfList), lists, threads);
  return built(vectors, training, assign(vectors, 0, training.centroids, threads).list,
               {origin.epoch, origin.generation, 0, 0, 0, vectors.size()}, threads);
}

std::string extended_ivf(const Ivf& ivf, const VectorRows& vectors, const IvfOrigin& origin,
                         unsigned threads) {
  assert(ivf.size() <= vectors.size());
  assert(vectors.size() < std::numeric_limits<uint32_t>::max());
  const Training training{ivf.centroids(), {ivf.scales().begin(), ivf.scales().end()}};
  std::vector<uint32_t> list_of = ivf.list_of_vectors();
  const std::vector<uint32_t> later = assign(vectors, ivf.size(), training.centroids, threads).list;
  list_of.insert(list_of.end(), later.begin(), later.end());
  return built(vectors, training, list_of,
               {origin.epoch, origin.generation, 0, 0, 0, ivf.trained_size()}, threads);
}

// --- reading ------------------------------------------------------------------------------------

Ivf Ivf::map(const std::filesystem::path& path, uint32_t dimension) {
  Ivf ivf;
  ivf.subject_ = path.string();
  ivf.file_ = MappedFile(path);
  ivf.attach(ivf.file_.bytes(), dimension);
  return ivf;
}

Ivf Ivf::of_bytes(std::string bytes, uint32_t dimension) {
  Ivf ivf;
  ivf.subject_ = "ivf";
  ivf.memory_ = std::move(bytes);  // long enough to stay in place when it is moved again
  ivf.attach(std::as_bytes(std::span(ivf.memory_)), dimension);
  return ivf;
}

void Ivf::damaged(const char* cause) const {
  throw Error(ErrorCode::Corruption, subject_, std::string("damaged: ") + cause,
              "run zeroshelf-index repair");
}

void Ivf::attach(std::span<const std::byte> bytes, uint32_t dimension) {
  bytes_ = bytes;
  if (bytes.size() < kHeaderBytes + kSealBytes) damaged("it is too short");
  if (std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) != 0)
    damaged("it is of another kind");
  Header header;
  std::memcpy(&header, bytes.data() + kMagic.size(), sizeof header);
  if (header.dimension != dimension) damaged("it is of another dimension");
  dimension_ = dimension;
  origin_ = {header.epoch, header.generation};
  trained_size_ = header.trained_size;
  ArrayReader arrays(bytes.subspan(kHeaderBytes, bytes.size() - kHeaderBytes - kSealBytes));
  if (header.vectors >= std::numeric_limits<uint32_t>::max() || header.lists == 0 ||
      header.lists > arrays.left().size() / sizeof(uint64_t)) {
    damaged("its counts are out of range");
  }
  const bool fits = arrays.next(scales_, dimension) && arrays.next(spreads_, header.lists) &&
                    arrays.next(centroids_, header.lists * dimension) &&
                    arrays.next(ends_, header.lists) && arrays.next(rows_, header.vectors);
  if (!fits) damaged("its counts do not fit its size");
  uint64_t blocks = 0;
  uint64_t begin = 0;
  for (const uint64_t end : ends_) {
    if (end < begin || end > rows_.size()) damaged("a list has no end");
    first_block_.push_back(blocks);
    blocks += blocks_of(end - begin);
    begin = end;
  }
  if (begin != rows_.size()) damaged("its lists do not have all vectors");
  const std::span<const std::byte> codes = arrays.left();
  if (codes.size() % block_bytes(dimension) != 0 || codes.size() / block_bytes(dimension) != blocks)
    damaged("its counts do not fit its size");
  codes_ = reinterpret_cast<const uint8_t*>(codes.data());
  check_content();
  widths_ = widths_of(spreads_, scales_);
}

void Ivf::check_content() const {
  for (const float scale : scales_) {
    if (!(scale >= 0 && scale <= 2)) damaged("a scale is out of range");
  }
  for (const float spread : spreads_) {
    if (!(spread >= 0 && spread <= 4)) damaged("a spread is out of range");
  }
  for (const uint16_t half : centroids_) {
    constexpr uint16_t kTwo = 0x4000;
    if ((half & 0x7fff) > kTwo) damaged("a centroid is out of range");
  }
  std::vector<bool> seen(rows_.size());
  uint64_t begin = 0;
  for (const uint64_t end : ends_) {
    for (uint64_t i = begin; i < end; ++i) {
      if (rows_[i] >= rows_.size() || seen[rows_[i]] || (i > begin && rows_[i] <= rows_[i - 1]))
        damaged("a list has a vector that is not its own");
      seen[rows_[i]] = true;
    }
    begin = end;
  }
}

void Ivf::check() const {
  uint64_t seal;
  std::memcpy(&seal, bytes_.data() + bytes_.size() - kSealBytes, sizeof seal);
  if (seal != checksum64(bytes_.first(bytes_.size() - kSealBytes)))
    damaged("it fails its checksum");
}

Matrix Ivf::centroids() const {
  Matrix centroids(lists(), dimension_);
  from_fp16(centroids_, {centroids.data(), centroids_.size()});
  return centroids;
}

std::vector<uint32_t> Ivf::list_of_vectors() const {
  std::vector<uint32_t> list_of(rows_.size());
  uint64_t i = 0;
  for (uint32_t list = 0; list < lists(); ++list) {
    for (; i < ends_[list]; ++i) list_of[rows_[i]] = list;
  }
  return list_of;
}

// One search: what the codes say of the vectors in the lists that it opened.
class Ivf::Scan {
 public:
  Scan(const Ivf& ivf, std::span<const float> query, unsigned threads)
      : ivf_(ivf), tables_(tables_of(query, ivf.scales_)), threads_(threads) {}

  // More lists; products: of the query with the centroids of all.
  void open(std::span<const uint32_t> lists, std::span<const float> products) {
    const size_t first = opened_.size();
    size_t blocks = scores_.size() / kBlock;
    for (const uint32_t list : lists) {
      opened_.push_back({list, blocks});
      blocks += blocks_of(size_of(list));
    }
    scores_.resize(blocks * kBlock);
    parallel_chunks(lists.size(), kLists, threads_, [&](size_t begin, size_t end) {
      for (size_t i = begin; i < end; ++i) score(opened_[first + i], products[lists[i]]);
    });
  }

  // The `count` best that are kept, or all that are.
  std::vector<Estimate> best(size_t count, const std::function<bool(Row)>& keep) const {
    constexpr size_t kStep = kBlock + 1;  // each place in a block in turn
    constexpr size_t kSlack = 16;         // of the sample: four times its error, and more
    std::vector<float> sample;
    for (size_t i = 0; i < scores_.size(); i += kStep) sample.push_back(scores_[i]);
    for (size_t wanted = count + count / 4;; wanted *= 4) {
      float least = -std::numeric_limits<float>::infinity();
      const size_t rank = wanted / kStep + kSlack;
      if (rank < sample.size()) {
        const auto place = sample.begin() + static_cast<ptrdiff_t>(rank);
        std::ranges::nth_element(sample, place, std::greater<>());
        least = *place;
      }
      std::vector<Estimate> found = at_least(least, keep);
      if (found.size() < count && rank < sample.size()) continue;
      if (found.size() > count) {
        std::ranges::nth_element(found, found.begin() + static_cast<ptrdiff_t>(count), better);
        found.resize(count);
      }
      return found;
    }
  }

 private:
  static constexpr size_t kLists = 4;  // for a thread at a time

  struct Opened {
    uint32_t list;
    size_t first_block;  // in scores_
  };

  uint64_t size_of(uint32_t list) const { return ivf_.ends_[list] - ivf_.begin_of(list); }

  void score(const Opened& opened, float centroid_product) {
    constexpr size_t kBlocks = 64;
    std::array<uint16_t, kBlocks * kBlock> sums;
    const size_t groups = groups_of(ivf_.dimension_);
    const float base = centroid_product + ivf_.widths_[opened.list] * tables_.base;
    const float step = ivf_.widths_[opened.list] * tables_.step;
    const uint64_t size = size_of(opened.list);
    const uint8_t* codes =
        ivf_.codes_ + ivf_.first_block_[opened.list] * block_bytes(ivf_.dimension_);
    float* scores = scores_.data() + opened.first_block * kBlock;
    for (size_t left = blocks_of(size); left > 0;) {
      const size_t blocks = std::min(kBlocks, left);
      kernel::chosen_code_sums()(codes, blocks, groups, tables_.steps.data(), sums.data());
      for (size_t block = 0; block < blocks; ++block, scores += kBlock) {
        const uint16_t* of_block = sums.data() + block * kBlock;
        for (size_t i = 0; i < kBlock; ++i)
          scores[i] = base + step * static_cast<float>(of_block[i]);
      }
      codes += blocks * block_bytes(ivf_.dimension_);
      left -= blocks;
    }
    // The last block is filled up with nobody's.
    std::fill(scores - (kBlock - size % kBlock) % kBlock, scores,
              -std::numeric_limits<float>::infinity());
  }

  std::vector<Estimate> at_least(float least, const std::function<bool(Row)>& keep) const {
    std::vector<Estimate> found;
    for (const Opened& opened : opened_) {
      const uint64_t begin = ivf_.begin_of(opened.list);
      const uint64_t end = ivf_.ends_[opened.list];
      const float* scores = scores_.data() + opened.first_block * kBlock;
      for (uint64_t at = begin; at < end; at += kBlock, scores += kBlock) {
        int any = 0;  // few blocks have one
        for (size_t i = 0; i < kBlock; ++i) any |= scores[i] >= least;
        for (size_t i = 0; any && i < std::min<uint64_t>(kBlock, end - at); ++i) {
          const uint32_t row = ivf_.rows_[at + i];
          if (scores[i] >= least && keep(row)) found.push_back({scores[i], row});
        }
      }
    }
    return found;
  }

  const Ivf& ivf_;
  Tables tables_;
  unsigned threads_;
  std::vector<Opened> opened_;
  std::vector<float> scores_;  // kBlock a block of each
};

std::vector<uint32_t> Ivf::lists_by_promise(std::span<const float> query,
                                            std::vector<float>& products) const {
  // A wide list may have the best vector though its centroid is farther away. This number
  // of spreads of its inner products found most (`./dev bench search`; 3 to 8 differ little).
  constexpr float kSpreads = 6;
  products.resize(lists());
  kernel::chosen_inner_products()(centroids_.data(), lists(), dimension_, query.data(), 1,
                                  products.data());
  // How far a vector's inner product is from its centroid's, in widths of its list.
  double squares = 0;
  for (size_t i = 0; i < query.size(); ++i) {
    const double part = static_cast<double>(query[i]) * scales_[i];
    squares += part * part;
  }
  const auto deviation = static_cast<float>(std::sqrt(squares));
  std::vector<float> promises(lists());
  for (size_t i = 0; i < promises.size(); ++i)
    promises[i] = products[i] + kSpreads * deviation * widths_[i];
  std::vector<uint32_t> order(lists());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) {
    return promises[a] != promises[b] ? promises[a] > promises[b] : a < b;
  });
  return order;
}

std::vector<Row> Ivf::candidates(std::span<const float> query, const IvfReach& reach,
                                 const std::function<bool(Row)>& keep) const {
  assert(query.size() == dimension_);
  if (reach.candidates == 0) return {};
  std::vector<float> products;
  const std::vector<uint32_t> order = lists_by_promise(query, products);
  Scan scan(*this, query, reach.threads);
  std::vector<Estimate> best;
  size_t first = 0;
  uint64_t looked_at = 0;
  for (uint64_t wanted = std::max<uint64_t>(1, reach.vectors);
       first < order.size() && best.size() < reach.candidates; wanted *= 2) {
    size_t last = first;
    for (; last < order.size() && looked_at < wanted; ++last)
      looked_at += ends_[order[last]] - begin_of(order[last]);
    scan.open(std::span(order).subspan(first, last - first), products);
    best = scan.best(reach.candidates, keep);
    first = last;
  }
  std::vector<Row> rows;
  for (const Estimate& estimate : best) rows.push_back(estimate.row);
  std::ranges::sort(rows);
  return rows;
}

}  // namespace zeroshelf
