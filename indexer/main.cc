// zeroshelf-index: what it can do is in commands.h.

#include "indexer/commands.h"

int main(int argc, char** argv) {
  using namespace zeroshelf;
  Program program("zeroshelf-index", "Makes and keeps an index of a picture collection.");
  add_add(program);
  add_collection_commands(program);
  add_ocr(program);
  return program.run(argc, argv);
}
