// zeroshelf-query: what it can do is in commands.h, each subcommand in a file of its own.

#include "query/commands.h"

int main(int argc, char** argv) {
  using namespace zeroshelf;
  Program program("zeroshelf-query", "Searches, labels and exports an indexed picture collection.");
  add_search(program);
  add_classify(program);
  add_export(program);
  add_undo(program);
  add_evaluate(program);
  add_calibrate(program);
  add_train(program);
  add_runs(program);
  add_diff(program);
  add_review(program);
  add_embed(program);
  return program.run(argc, argv);
}
