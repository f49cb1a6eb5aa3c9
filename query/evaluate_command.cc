// evaluate: labels and the truth -> how often each rule is right. Tested by tests/programs.

#include "lib/files/new_file.h"
#include "lib/program/message.h"
#include "query/commands.h"

#include <fmt/format.h>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/labelling/evaluate.h"
#include "lib/labelling/labelling.h"
#include "lib/report/evaluate_output.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

struct EvaluateOptions {
  std::filesystem::path collection;
  LabelOptions labels;  // the fusion is not used: every rule is measured
  std::filesystem::path truth;
  OutputFormat format = OutputFormat::Table;
  std::filesystem::path plot;
  ModelOptions model;
};

// Every rule by its defaults and, if there is one, the calibration; or the classifier alone.
std::vector<Way> ways_of(const View& collection, const LabellingRequest& request,
                         const Labelling& labelling, const LabelOptions& options,
                         EncoderSource& encoders) {
  if (!options.by_prompts()) return {{"learned", labelling}};
  std::vector<Way> ways =
      every_rule(collection, labelling.labels, label_vectors(collection, request, encoders));
  if (!options.calibration.empty()) ways.push_back({"calibrated", labelling});
  return ways;
}

int run_evaluate(const EvaluateOptions& options) {
  if (!options.plot.empty()) NewFile::check(options.plot);
  const Truth truth = read_and_tell_truth(options.truth);
  const LabellingRequest request = labelling_request(options.labels);
  const View collection = View::open(options.collection);
  ModelSource encoders(collection, options.model);
  const Labelling labelling = make_labelling(collection, request, encoders);
  warn_of_labels(labelling, encoders);
  const std::vector<Label>& labels = labelling.labels;
  const Evaluation evaluation = evaluate(
      collection, labels, ways_of(collection, request, labelling, options.labels, encoders), truth,
      options.model.threads);
  const bool table = options.format == OutputFormat::Table;
  OutputStream out(stdout, "standard output");
  out.write(table ? evaluation_table(evaluation, labels) : evaluation_json(evaluation, labels));
  out.flush();
  if (!options.plot.empty()) {
    NewFile plot(options.plot);
    plot.write(evaluation_plot(evaluation));
    plot.publish();
  }
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
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  command
      ->add_option("--plot", options.plot,
                   "Also draw coverage against accuracy, and confidence against accuracy")
      ->type_name("FILE.svg");
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
