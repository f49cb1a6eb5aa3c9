// zeroshelf-index: the command line. What the subcommands do is in commands.h.

#include "indexer/commands.h"
#include "lib/program/program.h"

namespace zeroshelf {
namespace {

constexpr uint64_t kLargestFileBytes = uint64_t{1} << 36;
constexpr uint64_t kMostPixels = 2'000'000'000;  // a side is an int

void add_add(Program& program, AddOptions& options) {
  CLI::App* command = program.add_command(
      "add", "Take up the pictures of folders: new, changed, moved and deleted ones",
      [&options] { return run_add(options); });
  command
      ->add_option("COLLECTION", options.collection, "The collection's folder; made on first use")
      ->required();
  command->add_option("PATH", options.roots, "Folders and pictures");
  command
      ->add_option(
          "--files0-from", options.list,
          "A file of more paths, each ended by NUL as find -print0 writes them; -: standard "
          "input")
      ->type_name("FILE");
  add_model_flags(command, options.model,
                  "CLIP checkpoint; needed once, the collection remembers it");
  command->add_flag("--no-ocr", options.no_ocr, "Do not read the text in the pictures");
  command
      ->add_option("--ocr-lang", options.ocr_languages,
                   "Tesseract languages of a new collection, e.g. eng+deu")
      ->capture_default_str();
  command->add_flag("--keep-missing", options.keep_missing, "Keep pictures whose file is gone");
  command->add_flag("--retry-skipped", options.retry_skipped,
                    "Try files again that were skipped before");
  command->add_option("--max-bytes", options.max_bytes, "Skip larger files")
      ->check(CLI::Range(uint64_t{1}, kLargestFileBytes))
      ->capture_default_str();
  command->add_option("--max-pixels", options.max_pixels, "Skip larger pictures")
      ->check(CLI::Range(uint64_t{1}, kMostPixels))
      ->capture_default_str();
  command->add_option("--batch", options.batch, "Pictures encoded and committed together")
      ->check(CLI::Range(uint64_t{1}, uint64_t{4'096}))
      ->capture_default_str();
  command->add_flag("--json", options.json, "Events and summary as JSON lines on stdout");
}

void add_plain(Program& program, const std::string& name, const std::string& description,
               CollectionOptions& options, int (*run)(const CollectionOptions&)) {
  CLI::App* command =
      program.add_command(name, description, [&options, run] { return run(options); });
  command->add_option("COLLECTION", options.collection, "The collection's folder")->required();
  command->add_flag("--json", options.json, "JSON lines");
}

void add_ocr(Program& program, OcrOptions& options) {
  CLI::App* command =
      program.add_command("ocr", "Show the words that are read in pictures, one JSON line each",
                          [&options] { return run_ocr(options); });
  command->add_option("IMAGE", options.images, "Picture files")->required();
  command->add_option("--ocr-lang", options.languages, "Tesseract languages, e.g. eng+deu")
      ->capture_default_str();
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  using namespace zeroshelf;
  Program program("zeroshelf-index", "Makes and keeps an index of a picture collection.");
  AddOptions add;
  CollectionOptions collection;
  OcrOptions ocr;
  add_add(program, add);
  add_plain(program, "stats", "What the collection holds", collection, run_stats);
  add_plain(program, "skips", "The files that could not be indexed, and why", collection,
            run_skips);
  add_plain(program, "verify", "Check everything against everything", collection, run_verify);
  add_plain(program, "repair", "Rebuild what can be derived", collection, run_repair);
  add_plain(program, "compact", "Drop the rows of removed pictures", collection, run_compact);
  add_ocr(program, ocr);
  return program.run(argc, argv);
}
