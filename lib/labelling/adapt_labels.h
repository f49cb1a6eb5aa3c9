#pragma once

// Learning from the collection itself: label vectors moved towards the pictures that they attract.
//
// A label's prompt points where such pictures lie only roughly. Every picture is in the index, so
// they show it themselves. A few times over, from a sample of the collection:
//   - each picture that `mix` gives to a label with more than half of the probability p counts
//     p / (1 + exp(t_k - t - kReach)) for it, with t its logit for the label on this side and t_k
//     the mean of the kNearest largest ones: what is far behind them is something that no label
//     names. n_k is the sum of these, c_k their mean vector, r_k = n_k / (n_k + kPrior) how far it
//     is believed, and m = sum_k r_k c_k / sum_k r_k the middle of all labels' pictures;
//   - label k becomes l_k + a u / (v * scale) * r_k * (c_k - m), and its bias takes off what that
//     gives to m, with v the mean squared distance of pictures from their own label's mean, and u
//     the sum of all n_k in proportion to what it would be with twice the reach: where much lies a
//     little behind a label's own pictures, what is among them is not all theirs either.
// With all distances alike this is the linear discriminant between the labels' pictures, added with
// weight a u (a: FusionSettings::adaptation) to what the prompts say. Texts do the same on their
// side.
//
// Each label counts by its mean, whether it has a thousand pictures or five, so what a frequent
// label has is not taken for what all pictures have: centring by the collection's mean does that,
// and loses where labels are not equally frequent (docs/labelling.md has both, measured). A label
// that no picture has stays where it is.

#include "lib/collection/view.h"
#include "lib/labelling/classify.h"

namespace zeroshelf {

// For the rule `mix` with that strength (0: the labels as they are), by the scales that the
// collection's model has by default, whatever was fitted since. The live pictures, or where there
// are more than a sample has (4,096, with more than 1,024 labels fewer, never below 512) that many
// of them, drawn by their contents. The same answer with any number of threads. Memory: about 4
// bytes a picture of the sample and label. Throws what scan() throws for labels and vectors that do
// not fit.
LabelVectors adapt_labels(const View& collection, const LabelVectors& labels, float strength,
                          unsigned threads = 0);

// The labels as this rule with these settings takes them: adapted, or as they are.
LabelVectors labels_for(const View& collection, const Fusion& fusion, LabelVectors labels,
                        unsigned threads = 0);

}  // namespace zeroshelf
