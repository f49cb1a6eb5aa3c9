// review: the answers to look at first. Tested by tests/programs/evaluation_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "lib/labelling/labelling.h"
#include "lib/labelling/review.h"
#include "lib/labelling/run_diff.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/report/messages.h"
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

struct ReviewOptions {
  std::vector<std::filesystem::path> collections;
  std::string run;
  LabelOptions labels;
  ReviewBy by = ReviewBy::Margin;
  size_t k = 20;
  OutputFormat format = OutputFormat::Table;
  ModelOptions model;
};

class ReviewWriter {
 public:
  explicit ReviewWriter(const Run& run) : run_(run) {
    for (const Label& label : run.labels)
      width_ = std::max(width_, display_width(printable(label.name)));
    width_ = std::min(width_, 24);
  }

  std::string header() const {
    return fmt::format("{} MARGIN  SCORE {} {} PATH\n", table_cell("LABEL", width_),
                       table_cell("PICTURE SAYS", std::max(width_, 12)),
                       table_cell("TEXT SAYS", std::max(width_, 9)));
  }

  std::string line(const ReviewItem& item, OutputFormat format) const {
    if (format == OutputFormat::NulPaths) return item.path + '\0';
    if (format == OutputFormat::Csv) return csv_line(item);
    return format == OutputFormat::Jsonl ? json(item) : table(item);
  }

  // A file to fill in: what is written under "label" is a truth.
  static std::string csv_header() {
    return "path,label,answer,score,margin,image_label,text_label,path_base64\r\n";
  }

  std::string csv_line(const ReviewItem& item) const {
    const RunEntry& it = item.entry;
    std::string line;
    append_csv_cell(line, item.path);
    line += ",,";
    append_csv_cell(line, label_name(run_, it.label).value_or(""));
    fmt::format_to(std::back_inserter(line), ",{},{},", it.score, it.margin);
    append_csv_cell(line, label_name(run_, it.image_label).value_or(""));
    line += ',';
    append_csv_cell(line, label_name(run_, it.text_label).value_or(""));
    line += ',';
    append_csv_path_base64(line, item.path);
    return line + "\r\n";
  }

 private:
  std::string name(std::optional<uint32_t> label) const {
    return label_name(run_, label).value_or("-");
  }
  std::string table(const ReviewItem& item) const {
    const RunEntry& it = item.entry;
    const std::string before = fmt::format(
        "{} {:6.3f} {:6.3f} {} {} ", table_cell(name(it.label), width_), it.margin, it.score,
        table_cell(name(it.image_label), std::max(width_, 12)),
        table_cell(name(it.text_label), std::max(width_, 9)));
    return line_with_path(before, item.path, "", terminal_columns(stdout));
  }
  std::string json(const ReviewItem& item) const {
    const RunEntry& it = item.entry;
    return json_line(message::Review{item.path, label_name(run_, it.label), it.score, it.margin,
                                     source_name(*it.source), label_name(run_, it.image_label),
                                     label_name(run_, it.text_label)});
  }

  const Run& run_;
  int width_ = 5;
};

int show(const View& collection, const Run& run, const ReviewOptions& options) {
  const Review found = review(collection, run, options.by, options.k);
  const ReviewWriter writer(run);
  OutputStream out(stdout, "standard output");
  if (options.format == OutputFormat::Table && !found.items.empty()) out.write(writer.header());
  if (options.format == OutputFormat::Csv) out.write(ReviewWriter::csv_header());
  for (const ReviewItem& item : found.items) out.write(writer.line(item, options.format));
  out.flush();
  say("{} of {} pictures {}\n", with_thousands(found.items.size()),
      with_thousands(found.candidates),
      options.by == ReviewBy::Disagreement ? "whose picture and text disagree" : "with an answer");
  return found.items.empty() ? kNothingFound : kDone;
}

int run_review(ReviewOptions options) {
  const bool by_labels = !options.labels.list.empty() || !options.labels.file.empty() ||
                         !options.labels.by_prompts();
  if (!by_labels && options.run.empty())
    options.run = take_last(options.collections, LastArgument::Needed).value_or("");
  if (!options.run.empty()) {
    const View collection = open_to_ask(options.collections);
    return show(collection, load_run(collection, options.run), options);
  }
  if (!by_labels) {
    throw Error(ErrorCode::InvalidArgument, "review", "neither a run nor labels are named",
                "give the name of a run, --labels, --labels-file or --classifier");
  }
  const LabellingRequest request = labelling_request(options.labels);
  const View collection = open_to_ask(options.collections);
  ModelSource encoders(collection, options.model);
  const Labelling labelling = make_labelling(collection, request, encoders);
  return show(collection, make_run(collection, labelling, options.model.threads), options);
}

}  // namespace

void add_review(Program& program) {
  const auto shared = std::make_shared<ReviewOptions>();
  ReviewOptions& options = *shared;
  CLI::App* command =
      program.add_command("review",
                          "List the answers to check first: the least sure, those where "
                          "picture and text disagree, or a fair sample",
                          [shared] { return run_review(*shared); });
  add_collections(command, options.collections);
  CLI::Option* run = command->add_option("RUN", options.run, "A kept run; or name labels");
  CLI::Option_group* labels = add_label_flags(command, options.labels);
  labels->require_option(0, 1);
  for (CLI::Option* option : labels->get_options()) option->excludes(run);
  add_fusion_flag(command, options.labels);
  add_choice(command, "--by", options.by,
             {{"margin", ReviewBy::Margin},
              {"disagreement", ReviewBy::Disagreement},
              {"chance", ReviewBy::Chance}},
             "margin, disagreement: what makes an answer doubtful; chance: a fair sample of all, as "
             "export --at-most-wrong needs it");
  command->add_option("-k", options.k, "How many at most")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000'000}))
      ->capture_default_str();
  CLI::Option* format = add_format(command, options.format,
                                   {OutputFormat::Table, OutputFormat::Jsonl, OutputFormat::Csv});
  add_null_flag(command, options.format, format);
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
