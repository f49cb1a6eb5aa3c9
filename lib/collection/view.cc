// Tested by tests/collection/view_test.cc.

#include "lib/collection/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <mutex>
#include <numeric>
#include <utility>

#include "lib/collection/elsewhere.h"
#include "lib/collection/merged_keys.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/vectors/scan.h"
#include "lib/vectors/vector_sum.h"

namespace zeroshelf {
namespace {

std::vector<Collection> alone(Collection collection) {
  std::vector<Collection> parts;
  parts.push_back(std::move(collection));
  return parts;
}

}  // namespace

void expect_same_model(const Manifest& a, const std::filesystem::path& of_a,
                       const Collection& other) {
  const Manifest& b = other.manifest();
  if (a.model_fingerprint == b.model_fingerprint && a.dimension == b.dimension &&
      a.scoring == b.scoring && a.logit_bias == b.logit_bias) {
    return;
  }
  throw Error(ErrorCode::Incompatible, other.directory().string(),
              fmt::format("its vectors are of {} with {} dimensions, those of {} of {} with {}",
                          b.model_name, b.dimension, of_a.string(), a.model_name, a.dimension),
              "ask collections of one model together");
}

namespace {

// The last part that begins at `number` or before it.
template <class First>
const View::Part& part_with(std::span<const View::Part> parts, uint64_t number, First first) {
  if (parts.size() == 1) return parts.front();
  const auto next = std::ranges::upper_bound(parts, number, {}, first);
  return *std::prev(next);
}

std::vector<float> mean_of(std::span<const View::Part> parts,
                           const VectorSum& (Collection::*sum)() const) {
  if (parts.size() == 1) return (parts.front().collection.*sum)().mean();
  VectorSum all = (parts.front().collection.*sum)();
  for (const View::Part& part : parts.subspan(1)) all.add((part.collection.*sum)());
  return all.mean();
}

}  // namespace

// What ViewVectors::sample found, and what was copied of it.
class ViewSamples {
 public:
  std::mutex mutex;
  std::optional<std::vector<Row>> pictures;
  std::optional<std::vector<Row>> texts;
  std::mutex copying;
  std::optional<SampledPictures> copied;
};

View::View(View&&) noexcept = default;
View& View::operator=(View&&) noexcept = default;
View::~View() = default;

View View::open(const std::filesystem::path& directory) {
  return View(Collection::open(directory));
}

View View::open(std::span<const std::filesystem::path> directories) {
  std::vector<Collection> parts;
  for (const std::filesystem::path& directory : directories)
    parts.push_back(Collection::open(directory));
  return View(std::move(parts));
}

View::View(Collection collection) : View(alone(std::move(collection))) {}

View::View(std::vector<Collection> parts) : View(std::move(parts), nullptr) {
  assert(!parts_.empty());
  for (const Part& part : parts_) expect_same_model(manifest(), directory(), part.collection);
}

View::View(std::vector<Collection> parts, std::shared_ptr<const Elsewhere> elsewhere)
    : samples_(std::make_unique<ViewSamples>()), elsewhere_(std::move(elsewhere)) {
  for (Collection& part : parts) {
    const uint64_t rows = part.image_vectors().size();
    const uint64_t texts = part.text_vectors().size();
    parts_.push_back({std::move(part), rows_, texts_});
    rows_ += rows;
    texts_ += texts;
  }
  if (parts_.size() == 1) return;
  text_owners_.reserve(texts_);
  for (const Part& part : parts_) {
    for (const Row row : part.collection.text_owners())
      text_owners_.push_back(part.first_row + row);
  }
}

const Manifest& View::manifest() const {
  return elsewhere_ ? elsewhere_->manifest : parts_.front().collection.manifest();
}

const std::filesystem::path& View::directory() const {
  return elsewhere_ ? elsewhere_->directory : parts_.front().collection.directory();
}

CollectionCounts View::counts() const {
  CollectionCounts sum;
  for (const Part& part : parts_) {
    const CollectionCounts counts = part.collection.counts();
    sum.pictures += counts.pictures;
    sum.with_text += counts.with_text;
    sum.tombstones += counts.tombstones;
    sum.skips += counts.skips;
    sum.commits += counts.commits;
    sum.disk_bytes += counts.disk_bytes;
  }
  return sum;
}

std::vector<Collection> View::take_parts() && {
  std::vector<Collection> parts;
  for (Part& part : parts_) parts.push_back(std::move(part.collection));
  parts_.clear();
  return parts;
}

const View::Part& View::part_of(Row row) const {
  return part_with(parts_, row, &Part::first_row);
}

const View::Part& View::part_of_text(size_t text) const {
  return part_with(parts_, text, &Part::first_text);
}

uint64_t View::pictures() const {
  if (elsewhere_) return elsewhere_->image_sum.count();
  uint64_t sum = 0;
  for (const Part& part : parts_) sum += part.collection.image_sum().count();
  return sum;
}

uint64_t View::live_texts() const {
  if (elsewhere_) return elsewhere_->text_sum.count();
  uint64_t sum = 0;
  for (const Part& part : parts_) sum += part.collection.text_sum().count();
  return sum;
}

std::string View::name() const {
  const std::string first = absolute_path(directory()).filename().string();
  const size_t parts = elsewhere_ ? elsewhere_->parts : parts_.size();
  return parts == 1 ? first : fmt::format("{} and {} more", first, parts - 1);
}

bool View::is_live(Row row) const {
  if (row >= rows_) return false;
  const Part& part = part_of(row);
  return part.collection.is_live(row - part.first_row);
}

std::optional<size_t> View::text_index(Row row) const {
  if (row >= rows_ && elsewhere_) {
    const auto text = elsewhere_->text_of[row - rows_];
    return text ? std::optional(texts_ + *text) : std::nullopt;
  }
  const Part& part = part_of(row);
  const auto index = part.collection.text_index(row - part.first_row);
  return index ? std::optional(part.first_text + *index) : std::nullopt;
}

const std::vector<Row>& View::text_owners() const {
  return parts_.size() == 1 ? parts_.front().collection.text_owners() : text_owners_;
}

TextEvidence View::text_evidence(size_t text) const {
  if (text >= texts_ && elsewhere_) return elsewhere_->text_evidence[text - texts_];
  const Part& part = part_of_text(text);
  return part.collection.text_evidence()[text - part.first_text];
}

const SampledPictures& View::sampled_pictures() const {
  const std::lock_guard lock(samples_->copying);
  if (samples_->copied) return *samples_->copied;
  const uint32_t dimension = manifest().dimension;
  SampledPictures copied{VectorRows(dimension), VectorRows(dimension), {}, {}};
  const ViewVectors pictures = ViewVectors::pictures(*this);
  const ViewVectors texts = ViewVectors::texts(*this);
  for (const Row row : pictures.sample(ViewVectors::kMostSampled)) {
    copied.pictures.append(pictures.row(row));
    const auto text = text_index(row);
    if (!text) continue;
    copied.texts.append(texts.row(*text));
    copied.text_owners.push_back(copied.pictures.size() - 1);
    copied.evidence.push_back(text_evidence(*text));
  }
  return samples_->copied.emplace(std::move(copied));
}

std::vector<PlacedLexicon> View::lexicons() const {
  std::vector<PlacedLexicon> all;
  for (const Part& part : parts_) {
    for (const Lexicon& lexicon : part.collection.lexicon())
      all.push_back({&lexicon, part.first_row});
  }
  return all;
}

std::vector<float> View::mean_image_vector() const {
  if (elsewhere_) return elsewhere_->image_sum.mean();
  return mean_of(parts_, &Collection::image_sum);
}

std::vector<float> View::mean_text_vector() const {
  if (elsewhere_) return elsewhere_->text_sum.mean();
  return mean_of(parts_, &Collection::text_sum);
}

PictureRecord View::record(Row row) const {
  const Part& part = part_of(row);
  return part.collection.record(row - part.first_row);
}

std::vector<Word> View::words(Row row) const {
  const Part& part = part_of(row);
  return part.collection.words(row - part.first_row);
}

std::optional<std::vector<uint16_t>> View::masked_vector(Row row) const {
  const Part& part = part_of(row);
  return part.collection.masked_vector(row - part.first_row);
}

void View::for_each_record(const std::function<void(Row, const PictureRecord&)>& visit) const {
  for_each_record(0, rows_, visit);
}

namespace {

// Calls visit_part(collection, first, end, offset) with each part's own rows of [first, end).
template <class Visit>
void for_each_stretch(std::span<const View::Part> parts, Row first, Row end, const Visit& visit) {
  for (const View::Part& part : parts) {
    const Row part_end = part.first_row + part.collection.image_vectors().size();
    const Row from = std::max(first, part.first_row);
    const Row to = std::min(end, part_end);
    if (from < to)
      visit(part.collection, from - part.first_row, to - part.first_row, part.first_row);
  }
}

}  // namespace

void View::for_each_record(Row first, Row end,
                           const std::function<void(Row, const PictureRecord&)>& visit) const {
  for_each_stretch(parts_, first, end, [&](const Collection& part, Row from, Row to, Row offset) {
    if (offset == 0) return part.for_each_record(from, to, visit);
    part.for_each_record(
        from, to, [&](Row row, const PictureRecord& record) { visit(offset + row, record); });
  });
}

void View::for_each_words(Row first, Row end,
                          const std::function<void(Row, const std::vector<Word>&)>& visit) const {
  for_each_stretch(parts_, first, end, [&](const Collection& part, Row from, Row to, Row offset) {
    if (offset == 0) return part.for_each_words(from, to, visit);
    part.for_each_words(
        from, to, [&](Row row, const std::vector<Word>& words) { visit(offset + row, words); });
  });
}

std::optional<Row> View::find_path(std::string_view path) const {
  for (const Part& part : parts_) {
    if (const auto row = part.collection.find_path(path)) return part.first_row + *row;
  }
  return std::nullopt;
}

std::vector<Row> View::blank_rows() const {
  std::vector<Row> rows;
  for (const Part& part : parts_) {
    for (const Row row : part.collection.blank_rows()) rows.push_back(part.first_row + row);
  }
  return rows;
}

std::optional<Row> View::find_content(const ContentHash& hash) const {
  for (const Part& part : parts_) {
    if (const auto row = part.collection.find_content(hash)) return part.first_row + *row;
  }
  return std::nullopt;
}

// --- vectors -------------------------------------------------------------------------------------

ViewVectors::Place ViewVectors::place_of(uint64_t number) const {
  const bool pictures = kind_ == Kind::Pictures;
  if (number >= size()) {
    assert(view_.elsewhere_);
    return {pictures ? view_.elsewhere_->pictures : view_.elsewhere_->texts, size()};
  }
  const View::Part& part = pictures ? view_.part_of(number) : view_.part_of_text(number);
  return pictures ? Place{part.collection.image_vectors(), part.first_row}
                  : Place{part.collection.text_vectors(), part.first_text};
}

std::span<const uint16_t> ViewVectors::row(uint64_t number) const {
  const Place place = place_of(number);
  return place.rows.row(number - place.first);
}

Row ViewVectors::owner(uint64_t number) const {
  return kind_ == Kind::Pictures ? number : view_.text_owner(number);
}

uint64_t ViewVectors::live() const {
  return kind_ == Kind::Pictures ? view_.pictures() : view_.live_texts();
}

namespace {

std::vector<Row> rows_of(const std::vector<DrawnVector>& drawn) {
  std::vector<Row> rows;
  for (const DrawnVector& one : drawn) {
    if (one.number) rows.push_back(*one.number);
  }
  return rows;
}

}  // namespace

std::vector<Row> ViewVectors::sample(size_t count) const {
  assert(count <= kMostSampled);
  if (const Elsewhere* all = view_.elsewhere()) {
    const size_t sampled = kind_ == Kind::Pictures ? all->pictures.size() : all->sampled_texts;
    std::vector<Row> rows(std::min(count, sampled));
    std::iota(rows.begin(), rows.end(), size());
    return rows;
  }
  ViewSamples& samples = *view_.samples_;
  const std::lock_guard lock(samples.mutex);
  std::optional<std::vector<Row>>& drawn =
      kind_ == Kind::Pictures ? samples.pictures : samples.texts;
  if (!drawn)
    drawn = rows_of(kind_ == Kind::Pictures ? drawn_pictures(view_) : drawn_texts(view_, live()));
  return {drawn->begin(),
          drawn->begin() + static_cast<std::ptrdiff_t>(std::min(count, drawn->size()))};
}

void ViewVectors::inner_products(uint64_t first, size_t count, const Matrix& queries,
                                 std::span<float> out) const {
  while (count > 0) {
    const Place place = place_of(first);
    const VectorRows& vectors = place.rows;
    const uint64_t from = first - place.first;
    const auto here = static_cast<size_t>(std::min<uint64_t>(count, vectors.size() - from));
    zeroshelf::inner_products(vectors, from, here, queries, out.first(here * queries.rows()));
    out = out.subspan(here * queries.rows());
    first += here;
    count -= here;
  }
}

void ViewVectors::inner_products_of(std::span<const Row> numbers, std::span<const float> query,
                                    std::span<float> out) const {
  assert(query.size() == dimension());
  // All parts' in one call: a sample goes from part to part with nearly every row.
  std::vector<const uint16_t*> rows;
  rows.reserve(numbers.size());
  for (size_t i = 0; i < numbers.size();) {
    const auto [vectors, first] = place_of(numbers[i]);
    const uint64_t end = first + vectors.size();
    for (; i < numbers.size() && numbers[i] >= first && numbers[i] < end; ++i)
      rows.push_back(vectors.row(numbers[i] - first).data());
  }
  zeroshelf::inner_products_of(rows, query, out);
}

}  // namespace zeroshelf
