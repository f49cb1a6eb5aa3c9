// suggest: a collection -> labels that its pictures have. Tested by tests/programs/suggest_test.cc.

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lib/collection/foreign.h"
#include "lib/collection/path_order.h"
#include "lib/files/new_file.h"
#include "lib/labelling/labelling.h"
#include "lib/labelling/suggest.h"
#include "lib/labels/everyday_names.h"
#include "lib/program/message.h"
#include "lib/report/formats.h"
#include "lib/report/suggestion_writer.h"
#include "lib/report/terminal_table.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

struct SuggestCommandOptions {
  std::vector<std::filesystem::path> collections;
  LabelOptions vocabulary;  // its file, vectors and templates
  std::optional<size_t> groups;
  std::string to;  // a label file, "-" for standard output
  std::filesystem::path pictures_to;
  OutputFormat format = OutputFormat::Table;
  ModelOptions model;
};

std::vector<Label> vocabulary_names(const LabelOptions& options) {
  const std::vector<std::string> templates = templates_of(options);
  if (!options.file.empty()) return read_label_file(options.file, templates);
  std::vector<Label> names;
  for (const std::string& name : everyday_names()) names.push_back({name, {}});
  return complete_labels("the vocabulary", names, templates);
}

// Without a model there are groups, but no names for them; a vocabulary that was named must be met.
NameVocabulary read_vocabulary(const View& collection, const SuggestCommandOptions& options,
                           EncoderSource& encoders) {
  LabellingRequest request;
  request.labels = vocabulary_names(options.vocabulary);
  request.vectors = options.vocabulary.vectors;
  try {
    LabelVectors vectors = label_vectors(collection, request, encoders);
    return {std::move(request.labels), std::move(vectors.image)};
  } catch (const Error& error) {
    if (!options.vocabulary.file.empty() || encoders.is_named()) throw;
    warn("zeroshelf-query", fmt::format("no names without the model: {}", error.what()));
    return {};
  }
}

void write_pictures(const View& collection, const Suggestion& suggestion,
                    const std::filesystem::path& path) {
  NewFile file(path);
  file.write("path,label,path_base64\r\n");
  for_each_record_by_path(collection, [&](Row row, const PictureRecord& record) {
    const uint32_t group = suggestion.of_row[row];
    std::string line;
    append_csv_cell(line, record.file.path);
    line += ',';
    append_csv_cell(line, group == kNoGroup ? "" : name_of_group(suggestion, group));
    line += ',';
    append_csv_path_base64(line, record.file.path);
    file.write(line + "\r\n");
  });
  file.publish();
}

int run_suggest(const SuggestCommandOptions& options) {
  const bool to_file = !options.to.empty() && options.to != "-";
  for (const std::filesystem::path& path :
       {to_file ? std::filesystem::path(options.to) : std::filesystem::path(), options.pictures_to}) {
    if (!path.empty()) check_new_file(path);
  }
  if (options.vocabulary.file.empty() && !options.vocabulary.vectors.empty())
    throw Error(ErrorCode::InvalidArgument, "--vocabulary-vectors", "has no effect without --vocabulary",
                "name the file whose names they are");
  const View collection = open_to_ask(options.collections);
  if (collection.pictures() == 0) return kNothingFound;
  ModelSource encoders(collection, options.model);
  const NameVocabulary vocabulary = read_vocabulary(collection, options, encoders);
  const Suggestion suggestion =
      suggest(collection, vocabulary, {options.groups, options.model.threads});
  const SuggestionWriter writer(collection, vocabulary, suggestion);
  OutputStream out(stdout, "standard output");
  if (options.to == "-") {
    out.write(writer.label_file());
  } else if (options.format == OutputFormat::Jsonl) {
    out.write(writer.json());
  } else if (options.format == OutputFormat::Csv) {
    out.write(writer.csv());
  } else {
    out.write(writer.table(terminal_columns(stdout)));
  }
  out.flush();
  if (!options.pictures_to.empty()) write_pictures(collection, suggestion, options.pictures_to);
  if (to_file) {
    NewFile file(options.to);
    file.write(writer.label_file());
    file.publish();
    say("labels written to {}: edit them, then zeroshelf-query classify COLLECTION --labels-file {}\n",
        printable(options.to), printable(options.to));
  } else if (options.to.empty() && options.format == OutputFormat::Table) {
    say("--to labels.txt writes them as a label file to edit\n");
  }
  const auto named = std::ranges::count_if(
      suggestion.groups, [](const SuggestedGroup& group) { return !group.name.empty(); });
  return named > 0 ? kDone : kNothingFound;
}

}  // namespace

void add_suggest(Program& program) {
  const auto shared = std::make_shared<SuggestCommandOptions>();
  SuggestCommandOptions& options = *shared;
  CLI::App* command = program.add_command(
      "suggest", "Propose labels: find groups of pictures that belong together, and name them",
      [shared] { return run_suggest(*shared); });
  add_collections(command, options.collections);
  CLI::Option* vocabulary =
      command
          ->add_option("--vocabulary", options.vocabulary.file,
                       "Names to choose from, as a label file has them; default: some 700 of everyday "
                       "things")
          ->type_name("FILE");
  CLI::Option* templates =
      command
          ->add_option("--template", options.vocabulary.templates,
                       "Prompts for names without their own, as classify takes them")
          ->type_name("TEXT|NAME|FILE")
          ->allow_extra_args(false)
          ->capture_default_str();
  command
      ->add_option("--vocabulary-vectors", options.vocabulary.vectors,
                   "Vectors of the names instead of prompts: one row a name; needs no model")
      ->type_name("FILE.npy")
      ->excludes(templates);
  (void)vocabulary;
  command
      ->add_option(
          "--groups", options.groups,
          "Number of groups; those that get the same name become one; default: decided from "
          "the pictures")
      ->check(CLI::Range(size_t{1}, size_t{256}));
  command
      ->add_option("--to", options.to,
                   "Write a label file to edit, which classify --labels-file takes; -: print it")
      ->type_name("FILE");
  command
      ->add_option("--pictures-to", options.pictures_to,
                   "Also write which picture is in which group, as --truth takes it")
      ->type_name("FILE.csv");
  add_format(command, options.format,
             {OutputFormat::Table, OutputFormat::Jsonl, OutputFormat::Csv});
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
