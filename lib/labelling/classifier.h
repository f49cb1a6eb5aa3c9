#pragma once

// A linear classifier that was learned from labelled pictures of a collection, on their stored
// vectors: no picture is opened and no model is needed. It takes the place of label prompts.
//
// Its logit of a label is w_I . picture + g (w_T . text + c) + b, where g is the weight that the
// rule `mix` gives to a text by its length and confidence (0 without text). That is the rule `mix`
// with these label vectors, scales of 1, and no centring, so it fuses as prompts do, by the same
// scan.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "lib/evaluation/logistic.h"
#include "lib/labelling/classify.h"
#include "lib/labelling/truth.h"

namespace zeroshelf {

struct Classifier {
  std::vector<Label> labels;  // names; their one prompt says that they were learned
  LabelVectors vectors;
  FusionSettings settings;  // with which `mix` computes its probabilities
  std::string model_fingerprint;
  std::string created_utc;
  uint64_t pictures = 0;  // that it was learned from
  Share held_out;         // of those, right by models that had not seen them
  std::vector<uint64_t> learned_from;  // learned_mark of each, ascending; empty where not known
};

// By which a picture is known again, whatever its name and row.
uint64_t learned_mark(const ContentHash& content);

struct Training {
  Classifier classifier;
  CrossValidation validation;
};

// labels: those of the pictures. Throws InvalidArgument unless two labels have two pictures each.
// Cost: see choose_penalty(); memory: the pictures' vectors in fp32, twice.
Training train_classifier(const View& collection, const std::vector<std::string>& labels,
                          const std::vector<KnownPicture>& pictures, unsigned threads = 0);

// --- kept with a collection ---------------------------------------------------------------------

inline constexpr std::string_view kClassifierKind = "classifiers";

std::string encode_classifier(const Classifier& classifier);
// bytes may be hostile: throws Corruption.
Classifier decode_classifier(std::string_view bytes, const std::string& subject);

void save_classifier(const View& collection, const std::string& name, const Classifier& classifier);
// Throws NotFound, naming those that there are, Incompatible for another model's, Corruption.
Classifier load_classifier(const View& collection, const std::string& name);

}  // namespace zeroshelf
