// Tested by tests/labelling/suggest_test.cc, and on true vectors by tests/programs/suggest_test.cc.

#include "lib/labelling/suggest.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <numeric>
#include <string_view>
#include <tuple>
#include <unordered_map>
#include <utility>

#include "lib/collection/path_order.h"
#include "lib/labelling/grouping.h"
#include "lib/labelling/shared_keywords.h"
#include "lib/labelling/truth.h"
#include "lib/lexicon/function_words.h"
#include "lib/util/fp16.h"
#include "lib/util/parallel.h"
#include "lib/util/unicode.h"
#include "lib/vectors/fixed_point.h"

namespace zeroshelf {
namespace {

constexpr size_t kSample = 1024;
constexpr size_t kMostGroups = 64;
constexpr size_t kFewestOfGroup = 4;  // on average
constexpr size_t kShown = 5;          // pictures of a group
constexpr size_t kAlso = 3;           // further names of a group
// What a name is worth less than this share of what the groups' names are worth in the middle is none.
constexpr double kFits = 0.5;
// In place of a name whose last words are another name, that one is taken if it fits so nearly as
// well.
constexpr double kNearlyFits = 0.8;
// A picture is as near to another group if its squared distance is at most so much larger.
constexpr double kAsNear = 1.1;
constexpr double kOverlap = 0.1;  // told from this share on
// Words: of how many of a group's pictures, and how many times as often as of all.
constexpr double kShared = 0.2;
constexpr double kMoreOften = 2;
constexpr double kNames = 0.5;  // a word or keyword that this share has may be the name
constexpr size_t kWords = 3;

double dot(std::span<const float> a, std::span<const float> b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i)
    sum += static_cast<double>(a[i]) * static_cast<double>(b[i]);
  return sum;
}

// Takes the middle off and scales what is left to unit length.
void centre(std::span<float> vector, std::span<const float> middle) {
  for (size_t i = 0; i < vector.size(); ++i) vector[i] -= middle[i];
  normalise(vector);
}

std::vector<float> mean_of(const Matrix& rows) {
  std::vector<double> sums(rows.columns());
  for (size_t i = 0; i < rows.rows(); ++i) {
    for (size_t d = 0; d < sums.size(); ++d) sums[d] += static_cast<double>(rows.row(i)[d]);
  }
  std::vector<float> mean(sums.size());
  for (size_t d = 0; d < sums.size(); ++d)
    mean[d] = static_cast<float>(sums[d] / static_cast<double>(std::max<size_t>(1, rows.rows())));
  return mean;
}

// Pictures as points: both directions side by side, of unit length together.
class Space {
 public:
  Space(const View& collection, const NameVocabulary& vocabulary, std::span<const Row> sample)
      : collection_(collection), names_(vocabulary.vectors) {
    if (names_.rows() > 0) queries_.emplace(names_);
    scale_ = 2 * static_cast<double>(collection.manifest().logit_scale);
    Matrix pictures(sample.size(), dimension());
    Matrix said(sample.size(), names_.rows() > 0 ? dimension() : 0);
    for (size_t i = 0; i < sample.size(); ++i) {
      const View::Part& part = collection.part_of(sample[i]);
      read(part.collection.image_vectors(), sample[i] - part.first_row, pictures.row(i), said.row(i));
    }
    picture_middle_ = mean_of(pictures);
    said_middle_ = mean_of(said);
    points_ = Matrix(sample.size(), columns());
    for (size_t i = 0; i < sample.size(); ++i) {
      std::ranges::copy(pictures.row(i), points_.row(i).begin());
      std::ranges::copy(said.row(i), points_.row(i).begin() + static_cast<ptrdiff_t>(dimension()));
      finish(points_.row(i));
    }
  }

  size_t dimension() const { return collection_.manifest().dimension; }
  size_t columns() const { return names_.rows() > 0 ? 2 * dimension() : dimension(); }
  const Matrix& points() const { return points_; }  // of the sample

  void point_of(const VectorRows& vectors, Row row, std::span<float> point) const {
    read(vectors, row, point.first(dimension()), point.subspan(dimension()));
    finish(point);
  }

 private:
  void read(const VectorRows& vectors, Row row, std::span<float> picture,
            std::span<float> said) const {
    from_fp16(vectors.row(row), picture);
    if (!queries_) return;
    constexpr double kNothing = 1e-4;
    thread_local std::vector<float> similarities;
    similarities.resize(names_.rows());
    queries_->inner_products(vectors, row, 1, similarities);
    const auto best = static_cast<double>(*std::ranges::max_element(similarities));
    std::ranges::fill(said, 0.0f);
    for (size_t k = 0; k < similarities.size(); ++k) {
      const double share = std::exp(scale_ * (static_cast<double>(similarities[k]) - best));
      if (!(share > kNothing)) continue;
      const std::span<const float> name = names_.row(k);
      for (size_t d = 0; d < said.size(); ++d) said[d] += static_cast<float>(share) * name[d];
    }
    normalise(said);
  }

  void finish(std::span<float> point) const {
    centre(point.first(dimension()), picture_middle_);
    if (queries_) centre(point.subspan(dimension()), said_middle_);
    normalise(point);
  }

  const View& collection_;
  const Matrix& names_;
  std::optional<FixedPointQueries> queries_;
  double scale_ = 0;
  std::vector<float> picture_middle_;
  std::vector<float> said_middle_;
  Matrix points_;
};

Matrix means_of(const Matrix& points, const Grouping& grouping) {
  Matrix means(grouping.groups, points.columns());
  for (uint32_t group = 0; group < grouping.groups; ++group) {
    std::vector<double> sums(points.columns());
    double size = 0;
    for (size_t i = 0; i < points.rows(); ++i) {
      if (grouping.of_point[i] != group) continue;
      ++size;
      for (size_t d = 0; d < sums.size(); ++d) sums[d] += static_cast<double>(points.row(i)[d]);
    }
    for (size_t d = 0; d < sums.size(); ++d)
      means.row(group)[d] = static_cast<float>(sums[d] / size);
  }
  return means;
}

// --- names --------------------------------------------------------------------------------------

struct Named {
  std::vector<uint32_t> names;  // best first; empty: none
  double fit = 0;               // of the first
};

// Names by how alike they are in what sets them and the group apart from all others.
class Namer {
 public:
  explicit Namer(const NameVocabulary& vocabulary) : vocabulary_(vocabulary), directions_(vocabulary.vectors) {
    const std::vector<float> middle = mean_of(directions_);
    for (size_t k = 0; k < directions_.rows(); ++k) centre(directions_.row(k), middle);
    for (uint32_t k = 0; k < vocabulary.names.size(); ++k) {
      for (const std::string& term : terms_of_name(vocabulary.names[k].name))
        place_of_.emplace(term, k);
    }
  }

  // direction: the group's pictures less all.
  Named name(std::span<const float> direction) const {
    Named named;
    if (vocabulary_.names.empty()) return named;
    std::vector<double> fits(directions_.rows());
    for (size_t k = 0; k < fits.size(); ++k) fits[k] = dot(directions_.row(k), direction);
    std::vector<uint32_t> order(fits.size());
    std::iota(order.begin(), order.end(), 0u);
    std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) { return fits[a] > fits[b]; });
    named.fit = fits[order.front()];
    if (const auto general = more_general(order.front(), fits)) named.names.push_back(*general);
    for (const uint32_t name : order) {
      if (named.names.size() > kAlso) break;
      if (std::ranges::find(named.names, name) == named.names.end()) named.names.push_back(name);
    }
    return named;
  }

 private:
  // "trailer truck, rig" -> "trailer truck", "rig"; without capitals.
  static std::vector<std::string> terms_of_name(std::string_view name) {
    std::vector<std::string> terms;
    const std::string all = folded(name);
    for (std::string_view rest = all;;) {
      const size_t end = rest.find(", ");
      if (const std::string_view term = rest.substr(0, end); !term.empty()) terms.emplace_back(term);
      if (end == std::string_view::npos) return terms;
      rest.remove_prefix(end + 2);
    }
  }

  // A container ship is a ship.
  std::optional<uint32_t> more_general(uint32_t name, const std::vector<double>& fits) const {
    std::optional<uint32_t> best;
    for (const std::string& term : terms_of_name(vocabulary_.names[name].name)) {
      for (size_t blank = term.find(' '); blank != std::string::npos; blank = term.find(' ', blank + 1)) {
        const auto found = place_of_.find(term.substr(blank + 1));
        if (found == place_of_.end() || found->second == name) continue;
        const uint32_t general = found->second;
        if (fits[general] >= kNearlyFits * fits[name] && (!best || fits[general] > fits[*best]))
          best = general;
      }
    }
    return best;
  }

  const NameVocabulary& vocabulary_;
  Matrix directions_;
  std::unordered_map<std::string, uint32_t> place_of_;
};

std::vector<Named> names_of(const NameVocabulary& vocabulary, const Space& space,
                            const Grouping& grouping) {
  const Namer namer(vocabulary);
  const Matrix means = means_of(space.points(), grouping);
  std::vector<Named> named;
  std::vector<double> fits;
  for (size_t group = 0; group < grouping.groups; ++group) {
    std::vector<float> direction(means.row(group).begin(),
                                 means.row(group).begin() + static_cast<ptrdiff_t>(space.dimension()));
    normalise(direction);
    named.push_back(namer.name(direction));
    fits.push_back(named.back().fit);
  }
  std::ranges::sort(fits);
  for (Named& one : named) {
    if (one.fit < kFits * fits[fits.size() / 2] || !(one.fit > 0)) one.names.clear();
  }
  return named;
}

// Groups that are called the same are one.
void join_namesakes(std::vector<Named>& named, Grouping& grouping) {
  std::map<uint32_t, uint32_t> first_with;
  std::vector<uint32_t> becomes(grouping.groups);
  std::vector<Named> kept;
  for (uint32_t group = 0; group < grouping.groups; ++group) {
    const auto next = static_cast<uint32_t>(kept.size());
    const auto [at, is_new] =
        named[group].names.empty() ? std::pair(first_with.end(), true)
                                   : first_with.emplace(named[group].names.front(), next);
    becomes[group] = is_new ? next : at->second;
    if (is_new) kept.push_back(std::move(named[group]));
  }
  for (uint32_t& group : grouping.of_point) group = becomes[group];
  grouping.groups = kept.size();
  named = std::move(kept);
}

// --- all pictures -------------------------------------------------------------------------------

struct Placed {
  std::vector<uint32_t> group;     // of each row
  std::vector<uint32_t> next;      // a group that is as near, or kNoGroup
  std::vector<float> nearness;     // how much nearer its group is than the middle of all
};

Placed place_all(const View& collection, const Space& space, const Matrix& means,
                 unsigned threads) {
  const size_t groups = means.rows();
  std::vector<double> squares(groups);
  for (size_t group = 0; group < groups; ++group) squares[group] = dot(means.row(group), means.row(group));
  Placed placed{std::vector<uint32_t>(collection.rows(), kNoGroup),
                std::vector<uint32_t>(collection.rows(), kNoGroup),
                std::vector<float>(collection.rows())};
  parallel_chunks(collection.rows(), 256, threads, [&](size_t begin, size_t end) {
    std::vector<float> point(space.columns());
    for (Row row = begin; row < end; ++row) {
      if (!collection.is_live(row)) continue;
      const View::Part& part = collection.part_of(row);
      space.point_of(part.collection.image_vectors(), row - part.first_row, point);
      uint32_t nearest = kNoGroup;
      uint32_t second = kNoGroup;
      double best = 2;
      double next = 2;
      for (uint32_t group = 0; group < groups; ++group) {
        const double square = 1 + squares[group] - 2 * dot(means.row(group), point);
        if (square < best) {
          next = best;
          second = nearest;
          best = square;
          nearest = group;
        } else if (square < next) {
          next = square;
          second = group;
        }
      }
      placed.nearness[row] = static_cast<float>(1 - best);
      if (groups > 1 && best >= 1) continue;  // the middle of all is as near
      placed.group[row] = nearest;
      if (next <= kAsNear * best) placed.next[row] = second;
    }
  });
  return placed;
}

// The first few rows of each group and of those in none, by what is nearest or, of these, farthest;
// equal ones by path.
std::vector<std::vector<Row>> typical_rows(const View& collection, const Placed& placed,
                                           size_t groups) {
  const PathOrder by_path(collection);
  std::vector<std::vector<Row>> shown(groups + 1);
  for (Row row = 0; row < placed.group.size(); ++row) {
    if (!collection.is_live(row)) continue;
    const bool is_alone = placed.group[row] == kNoGroup;
    std::vector<Row>& rows = shown[is_alone ? groups : placed.group[row]];
    const auto before = [&](Row a, Row b) {
      const float difference = placed.nearness[a] - placed.nearness[b];
      if (difference != 0) return is_alone ? difference < 0 : difference > 0;
      return by_path(a, b);
    };
    if (rows.size() == kShown && !before(row, rows.back())) continue;
    rows.insert(std::ranges::upper_bound(rows, row, before), row);
    if (rows.size() > kShown) rows.pop_back();
  }
  return shown;
}

std::vector<SuggestedOverlap> overlaps_of(const Placed& placed, const std::vector<uint64_t>& sizes) {
  std::map<std::pair<size_t, size_t>, uint64_t> between;
  for (Row row = 0; row < placed.group.size(); ++row) {
    if (placed.next[row] == kNoGroup) continue;
    ++between[std::minmax<size_t>(placed.group[row], placed.next[row])];
  }
  std::vector<SuggestedOverlap> overlaps;
  for (const auto& [pair, pictures] : between) {
    const uint64_t smaller = std::min(sizes[pair.first], sizes[pair.second]);
    const double share = std::min(1.0, static_cast<double>(pictures) / static_cast<double>(std::max<uint64_t>(1, smaller)));
    if (share >= kOverlap) overlaps.push_back({pair.first, pair.second, share});
  }
  std::ranges::stable_sort(overlaps, std::ranges::greater(), &SuggestedOverlap::share);
  return overlaps;
}

// --- words --------------------------------------------------------------------------------------

bool may_tell(std::string_view term, std::string_view languages) {
  const bool has_letter = std::ranges::any_of(
      term, [](char c) { return (c >= 'a' && c <= 'z') || static_cast<unsigned char>(c) >= 0x80; });
  return term.size() >= 3 && has_letter && !is_function_word(term, languages);
}

void visit_texts(const View& collection, const PlacedLexicon& lexicon, uint32_t term,
                 const std::function<void(Row)>& visit) {
  lexicon->for_each_text(term, [&](uint32_t text, std::span<const uint32_t>) {
    const Row row = lexicon.owner(text);
    if (collection.is_live(row)) visit(row);
  });
}

std::vector<std::vector<SharedWord>> shared_words(const View& collection,
                                                  const std::vector<uint32_t>& of_row,
                                                  const std::vector<uint64_t>& sizes) {
  std::vector<std::vector<SharedWord>> words(sizes.size());
  const uint64_t smallest = sizes.empty() ? 0 : std::ranges::min(sizes);
  const auto fewest =
      std::max<uint64_t>(3, static_cast<uint64_t>(kShared * static_cast<double>(smallest)));
  const std::string& languages = collection.manifest().ocr_languages;
  std::map<std::string, uint64_t, std::less<>> texts_with;
  for (const PlacedLexicon& lexicon : collection.lexicons()) {
    for (uint32_t term = 0; term < lexicon->terms(); ++term) {
      if (may_tell(lexicon->term(term), languages))
        texts_with[std::string(lexicon->term(term))] += lexicon->texts_with(term);
    }
  }
  const auto pictures = static_cast<double>(std::max<uint64_t>(1, collection.pictures()));
  for (const auto& [word, texts] : texts_with) {
    if (texts < fewest) continue;
    std::vector<uint64_t> of_group(sizes.size());
    double all = 0;
    for (const PlacedLexicon& lexicon : collection.lexicons()) {
      const auto term = lexicon->find(word);
      if (!term) continue;
      visit_texts(collection, lexicon, *term, [&](Row row) {
        ++all;
        if (of_row[row] != kNoGroup) ++of_group[of_row[row]];
      });
    }
    for (size_t group = 0; group < sizes.size(); ++group) {
      if (of_group[group] < 3) continue;
      const double share = static_cast<double>(of_group[group]) / static_cast<double>(sizes[group]);
      if (share >= kShared && share >= kMoreOften * all / pictures)
        words[group].push_back({word, share});
    }
  }
  for (std::vector<SharedWord>& of_group : words) {
    std::ranges::stable_sort(of_group, std::ranges::greater(), &SharedWord::share);
    if (of_group.size() > kWords) of_group.resize(kWords);
  }
  return words;
}

// A group that no name fits is called by a keyword or word that half of its pictures have.
void name_by_words(std::vector<SuggestedGroup>& groups) {
  const auto is_taken = [&](const std::string& name) {
    return std::ranges::any_of(groups, [&](const SuggestedGroup& group) {
      return compared_name(group.name) == compared_name(name);
    });
  };
  for (SuggestedGroup& group : groups) {
    for (const std::vector<SharedWord>* words : {&group.keywords, &group.words}) {
      if (!group.name.empty() || words->empty() || words->front().share < kNames) continue;
      if (!is_taken(words->front().word)) group.name = words->front().word;
    }
  }
}

// Brings the groups into the order in which they are told.
void sort_groups(Suggestion& suggestion) {
  const std::vector<SuggestedGroup>& groups = suggestion.groups;
  std::vector<uint32_t> order(groups.size());
  std::iota(order.begin(), order.end(), 0u);
  std::ranges::stable_sort(order, [&](uint32_t a, uint32_t b) {
    if (groups[a].name.empty() != groups[b].name.empty()) return groups[b].name.empty();
    if (groups[a].pictures != groups[b].pictures) return groups[a].pictures > groups[b].pictures;
    return groups[a].name < groups[b].name;
  });
  std::vector<uint32_t> place(order.size());
  std::vector<SuggestedGroup> sorted;
  for (uint32_t i = 0; i < order.size(); ++i) {
    place[order[i]] = i;
    sorted.push_back(groups[order[i]]);
  }
  suggestion.groups = std::move(sorted);
  for (uint32_t& group : suggestion.of_row) {
    if (group != kNoGroup) group = place[group];
  }
  for (SuggestedOverlap& overlap : suggestion.overlaps)
    std::tie(overlap.first, overlap.second) =
        std::minmax(size_t{place[overlap.first]}, size_t{place[overlap.second]});
}

Grouping grouping_of(const Space& space, const SuggestOptions& options) {
  const size_t sample = space.points().rows();
  if (sample == 0) return {};
  const Groupings groupings(space.points(), options.threads);
  if (options.groups) return groupings.of(std::min(*options.groups, sample));
  return groupings.best(std::min(kMostGroups, sample / kFewestOfGroup));
}

}  // namespace

Suggestion suggest(const View& collection, const NameVocabulary& vocabulary,
                   const SuggestOptions& options) {
  const std::vector<Row> sample = ViewVectors::pictures(collection).sample(kSample);
  const Space space(collection, vocabulary, sample);
  Grouping grouping = grouping_of(space, options);
  std::vector<Named> named = names_of(vocabulary, space, grouping);
  join_namesakes(named, grouping);
  Placed placed =
      place_all(collection, space, means_of(space.points(), grouping), options.threads);
  Suggestion suggestion;
  suggestion.pictures = collection.pictures();
  std::vector<uint64_t> sizes(grouping.groups);
  for (Row row = 0; row < placed.group.size(); ++row) {
    if (placed.group[row] != kNoGroup) {
      ++sizes[placed.group[row]];
    } else if (collection.is_live(row)) {
      ++suggestion.alone;
    }
  }
  auto words = shared_words(collection, placed.group, sizes);
  auto keywords = shared_keywords(collection, sample, placed.group, grouping.groups);
  auto typical = typical_rows(collection, placed, grouping.groups);
  suggestion.overlaps = overlaps_of(placed, sizes);
  suggestion.alone_rows = std::move(typical.back());
  for (size_t i = 0; i < grouping.groups; ++i) {
    SuggestedGroup group;
    if (!named[i].names.empty()) {
      group.from = named[i].names.front();
      group.name = vocabulary.names[*group.from].name;
      group.also.assign(named[i].names.begin() + 1, named[i].names.end());
    }
    group.words = std::move(words[i]);
    group.keywords = std::move(keywords[i]);
    group.pictures = sizes[i];
    group.typical = std::move(typical[i]);
    suggestion.groups.push_back(std::move(group));
  }
  suggestion.of_row = std::move(placed.group);
  name_by_words(suggestion.groups);
  sort_groups(suggestion);
  return suggestion;
}

}  // namespace zeroshelf
