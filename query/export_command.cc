// export: labels -> folders, data sets, lists, or a page. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/foreign.h"
#include "lib/export/bands.h"
#include "lib/export/export_page.h"
#include "lib/export/export_sinks.h"
#include "lib/export/open_folder.h"
#include "lib/files/new_file.h"
#include "lib/program/values.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "query/flags.h"
#include "query/labelling.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";
constexpr double kDefaultValidation = 0.2;

struct ExportOptions {
  std::filesystem::path collection;
  LabelOptions labels;
  std::filesystem::path target;
  std::filesystem::path unsure_target;  // empty: unsure pictures are left out
  std::string format = "folders";
  std::optional<std::string> mode;   // only where pictures are placed; symlink
  std::optional<double> validation;  // only for imagefolder
  std::filesystem::path root;        // only for labelstudio and coco
  std::optional<float> min_score;
  std::optional<uint64_t> max_per_label;
  std::vector<std::string> only;
  ModelOptions model;
};

void refuse_unless(bool fits, bool given, const char* flag, const std::string& format,
                   const char* formats) {
  if (fits || !given) return;
  throw Error(ErrorCode::InvalidArgument, flag, "means nothing for --format " + format,
              fmt::format("leave it out, or use --format {}", formats));
}

void check_flags(const ExportOptions& options) {
  const std::string& format = options.format;
  refuse_unless(places_pictures(format), options.mode.has_value(), "--mode", format,
                "folders, imagefolder or fiftyone");
  refuse_unless(format == "imagefolder", options.validation.has_value(), "--validation", format,
                "imagefolder");
  refuse_unless(format == "labelstudio" || format == "coco", !options.root.empty(), "--root",
                format, "labelstudio or coco");
  if (options.min_score && !std::isfinite(*options.min_score))
    throw Error(ErrorCode::InvalidArgument, "--min-score", "not a number");
  if (!options.unsure_target.empty() &&
      absolute_path(options.unsure_target) == absolute_path(options.target)) {
    throw Error(ErrorCode::InvalidArgument, "--unsure-to", "the same as --to", "name another");
  }
}

// Before anything is computed.
void check_targets(const ExportOptions& options) {
  for (const std::filesystem::path& target : {options.target, options.unsure_target}) {
    if (target.empty()) continue;
    expect_outside_collections(target);
    if (options.format == "html") {
      NewFile::check(target);
    } else {
      check_target(options.format, target);
    }
  }
}

struct Exported {
  uint64_t pictures = 0;
  uint64_t failed = 0;
};

Exported write_page(const ExportOptions& options, const Classified& classified, const Bands& bands,
                    Band band, const std::filesystem::path& target) {
  PageOptions page;
  page.file = target;
  page.max_per_label = options.max_per_label.value_or(page.max_per_label);
  page.threads = options.model.threads;
  page.fusion = classified.fusion.rule->name();
  page.keep = [&bands, band](Row row) { return bands.of_row[row] == band; };
  const PageReport report =
      export_page(classified.collection, classified.labels, classified.predictions, page);
  fmt::print(stderr, "{} of {} pictures shown on {}{}\n", with_thousands(report.shown),
             with_thousands(report.answered), printable(target.string()),
             report.without_thumbnail > 0
                 ? fmt::format(", {} without a thumbnail", with_thousands(report.without_thumbnail))
                 : "");
  return {report.shown, 0};
}

ExportContext context_for(const ExportOptions& options, const Classified& classified,
                          const Bands& bands) {
  ExportContext context(classified.collection, classified.labels);
  context.mode_name = options.mode.value_or("symlink");
  context.mode = parse_export_mode(context.mode_name);
  context.root = options.root;
  context.model = classified.collection.manifest().model_name;
  context.on_failure = [](const Error& error) { warn(kProgram, error.what()); };
  if (options.format == "imagefolder") {
    context.validation =
        choose_validation(classified.collection, classified.labels.size(), classified.predictions,
                          bands, options.validation.value_or(kDefaultValidation));
  }
  return context;
}

Exported write_sink(const ExportOptions& options, const Classified& classified, const Bands& bands,
                    Band band, const std::filesystem::path& target) {
  const ExportContext context = context_for(options, classified, bands);
  const bool places = places_pictures(options.format);
  const std::string shown = printable(target.string());
  if (places && context.mode == ExportMode::Move)
    fmt::print(stderr, "moving; zeroshelf-query undo {} puts every file back\n", shown);
  const auto sink = make_sink(options.format, target, context);
  if (const std::string exposure = makes_folder(options.format) ? exposure_of(target) : "";
      !exposure.empty())
    warn(kProgram,
         fmt::format("{}: {}: others may change what is put there", target.string(), exposure));
  classified.collection.for_each_record([&](Row row, const PictureRecord& record) {
    if (bands.of_row[row] == band) sink->add(row, record, classified.predictions[row]);
  });
  sink->finish();
  fmt::print(
      stderr, "{} {}pictures exported to {} ({}){}\n", with_thousands(sink->exported()),
      band == Band::Unsure ? "unsure " : "", shown, places ? context.mode_name : options.format,
      sink->failed() > 0 ? fmt::format(", {} could not be", with_thousands(sink->failed())) : "");
  return {sink->exported(), sink->failed()};
}

std::string left_out_summary(const ExportOptions& options, const Bands& bands) {
  std::string text;
  if (bands.unsure > 0 && options.unsure_target.empty())
    text += fmt::format("{} unsure ones left out", with_thousands(bands.unsure));
  if (bands.above_max > 0) {
    text += fmt::format("{}{} left out by --max-per-label", text.empty() ? "" : ", ",
                        with_thousands(bands.above_max));
  }
  return text;
}

int run_export(const ExportOptions& options) {
  check_flags(options);
  check_targets(options);
  Labelling labelling = prepare_labelling(options.collection, options.labels, options.model);
  const std::vector<uint32_t> only = find_labels("--only", options.only, labelling.labels);
  const Classified classified = classify_all(std::move(labelling), options.model.threads);
  const bool page = options.format == "html";
  BandOptions band_options;
  band_options.min_score = options.min_score;
  if (!page) band_options.max_per_label = options.max_per_label;
  band_options.only = only;
  const Bands bands = choose_bands(classified.collection, classified.labels.size(),
                                   classified.predictions, band_options);
  fmt::print(stderr, "{}\n", count_summary(classified));
  if (const std::string left_out = left_out_summary(options, bands); !left_out.empty())
    fmt::print(stderr, "{}\n", left_out);

  const auto write = page ? write_page : write_sink;
  Exported exported = write(options, classified, bands, Band::Sure, options.target);
  if (!options.unsure_target.empty()) {
    const Exported unsure = write(options, classified, bands, Band::Unsure, options.unsure_target);
    exported.pictures += unsure.pictures;
    exported.failed += unsure.failed;
  }
  if (exported.failed > 0) return kFailed;
  return exported.pictures > 0 ? kDone : kNothingFound;
}

std::vector<std::string> formats() {
  std::vector<std::string> names = sink_formats();
  names.push_back("html");
  return names;
}

void add_band_flags(CLI::App* command, ExportOptions& options) {
  command
      ->add_option("--min-score", options.min_score,
                   "A picture with a lower score is unsure, like one without an answer")
      ->type_name("SCORE")
      ->group("Which pictures");
  command
      ->add_option("--unsure-to", options.unsure_target,
                   "Export the unsure ones there, in the same format; otherwise they are left out")
      ->type_name("DIR|FILE")
      ->group("Which pictures");
  command
      ->add_option("--max-per-label", options.max_per_label,
                   "The best so many pictures of a label; default: all, on a page " +
                       std::to_string(PageOptions().max_per_label))
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->group("Which pictures");
  command
      ->add_option("--only", options.only,
                   "Only pictures that get this label, of all that are asked for; may be repeated")
      ->type_name("LABEL")
      ->allow_extra_args(false)
      ->group("Which pictures");
}

}  // namespace

void add_export(Program& program) {
  const auto shared = std::make_shared<ExportOptions>();
  ExportOptions& options = *shared;
  CLI::App* command = program.add_command(
      "export", "Put the pictures into folders by label, or write them as a data set or a page",
      [shared] { return run_export(*shared); });
  add_collection(command, options.collection);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  add_none_flags(command, options.labels);
  command
      ->add_option("--to", options.target,
                   "The folder or file to make; nothing is ever overwritten")
      ->type_name("DIR|FILE")
      ->required();
  command
      ->add_option(
          "--format", options.format,
          "What is made: folders of pictures, lists, annotations, or one page with thumbnails")
      ->check(one_of(formats()))
      ->capture_default_str();
  command
      ->add_option("--mode", options.mode,
                   "How a picture gets into its folder; zeroshelf-query undo DIR takes a move back")
      ->check(one_of({"symlink", "hardlink", "copy", "move"}))
      ->default_str("symlink");
  command
      ->add_option("--validation", options.validation,
                   "Of imagefolder: this share of each label, the same pictures every time")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->default_str("0.2");
  command
      ->add_option("--root", options.root,
                   "Of labelstudio and coco: the folder that paths are relative to (Label Studio's "
                   "local files document root)")
      ->type_name("DIR");
  add_band_flags(command, options);
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
