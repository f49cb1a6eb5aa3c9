#pragma once

// Hits and what is shown of them: of a view, or of several processes brought together.

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/search/search.h"
#include "lib/util/matrix.h"
#include "lib/util/words.h"

namespace zeroshelf {

// What is known of the pictures of hits, by SearchHit::row.
class HitFacts {
 public:
  virtual ~HitFacts() = default;
  virtual std::string path(Row row) const = 0;
  // For other processes' pictures only where ToldOfHits asked for it: its file and identity, and
  // the size in pixels.
  virtual PictureRecord record(Row row) const = 0;
  // The row when those of all processes are numbered through.
  virtual Row row_of_all(Row row) const = 0;
  virtual std::vector<Word> words(Row row) const = 0;
  // The picture's vector, and its inner product with another one [1, dimension].
  virtual void read_vector(Row row, std::span<float> out) const = 0;
  virtual float inner_product(Row row, const Matrix& other) const = 0;
};

// Facts of a view's own rows. The view must outlive it.
class ViewFacts : public HitFacts {
 public:
  explicit ViewFacts(const View& view) : view_(view), pictures_(ViewVectors::pictures(view)) {}

  std::string path(Row row) const override;
  PictureRecord record(Row row) const override { return view_.record(row); }
  Row row_of_all(Row row) const override { return row; }
  std::vector<Word> words(Row row) const override;
  void read_vector(Row row, std::span<float> out) const override;
  float inner_product(Row row, const Matrix& other) const override;

 private:
  const View& view_;
  ViewVectors pictures_;
};

// What search() is to give of each hit to the first process. Paths are always told.
struct ToldOfHits {
  bool words = false;
  bool vectors = false;
  bool records = false;
};

struct GatheredHits {
  std::vector<SearchHit> hits;            // best first
  std::unique_ptr<const HitFacts> facts;  // by their rows
};

// The best `count` of what search() found in that space in each process, in the order of one that has
// all parts; rows count from 0 then. All processes call it together; where there is one only, its hits
// are as they were. Elsewhere than in the first one there are none.
GatheredHits gathered_hits(const View& view, std::vector<SearchHit> own, SearchSpace space,
                           size_t count, const ToldOfHits& told);

}  // namespace zeroshelf
