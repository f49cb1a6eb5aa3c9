// Tested by tests/programs/everyday_test.cc.

#include "query/told_apart.h"

#include <fmt/format.h>

#include "lib/labelling/told_apart.h"
#include "lib/program/program.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";
constexpr int kShownColumns = 40;
constexpr size_t kMostShown = 5;

}  // namespace

void warn_of_cut_texts(const Encoder& encoder, std::span<const std::string> texts) {
  size_t cut = 0;
  for (const std::string& text : texts) {
    if (!is_cut(encoder, text) || ++cut > kMostShown) continue;
    warn(kProgram,
         fmt::format("'{}' is longer than the {} tokens that the model reads; its end "
                     "counts for nothing",
                     fitted(to_utf8(text), kShownColumns), encoder.info().context_length - 2));
  }
  if (cut > kMostShown)
    warn(kProgram, fmt::format("{} more texts are as long", with_thousands(cut - kMostShown)));
}

void warn_of_labels(const Labelling& labelling, const ModelSource& encoders) {
  const std::vector<Label>& labels = labelling.labels;
  if (const Encoder* encoder = encoders.loaded_for_texts()) {
    std::vector<std::string> prompts;
    for (const Label& label : labels)
      prompts.insert(prompts.end(), label.prompts.begin(), label.prompts.end());
    warn_of_cut_texts(*encoder, prompts);
  }
  if (labels.size() == 1 && !labelling.fusion.sigmoid_bias) {
    warn(kProgram,
         fmt::format("'{}' is the only label, so every picture gets it with a score of 1; "
                     "name others beside it, or add --none",
                     labels.front().name));
  }
  for (const std::vector<size_t>& group : equal_labels(labelling.vectors)) {
    std::string names;
    for (const size_t place : group)
      names += fmt::format("{}'{}'", names.empty() ? "" : ", ", labels[place].name);
    warn(kProgram,
         fmt::format(
             "{} are the same to the model (it knows no capitals, and reads the beginning of "
             "long prompts only); '{}' gets every picture of them",
             names, labels[group.front()].name));
  }
}

}  // namespace zeroshelf
