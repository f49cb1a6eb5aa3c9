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
#include "lib/output/formats.h"
#include "lib/output/output_stream.h"
#include "lib/util/text.h"
#include "models/flags/model_flags.h"
#include "query/evaluate.h"
#include "query/flags.h"
#include "query/label_flags.h"

namespace zeroshelf {
namespace {

struct EvaluateOptions {
  std::filesystem::path collection;
  LabelOptions labels;  // the fusion is not used: every rule is measured
  std::filesystem::path truth;
  std::string format = "table";
  ModelOptions model;
};

std::string accuracy_json(const RuleAccuracy& accuracy, const std::string& label,
                          const Share& share) {
  std::string line =
      fmt::format("{{\"type\":\"accuracy\",\"fusion\":\"{}\",\"label\":", accuracy.rule);
  label.empty() ? void(line += "null") : append_json_string(line, label);
  return line +
         fmt::format(",\"accuracy\":{},\"low\":{},\"high\":{},\"right\":{},\"pictures\":{}}}\n",
                     share.value(), share.low(), share.high(), share.good, share.trials);
}

std::string accuracy_line(const std::string& rule, const std::string& label, const Share& share) {
  return fmt::format("{:7} {} {:6.1f} %   {:5.1f} to {:5.1f} %   {} of {}\n", rule,
                     table_cell(label, 24), 100 * share.value(), 100 * share.low(),
                     100 * share.high(), with_thousands(share.good), with_thousands(share.trials));
}

int run_evaluate(const EvaluateOptions& options) {
  const Truth truth = read_truth(options.truth);
  const std::vector<Label> labels = read_labels(options.labels);
  const Collection collection = Collection::open(options.collection);
  const auto encoder = load_model_of(collection.manifest(), options.model, EncoderSide::TextOnly);
  const Evaluation evaluation =
      evaluate(collection, labels, encode_labels(*encoder, labels), truth, options.model.threads);
  OutputStream out(stdout, "standard output");
  const bool table = options.format == "table";
  if (table)
    out.write(fmt::format("FUSION  {} ACCURACY   95 % INTERVAL\n", table_cell("LABEL", 24)));
  for (const RuleAccuracy& accuracy : evaluation.rules) {
    out.write(table ? accuracy_line(accuracy.rule, "all", accuracy.all)
                    : accuracy_json(accuracy, "", accuracy.all));
    for (size_t i = 0; i < labels.size(); ++i) {
      const Share& share = accuracy.of_label[i];
      out.write(table ? accuracy_line("", labels[i].name, share)
                      : accuracy_json(accuracy, labels[i].name, share));
    }
  }
  out.flush();
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
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
