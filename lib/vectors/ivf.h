#pragma once

// An inverted file (IVF): vectors sorted into lists by the centroid they are nearest to, each with
// a short code, so that the vectors of high inner product with a query are found by looking at the
// codes of the nearest lists instead of at all vectors (Jegou, Douze and Schmid 2011).
//
// It only proposes candidates; who wants their inner products computes them from the vectors.
//
//   - Centroids come from k-means (Lloyd) on an even sample: about the square root of the number of
//     vectors. (FAISS's k-means multiplies by BLAS, whose sums depend on the number of threads.)
//   - A code has 2 bits a dimension: which of the four levels that suit a normal distribution best
//     (Max 1960) the vector less its centroid is nearest to, with a scale for each dimension and a
//     width for each list. So it is precise in the directions in which the vectors differ little,
//     which is what a query needs that is not like them, such as a text's vector among pictures'
//     vectors.
//   - Codes are summed 32 vectors at a time from tables in registers (Andre, Kermarrec and Le
//     Scouarnec 2015).
//
// A file is mapped and read in place; docs/collection-format.md has every byte. A million vectors
// of 512 need 134 MB.
//
// Reading trusts nothing: counts, row numbers, centroids and scales are checked at opening, codes
// are right whatever they are. The checksum over all is for check().
//
// Threads: const calls may run together.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "lib/util/file.h"
#include "lib/util/matrix.h"
#include "lib/vectors/vector_rows.h"

namespace zeroshelf {

// Which state of a collection an index was made from.
struct IvfOrigin {
  uint64_t epoch = 0;
  uint64_t generation = 0;

  bool operator==(const IvfOrigin&) const = default;
};

// How far a search goes.
struct IvfReach {
  size_t candidates = 0;  // how many, or all that there are
  size_t vectors =
      0;  // lists are looked at, the most promising first, until they have this many together
  unsigned threads = 0;  // 0: every core; changes no result
};

class Ivf {
 public:
  // Throws NotFound, Io or Corruption.
  static Ivf map(const std::filesystem::path& path, uint32_t dimension);
  // Bytes made by trained_ivf or extended_ivf.
  static Ivf of_bytes(std::string bytes, uint32_t dimension);

  const IvfOrigin& origin() const { return origin_; }
  uint32_t dimension() const { return dimension_; }
  // It has the vectors 0 to size() - 1, each once.
  uint64_t size() const { return rows_.size(); }
  uint64_t lists() const { return ends_.size(); }
  // How many vectors there were when the centroids were made.
  uint64_t trained_size() const { return trained_size_; }

  // The vectors that seem to have the highest inner products with the query, ascending. Vectors for
  // which keep returns false are passed over; further lists are looked at until enough are found.
  std::vector<Row> candidates(std::span<const float> query, const IvfReach& reach,
                              const std::function<bool(Row)>& keep) const;

  // The centroids, and of each vector the list that it is in.
  Matrix centroids() const;
  std::vector<uint32_t> list_of_vectors() const;
  std::span<const float> scales() const { return scales_; }

  // Reads everything. Throws Corruption.
  void check() const;

 private:
  class Scan;

  Ivf() = default;
  void attach(std::span<const std::byte> bytes, uint32_t dimension);
  void check_content() const;
  [[noreturn]] void damaged(const char* cause) const;
  uint64_t begin_of(uint32_t list) const { return list == 0 ? 0 : ends_[list - 1]; }
  std::vector<uint32_t> lists_by_promise(std::span<const float> query,
                                         std::vector<float>& products) const;

  MappedFile file_;
  std::string memory_;
  std::string subject_;
  std::span<const std::byte> bytes_;
  IvfOrigin origin_;
  uint32_t dimension_ = 0;
  uint64_t trained_size_ = 0;
  std::span<const float> scales_;        // one a dimension
  std::span<const float> spreads_;       // of each list
  std::vector<float> widths_;            // of each list, from its spread
  std::span<const uint16_t> centroids_;  // fp16 [lists, dimension]
  std::span<const uint64_t> ends_;       // of each list, in rows_
  std::span<const uint32_t> rows_;       // list after list, ascending within each
  std::vector<uint64_t> first_block_;    // of each list, in codes_
  const uint8_t* codes_ = nullptr;
};

// The bytes of an index of all the vectors, with centroids trained on those for which keep returns
// true. The same vectors give the same bytes, whatever the threads (0: every core). At most 2^32 -
// 1 vectors. For a million vectors of 512 it takes about 2 x 10^12 multiplications.
std::string trained_ivf(const VectorRows& vectors, const std::function<bool(Row)>& keep,
                        const IvfOrigin& origin, unsigned threads = 0);

// The same with the centroids of an index of the first of these vectors: only the later ones are
// compared with the centroids.
std::string extended_ivf(const Ivf& ivf, const VectorRows& vectors, const IvfOrigin& origin,
                         unsigned threads = 0);

}  // namespace zeroshelf
