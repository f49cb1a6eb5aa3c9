#pragma once

// What each subcommand of zeroshelf-query does. Each returns an exit code (lib/program/program.h)
// and throws Error.

#include "query/options.h"

namespace zeroshelf {

int run_search(const SearchOptions& options);
int run_classify(const ClassifyOptions& options);
int run_export(const ExportOptions& options);
int run_evaluate(const EvaluateOptions& options);
int run_embed(const EmbedOptions& options);

}  // namespace zeroshelf
