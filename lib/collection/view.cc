// Tested by tests/collection/view_test.cc.

#include "lib/collection/view.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>
#include <mutex>
#include <utility>

#include "lib/collection/merged_keys.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/vectors/scan.h"
#include "lib/vectors/vector_sum.h"

namespace zeroshelf {
namespace {

std::vector<Collection> alone(Collection collection) {
  std::vector<Collection> parts;
  parts.push_back(std::move(collection));
  return parts;
}

void expect_same_model(const Collection& first, const Collection& other) {
  const Manifest& a = first.manifest();
  const Manifest& b = other.manifest();
  if (a.model_fingerprint == b.model_fingerprint && a.dimension == b.dimension &&
      a.scoring == b.scoring && a.logit_bias == b.logit_bias) {
    return;
  }
  throw Error(
      ErrorCode::Incompatible, other.directory().string(),
      fmt::format("its vectors are of {} with {} dimensions, those of {} of {} with {}",
                  b.model_name, b.dimension, first.directory().string(), a.model_name, a.dimension),
      "ask collections of one model together");
}

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

// What ViewVectors::sample found.
class ViewSamples {
 public:
  std::mutex mutex;
  std::optional<std::vector<Row>> pictures;
  std::optional<std::vector<Row>> texts;
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

View::View(std::vector<Collection> parts) : samples_(std::make_unique<ViewSamples>()) {
  assert(!parts.empty());
  for (Collection& part : parts) {
    if (!parts_.empty()) expect_same_model(parts_.front().collection, part);
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

const View::Part& View::part_of(Row row) const {
  return part_with(parts_, row, &Part::first_row);
}

const View::Part& View::part_of_text(size_t text) const {
  return part_with(parts_, text, &Part::first_text);
}

uint64_t View::pictures() const {
  uint64_t sum = 0;
  for (const Part& part : parts_) sum += part.collection.image_sum().count();
  return sum;
}

uint64_t View::live_texts() const {
  uint64_t sum = 0;
  for (const Part& part : parts_) sum += part.collection.text_sum().count();
  return sum;
}

std::string View::name() const {
  const std::string first = absolute_path(directory()).filename().string();
  return parts_.size() == 1 ? first : fmt::format("{} and {} more", first, parts_.size() - 1);
}

bool View::is_live(Row row) const {
  const Part& part = part_of(row);
  return part.collection.is_live(row - part.first_row);
}

std::optional<size_t> View::text_index(Row row) const {
  const Part& part = part_of(row);
  const auto index = part.collection.text_index(row - part.first_row);
  return index ? std::optional(part.first_text + *index) : std::nullopt;
}

const std::vector<Row>& View::text_owners() const {
  return parts_.size() == 1 ? parts_.front().collection.text_owners() : text_owners_;
}

TextEvidence View::text_evidence(size_t text) const {
  const Part& part = part_of_text(text);
  return part.collection.text_evidence()[text - part.first_text];
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
  return mean_of(parts_, &Collection::image_sum);
}

std::vector<float> View::mean_text_vector() const {
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

const View::Part& ViewVectors::part_of(uint64_t number) const {
  return kind_ == Kind::Pictures ? view_.part_of(number) : view_.part_of_text(number);
}

uint64_t ViewVectors::first_of(const View::Part& part) const {
  return kind_ == Kind::Pictures ? part.first_row : part.first_text;
}

const VectorRows& ViewVectors::vectors_of(const View::Part& part) const {
  return kind_ == Kind::Pictures ? part.collection.image_vectors() : part.collection.text_vectors();
}

std::span<const uint16_t> ViewVectors::row(uint64_t number) const {
  const View::Part& part = part_of(number);
  return vectors_of(part).row(number - first_of(part));
}

Row ViewVectors::owner(uint64_t number) const {
  return kind_ == Kind::Pictures ? number : view_.text_owner(number);
}

uint64_t ViewVectors::live() const {
  return kind_ == Kind::Pictures ? view_.pictures() : view_.live_texts();
}

namespace {

// Few enough to look at each: a number of 64 bits of its vector.
constexpr uint64_t kFewVectors = 65'536;
// So many contents are looked at for those with text, where these are more.
constexpr size_t kMostContents = 65'536;

std::vector<Row> drawn_by_vector(const ViewVectors& vectors, const View& view) {
  std::vector<std::pair<uint64_t, Row>> keys;
  for (uint64_t i = 0; i < vectors.size(); ++i) {
    if (view.is_live(vectors.owner(i)))
      keys.emplace_back(checksum64(std::as_bytes(vectors.row(i))), i);
  }
  const size_t count = std::min(keys.size(), ViewVectors::kMostSampled);
  std::ranges::partial_sort(keys, keys.begin() + static_cast<std::ptrdiff_t>(count));
  std::vector<Row> drawn;
  for (size_t i = 0; i < count; ++i) drawn.push_back(keys[i].second);
  return drawn;
}

// A content's hash is as good as chance.
std::vector<Row> drawn_by_content(const View& view, ViewVectors::Kind kind) {
  std::vector<Row> drawn;
  size_t looked_at = 0;
  for_each_content(view, [&](Row row) {
    if (kind == ViewVectors::Kind::Pictures) {
      drawn.push_back(row);
    } else if (const auto text = view.text_index(row)) {
      drawn.push_back(*text);
    }
    return drawn.size() < ViewVectors::kMostSampled && ++looked_at < kMostContents;
  });
  return drawn;
}

}  // namespace

std::vector<Row> ViewVectors::sample(size_t count) const {
  assert(count <= kMostSampled);
  ViewSamples& samples = *view_.samples_;
  const std::lock_guard lock(samples.mutex);
  std::optional<std::vector<Row>>& drawn =
      kind_ == Kind::Pictures ? samples.pictures : samples.texts;
  if (!drawn) {
    const bool few = kind_ == Kind::Texts && live() <= kFewVectors;
    drawn = few ? drawn_by_vector(*this, view_) : drawn_by_content(view_, kind_);
  }
  return {drawn->begin(), drawn->begin() + static_cast<std::ptrdiff_t>(std::min(count, drawn->size()))};
}

void ViewVectors::inner_products(uint64_t first, size_t count, const Matrix& queries,
                                 std::span<float> out) const {
  while (count > 0) {
    const View::Part& part = part_of(first);
    const VectorRows& vectors = vectors_of(part);
    const uint64_t from = first - first_of(part);
    const auto here = static_cast<size_t>(std::min<uint64_t>(count, vectors.size() - from));
    zeroshelf::inner_products(vectors, from, here, queries, out.first(here * queries.rows()));
    out = out.subspan(here * queries.rows());
    first += here;
    count -= here;
  }
}

void ViewVectors::inner_products_of(std::span<const Row> numbers, std::span<const float> query,
                                    std::span<float> out) const {
  if (view_.parts().size() == 1)
    return zeroshelf::inner_products_of(vectors_of(view_.parts().front()), numbers, query, out);
  std::vector<Row> own;
  for (size_t begin = 0; begin < numbers.size();) {
    const View::Part& part = part_of(numbers[begin]);
    const uint64_t first = first_of(part);
    const uint64_t end = first + vectors_of(part).size();
    own.clear();
    while (begin + own.size() < numbers.size() && numbers[begin + own.size()] >= first &&
           numbers[begin + own.size()] < end)
      own.push_back(numbers[begin + own.size()] - first);
    zeroshelf::inner_products_of(vectors_of(part), own, query, out.subspan(begin, own.size()));
    begin += own.size();
  }
}

}  // namespace zeroshelf
