#pragma once

// Zero-shot classification: every picture of a collection against every label, in one pass over the
// stored vectors. No picture is opened and no model is needed beyond the label vectors.

#include <vector>

#include "lib/collection/collection.h"
#include "lib/fusion/fusion.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// label_vectors: unit vectors [labels, dimension], at least one; see encode_labels.
// Returns a prediction for each row number; those of tombstones mean nothing. The scale of the
// softmax is the collection's. threads: 0 uses every core; the result does not depend on it.
// Throws InvalidArgument when the dimensions differ.
std::vector<Prediction> classify(const Collection& collection, const Matrix& label_vectors,
                                 FusionRule rule, unsigned threads = 0);

}  // namespace zeroshelf
