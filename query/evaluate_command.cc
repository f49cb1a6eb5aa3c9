// evaluate: labels and the truth -> how often each rule is right. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/labels/label_vectors.h"
#include "lib/output/output_stream.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "models/flags/model_flags.h"
#include "query/evaluate.h"
#include "query/evaluate_output.h"
#include "query/flags.h"
#include "query/label_flags.h"

namespace zeroshelf {
namespace {

struct EvaluateOptions {
  std::filesystem::path collection;
  LabelOptions labels;  // the fusion is not used: every rule is measured
  std::filesystem::path truth;
  std::string format = "table";
  std::filesystem::path plot;
  ModelOptions model;
};

int run_evaluate(const EvaluateOptions& options) {
  const Truth truth = read_truth(options.truth);
  const std::vector<Label> labels = read_labels(options.labels);
  const Collection collection = Collection::open(options.collection);
  const auto encoder = load_model_of(collection.manifest(), options.model, EncoderSide::TextOnly);
  const Evaluation evaluation =
      evaluate(collection, labels, LabelVectors(encode_labels(*encoder, labels)), truth,
               options.model.threads);
  const bool table = options.format == "table";
  OutputStream out(stdout, "standard output");
  out.write(table ? evaluation_table(evaluation, labels) : evaluation_json(evaluation, labels));
  out.flush();
  if (!options.plot.empty()) write_file_atomically(options.plot, evaluation_plot(evaluation));
  const auto tell = [](uint64_t count, const char* what) {
    if (count > 0) fmt::print(stderr, "{} {}\n", with_thousands(count), what);
  };
  tell(evaluation.not_in_collection, "pictures of the truth are not in the collection");
  tell(evaluation.without_truth, "pictures of the collection are not in the truth");
  return kDone;
}

}  // namespace

void add_evaluate(Program& program) {
  const auto shared = std::make_shared<EvaluateOptions>();
  EvaluateOptions& options = *shared;
  CLI::App* command = program.add_command(
      "evaluate", "Accuracy of every fusion rule, all together and for each label",
      [shared] { return run_evaluate(*shared); });
  add_collection(command, options.collection);
  add_label_flags(command, options.labels);
  command
      ->add_option("--truth", options.truth,
                   "CSV with the columns path and label; a picture without an answer is wrong")
      ->type_name("FILE.csv")
      ->required();
  add_format(command, options.format, {"table", "jsonl"});
  command
      ->add_option("--plot", options.plot,
                   "Also draw coverage against accuracy, and confidence against accuracy")
      ->type_name("FILE.svg");
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
