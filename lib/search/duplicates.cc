// Tested by tests/search/duplicates_test.cc.

#include "lib/search/duplicates.h"

#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "lib/collection/path_order.h"
#include "lib/lexicon/tokens.h"
#include "lib/util/hash.h"
#include "lib/vectors/near_pairs.h"

namespace zeroshelf {
namespace {

// Rows that belong together (union by the lower row, paths halved).
class Joined {
 public:
  explicit Joined(size_t rows) : parents_(rows) { std::iota(parents_.begin(), parents_.end(), 0); }

  void join(Row a, Row b) {
    a = root(a);
    b = root(b);
    parents_[std::max(a, b)] = std::min(a, b);
  }
  bool together(Row a, Row b) { return root(a) == root(b); }

  // rows: all of them, in the order that groups and their members have.
  std::vector<DuplicateGroup> groups(DuplicateKind kind, std::span<const Row> rows) {
    std::unordered_map<Row, size_t> places;  // by root, of those with others
    for (const Row row : rows) {
      if (root(row) != row) places.emplace(root(row), places.size());
    }
    std::vector<DuplicateGroup> all(places.size(), {kind, {}});
    for (const Row row : rows) {
      if (const auto place = places.find(root(row)); place != places.end())
        all[place->second].rows.push_back(row);
    }
    std::erase_if(all, [](const DuplicateGroup& group) { return group.rows.size() < 2; });
    std::vector<size_t> ranks(parents_.size());
    for (size_t rank = 0; rank < rows.size(); ++rank) ranks[rows[rank]] = rank;
    std::ranges::sort(all, {}, [&](const DuplicateGroup& group) {
      return ranks[group.rows.front()];
    });
    return all;
  }

 private:
  Row root(Row row) {
    while (parents_[row] != row) row = parents_[row] = parents_[parents_[row]];
    return row;
  }

  std::vector<Row> parents_;
};

// The different terms of a picture, as checksums, ascending.
using TermSet = std::vector<uint64_t>;

std::vector<TermSet> term_sets(const View& collection) {
  std::vector<TermSet> sets(collection.rows());
  for (const PlacedLexicon& lexicon : collection.lexicons()) {
    for (uint32_t term = 0; term < lexicon->terms(); ++term) {
      const std::string_view letters = lexicon->term(term);
      const uint64_t sum = checksum64(std::as_bytes(std::span(letters)));
      lexicon->for_each_text(term, [&](uint32_t text, std::span<const uint32_t>) {
        if (collection.is_live(lexicon.owner(text))) sets[lexicon.owner(text)].push_back(sum);
      });
    }
  }
  for (TermSet& set : sets) std::ranges::sort(set);
  return sets;
}

// Jaccard; two without terms share everything.
double shared(const TermSet& a, const TermSet& b) {
  TermSet both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  const size_t all = a.size() + b.size() - both.size();
  return all == 0 ? 1 : static_cast<double>(both.size()) / static_cast<double>(all);
}

// The vectors of all parts in one place; of a single part where they lie.
class GatheredRows {
 public:
  explicit GatheredRows(const ViewVectors& vectors, const VectorRows* only)
      : only_(only), gathered_(vectors.dimension()) {
    if (only_ != nullptr) return;
    for (uint64_t i = 0; i < vectors.size(); ++i) gathered_.append(vectors.row(i));
  }
  const VectorRows& rows() const { return only_ != nullptr ? *only_ : gathered_; }

 private:
  const VectorRows* only_;
  VectorRows gathered_;
};

GatheredRows pictures_of(const View& collection) {
  const Collection& first = collection.parts().front().collection;
  return GatheredRows(ViewVectors::pictures(collection),
                      collection.parts().size() == 1 ? &first.image_vectors() : nullptr);
}

GatheredRows texts_of(const View& collection) {
  const Collection& first = collection.parts().front().collection;
  return GatheredRows(ViewVectors::texts(collection),
                      collection.parts().size() == 1 ? &first.text_vectors() : nullptr);
}

// The masked vectors of the live rows; the place of a row is its number.
VectorRows masked_rows(const View& collection) {
  VectorRows rows(collection.manifest().dimension);
  const std::vector<uint16_t> none(collection.manifest().dimension, 0);
  for (Row row = 0; row < collection.rows(); ++row) {
    const auto masked = collection.is_live(row) ? collection.masked_vector(row) : std::nullopt;
    rows.append(masked ? *masked : none);
  }
  return rows;
}

void join_equal_files(const View& collection, Joined& same) {
  std::map<ContentHash, Row> first;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    const auto [at, is_new] = first.try_emplace(record.content_hash, row);
    if (!is_new) same.join(at->second, row);
  });
}

}  // namespace

const char* duplicate_kind_name(DuplicateKind kind) {
  switch (kind) {
    case DuplicateKind::SamePicture:
      return "same_picture";
    case DuplicateKind::OtherWords:
      return "other_words";
    case DuplicateKind::SameWords:
      return "same_words";
    case DuplicateKind::SameFile:
      return "same_file";
  }
  return "";
}

std::vector<DuplicateGroup> find_duplicates(const View& collection, const DuplicateLimits& limits) {
  constexpr size_t kFewestTerms = 3;
  constexpr float kTextCosine = 0.8f;  // so near lie texts of which most words are the same
  const std::vector<Row> rows = rows_by_path(collection);
  const size_t count = collection.rows();
  const std::vector<TermSet> terms = term_sets(collection);
  Joined same_picture(count);
  Joined other_words(count);
  Joined same_words(count);
  const std::vector<Row> blank_list = collection.blank_rows();
  const std::unordered_set<Row> blank(blank_list.begin(), blank_list.end());
  const auto same_terms = [&](const NearPair& pair) {
    return shared(terms[pair.first], terms[pair.second]) >= limits.same_words;
  };

  join_equal_files(collection, same_picture);
  const bool masked = collection.manifest().mask_text;
  const float without_text = limits.picture_cosine;
  const float whole = 1 - (1 - limits.picture_cosine) * (masked ? 1.0f : 1.5f);
  const GatheredRows pictures = pictures_of(collection);
  for (const NearPair& pair : near_pairs(pictures.rows(), rows, whole, limits.threads)) {
    if (blank.contains(pair.first) && blank.contains(pair.second)) continue;
    if (same_terms(pair)) {
      if (pair.cosine >= limits.picture_cosine) same_picture.join(pair.first, pair.second);
    } else if (!masked) {
      other_words.join(pair.first, pair.second);
    }
  }
  if (masked) {
    const VectorRows vectors = masked_rows(collection);
    for (const NearPair& pair : near_pairs(vectors, rows, without_text, limits.threads)) {
      if (!same_terms(pair)) other_words.join(pair.first, pair.second);
    }
  }

  const std::vector<Row>& owners = collection.text_owners();
  std::vector<Row> texts_by_path;
  for (const Row row : rows) {
    if (const auto text = collection.text_index(row)) texts_by_path.push_back(*text);
  }
  const GatheredRows gathered_texts = texts_of(collection);
  for (const NearPair& texts :
       near_pairs(gathered_texts.rows(), texts_by_path, kTextCosine, limits.threads)) {
    const NearPair pair{owners[texts.first], owners[texts.second], texts.cosine};
    if (terms[pair.first].size() >= kFewestTerms && terms[pair.second].size() >= kFewestTerms &&
        same_terms(pair) && !same_picture.together(pair.first, pair.second)) {
      same_words.join(pair.first, pair.second);
    }
  }

  std::vector<DuplicateGroup> groups = same_picture.groups(DuplicateKind::SamePicture, rows);
  std::ranges::move(other_words.groups(DuplicateKind::OtherWords, rows),
                    std::back_inserter(groups));
  std::ranges::move(same_words.groups(DuplicateKind::SameWords, rows), std::back_inserter(groups));
  return groups;
}

namespace {

namespace fs = std::filesystem;

struct NameOfFile {
  Row row = 0;
  bool is_own = true;  // and not a link's, or through a linked folder
};

// The names in a group by the file that they stand for.
using NamesOfFiles = std::map<std::pair<uint64_t, uint64_t>, std::vector<NameOfFile>>;

bool is_own_name(const std::string& path) {
  std::error_code error;
  const fs::path real = fs::canonical(path, error);
  return !error && real == path;
}

// The rows whose file is gone go into gone.
NamesOfFiles names_of(const View& collection, const std::vector<Row>& rows,
                      std::vector<Row>& gone) {
  NamesOfFiles names;
  for (const Row row : rows) {
    const std::string path = collection.record(row).file.path;
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
      gone.push_back(row);
    } else {
      names[{status.st_dev, status.st_ino}].push_back({row, is_own_name(path)});
    }
  }
  return names;
}

Row best_name(const std::vector<NameOfFile>& names) {
  const auto own = std::ranges::find_if(names, &NameOfFile::is_own);
  return own != names.end() ? own->row : names.front().row;
}

}  // namespace

DuplicatesOnDisk look_at_files(const View& collection, const std::vector<DuplicateGroup>& groups) {
  const PathOrder by_path(collection);
  const auto is_first = [&](Row a, Row b) { return by_path(a, b); };
  DuplicatesOnDisk found;
  std::map<Row, DuplicateGroup> same_files;  // by their first
  std::set<Row> gone;
  for (const DuplicateGroup& group : groups) {
    std::vector<Row> gone_here;
    const NamesOfFiles names = names_of(collection, group.rows, gone_here);
    if (names.empty()) {  // a collection without its files
      found.groups.push_back(group);
      continue;
    }
    gone.insert(gone_here.begin(), gone_here.end());
    DuplicateGroup files{group.kind, {}};
    for (const auto& [file, of_file] : names) {
      files.rows.push_back(best_name(of_file));
      if (of_file.size() < 2) continue;
      DuplicateGroup links{DuplicateKind::SameFile, {}};
      for (const NameOfFile& name : of_file) links.rows.push_back(name.row);
      same_files.emplace(links.rows.front(), std::move(links));
    }
    std::ranges::sort(files.rows, is_first);
    if (files.rows.size() > 1) found.groups.push_back(std::move(files));
  }
  const auto first_link = found.groups.insert(found.groups.end(), same_files.size(), {});
  std::ranges::transform(same_files, first_link, [](auto& one) { return std::move(one.second); });
  std::sort(first_link, found.groups.end(),
            [&](const DuplicateGroup& a, const DuplicateGroup& b) {
              return is_first(a.rows.front(), b.rows.front());
            });
  found.gone.assign(gone.begin(), gone.end());
  std::ranges::sort(found.gone, is_first);
  return found;
}

std::vector<Row> all_but_first(const std::vector<DuplicateGroup>& groups) {
  std::set<Row> staying;
  std::unordered_set<Row> listed;
  std::vector<Row> rows;
  // Who stays is decided first: a picture that one group gives away may be another group's last.
  for (const DuplicateGroup& group : groups) staying.insert(group.rows.front());
  for (const DuplicateGroup& group : groups) {
    for (const Row row : group.rows) {
      if (!staying.contains(row) && listed.insert(row).second) rows.push_back(row);
    }
  }
  return rows;
}

}  // namespace zeroshelf
