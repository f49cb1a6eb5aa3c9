#pragma once

// Predictions as text: JSON Lines, CSV, a table.

#include <memory>
#include <string>
#include <vector>

#include "lib/fusion/fusion.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// Writes one prediction in one format.
class PredictionWriter {
 public:
  virtual ~PredictionWriter() = default;
  virtual std::string header() const { return ""; }
  virtual std::string line(const std::string& path, const Prediction& prediction) const = 0;
};

// format: "jsonl", "csv", or "table". The labels must outlive the writer.
std::unique_ptr<PredictionWriter> prediction_writer(const std::string& format,
                                                    const std::vector<Label>& labels);

// Appends the members label, score, source, image and text of a JSON object.
void append_evidence(std::string& out, const std::vector<Label>& labels,
                     const Prediction& prediction);

}  // namespace zeroshelf
