#pragma once

// Pictures as the interface tells them.

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "lib/labelling/classify.h"
#include "lib/labelling/kept_truth.h"
#include "lib/report/json.h"
#include "query/serve/living_view.h"

namespace zeroshelf::serve {

// {"a":1,...}: the members that `tell` adds.
template <class Tell>
std::string json_object(const Tell& tell) {
  std::string out = "{";
  JsonWriter json(out);
  tell(json);
  out += '}';
  return out;
}

// Objects that are written already, as an array's elements.
std::vector<RawJson> raw(const std::vector<std::string>& objects);

// An Answer a row of all parts, in their order. Records are read by several threads. above: with
// multi, from which score on labels are told. Empty in silent processes.
std::vector<std::string> answers_json(const Snapshot& snapshot, const Labelling& labelling,
                                      std::span<const Row> rows, std::optional<float> above,
                                      const KeptTruth& truth);

// The same of the view's own rows.
std::vector<std::string> own_answers(const Snapshot& snapshot, const Labelling& labelling,
                                     std::span<const Row> rows, std::optional<float> above,
                                     const KeptTruth& truth);

// One row's, from what is known of it; label_above: null without multi.
void append_answer(std::string& out, const std::vector<Label>& labels, Row row,
                   const PictureRecord& record, const std::vector<Word>& words,
                   const Prediction& prediction, const std::vector<Scored>* above,
                   const std::optional<std::string>& truth);

// A Picture, of the view's row. copies: other rows of all parts with the same content.
std::string picture_json(const Snapshot& snapshot, Row row, const std::vector<Row>& copies,
                         const KeptTruth& truth);

}  // namespace zeroshelf::serve
