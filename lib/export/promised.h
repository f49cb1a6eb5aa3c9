#pragma once

// An export with a promise: of what is exported at most a share is wrong, as follows from pictures
// whose label is known.

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/evaluation/promise.h"
#include "lib/export/bands.h"
#include "lib/fusion/fusion.h"
#include "lib/labelling/kept_truth.h"
#include "lib/labelling/truth.h"
#include "lib/labels/labels.h"
#include "lib/report/json.h"

namespace zeroshelf {

// Pictures of the collection that somebody judged. Those whose label is not among the labels count
// as answered wrongly: their label is a number above those of the labels.
struct JudgedPictures {
  std::vector<KnownPicture> pictures;
  std::map<std::string, uint64_t> other_labels;  // and how many pictures have each
};

// Throws InvalidArgument when the collection has no picture of the truth.
JudgedPictures judged_pictures(const View& collection, const std::vector<Label>& labels,
                               const Truth& truth);
JudgedPictures judged_pictures(const View& collection, const std::vector<Label>& labels,
                               const KeptTruth& truth);
// Takes away those that a classifier was learned from (Classifier::learned_from): it is right about
// them more often than about others. Returns how many.
uint64_t leave_out_learned(const View& collection, const std::vector<uint64_t>& learned_from,
                           JudgedPictures& judged);

// What was promised, and from what it follows.
struct Promised {
  double at_most_wrong = 0;  // the promise, a share
  double confidence = 0;
  uint64_t candidates = 0;  // answers that might have been exported
  uint64_t judged = 0;      // of these
  uint64_t wrong = 0;       // of the judged
  std::optional<float> threshold;  // the least score that keeps the promise; absent: none does
  uint64_t above = 0;         // answers with that score or more
  uint64_t judged_above = 0;  // of these
  uint64_t wrong_above = 0;   // of the judged; they are not exported
  uint64_t right_below = 0;   // judged right below the threshold; they are exported all the same
  uint64_t exported = 0;
  // At most this share of what is exported is wrong, with the confidence.
  double bound = 0;
  uint64_t needed = 0;  // where none does: pictures to be judged at the least, if all were right
  std::vector<Forecast> more;  // what could be exported with more judged
  bool leans_to_unsure = false;  // the judged ones are less sure than the others

  // The promise and its evidence.
  void write(JsonWriter& json) const;
  std::string members() const;  // the same as text
};

// Leaves as many of the sure answers sure as keep the promise, the surest first; the others become
// unsure, and so do those that were judged wrong, whereas what was judged right stays. Throws
// InvalidArgument where the judged pictures are surer than a fair sample of the sure ones would be.
Promised keep_promise(const std::vector<Prediction>& predictions, const JudgedPictures& judged,
                      const PromiseOptions& options, Bands& bands);

// What a person is told of it: one line each.
std::vector<std::string> told_promise(const Promised& promised);

// Where the promise of such an export stands that has no manifest: beside it.
std::filesystem::path promise_file_of(const std::filesystem::path& target);

}  // namespace zeroshelf
