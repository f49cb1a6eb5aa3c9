#pragma once

// Runs that are kept current (lib/labelling/current_run.h), brought up to date: what came gets its
// answers, which are printed and exported as the run says, and kept with it.

#include <filesystem>
#include <string>

#include "lib/collection/view.h"
#include "lib/util/output_stream.h"
#include "models/flags/model_flags.h"

namespace zeroshelf {

// Answers are printed and exported before they are kept: after a crash some may come again, but none
// is lost. A run that cannot be brought up to date is told on stderr, and the others go on. out gets
// one JSON line a picture and run.
void bring_runs_up_to_date(const std::filesystem::path& collection, const ModelOptions& model,
                           OutputStream& out);

}  // namespace zeroshelf
