#pragma once

// How often the predictions are right, where the truth is known.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/labels.h"
#include "lib/util/matrix.h"
#include "lib/util/share.h"

namespace zeroshelf {

// path -> label. Paths are absolute and lexically normal.
using Truth = std::map<std::string, std::string>;

// A CSV file (RFC 4180) whose first line names its columns, among them path and label. Relative
// paths are relative to the file's folder. Throws NotFound, or InvalidArgument naming the line.
Truth read_truth(const std::filesystem::path& csv);

// The accuracy of one fusion rule. A picture that got no answer counts as wrong.
struct RuleAccuracy {
  std::string rule;
  Share all;
  std::vector<Share> of_label;  // of the pictures whose truth is that label
};

struct Evaluation {
  std::vector<RuleAccuracy> rules;  // image, text, max
  uint64_t not_in_collection = 0;   // pictures of the truth that the collection does not have
  uint64_t without_truth = 0;       // pictures of the collection that the truth does not name
};

// label_vectors: as classify() takes them. Throws InvalidArgument when the truth names a label that
// is not among the labels, or when no picture of the collection has a truth.
Evaluation evaluate(const Collection& collection, const std::vector<Label>& labels,
                    const Matrix& label_vectors, const Truth& truth, unsigned threads = 0);

}  // namespace zeroshelf
