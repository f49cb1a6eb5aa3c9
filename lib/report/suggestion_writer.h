#pragma once

// What `suggest` found, as text: a table, JSON Lines, CSV, and a label file to edit.

#include <string>

#include "lib/collection/view.h"
#include "lib/labelling/suggest.h"

namespace zeroshelf {

// Its name, or "group 3" for one without.
std::string name_of_group(const Suggestion& suggestion, size_t group);

// All of these outlive it. Threads: const calls may run together.
class SuggestionWriter {
 public:
  SuggestionWriter(const View& collection, const NameVocabulary& vocabulary,
                   const Suggestion& suggestion)
      : collection_(collection), vocabulary_(vocabulary), suggestion_(suggestion) {}

  // columns: of the terminal; 0: paths are not cut.
  std::string table(int columns) const;
  // "group", "overlap", "alone" and "summary" lines.
  std::string json() const;
  std::string csv() const;
  // As read_label_file reads it; what is no label is a comment.
  std::string label_file() const;

 private:
  double share_of(uint64_t pictures) const;
  std::string also(const SuggestedGroup& group) const;
  std::string label_line(const SuggestedGroup& group) const;

  const View& collection_;
  const NameVocabulary& vocabulary_;
  const Suggestion& suggestion_;
};

}  // namespace zeroshelf
