// classify: labels -> one prediction a picture. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>

#include "lib/collection/attachments.h"
#include "lib/output/output_stream.h"
#include "query/flags.h"
#include "query/labelling.h"
#include "query/prediction_writer.h"
#include "query/run.h"

namespace zeroshelf {
namespace {

struct ClassifyOptions {
  std::filesystem::path collection;
  LabelOptions labels;
  std::string save;
  std::string format = "table";
  ModelOptions model;
};

int run_classify(const ClassifyOptions& options) {
  if (!options.save.empty()) Attachments::check_name("--save", options.save);
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  const auto writer = prediction_writer(options.format, classified.labels);
  OutputStream out(stdout, "standard output");
  out.write(writer->header());
  bool any = false;
  classified.collection.for_each_record([&](Row row, const PictureRecord& record) {
    const Prediction& prediction = classified.predictions[row];
    out.write(writer->line(record.file.path, prediction));
    any = any || prediction.winner.has_value();
  });
  out.flush();
  if (!options.save.empty()) {
    save_run(classified.collection, options.save,
             make_run(classified.collection, classified.labels, classified.fusion,
                      classified.predictions));
  }
  fmt::print(stderr, "{}\n", count_summary(classified));
  return any ? kDone : kNothingFound;
}

}  // namespace

void add_classify(Program& program) {
  const auto shared = std::make_shared<ClassifyOptions>();
  ClassifyOptions& options = *shared;
  CLI::App* command =
      program.add_command("classify", "Label every picture with the classes you name",
                          [shared] { return run_classify(*shared); });
  add_collection(command, options.collection);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  command
      ->add_option("--save", options.save,
                   "Keep the answers under this name, for diff and review; see runs")
      ->type_name("NAME");
  add_format(command, options.format, {"table", "jsonl", "csv"});
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
