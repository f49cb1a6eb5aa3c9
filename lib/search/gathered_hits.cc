// Tested by tests/search/gathered_hits_test.cc and tests/programs/ranks_test.cc.

#include "lib/search/gathered_hits.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "lib/collection/elsewhere.h"
#include "lib/collection/path_order.h"
#include "lib/util/bytes.h"
#include "lib/util/value_bytes.h"
#include "lib/vectors/scan.h"
#include "lib/vectors/vector_rows.h"

namespace zeroshelf {
namespace {

constexpr const char* kMessage = "hits of another process";

struct ToldHit {
  SearchHit hit;  // its row: of all processes
  std::string path;
  PictureRecord record;
  std::vector<Word> words;
  std::vector<uint16_t> vector;
};

// Facts in memory, in the order of the hits.
class ToldFacts : public HitFacts {
 public:
  ToldFacts(uint32_t dimension, const std::vector<ToldHit>& told) : vectors_(dimension) {
    for (const ToldHit& one : told) {
      paths_.push_back(one.path);
      rows_.push_back(one.hit.row);
      records_.push_back(one.record);
      words_.push_back(one.words);
      if (!one.vector.empty()) vectors_.append(one.vector);
    }
  }

  std::string path(Row row) const override { return paths_[row]; }
  PictureRecord record(Row row) const override { return records_[row]; }
  Row row_of_all(Row row) const override { return rows_[row]; }
  std::vector<Word> words(Row row) const override { return words_[row]; }
  void read_vector(Row row, std::span<float> out) const override {
    from_fp16(vectors_.row(row), out);
  }
  float inner_product(Row row, const Matrix& other) const override {
    float result = 0;
    inner_products(vectors_, row, 1, other, std::span(&result, 1));
    return result;
  }

 private:
  std::vector<std::string> paths_;
  std::vector<Row> rows_;
  std::vector<PictureRecord> records_;
  std::vector<std::vector<Word>> words_;
  VectorRows vectors_;
};

void write_record(ByteWriter& out, const PictureRecord& record) {
  out.number(record.file.size_bytes);
  out.number(record.file.mtime_ns);
  out.raw(std::as_bytes(std::span(record.content_hash)));
  out.number(record.width_px);
  out.number(record.height_px);
}

PictureRecord read_record(ByteReader& in, const std::string& path) {
  PictureRecord record;
  record.file.path = path;
  record.file.size_bytes = in.number<uint64_t>();
  record.file.mtime_ns = in.number<int64_t>();
  std::ranges::copy(in.take(record.content_hash.size()), record.content_hash.begin());
  record.width_px = in.number<uint32_t>();
  record.height_px = in.number<uint32_t>();
  return record;
}

std::string bytes_of(const View& view, std::span<const SearchHit> hits, const ToldOfHits& told) {
  std::vector<Row> rows;
  for (const SearchHit& hit : hits) rows.push_back(hit.row);
  const std::vector<PictureRecord> records = records_of(view, rows);
  const auto words =
      told.words ? words_of(view, rows) : std::vector<std::vector<Word>>(rows.size());
  ByteWriter out;
  out.number(view.rows());
  out.number<uint8_t>(told.records);
  for (size_t i = 0; i < hits.size(); ++i) {
    write_plain(out, hits[i]);
    out.text(records[i].file.path);
    if (told.records) write_record(out, records[i]);
    out.varint(words[i].size());
    for (const Word& word : words[i]) {
      out.text(word.text);
      out.number(word.confidence);
      write_plain(out, word.box);
    }
    const auto vector =
        told.vectors ? ViewVectors::pictures(view).row(rows[i]) : std::span<const uint16_t>();
    out.varint(vector.size());
    out.raw(std::as_bytes(vector));
  }
  return std::move(out).bytes();
}

// first_row: of that process among all; the next one's comes out.
void read_hits(std::string_view bytes, Row& first_row, std::vector<ToldHit>& all) {
  ByteReader in(bytes, kMessage);
  const auto rows = in.number<uint64_t>();
  const bool has_records = in.number<uint8_t>() != 0;
  while (in.left() > 0) {
    ToldHit told;
    told.hit = read_plain<SearchHit>(in);
    told.hit.row += first_row;
    told.path = in.text();
    if (has_records) told.record = read_record(in, told.path);
    for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left) {
      Word word;
      word.text = in.text();
      word.confidence = in.number<float>();
      word.box = read_plain<Box>(in);
      told.words.push_back(std::move(word));
    }
    told.vector.resize(in.varint_at_most(in.left() / sizeof(uint16_t)));
    const std::string_view vector = in.take(told.vector.size() * sizeof(uint16_t));
    if (!vector.empty()) std::memcpy(told.vector.data(), vector.data(), vector.size());
    all.push_back(std::move(told));
  }
  first_row += rows;
}

// The order of search().
bool comes_before(const ToldHit& a, const ToldHit& b, SearchSpace space) {
  const auto tie = [&](const SearchHit& hit) {
    return space == SearchSpace::Text ? hit.text_score.value_or(0) : hit.image_score;
  };
  if (a.hit.fits != b.hit.fits) return a.hit.fits > b.hit.fits;
  if (a.hit.score != b.hit.score) return a.hit.score > b.hit.score;
  const float tie_a = tie(a.hit);
  const float tie_b = tie(b.hit);
  return tie_a != tie_b ? tie_a > tie_b : a.path < b.path;
}

}  // namespace

std::string ViewFacts::path(Row row) const {
  return view_.record(row).file.path;
}

std::vector<Word> ViewFacts::words(Row row) const {
  return view_.words(row);
}

void ViewFacts::read_vector(Row row, std::span<float> out) const {
  from_fp16(pictures_.row(row), out);
}

float ViewFacts::inner_product(Row row, const Matrix& other) const {
  float result = 0;
  pictures_.inner_products(row, 1, other, std::span(&result, 1));
  return result;
}

GatheredHits gathered_hits(const View& view, std::vector<SearchHit> own, SearchSpace space,
                           size_t count, const ToldOfHits& told) {
  Ranks* ranks = ranks_of(view);
  if (ranks == nullptr) return {std::move(own), std::make_unique<ViewFacts>(view)};
  std::string bytes;
  ranks->agree_after([&] { bytes = bytes_of(view, own, told); });
  std::vector<ToldHit> all;
  Row first_row = 0;
  for (const std::string& of_rank : ranks->gather(bytes)) read_hits(of_rank, first_row, all);
  std::ranges::stable_sort(
      all, [&](const ToldHit& a, const ToldHit& b) { return comes_before(a, b, space); });
  all.resize(std::min(all.size(), count));
  GatheredHits gathered;
  gathered.facts = std::make_unique<ToldFacts>(view.manifest().dimension, all);
  for (size_t i = 0; i < all.size(); ++i) {
    gathered.hits.push_back(all[i].hit);
    gathered.hits.back().row = i;
  }
  return gathered;
}

}  // namespace zeroshelf
