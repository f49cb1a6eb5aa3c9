// evaluate: labels and the truth -> how often each rule is right. Tested by tests/programs.

#include "lib/collection/foreign.h"
#include "lib/files/new_file.h"
#include "lib/program/message.h"
#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/labelling.h"
#include "lib/report/evaluate_output.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "models/clip/load.h"
#include "models/flags/model_source.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

struct EvaluateOptions {
  std::vector<std::filesystem::path> collections;
  LabelOptions labels;  // the fusion is not used: every rule is measured
  TruthOptions truth;
  bool per_label = false;
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
      every_rule(collection, labelling.labels, label_vectors(collection, request, encoders),
                 labelling.tree);
  if (!options.calibration.empty()) ways.push_back({"calibrated", labelling});
  return ways;
}

// A classifier knows the answers about the pictures that it was learned from.
void warn_of_own_pictures(const View& collection, const std::string& name,
                          const std::vector<KnownPicture>& pictures) {
  const Classifier classifier = load_classifier(collection, name);
  const std::vector<uint64_t>& own = classifier.learned_from;
  const auto count = std::ranges::count_if(pictures, [&](const KnownPicture& it) {
    return std::ranges::binary_search(own, learned_mark(collection.record(it.row).content_hash));
  });
  if (count == 0) return;
  warn("zeroshelf-query",
       fmt::format("classifier {} was learned from {} of these {} pictures, so it is right about "
                   "them more often than about others; about pictures that it had not seen it was "
                   "right for {:.1f} %",
                   name, with_thousands(static_cast<uint64_t>(count)),
                   with_thousands(pictures.size()), 100 * classifier.held_out.value()));
}

void tell_if_near_chance(const Evaluation& evaluation, const View& collection, size_t labels) {
  const bool is_bundled = collection.manifest().model_name == kBundledModel;
  if (const auto warning = near_chance_warning(evaluation.result, labels, is_bundled))
    warn("zeroshelf-query", *warning);
}

int run_evaluate(const EvaluateOptions& options) {
  if (!options.plot.empty()) check_new_file(options.plot);
  const LabellingRequest request = labelling_request(options.labels);
  const View collection = open_to_ask(options.collections);
  ModelSource encoders(collection, options.model);
  const Labelling labelling = make_labelling(collection, request, encoders);
  warn_of_labels(labelling, encoders);
  const std::vector<Label>& labels = labelling.labels;
  const Truth truth = read_and_tell_truth(options.truth, collection, labels);
  const Evaluation evaluation = evaluate(
      collection, labels, ways_of(collection, request, labelling, options.labels, encoders), truth,
      options.model.threads);
  const bool table = options.format == OutputFormat::Table;
  OutputStream out(stdout, "standard output");
  const LabelLines lines = options.per_label ? LabelLines::All : LabelLines::Few;
  out.write(table ? evaluation_table(evaluation, labels, lines)
                  : evaluation_json(evaluation, labels));
  out.flush();
  if (!options.plot.empty()) {
    NewFile plot(options.plot);
    plot.write(evaluation_plot(evaluation));
    plot.publish();
  }
  if (table && !options.per_label && labels.size() > kFewLabels)
    say("--per-label shows each of the {} labels\n", labels.size());
  if (!options.labels.by_prompts())
    warn_of_own_pictures(collection, options.labels.classifier,
                         known_pictures(collection, labels, truth).pictures);
  tell_if_near_chance(evaluation, collection, labels.size());
  if (evaluation.examples > 0) say("{}\n", examples_note(evaluation.examples));
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
      "evaluate", "Measure the accuracy of every fusion rule, overall and for each label",
      [shared] { return run_evaluate(*shared); });
  add_collections(command, options.collections);
  add_label_flags(command, options.labels);
  add_calibration_flag(command, options.labels);
  add_truth_flags(command, options.truth);
  command->add_flag("--per-label", options.per_label,
                    fmt::format("Accuracy of each label also where there are more than {}; "
                                "jsonl always has it",
                                kFewLabels));
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  command
      ->add_option("--plot", options.plot,
                   "Also draw coverage against accuracy, and confidence against accuracy")
      ->type_name("FILE.svg");
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
