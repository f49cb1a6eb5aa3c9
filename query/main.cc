// zeroshelf-query: what it can do is in commands.h, each subcommand in a file of its own.

#include "query/commands.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

void add_examples(Program& program) {
  program.add_examples("search", {"photos.shelf \"two dogs in a kitchen\" -k 20",
                                  "photos.shelf --image dog.jpg -0 | xargs -0 ls -l"});
  program.add_examples("duplicates", {"photos.shelf", "photos.shelf --kind same_picture -0"});
  program.add_examples("classify", {"memes.shelf --labels \"Doom, Animal Crossing\"",
                                    "memes.shelf --labels-file classes.txt --format jsonl",
                                    "memes.shelf --labels \"cat, dog\" --lock labels.lock"});
  program.add_examples(
      "export", {"memes.shelf --labels \"cat, dog\" --to sorted",
                 "memes.shelf --labels \"cat, dog\" --to data --format imagefolder --mode copy",
                 "memes.shelf --labels \"cat, dog\" --to sure.csv --format csv --min-score 0.9",
                 "memes.shelf --labels \"cat, dog\" --to page.html --format html"});
  program.add_examples("undo", {"sorted"});
  program.add_examples("evaluate", {"memes.shelf --labels \"cat, dog\" --truth truth.csv"});
  program.add_examples("calibrate",
                       {"memes.shelf --labels \"cat, dog\" --truth fifty.csv --save mine"});
  program.add_examples("train", {"memes.shelf --truth truth.csv --save pets"});
  program.add_examples("runs", {"memes.shelf", "memes.shelf --remove monday",
                                "memes.shelf --keep-current monday --export-to sorted",
                                "memes.shelf --keep-current monday --keywords"});
  program.add_examples("diff", {"memes.shelf monday tuesday"});
  program.add_examples("review", {"memes.shelf monday -k 50",
                                  "memes.shelf --labels \"cat, dog\" --by disagreement"});
  program.add_examples("suggest", {"memes.shelf --to labels.txt",
                                   "birds.shelf --vocabulary species.txt --groups 20"});
  program.add_examples(
      "embed", {"--text \"a cat\" --image cat.jpg", "--text-file words.txt --npy words.npy"});
  program.add_examples("serve", {"photos.shelf", "photos.shelf --listen 127.0.0.1:0 --read-only",
                                 "photos.shelf --listen 0.0.0.0:8642 --token-file token"});
  program.add_examples("verify", {"memes.shelf --lock labels.lock"});
  program.add_examples("vectors", {"photos.shelf --npy images.npy --paths paths.txt",
                                   "photos.shelf --npy images.npy --text-npy texts.npy --metadata "
                                   "all.jsonl"});
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  using namespace zeroshelf;
  const Voice voice;
  if (is_idle(argc, argv)) return kDone;
  Program program("zeroshelf-query", "Searches, labels and exports an indexed picture collection.",
                  {kDone, kNothingFound, kFailed, kSomeSkipped});
  add_search(program);
  add_duplicates(program);
  add_suggest(program);
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
  add_vectors(program);
  add_serve(program);
  add_verify(program);
  add_examples(program);
  program.add_sibling("zeroshelf-index", {"add", "watch", "forget", "stats", "skips", "repair",
                                          "compact", "ocr", "import", "doctor"});
  const int code = program.run(argc, argv);
  return is_silent() ? int{kDone} : code;
}
