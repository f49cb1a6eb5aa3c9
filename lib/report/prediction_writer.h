#pragma once

// Predictions as text: JSON Lines, CSV, a table.

#include <memory>
#include <string>
#include <vector>

#include "lib/collection/records.h"
#include "lib/fusion/fusion.h"
#include "lib/labelling/classify.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// The format of -0: the bytes of each path and a NUL, nothing else.
inline constexpr const char* kNulPaths = "paths0";

// A picture and what is said of it.
struct PredictionLine {
  const PictureRecord& record;
  const Prediction& prediction;
  const std::vector<Word>& words;        // empty without text
  const std::vector<Scored>* all_above;  // --multi: labels above the threshold, best first; or null
};

// Writes one prediction in one format. Threads: any.
class PredictionWriter {
 public:
  virtual ~PredictionWriter() = default;
  virtual std::string header() const { return ""; }
  // Appends the line.
  virtual void append(std::string& out, const PredictionLine& line) const = 0;
};

// format: "jsonl", "csv", "table", or kNulPaths (of pictures with an answer). The labels must
// outlive the writer.
std::unique_ptr<PredictionWriter> prediction_writer(const std::string& format,
                                                    const std::vector<Label>& labels);

// "cat 12, dog 3, no answer 1" in the order of the labels; labels without pictures are left out.
std::string count_summary(const std::vector<Label>& labels, const PictureCounts& counts);

// Appends the members label, score, source, margin, runner_up, image and text of a JSON object.
void append_evidence(std::string& out, const std::vector<Label>& labels,
                     const Prediction& prediction);

}  // namespace zeroshelf
