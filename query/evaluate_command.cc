// evaluate: labels and the truth -> how often each rule is right. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/labelling/evaluate.h"
#include "lib/program/message.h"
#include "lib/report/evaluate_output.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "query/flags.h"
#include "query/labelling.h"

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

// Every rule by its defaults and, if there is one, the calibration; or the classifier alone.
std::vector<Way> ways_of(const Collection& collection, const Question& question,
                         const LabelOptions& options) {
  if (!options.by_prompts()) return {{"learned", &question.vectors, question.fusion}};
  std::vector<Way> ways = every_rule(collection, question.vectors);
  if (!options.calibration.empty())
    ways.push_back({"calibrated", &question.vectors, question.fusion});
  return ways;
}

int run_evaluate(const EvaluateOptions& options) {
  const Truth truth = read_truth(options.truth);
  const Collection collection = Collection::open(options.collection);
  const Question question = question_of(collection, options.labels, options.model);
  const std::vector<Label>& labels = question.labels;
  const Evaluation evaluation =
      evaluate(collection, labels, ways_of(collection, question, options.labels), truth,
               options.model.threads);
  const bool table = options.format == "table";
  OutputStream out(stdout, "standard output");
  out.write(table ? evaluation_table(evaluation, labels) : evaluation_json(evaluation, labels));
  out.flush();
  if (!options.plot.empty()) write_file_atomically(options.plot, evaluation_plot(evaluation));
  const auto tell = [](uint64_t count, const char* what) {
    if (count > 0) say("{} {}\n", with_thousands(count), what);
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
  add_calibration_flag(command, options.labels);
  add_truth_flag(command, options.truth);
  add_format(command, options.format, {"table", "jsonl"});
  command
      ->add_option("--plot", options.plot,
                   "Also draw coverage against accuracy, and confidence against accuracy")
      ->type_name("FILE.svg");
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
