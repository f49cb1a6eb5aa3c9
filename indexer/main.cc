// zeroshelf-index: what it can do is in commands.h.

#include "indexer/commands.h"

namespace zeroshelf {
namespace {

void add_examples(Program& program) {
  program.add_examples("add", {"photos.shelf ~/Pictures --model ~/models/ViT-B-32.pt",
                               "memes.shelf memes --no-ocr", "photos.shelf"});
  program.add_examples("watch", {"photos.shelf", "photos.shelf ~/Pictures --no-ocr --json"});
  program.add_examples("forget", {"photos.shelf ~/Pictures/old", "photos.shelf ~/Pictures/a.jpg"});
  program.add_examples("import",
                       {"photos.shelf --npy images.npy --paths paths.txt --model ViT-B-32.pt",
                        "photos.shelf --clip-retrieval embeddings --paths paths.txt"});
  program.add_examples("stats", {"photos.shelf"});
  program.add_examples("skips", {"photos.shelf", "photos.shelf -0 | xargs -0 ls -l"});
  program.add_examples("verify", {"photos.shelf", "photos.shelf --files"});
  program.add_examples("repair", {"photos.shelf"});
  program.add_examples("compact", {"photos.shelf"});
  program.add_examples("ocr", {"meme.jpg"});
  program.add_examples("doctor", {"", "--json"});
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  using namespace zeroshelf;
  Program program("zeroshelf-index", "Makes and keeps an index of a picture collection.",
                  {kDone, kFailed, kSomeSkipped});
  add_add(program);
  add_watch(program);
  add_forget(program);
  add_collection_commands(program);
  add_ocr(program);
  add_import(program);
  add_doctor(program);
  add_examples(program);
  program.add_sibling("zeroshelf-query", {"search", "duplicates", "suggest", "classify", "export",
                                          "undo", "evaluate", "calibrate", "train", "runs", "diff",
                                          "review", "embed", "vectors", "serve"});
  return program.run(argc, argv);
}
