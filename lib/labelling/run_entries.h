#pragma once

// Inside lib/labelling: how a run's entries come about.

#include <vector>

#include "lib/labelling/run.h"

namespace zeroshelf {

RunEntry entry_of(const PictureRecord& record, const Prediction& prediction);

// In the order of their keys, copies of a picture once: of several the first.
void sort_entries(std::vector<RunEntry>& entries);

}  // namespace zeroshelf
