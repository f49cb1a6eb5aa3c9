#pragma once

// JSON bodies -> what is asked for. Everything in them is hostile: types, ranges, lengths and depth
// are checked, and members that are not known are refused, so that a misspelt one is not ignored.
//
// For .cc files only: it brings nlohmann-json with it.

#include <cstdint>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "lib/labelling/labelling.h"
#include "lib/search/record_filter.h"
#include "lib/search/search_terms.h"
#include "lib/util/error.h"
#include "query/serve/shelves.h"

namespace zeroshelf::serve {

// The members of an object, each asked for by its name and type. Absent and null are the same.
// Every function throws InvalidArgument naming the member.
class Members {
 public:
  // where: before the names in errors, e.g. "labels[2]."; empty for the body itself.
  Members(const nlohmann::json& object, std::string where);

  const nlohmann::json* find(const char* name);
  // The member, where a request says nothing without it.
  const nlohmann::json& needed(const char* name, const std::string& cure = "");
  std::optional<std::string> text(const char* name, size_t most_bytes);
  std::optional<double> number(const char* name, double least, double most);
  std::optional<uint64_t> whole(const char* name, uint64_t least, uint64_t most);
  std::optional<bool> flag(const char* name);
  std::vector<std::string> texts(const char* name, size_t most,
                                 size_t most_bytes);  // may be absent
  // Elements of an array, with where they stand.
  std::vector<std::pair<const nlohmann::json*, std::string>> list(const char* name, size_t most);
  // Its value as one of these names. Choices: pairs of a name and a value.
  template <class T>
  T choice(const char* name, T default_value,
           std::initializer_list<std::pair<std::string_view, T>> choices) {
    const auto given = text(name, 100);
    if (!given) return default_value;
    for (const auto& [known, value] : choices) {
      if (*given == known) return value;
    }
    std::string names;
    for (const auto& choice : choices)
      names += (names.empty() ? "" : ", ") + std::string(choice.first);
    refuse(name, "'" + *given + "' is none of " + names);
  }

  // To be called when all that is known was asked for: refuses the rest.
  void expect_no_others() const;
  [[noreturn]] void refuse(std::string_view name, const std::string& cause,
                           const std::string& cure = "") const;
  // What the library refuses of a member's value, with the member's name in place of the flag's.
  template <class Take>
  void as_member(std::string_view name, const Take& take) const {
    try {
      take();
    } catch (const Error& error) {
      if (error.code() != ErrorCode::InvalidArgument) throw;
      refuse(name, error.cause(), error.cure());
    }
  }
  const std::string& where() const { return where_; }

 private:
  const nlohmann::json& object_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
};

// The body as an object. Throws InvalidArgument for what is no JSON, no object, or nested too
// deeply.
nlohmann::json parse_body(const std::string& body);

// A name of what is kept, or of an export.
std::string checked_name(const std::string& name, std::string_view what);

// What pictures are labelled with.
struct AskedLabelling {
  LabellingRequest request;
  std::string client;

  // With several labels a picture: from which score on it has one.
  std::optional<float> multi() const;
  // Everything that the answers before the threshold follow from, but what is kept with the
  // collection, whose manifest this is.
  std::string key(const Manifest& manifest) const;
};

// Takes the members of a labelling; the caller asks for its own and then for no others.
AskedLabelling ask_labelling(Members& members);

ShelfOrder ask_order(Members& members);

ContentHash ask_hash(const std::string& hex, std::string_view name);
// The numbers of a list; none where it is absent.
std::vector<float> ask_vector(Members& members, const char* name);

struct AskedTerm {
  SearchTerm term;
  std::optional<ContentHash> content;  // what the row must be
};
struct AskedSearch {
  std::vector<AskedTerm> terms;
  SearchSpace space = SearchSpace::Both;
  size_t count = 50;
  bool all = false;
  bool group = false;
  bool exact = false;
  RecordFilter filter;
  std::string run;
  std::vector<std::string> labels;
  std::optional<AskedLabelling> labelling;
  std::string client;
};
AskedSearch ask_search(const std::string& body);

}  // namespace zeroshelf::serve
