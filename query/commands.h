#pragma once

// The subcommands of zeroshelf-query. Each function adds one: its flags, and what it does, which
// returns an exit code (lib/program/program.h) and throws Error.

#include "lib/program/program.h"

namespace zeroshelf {

void add_search(Program& program);
void add_duplicates(Program& program);
void add_classify(Program& program);
void add_export(Program& program);
void add_undo(Program& program);
void add_vectors(Program& program);
void add_evaluate(Program& program);
void add_calibrate(Program& program);
void add_train(Program& program);
void add_runs(Program& program);
void add_diff(Program& program);
void add_review(Program& program);
void add_embed(Program& program);
void add_serve(Program& program);
void add_verify(Program& program);
void add_suggest(Program& program);

}  // namespace zeroshelf
