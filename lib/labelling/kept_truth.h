#pragma once

// What people said of pictures, kept with a collection. It is said of contents, so it stays true
// when files are moved, removed and added again, and when rows get other numbers.

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labelling/truth.h"
#include "lib/util/hash.h"

namespace zeroshelf {

inline constexpr std::string_view kTruthKind = "truth";
inline constexpr size_t kMostTruths = 1'000'000;

// Threads: const calls may run together.
class KeptTruth {
 public:
  struct Said {
    std::string label;   // not empty
    std::string path;    // of a file with that content, when it was said
    uint64_t order = 0;  // greater is later
  };

  // The label of a content; null: nobody said anything.
  const std::string* find(const ContentHash& content) const;
  // Returns whether anything is another than before. Throws InvalidArgument for a label that is
  // empty or not UTF-8, or where there are kMostTruths already.
  bool say(const ContentHash& content, const std::string& label, const std::string& path);
  bool take_back(const ContentHash& content);

  using Entry = std::pair<const ContentHash, Said>;
  const std::map<ContentHash, Said>& all() const { return said_; }
  std::vector<const Entry*> in_order() const;  // as they were said; valid until the next change
  std::vector<std::string> labels() const;     // ascending, each once

 private:
  friend KeptTruth decode_truth(std::string_view bytes, const std::string& subject);
  std::map<ContentHash, Said> said_;
  uint64_t next_order_ = 0;
};

// What stands in the file: see docs/collection-format.md.
std::string encode_truth(const KeptTruth& truth);
// bytes may be hostile: throws Corruption unless they are exactly what encode_truth() gives for
// some truth.
KeptTruth decode_truth(std::string_view bytes, const std::string& subject);

// Without one, nothing is known. Throws Corruption, Io.
KeptTruth load_truth(const View& collection, const std::string& name);
void save_truth(const View& collection, const std::string& name, const KeptTruth& truth);

// The pictures of the truth that the collection has, one of each content, in row order; those with
// a label that is not among the labels are left out. May be empty.
struct KnownContents {
  std::vector<KnownPicture> pictures;
  uint64_t other_labels = 0;  // left out
};
KnownContents known_contents(const View& collection, const std::vector<Label>& labels,
                             const KeptTruth& truth);
// The same with the rows of the truth's contents, one each, in the order of all(); absent: there is
// no such picture.
KnownContents known_contents(std::span<const std::optional<Row>> rows,
                             const std::vector<Label>& labels, const KeptTruth& truth);

}  // namespace zeroshelf
