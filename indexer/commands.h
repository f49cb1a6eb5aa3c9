#pragma once

// The subcommands of zeroshelf-index. Each function adds one or several: their flags, and what they
// do, which returns an exit code (lib/program/program.h) and throws Error.

#include "lib/program/program.h"

namespace zeroshelf {

void add_add(Program& program);
void add_collection_commands(Program& program);  // stats, skips, verify, repair, compact
void add_forget(Program& program);
void add_ocr(Program& program);
void add_doctor(Program& program);
void add_import(Program& program);
void add_watch(Program& program);

}  // namespace zeroshelf
