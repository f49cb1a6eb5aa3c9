// Tested by tests/labelling/keyword_truth_test.cc.

#include "lib/labelling/keyword_truth.h"

#include <map>
#include <optional>
#include <set>
#include <string>

#include "lib/collection/path_order.h"
#include "lib/labelling/picture_keywords.h"
#include "lib/util/text.h"
#include "lib/xmp/keyword_path.h"

namespace zeroshelf {
namespace {

class LabelNames {
 public:
  explicit LabelNames(const std::vector<Label>& labels) {
    for (const Label& label : labels) {
      names_.emplace(compared(split_keyword(label.name, '/'), 0), label.name);
      names_.emplace(compared({as_part(label.name)}, 0), label.name);
    }
  }

  bool are_given() const { return !names_.empty(); }

  // The label with the most of the keyword's last parts.
  std::optional<std::string> find(const KeywordPath& keyword) const {
    if (!are_given())
      return is_utf8(with_slashes(keyword)) ? std::optional(with_slashes(keyword)) : std::nullopt;
    for (size_t first = 0; first < keyword.size(); ++first) {
      if (const auto name = names_.find(compared(keyword, first)); name != names_.end())
        return name->second;
    }
    return std::nullopt;
  }

 private:
  static std::vector<std::string> compared(const KeywordPath& path, size_t first) {
    std::vector<std::string> parts;
    for (size_t i = first; i < path.size(); ++i) parts.push_back(compared_name(path[i]));
    return parts;
  }

  std::map<std::vector<std::string>, std::string> names_;
};

}  // namespace

KeywordTruth truth_from_keywords(const View& collection, const std::vector<Label>& labels,
                                 const std::function<void(const Error&)>& on_unreadable) {
  const LabelNames names(labels);
  KeywordTruth found;
  PictureKeywords keywords([&](const Error& error) {
    ++found.unreadable;
    on_unreadable(error);
  });
  for_each_record_by_path(collection, [&](Row, const PictureRecord& record) {
    std::set<std::string> said;
    for (const KeywordPath& keyword : keywords.of(record.file.path)) {
      if (auto label = names.find(keyword)) said.insert(*std::move(label));
    }
    if (said.size() == 1) {
      found.truth.emplace(record.file.path, *said.begin());
    } else {
      ++(said.empty() ? found.without : found.several);
    }
  });
  return found;
}

}  // namespace zeroshelf
