#pragma once

// Runs that are kept current: what somebody asked once is asked again of the pictures that came
// since. What is to be done with their answers is kept beside the run (attachments, kind "current").
//
// Pictures that the run knows keep the answers that they have; so what was exported or corrected
// does not change by itself. Contents that are gone stay in the run, where they do no harm.

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/view.h"
#include "lib/encoder/encoder_source.h"
#include "lib/labelling/classify.h"
#include "lib/labelling/run.h"

namespace zeroshelf {

inline constexpr std::string_view kCurrentKind = "current";

// What is done with new answers, besides keeping them.
struct CurrentRun {
  std::string export_to;         // a folder, absolute; empty: nothing is exported
  std::string mode = "symlink";  // "symlink", "hardlink" or "copy"
  std::string keyword_root = {};  // below it stand the labels in sidecars; empty: there are none
};

std::string encode_current(const CurrentRun& current);  // JSON
// bytes may be hostile: throws Corruption.
CurrentRun decode_current(std::string_view bytes, const std::string& subject);

// From now on. Throws NotFound where there is no such run, and InvalidArgument where it was saved
// without what was asked (by an earlier version, with label vectors from a file), where a label or
// the root can be no keyword, and where another run's keywords stand below the root, or above it.
void keep_current(const View& collection, const std::string& run, const CurrentRun& current);
// Nothing for a run that is not kept current. Throws Corruption.
std::optional<CurrentRun> load_current(const View& collection, const std::string& run);

struct NewAnswers {
  std::vector<Label> labels;
  std::vector<Row> rows;                // ascending
  std::vector<Prediction> predictions;  // one each
  std::optional<uint32_t> none;         // the label that stands for "none of these"
};

// What the pictures get that the run does not know. Reads all records; the labels are made only
// where there are such pictures. Throws what loading the run and its request and making the
// labelling throw, and Incompatible where the run is of another model or its request has other
// labels by now.
NewAnswers new_answers(const View& collection, const std::string& run, EncoderSource& encoders);

// Adds them to the run, which may have been saved anew meanwhile: then they are added to that one.
void keep_answers(const View& collection, const std::string& run, const NewAnswers& answers);

// Removes the run and what is kept beside it. Whether there was one.
bool remove_run(const View& collection, const std::string& run);

}  // namespace zeroshelf
