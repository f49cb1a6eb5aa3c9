// export: labels -> folders, data sets, lists, or a page. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/foreign.h"
#include "lib/collection/open_view.h"
#include "lib/export/bands.h"
#include "lib/export/export_format.h"
#include "lib/export/export_page.h"
#include "lib/export/export_sinks.h"
#include "lib/export/follow_moves.h"
#include "lib/export/open_folder.h"
#include "lib/labelling/labelling.h"
#include "lib/program/message.h"
#include "lib/program/values.h"
#include "lib/report/prediction_writer.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/text.h"
#include "models/flags/model_source.h"
#include "query/flags.h"
#include "query/label_flags.h"
#include "query/told_apart.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";
constexpr double kDefaultValidation = 0.2;

struct ExportOptions {
  std::vector<std::filesystem::path> collections;
  LabelOptions labels;
  std::filesystem::path target;
  std::filesystem::path unsure_target;  // empty: unsure pictures are left out
  std::optional<ExportFormat> given_format;
  ExportFormat format = ExportFormat::Folders;  // given, or by the target's ending
  std::optional<std::string> mode;              // only where pictures are placed; symlink
  std::optional<double> validation;             // only for imagefolder
  std::filesystem::path root;                   // only for labelstudio and coco
  std::optional<float> min_score;
  std::optional<uint64_t> max_per_label;
  std::vector<std::string> only;
  ModelOptions model;
};

// "folders, imagefolder or fiftyone": the formats that can that.
std::string formats_with(bool ExportFormatTraits::*ability) {
  std::vector<std::string_view> names;
  for (const ExportFormatTraits& traits : export_formats()) {
    if (traits.*ability) names.push_back(traits.name);
  }
  std::string text;
  for (size_t i = 0; i < names.size(); ++i)
    (text += i == 0 ? "" : i + 1 < names.size() ? ", " : " or ") += names[i];
  return text;
}

void refuse_unless(bool ExportFormatTraits::*ability, bool given, const char* flag,
                   const ExportFormatTraits& format) {
  if (format.*ability || !given) return;
  throw Error(ErrorCode::InvalidArgument, flag,
              fmt::format("has no effect with --format {}", format.name),
              "leave it out, or use --format " + formats_with(ability));
}

void check_flags(const ExportOptions& options) {
  const ExportFormatTraits& format = traits_of(options.format);
  refuse_unless(&ExportFormatTraits::places_pictures, options.mode.has_value(), "--mode", format);
  refuse_unless(&ExportFormatTraits::splits, options.validation.has_value(), "--validation",
                format);
  refuse_unless(&ExportFormatTraits::takes_root, !options.root.empty(), "--root", format);
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
    check_target(options.format, target);
  }
}

// What is exported, and from what.
struct Classified {
  const View& collection;
  const Labelling& labelling;
  std::vector<Prediction> predictions;  // one a row
};

struct Exported {
  uint64_t pictures = 0;
  uint64_t failed = 0;
};

// Pictures that could not be exported: the first few of each cause, and how many more there were.
class FailureTeller {
 public:
  void tell(const Error& error) {
    const std::string& cause = error.cause();
    const size_t colon = cause.rfind(": ");  // paths stand before it
    const std::string kind = colon == std::string::npos ? cause : cause.substr(colon + 2);
    if (++failures_[kind] <= kShownOfACause) warn(kProgram, error.what());
  }
  void tell_rest() const {
    for (const auto& [kind, count] : failures_) {
      if (count <= kShownOfACause) continue;
      warn(kProgram, fmt::format("{} more could not be exported: {}",
                                 with_thousands(count - kShownOfACause), kind));
    }
  }

 private:
  static constexpr uint64_t kShownOfACause = 3;
  std::map<std::string, uint64_t> failures_;
};

ExportContext context_for(const ExportOptions& options, const Classified& classified,
                          const Bands& bands) {
  const std::vector<Label>& labels = classified.labelling.labels;
  ExportContext context(classified.collection, labels, classified.predictions);
  context.mode_name = options.mode.value_or("symlink");
  context.mode = parse_export_mode(context.mode_name);
  context.root = options.root;
  context.model = classified.collection.manifest().model_name;
  context.fusion = way_name(options.labels);
  context.max_per_label = options.max_per_label;
  context.threads = options.model.threads;
  if (traits_of(options.format).splits) {
    context.validation =
        choose_validation(classified.collection, labels.size(), classified.predictions, bands,
                          options.validation.value_or(kDefaultValidation));
  }
  return context;
}

// Each collection knows where its files are now.
void follow(const View& view, const std::vector<MovedFile>& moved) {
  for (const View::Part& part : view.parts()) {
    try {
      follow_moves(part.collection.directory(), moved);
    } catch (const Error& error) {
      warn(kProgram,
           fmt::format("the collection could not be told where its files are now: {}; run "
                       "zeroshelf-index add with the old folder and the new one",
                       error.what()));
    }
  }
}

Exported write_target(const ExportOptions& options, const Classified& classified,
                      const Bands& bands, Band band, const std::filesystem::path& target) {
  ExportContext context = context_for(options, classified, bands);
  const bool moves = traits_of(options.format).places_pictures && context.mode == ExportMode::Move;
  FailureTeller failures;
  context.on_failure = [&](const Error& error) { failures.tell(error); };
  std::vector<MovedFile> moved;
  if (moves) {
    context.on_placed = [&](const std::filesystem::path& source,
                            const std::filesystem::path& placed) {
      moved.push_back({source.string(), placed.string()});
    };
    say("moving; zeroshelf-query undo {} puts every file back\n", printable(target.string()));
  }
  const auto sink = make_sink(options.format, target, context);
  if (const std::string exposure =
          traits_of(options.format).makes_folder ? exposure_of(target) : "";
      !exposure.empty())
    warn(kProgram,
         fmt::format("{}: {}: others may change what is put there", target.string(), exposure));
  try {
    sink->add_rows([&](Row row) { return bands.of_row[row] == band; });
    sink->finish();
  } catch (...) {
    if (moves) follow(classified.collection, moved);  // what was moved until then
    throw;
  }
  failures.tell_rest();
  if (moves) follow(classified.collection, moved);
  say("{}\n", sink->told(band == Band::Unsure ? "unsure " : ""));
  return {sink->exported(), sink->failed()};
}

std::string left_out_summary(const ExportOptions& options, const Bands& bands) {
  std::string text;
  if (bands.unsure > 0 && options.unsure_target.empty())
    text += fmt::format("{} unsure pictures left out", with_thousands(bands.unsure));
  if (bands.above_max > 0) {
    text += fmt::format("{}{} left out by --max-per-label", text.empty() ? "" : ", ",
                        with_thousands(bands.above_max));
  }
  return text;
}

// Labels that cannot be in both halves are left out, so that both number their classes alike.
void finalise_image_folder(const ExportOptions& options, const Classified& classified,
                           Bands& bands) {
  const std::vector<bool> validation = choose_validation(
      classified.collection, classified.labelling.labels.size(), classified.predictions, bands,
      options.validation.value_or(kDefaultValidation));
  const ImageFolderFaults faults =
      image_folder_faults(classified.collection, classified.labelling.labels.size(),
                          classified.predictions, bands, validation);
  std::string names;
  for (const auto& [label, pictures] : faults.one_sided) {
    names += fmt::format("{}'{}' ({})", names.empty() ? "" : ", ",
                         classified.labelling.labels[label].name, with_thousands(pictures));
    leave_out(bands, classified.predictions, label);
  }
  if (!names.empty()) {
    warn(kProgram, "left out for having too few different pictures for both halves: " + names +
                       "; --validation 0 puts all into one half");
  }
  if (faults.unread == 0) return;
  std::string endings;
  for (const std::string& ending : faults.endings)
    endings += (endings.empty() ? "" : ", ") + (ending.empty() ? "no ending" : ending);
  warn(kProgram, fmt::format("{} pictures have file name endings that torchvision ignores: {}",
                             with_thousands(faults.unread), endings));
}

int run_export(const ExportOptions& options) {
  check_flags(options);
  check_targets(options);
  const LabellingRequest request = labelling_request(options.labels);
  const View collection = open_view(options.collections).view;
  ModelSource encoders(collection, options.model);
  const Labelling labelling = make_labelling(collection, request, encoders);
  warn_of_labels(labelling, encoders);
  const std::vector<uint32_t> only = find_labels("--only", options.only, labelling.labels);
  const auto start = std::chrono::steady_clock::now();
  const Classified classified{collection, labelling,
                              classify(collection, labelling, options.model.threads)};
  const std::chrono::duration<double, std::milli> spent = std::chrono::steady_clock::now() - start;
  say("{} pictures labelled with {} labels in {:.3g} ms\n", with_thousands(collection.pictures()),
      labelling.labels.size(), spent.count());
  BandOptions band_options;
  band_options.min_score = options.min_score;
  if (!traits_of(options.format).cuts_labels) band_options.max_per_label = options.max_per_label;
  band_options.only = only;
  Bands bands = choose_bands(classified.collection, classified.labelling.labels.size(),
                             classified.predictions, band_options);
  say("{}\n", count_summary(labelling.labels,
                            count_pictures(collection, labelling, classified.predictions)));
  if (options.format == ExportFormat::ImageFolder)
    finalise_image_folder(options, classified, bands);
  if (const std::string left_out = left_out_summary(options, bands); !left_out.empty())
    say("{}\n", left_out);

  Exported exported = write_target(options, classified, bands, Band::Sure, options.target);
  if (!options.unsure_target.empty()) {
    const Exported unsure =
        write_target(options, classified, bands, Band::Unsure, options.unsure_target);
    exported.pictures += unsure.pictures;
    exported.failed += unsure.failed;
  }
  if (exported.failed > 0) return kFailed;
  return exported.pictures > 0 ? kDone : kNothingFound;
}

// What a target is by its ending.
ExportFormat format_of(const std::filesystem::path& target) {
  const std::string ending = target.extension().string();
  if (ending == ".html" || ending == ".htm") return ExportFormat::Html;
  if (ending == ".csv") return ExportFormat::Csv;
  return ending == ".jsonl" ? ExportFormat::Jsonl : ExportFormat::Folders;
}

void add_band_flags(CLI::App* command, ExportOptions& options) {
  command
      ->add_option("--min-score", options.min_score,
                   "A picture with a lower score is unsure, like an unlabelled one")
      ->type_name("SCORE")
      ->group("Which pictures");
  command
      ->add_option("--unsure-to", options.unsure_target,
                   "Export unsure pictures here, in the same format; default: leave them out")
      ->type_name("DIR|FILE")
      ->group("Which pictures");
  command
      ->add_option(
          "--max-per-label", options.max_per_label,
          "At most this many pictures of each label, best first; default: all, on a page " +
              std::to_string(PageOptions().max_per_label))
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->group("Which pictures");
  command
      ->add_option("--only", options.only,
                   "Only pictures that get this one of the labels; may be repeated")
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
      [shared] {
        shared->format = shared->given_format.value_or(format_of(shared->target));
        return run_export(*shared);
      });
  add_collections(command, options.collections);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  add_none_flags(command, options.labels);
  command->add_option("--to", options.target, "Folder or file to make; nothing is ever overwritten")
      ->type_name("DIR|FILE")
      ->required();
  std::vector<Choice<std::optional<ExportFormat>>> formats;
  for (const ExportFormatTraits& traits : export_formats())
    formats.push_back({std::string(traits.name), traits.format});
  add_choice(command, "--format", options.given_format, formats,
             "What to make: folders of pictures, lists, annotations, or a page with thumbnails")
      ->default_str("folders; html, csv or jsonl if the target ends like that");
  command
      ->add_option("--mode", options.mode,
                   "How pictures get into folders; zeroshelf-query undo DIR reverts a move")
      ->check(one_of({"symlink", "hardlink", "copy", "move"}))
      ->default_str("symlink");
  command
      ->add_option("--validation", options.validation,
                   "imagefolder: share of each label for validation, the same pictures every time")
      ->check(CLI::Range(0.0, 1.0))
      ->type_name("SHARE")
      ->default_str("0.2");
  command
      ->add_option(
          "--root", options.root,
          "labelstudio, coco: folder that paths are relative to (Label Studio's local files "
          "document root)")
      ->type_name("DIR");
  add_band_flags(command, options);
  add_query_model_flags(command, options.model);
}

}  // namespace zeroshelf
