// Tested by tests/programs/everyday_test.cc.

#include "query/told_apart.h"

#include "lib/labelling/told_apart.h"
#include "lib/program/program.h"

namespace zeroshelf {
namespace {

void warn_of(const std::vector<std::string>& warnings) {
  for (const std::string& warning : warnings) warn("zeroshelf-query", warning);
}

}  // namespace

void warn_of_cut_texts(const Encoder& encoder, std::span<const std::string> texts) {
  warn_of(cut_text_warnings(encoder, texts));
}

void warn_of_labels(const Labelling& labelling, const ModelSource& encoders) {
  warn_of(label_warnings(labelling, encoders.loaded_for_texts()));
}

}  // namespace zeroshelf
