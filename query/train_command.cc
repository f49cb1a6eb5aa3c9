// train: a classifier from labelled pictures. Tested by tests/programs/evaluation_commands_test.cc.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "lib/collection/attachments.h"
#include "lib/labelling/classifier.h"
#include "lib/labelling/evaluate.h"
#include "lib/labelling/labelling.h"
#include "lib/program/message.h"
#include "lib/report/evaluate_output.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "models/flags/model_source.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

struct TrainOptions {
  std::vector<std::filesystem::path> collections;
  TruthOptions truth;
  LabelOptions labels;  // of the zero-shot answers that it is compared with
  std::string save;
  OutputFormat format = OutputFormat::Table;
  ModelOptions model;
};

// The labels of the truth with the prompts that the options give them.
std::vector<Label> labels_with_prompts(const TrainOptions& options,
                                       const std::vector<std::string>& names) {
  const std::vector<std::string> templates = templates_of(options.labels);
  std::vector<Label> labels;
  for (const std::string& name : names) {
    Label label{name, {}};
    for (const std::string& prompt : templates)
      label.prompts.push_back(fill_template(prompt, name));
    labels.push_back(std::move(label));
  }
  return labels;
}

std::vector<std::string> names_of(const std::vector<Label>& labels) {
  std::vector<std::string> names;
  for (const Label& label : labels) names.push_back(label.name);
  return names;
}

// A label without a picture is never answered.
void warn_of_labels_without_examples(const std::vector<Label>& labels,
                                     const std::vector<KnownPicture>& pictures) {
  std::vector<bool> has_example(labels.size());
  for (const KnownPicture& picture : pictures) has_example[picture.label] = true;
  std::string names;
  for (size_t k = 0; k < labels.size(); ++k) {
    if (!has_example[k]) names += (names.empty() ? "'" : ", '") + labels[k].name + "'";
  }
  if (!names.empty())
    warn("zeroshelf-query",
         "no example was given of " + names + ": label pictures of it, or it is hardly ever answered");
}

// What the prompts say about the same pictures; nothing where there is no model to ask, which is
// no reason to learn nothing.
std::vector<Answers> zero_shot_answers(const View& collection, const LabellingRequest& request,
                                       const std::vector<KnownPicture>& pictures,
                                       const TrainOptions& options) {
  std::vector<Answers> answers;
  try {
    ModelSource encoders(collection, options.model);
    const LabelVectors prompts = label_vectors(collection, request, encoders);
    answers = answers_of(collection, every_rule(collection, request.labels, prompts), pictures,
                         options.model.threads);
  } catch (const Error& error) {
    const bool is_asked_for = !options.model.model.empty() || !request.vectors.empty();
    if (is_asked_for) throw;
    say("not compared with zero-shot answers: {}\n", error.what());
  }
  for (Answers& of_rule : answers) of_rule.name = "zero-shot, " + of_rule.name;
  return answers;
}

void write_table(OutputStream& out, const Training& training, const EvaluationResult& result) {
  out.write(fmt::format("{:20} ACCURACY   95 % INTERVAL    MACRO F1   of {} pictures\n", "",
                        training.classifier.pictures));
  for (const Report& it : result.reports) {
    out.write(fmt::format("{:20} {:6.1f} %   {:5.1f} to {:5.1f} %  {:6.1f} %\n", it.name,
                          100 * it.accuracy.value, 100 * it.accuracy.interval.low,
                          100 * it.accuracy.interval.high, 100 * it.macro_f1.value));
  }
  for (const Comparison& it : result.comparisons) {
    if (it.second + 1 != result.reports.size()) continue;
    out.write(fmt::format("learned against {}: {:+.1f} points ({:+.1f} to {:+.1f}), p = {:.2g}\n",
                          result.reports[it.first].name, 100 * it.difference.value,
                          100 * it.difference.interval.low, 100 * it.difference.interval.high,
                          it.p_value));
  }
}

void write_json(OutputStream& out, const Training& training, const EvaluationResult& result) {
  std::string lines;
  for (const Report& it : result.reports) append_json_line(lines, accuracy_message(it));
  for (const Comparison& it : result.comparisons) {
    if (it.second + 1 == result.reports.size())
      append_json_line(lines, comparison_message(result, it));
  }
  const Classifier& classifier = training.classifier;
  const CrossValidation& validation = training.validation;
  append_json_line(
      lines, message::Training{classifier.pictures, classifier.labels.size(), validation.penalty,
                               validation.folds, validation.log_loss});
  out.write(lines);
}

int run_train(const TrainOptions& options) {
  Attachments::check_name("--save", options.save);
  if (!options.labels.vectors.empty() && options.labels.list.empty() && options.labels.file.empty())
    throw Error(ErrorCode::InvalidArgument, "--label-vectors", "no names for its rows",
                "name one label a row, in the same order, with --labels or --labels-file");
  const View collection = open_to_ask(options.collections);
  LabellingRequest request;
  const bool named = !options.labels.list.empty() || !options.labels.file.empty();
  if (named) request.labels = read_labels(options.labels);
  const Truth truth = read_and_tell_truth(options.truth, collection, request.labels);
  if (!named) request.labels = labels_with_prompts(options, labels_of(truth));
  request.vectors = options.labels.vectors;
  const std::vector<Label>& labels = request.labels;
  const KnownPictures known = known_pictures(collection, labels, truth);
  warn_of_labels_without_examples(labels, known.pictures);

  const auto start = std::chrono::steady_clock::now();
  const Training training =
      train_classifier(collection, names_of(labels), known.pictures, options.model.threads);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  say("learned from {} pictures in {:.2g} s; penalty {:.2g}, chosen on {} folds\n",
      known.pictures.size(), spent.count(), training.validation.penalty, training.validation.folds);

  std::vector<Answers> answers = zero_shot_answers(collection, request, known.pictures, options);
  answers.push_back({"learned", training.validation.held_out});
  const EvaluationResult result =
      evaluate_answers(answers, labels.size(), {.threads = options.model.threads});
  OutputStream out(stdout, "standard output");
  options.format == OutputFormat::Table ? write_table(out, training, result)
                                        : write_json(out, training, result);
  out.flush();
  save_classifier(collection, options.save, training.classifier);
  say("kept as classifier {}; use it with --classifier {}\n", options.save, options.save);
  return kDone;
}

}  // namespace

void add_train(Program& program) {
  const auto shared = std::make_shared<TrainOptions>();
  TrainOptions& options = *shared;
  CLI::App* command = program.add_command(
      "train", "Learn a classifier from labelled pictures, on their stored vectors",
      [shared] { return run_train(*shared); });
  add_collections(command, options.collections);
  add_truth_flags(command, options.truth);
  add_label_flags(command, options.labels, LabelsFrom::Prompts)->require_option(0, 1);
  command->add_option("--save", options.save, "Keep the classifier under this name")
      ->type_name("NAME")
      ->required();
  add_format(command, options.format, {OutputFormat::Table, OutputFormat::Jsonl});
  add_model_flags(command, options.model,
                  "For the zero-shot answers to compare with; default: the collection's model");
}

}  // namespace zeroshelf
