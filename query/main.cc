// zeroshelf-query: the command line. What the subcommands do is in commands.h.

#include "lib/program/program.h"
#include "query/commands.h"
#include "query/export_page.h"

namespace zeroshelf {
namespace {

void add_collection(CLI::App* command, std::filesystem::path& collection) {
  command->add_option("COLLECTION", collection, "The collection's folder")->required();
}

void add_labels(CLI::App* command, LabelOptions& labels) {
  CLI::Option_group* group = command->add_option_group("Labels", "Exactly one of");
  group->add_option("--labels", labels.list, "The classes, e.g. \"cat, dog\"")->type_name("LIST");
  group
      ->add_option("--labels-file", labels.file,
                   "One label a line, 'label: prompt | prompt'; or JSON")
      ->type_name("FILE");
  group->require_option(1);
  command
      ->add_option("--template", labels.templates,
                   "Prompt for labels without their own, {} is the label; may be repeated")
      ->type_name("TEXT")
      ->allow_extra_args(false)
      ->capture_default_str();
}

void add_fusion(CLI::App* command, LabelOptions& labels) {
  command
      ->add_option("--fusion", labels.fusion,
                   "How picture and text decide: image or text alone, or max: the surer of both")
      ->check(CLI::IsMember({"max", "image", "text"}))
      ->capture_default_str();
}

CLI::Option* add_format(CLI::App* command, std::string& format, std::vector<std::string> names) {
  return command->add_option("--format", format, "Of the output")
      ->check(CLI::IsMember(std::move(names)))
      ->capture_default_str();
}

void add_search(Program& program, SearchOptions& options) {
  CLI::App* command =
      program.add_command("search", "Find the pictures nearest to a text or a picture",
                          [&options] { return run_search(options); });
  add_collection(command, options.collection);
  command->add_option("TEXT", options.text, "What to look for");
  command->add_option("--image", options.image, "A picture to look for; with TEXT, both count")
      ->type_name("FILE");
  command->add_option("-k", options.count, "How many hits")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000}))
      ->capture_default_str();
  command->add_option("--in", options.space, "Compare with the pictures, or with the text in them")
      ->check(CLI::IsMember({"picture", "text"}))
      ->capture_default_str();
  add_format(command, options.format, {"table", "jsonl", "paths"});
  add_model_flags(command, options.model, "Default: the collection's model");
}

void add_classify(Program& program, ClassifyOptions& options) {
  CLI::App* command =
      program.add_command("classify", "Label every picture with the classes you name",
                          [&options] { return run_classify(options); });
  add_collection(command, options.collection);
  add_labels(command, options.labels);
  add_fusion(command, options.labels);
  add_format(command, options.format, {"table", "jsonl", "csv"});
  add_model_flags(command, options.model, "Default: the collection's model");
}

void add_export(Program& program, ExportOptions& options) {
  CLI::App* command = program.add_command(
      "export", "Put the pictures into one folder a label, or show them on an HTML page",
      [&options] { return run_export(options); });
  add_collection(command, options.collection);
  add_labels(command, options.labels);
  add_fusion(command, options.labels);
  command
      ->add_option("--to", options.target,
                   "The folder to make, or the page; nothing is ever overwritten")
      ->type_name("DIR|FILE")
      ->required();
  command
      ->add_option("--format", options.format,
                   "folders: one a label; html: one page with thumbnails and the evidence")
      ->check(CLI::IsMember({"folders", "html"}))
      ->capture_default_str();
  command->add_option("--mode", options.mode, "How a picture gets into its folder")
      ->check(CLI::IsMember({"symlink", "hardlink", "copy"}))
      ->default_str("symlink");
  command
      ->add_option("--max-per-label", options.max_per_label,
                   "The best so many pictures of a label are on the page")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->default_str(std::to_string(PageOptions().max_per_label));
  add_model_flags(command, options.model, "Default: the collection's model");
}

void add_evaluate(Program& program, EvaluateOptions& options) {
  CLI::App* command = program.add_command(
      "evaluate", "Accuracy of every fusion rule, all together and for each label",
      [&options] { return run_evaluate(options); });
  add_collection(command, options.collection);
  add_labels(command, options.labels);
  command
      ->add_option("--truth", options.truth,
                   "CSV with the columns path and label; a picture without an answer is wrong")
      ->type_name("FILE.csv")
      ->required();
  add_format(command, options.format, {"table", "jsonl"});
  add_model_flags(command, options.model, "Default: the collection's model");
}

// One value an occurrence, so that the order of --text, --text-file and --image can be kept.
CLI::Option* add_input(CLI::App* command, const std::string& name, std::vector<std::string>& values,
                       const std::string& description) {
  return command->add_option(name, values, description)->allow_extra_args(false);
}

struct EmbedFlags {
  std::vector<std::string> texts;
  std::vector<std::string> text_files;
  std::vector<std::string> images;
};

std::vector<EmbedInput> inputs_in_order(const CLI::App& command, const EmbedFlags& flags) {
  std::vector<EmbedInput> inputs;
  size_t text = 0;
  size_t text_file = 0;
  size_t image = 0;
  for (const CLI::Option* option : command.parse_order()) {
    const std::string name = option->get_name();
    if (name == "--text") inputs.push_back({EmbedInput::Kind::Text, flags.texts[text++]});
    if (name == "--text-file")
      inputs.push_back({EmbedInput::Kind::TextFile, flags.text_files[text_file++]});
    if (name == "--image") inputs.push_back({EmbedInput::Kind::Image, flags.images[image++]});
  }
  return inputs;
}

void add_embed(Program& program, EmbedOptions& options, EmbedFlags& flags) {
  CLI::App* command =
      program.add_command("embed", "Show the unit vectors that a model gives", nullptr);
  command->callback([&program, command, &options, &flags] {
    options.inputs = inputs_in_order(*command, flags);
    program.choose([&options] { return run_embed(options); });
  });
  add_input(command, "--text", flags.texts, "A text; may be repeated")->type_name("TEXT");
  add_input(command, "--text-file", flags.text_files, "A file with one text a line")
      ->type_name("FILE");
  add_input(command, "--image", flags.images, "A picture; may be repeated")->type_name("FILE");
  command->add_flag("--tokens", options.tokens, "Add the token ids of texts");
  command
      ->add_option("--npy", options.npy,
                   "Write the vectors there as float32 rows, not into the lines")
      ->type_name("OUT");
  add_model_flags(command, options.model, "Default: the bundled model");
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  using namespace zeroshelf;
  Program program("zeroshelf-query", "Searches, labels and exports an indexed picture collection.");
  SearchOptions search;
  ClassifyOptions classify;
  ExportOptions export_options;
  EvaluateOptions evaluate;
  EmbedOptions embed;
  EmbedFlags embed_flags;
  add_search(program, search);
  add_classify(program, classify);
  add_export(program, export_options);
  add_evaluate(program, evaluate);
  add_embed(program, embed, embed_flags);
  return program.run(argc, argv);
}
