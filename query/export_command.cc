// export: labels -> one folder a label, or a page. Tested by tests/programs.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "lib/output/folder_export.h"
#include "lib/output/new_file.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "query/export_page.h"
#include "query/flags.h"
#include "query/labelling.h"
#include "query/prediction_writer.h"

namespace zeroshelf {
namespace {

constexpr const char* kProgram = "zeroshelf-query";

struct ExportOptions {
  std::filesystem::path collection;
  LabelOptions labels;
  std::filesystem::path target;  // the folder, or the page
  std::string format = "folders";
  std::optional<std::string> mode;        // only for folders; symlink
  std::optional<uint64_t> max_per_label;  // only for a page; PageOptions has the default
  ModelOptions model;
};

// A flag that only the other format knows.
void refuse_if(bool given, const char* flag, const std::string& cause, const char* format) {
  if (!given) return;
  throw Error(ErrorCode::InvalidArgument, flag, cause,
              fmt::format("leave it out, or use --format {}", format));
}

int export_as_page(const ExportOptions& options) {
  refuse_if(options.mode.has_value(), "--mode", "a page has no folders", "folders");
  NewFile::check(options.target);
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  fmt::print(stderr, "{}\n", count_summary(classified));

  PageOptions page;
  page.file = options.target;
  page.max_per_label = options.max_per_label.value_or(page.max_per_label);
  page.threads = options.model.threads;
  page.fusion = options.labels.fusion;
  const PageReport report =
      export_page(classified.collection, classified.labels, classified.predictions, page);
  fmt::print(stderr, "{} of {} pictures shown on {}{}\n", with_thousands(report.shown),
             with_thousands(report.answered), printable(options.target.string()),
             report.without_thumbnail > 0
                 ? fmt::format(", {} without a thumbnail", with_thousands(report.without_thumbnail))
                 : "");
  return report.shown > 0 ? kDone : kNothingFound;
}

int export_as_folders(const ExportOptions& options) {
  refuse_if(options.max_per_label.has_value(), "--max-per-label", "folders take every picture",
            "html");
  const std::string mode_name = options.mode.value_or("symlink");
  const ExportMode mode = parse_export_mode(mode_name);
  FolderExport::check(options.target);
  const Classified classified = classify_for(options.collection, options.labels, options.model);
  FolderExport folders(options.target, mode);
  uint64_t placed = 0;
  uint64_t failed = 0;
  classified.collection.for_each_record([&](Row row, const PictureRecord& record) {
    const Prediction& prediction = classified.predictions[row];
    if (!prediction.winner) return;
    std::string members = fmt::format("\"mode\":\"{}\",\"prediction\":{{", mode_name);
    append_evidence(members, classified.labels, prediction);
    try {
      folders.add(record.file.path, classified.labels[prediction.answer().label].name,
                  members + "}");
      ++placed;
    } catch (const Error& error) {
      warn(kProgram, error.what());
      ++failed;
    }
  });
  folders.finish();
  fmt::print(stderr, "{}\n{} pictures exported to {} ({}){}\n", count_summary(classified),
             with_thousands(placed), printable(folders.directory().string()), mode_name,
             failed > 0 ? fmt::format(", {} could not be", with_thousands(failed)) : "");
  if (failed > 0) return kFailed;
  return placed > 0 ? kDone : kNothingFound;
}

int run_export(const ExportOptions& options) {
  return options.format == "html" ? export_as_page(options) : export_as_folders(options);
}

}  // namespace

void add_export(Program& program) {
  const auto shared = std::make_shared<ExportOptions>();
  ExportOptions& options = *shared;
  CLI::App* command = program.add_command(
      "export", "Put the pictures into one folder a label, or show them on an HTML page",
      [shared] { return run_export(*shared); });
  add_collection(command, options.collection);
  add_label_flags(command, options.labels);
  add_fusion_flag(command, options.labels);
  command
      ->add_option("--to", options.target,
                   "The folder to make, or the page; nothing is ever overwritten")
      ->type_name("DIR|FILE")
      ->required();
  command
      ->add_option("--format", options.format,
                   "folders: one a label; html: one page with thumbnails and the evidence")
      ->check(CLI::IsMember({"folders", "html"}))
      ->capture_default_str();
  command->add_option("--mode", options.mode, "How a picture gets into its folder")
      ->check(CLI::IsMember({"symlink", "hardlink", "copy"}))
      ->default_str("symlink");
  command
      ->add_option("--max-per-label", options.max_per_label,
                   "The best so many pictures of a label are on the page")
      ->check(CLI::Range(uint64_t{1}, uint64_t{1'000'000'000}))
      ->default_str(std::to_string(PageOptions().max_per_label));
  add_model_flags(command, options.model, "Default: the collection's model");
}

}  // namespace zeroshelf
