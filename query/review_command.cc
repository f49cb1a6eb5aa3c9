// review: the answers to look at first. Tested by tests/programs/judging_commands_test.cc.

#include <fmt/format.h>

#include <cstdio>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>

#include "lib/labelling/review.h"
#include "lib/labelling/run_diff.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/formats.h"
#include "lib/util/error.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"
#include "query/commands.h"
#include "query/flags.h"
#include "query/labelling.h"

namespace zeroshelf {
namespace {

struct ReviewOptions {
  std::filesystem::path collection;
  std::string run;
  LabelOptions labels;
  std::string by = "margin";
  size_t k = 20;
  std::string format = "table";
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

  std::string table_line(const ReviewItem& item) const {
    const RunEntry& it = item.entry;
    return fmt::format("{} {:6.3f} {:6.3f} {} {} {}\n", table_cell(name(it.label), width_),
                       it.margin, it.score, table_cell(name(it.image_label), std::max(width_, 12)),
                       table_cell(name(it.text_label), std::max(width_, 9)), printable(item.path));
  }

  std::string json_line(const ReviewItem& item) const {
    const RunEntry& it = item.entry;
    std::string line = "{\"type\":\"review\",";
    append_json_path(line, item.path);
    append(line, "label", it.label);
    fmt::format_to(std::back_inserter(line), ",\"score\":{},\"margin\":{},\"source\":\"{}\"",
                   it.score, it.margin, source_name(*it.source));
    append(line, "image_label", it.image_label);
    append(line, "text_label", it.text_label);
    return line + "}\n";
  }

 private:
  std::string name(std::optional<uint32_t> label) const {
    return label_name(run_, label).value_or("-");
  }
  void append(std::string& out, const char* member, std::optional<uint32_t> label) const {
    fmt::format_to(std::back_inserter(out), ",\"{}\":", member);
    label ? append_json_string(out, name(label)) : void(out += "null");
  }

  const Run& run_;
  int width_ = 5;
};

int show(const Collection& collection, const Run& run, const ReviewOptions& options) {
  const ReviewBy by = options.by == "margin" ? ReviewBy::Margin : ReviewBy::Disagreement;
  const Review found = review(collection, run, by, options.k);
  const ReviewWriter writer(run);
  const bool table = options.format == "table";
  OutputStream out(stdout, "standard output");
  if (table && !found.items.empty()) out.write(writer.header());
  for (const ReviewItem& item : found.items) {
    out.write(table                         ? writer.table_line(item)
              : options.format == kNulPaths ? item.path + '\0'
                                            : writer.json_line(item));
  }
  out.flush();
  say("{} of {} pictures {}\n", with_thousands(found.items.size()),
      with_thousands(found.candidates),
      by == ReviewBy::Margin ? "with an answer" : "whose picture and text disagree");
  return found.items.empty() ? kNothingFound : kDone;
}

int run_review(const ReviewOptions& options) {
  if (!options.run.empty()) {
    const Collection collection = Collection::open(options.collection);
    return show(collection, load_run(collection, options.run), options);
  }
  if (options.labels.list.empty() && options.labels.file.empty() && options.labels.by_prompts()) {
    throw Error(ErrorCode::InvalidArgument, "review", "neither a run nor labels are named",
                "give the name of a run, --labels, --labels-file or --classifier");
  }
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  return show(
      classified.collection,
      make_run(classified.collection, classified.labels, classified.fusion, classified.predictions),
      options);
}

}  // namespace

void add_review(Program& program) {
  const auto shared = std::make_shared<ReviewOptions>();
  ReviewOptions& options = *shared;
  CLI::App* command =
      program.add_command("review",
                          "The answers to look at first: the least sure, or those where "
                          "picture and text disagree",
                          [shared] { return run_review(*shared); });
  add_collection(command, options.collection);
  CLI::Option* run = command->add_option("RUN", options.run, "A kept run; or name labels");
  CLI::Option_group* labels = add_label_flags(command, options.labels);
  labels->require_option(0, 1);
  for (CLI::Option* option : labels->get_options()) option->excludes(run);
  add_fusion_flag(command, options.labels);
  command->add_option("--by", options.by, "What makes an answer doubtful")
      ->check(one_of({"margin", "disagreement"}))
      ->capture_default_str();
  command->add_option("-k", options.k, "How many at most")
      ->check(CLI::Range(size_t{1}, size_t{1'000'000'000}))
      ->capture_default_str();
  CLI::Option* format = add_format(command, options.format, {"table", "jsonl"});
  add_null_flag(command, options.format, format);
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
