#pragma once

// One or many collections as one thing to ask. Rows are numbered through all parts: those of the
// first part keep their numbers, those of the next go on behind them. Sums and counts are those of
// the union; sums are in fixed point, so several parts give the bits of one collection with the
// same pictures. With one part every call goes straight to it.
//
// Where other processes have more parts open (elsewhere.h), rows, texts and what is found by them
// are those of the own parts, of which there may be none; the model, counts, means and samples are
// those of all.
//
// Threads: const calls may run together.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/collection/collection.h"
#include "lib/lexicon/lexicon.h"

namespace zeroshelf {

class ViewSamples;  // of the implementation
struct Elsewhere;

// The pictures that ViewVectors::sample draws, copied in that order with their texts: they lie
// together for whoever goes over them again and again.
struct SampledPictures {
  VectorRows pictures;
  VectorRows texts;                    // of those that have one
  std::vector<size_t> text_owners;     // whose: numbers of `pictures`, ascending
  std::vector<TextEvidence> evidence;  // one a text
};

// Throws Incompatible, naming the collection, unless its vectors are of that model; of: what has
// it.
void expect_same_model(const Manifest& model, const std::filesystem::path& of,
                       const Collection& collection);

class View {
 public:
  struct Part {
    Collection collection;
    Row first_row = 0;        // of this part's row 0
    uint64_t first_text = 0;  // of this part's text vector 0
  };

  // Opens the collection, or all of them: at least one. Throws what Collection::open throws, and
  // Incompatible, naming the part, when its vectors are not of the first one's model.
  static View open(const std::filesystem::path& directory);
  static View open(std::span<const std::filesystem::path> directories);
  explicit View(Collection collection);
  explicit View(std::vector<Collection> parts);
  // Own parts, of the model that all have, which is not looked at here.
  View(std::vector<Collection> parts, std::shared_ptr<const Elsewhere> elsewhere);
  View(View&&) noexcept;
  View& operator=(View&&) noexcept;
  ~View();

  // The first part's: what all parts agree in is the model and what follows from it.
  const Manifest& manifest() const;
  // What a reader calls it: the first part's folder's name, and how many more there are.
  std::string name() const;
  // Where runs, calibrations, classifiers and prompts are kept: with the first part.
  Attachments attachments() const { return Attachments(directory()); }
  const std::filesystem::path& directory() const;
  CollectionCounts counts() const;  // of the own parts; disk_bytes reads the folders
  // Null where all parts are its own.
  const Elsewhere* elsewhere() const { return elsewhere_.get(); }

  std::span<const Part> parts() const { return parts_; }
  // The collections again; the view is of no use then.
  std::vector<Collection> take_parts() &&;
  const Part& part_of(Row row) const;           // row < rows()
  const Part& part_of_text(size_t text) const;  // text < texts()

  // --- rows -------------------------------------------------------------------------------------

  uint64_t rows() const { return rows_; }    // removed ones included
  uint64_t texts() const { return texts_; }  // text vectors, numbered like rows
  uint64_t pictures() const;                 // live rows
  uint64_t live_texts() const;               // texts of live rows
  bool is_live(Row row) const;
  // Which text vector is the row's, if it has any; and the row that a text vector belongs to.
  std::optional<size_t> text_index(Row row) const;
  Row text_owner(size_t text) const { return text_owners()[text]; }
  const std::vector<Row>& text_owners() const;  // one a text vector, ascending
  TextEvidence text_evidence(size_t text) const;
  // The means of all live pictures and of all live texts: not of unit length; zero when there are
  // none.
  std::vector<float> mean_image_vector() const;
  std::vector<float> mean_text_vector() const;

  // Copied by the first call: up to kMostSampled pictures.
  const SampledPictures& sampled_pictures() const;

  // The index of the words, see Collection::lexicon(): lexicons of disjoint rows, ascending.
  std::vector<PlacedLexicon> lexicons() const;

  // --- records: as Collection has them, with this view's row numbers ----------------------------

  PictureRecord record(Row row) const;
  std::vector<Word> words(Row row) const;
  std::optional<std::vector<uint16_t>> masked_vector(Row row) const;
  void for_each_record(const std::function<void(Row, const PictureRecord&)>& visit) const;
  void for_each_record(Row first, Row end,
                       const std::function<void(Row, const PictureRecord&)>& visit) const;
  void for_each_words(Row first, Row end,
                      const std::function<void(Row, const std::vector<Word>&)>& visit) const;
  std::optional<Row> find_path(std::string_view path) const;  // of the first part that has it
  std::optional<Row> find_content(const ContentHash& hash) const;
  std::vector<Row> blank_rows() const;

 private:
  friend class ViewVectors;

  std::vector<Part> parts_;
  std::vector<Row> text_owners_;  // of more than one part
  uint64_t rows_ = 0;
  uint64_t texts_ = 0;
  std::unique_ptr<ViewSamples> samples_;
  std::shared_ptr<const Elsewhere> elsewhere_;
};

// All vectors of one kind, numbered through the parts: pictures by row, texts by text_index(). The
// view must outlive it.
class ViewVectors {
 public:
  enum class Kind { Pictures, Texts };

  ViewVectors(const View& view, Kind kind) : view_(view), kind_(kind) {}
  static ViewVectors pictures(const View& view) { return {view, Kind::Pictures}; }
  static ViewVectors texts(const View& view) { return {view, Kind::Texts}; }

  uint64_t size() const { return kind_ == Kind::Pictures ? view_.rows() : view_.texts(); }
  uint64_t live() const;  // of live rows
  uint32_t dimension() const { return view_.manifest().dimension; }

  // `count` of the live ones, or all where there are fewer, in a fixed order: drawn by what the
  // pictures are, so that neither the parts nor the order in which they were added matter, and
  // fewer are the first of more. Where texts are rare among very many pictures there may be fewer.
  // At most kMostSampled; the first call looks for them, which takes some milliseconds. Where
  // others have parts, they are numbered from size() on: their vectors can be asked for, and of a
  // picture View::text_index and View::text_evidence, but nothing else.
  static constexpr size_t kMostSampled = 4096;
  std::vector<Row> sample(size_t count) const;

  std::span<const uint16_t> row(uint64_t number) const;  // fp16, of unit length
  Row owner(uint64_t number) const;                      // the picture's row

  // Where a vector lies: at number - first of these rows.
  struct Place {
    const VectorRows& rows;
    uint64_t first = 0;
  };
  Place place_of(uint64_t number) const;

  // As the functions of these names in lib/vectors have them.
  void inner_products(uint64_t first, size_t count, const Matrix& queries,
                      std::span<float> out) const;
  void inner_products_of(std::span<const Row> numbers, std::span<const float> query,
                         std::span<float> out) const;

 private:
  const View& view_;
  Kind kind_;
};

}  // namespace zeroshelf
