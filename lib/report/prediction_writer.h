#pragma once

// Predictions as text: JSON Lines, CSV, a table.

#include <memory>
#include <string>
#include <vector>

#include "lib/collection/records.h"
#include "lib/fusion/fusion.h"
#include "lib/labelling/classify.h"
#include "lib/labels/labels.h"
#include "lib/report/messages.h"
#include "lib/report/output_format.h"

namespace zeroshelf {

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

// Any format; paths are those of pictures with an answer. columns: that a table's lines are to fit,
// see line_with_path. The labels must outlive the writer.
std::unique_ptr<PredictionWriter> prediction_writer(OutputFormat format,
                                                    const std::vector<Label>& labels,
                                                    int columns = 0);

// The line as a message, and the evidence in it. Labels and line must outlive it.
message::Prediction prediction_message(const std::vector<Label>& labels,
                                       const PredictionLine& line);
message::Evidence evidence_message(const std::vector<Label>& labels, const Prediction& prediction);

// "not people: a statue 0.83" where a veto took the label, "people: a statue 0.12" where it did not;
// empty without one.
std::string veto_words(const std::vector<Label>& labels, const Prediction& prediction);

// "cat 12, dog 3, no answer 1" in the order of the labels; labels without pictures are left out.
std::string count_summary(const std::vector<Label>& labels, const PictureCounts& counts);

}  // namespace zeroshelf
