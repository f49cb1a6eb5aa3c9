// Tested through the program by tests/programs.

#include "query/flags.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "lib/collection/open_view.h"
#include "lib/labelling/kept_truth.h"
#include "lib/labelling/keyword_truth.h"
#include "lib/program/message.h"
#include "lib/program/program.h"
#include "lib/program/values.h"
#include "lib/util/error.h"
#include "lib/util/text.h"
#include "query/serve/truths.h"

namespace zeroshelf {

void add_collections(CLI::App* command, std::vector<std::filesystem::path>& collections) {
  command
      ->add_option("COLLECTION", collections,
                   "The collection's folder; several, a folder of them, or a .set file with one a "
                   "line are asked as one")
      ->required();
}

std::optional<std::string> take_last(std::vector<std::filesystem::path>& collections,
                                     LastArgument argument,
                                     std::optional<std::chrono::nanoseconds> deadline) {
  if (collections.size() < 2) return std::nullopt;
  if (argument == LastArgument::MayLack && names_collections(collections.back(), deadline))
    return std::nullopt;
  std::string last = collections.back().string();
  if (argument == LastArgument::MayLack && (last.ends_with(".shelf") || last.ends_with(".set"))) {
    throw Error(ErrorCode::NotFound, last, "no such collection",
                "where it is a text to search for, write '\"" + last + "\"'");
  }
  collections.pop_back();
  return last;
}

CLI::Option_group* add_truth_flags(CLI::App* command, TruthOptions& truth) {
  CLI::Option_group* group = command->add_option_group("Known labels", "Exactly one of");
  group
      ->add_option("--truth", truth.file,
                   "CSV of known labels, with the columns path and label; -: standard input")
      ->type_name("FILE.csv");
  group->add_flag("--truth-from-folders", truth.from_folders,
                  "The name of the folder that a picture is in is its label");
  group
      ->add_option_function<std::string>(
          "--truth-from", [&truth](const std::string&) { truth.from_keywords = true; },
          "xmp: the keyword of a picture, in its sidecar or its file, that is a label's name; not "
          "those that export wrote")
      ->check(one_of({"xmp"}))
      ->type_name("WHERE");
  group->add_flag("--truth-judged", truth.judged,
                  "What people judged on the page of serve, as it is kept with the collection");
  group->require_option(1);
  return group;
}

namespace {

// "12 pictures lie in folders that are no label: misc (8), new (4)"
void tell_others(const std::map<std::string, uint64_t>& folders) {
  constexpr size_t kMostShown = 5;
  if (folders.empty()) return;
  uint64_t pictures = 0;
  std::string names;
  size_t shown = 0;
  for (const auto& [folder, count] : folders) {
    pictures += count;
    if (++shown <= kMostShown) {
      names += fmt::format("{}{} ({})", names.empty() ? "" : ", ", printable(folder),
                           with_thousands(count));
    }
  }
  if (shown > kMostShown) names += fmt::format(" and {} more", shown - kMostShown);
  say("{} pictures lie in folders that are no label: {}\n", with_thousands(pictures), names);
}

void tell_pictures(uint64_t pictures, const char* what) {
  if (pictures > 0) say("{} pictures {}\n", with_thousands(pictures), what);
}

// Warns of the first few.
class FirstOfMany {
 public:
  void tell(const Error& error) {
    constexpr uint64_t kMostShown = 5;
    if (++told_ <= kMostShown) warn("zeroshelf-query", error.what());
  }

 private:
  uint64_t told_ = 0;
};

// What was judged of each content that the collection has, under the path of one of its files.
Truth judged_truth(const View& collection, const std::vector<Label>& labels) {
  Truth truth;
  uint64_t others = 0;
  const KeptTruth kept = load_truth(collection, serve::kTruthName);
  for (const auto& [content, said] : kept.all()) {
    const auto row = collection.find_content(content);
    if (!row) continue;
    if (!labels.empty() && std::ranges::find(labels, said.label, &Label::name) == labels.end()) {
      ++others;
    } else {
      truth.emplace(collection.record(*row).file.path, said.label);
    }
  }
  if (others > 0) {
    say("{} pictures were judged to have other labels and are left out\n", with_thousands(others));
  }
  if (truth.empty())
    throw Error(ErrorCode::NotFound, "--truth-judged",
                others > 0 ? "all pictures that were judged have other labels"
                           : "no picture of the collection was judged yet",
                "judge some on the page of zeroshelf-query serve, or name a file with --truth");
  return truth;
}

}  // namespace

Truth read_and_tell_truth(const TruthOptions& truth, const View& collection,
                          const std::vector<Label>& labels) {
  if (truth.from_keywords) {
    FirstOfMany unreadable;
    KeywordTruth found = truth_from_keywords(collection, labels,
                                             [&](const Error& error) { unreadable.tell(error); });
    tell_pictures(found.several, "have keywords of several labels and are left out");
    tell_pictures(found.without,
                  labels.empty() ? "have no keyword" : "have no keyword that is a label");
    if (found.truth.empty())
      throw Error(ErrorCode::InvalidArgument, truth.name(),
                  "no picture has just one keyword that is a label",
                  "name the labels as the keywords are named");
    return std::move(found.truth);
  }
  if (truth.from_folders) {
    FolderTruth found = truth_from_folders(collection, labels);
    tell_others(found.others);
    return std::move(found.truth);
  }
  if (truth.judged) return judged_truth(collection, labels);
  TruthFile file = read_truth_file(truth.file);
  if (file.unlabelled > 0) {
    say("{} pictures of the truth have no label and are left out\n",
        with_thousands(file.unlabelled));
  }
  return std::move(file.truth);
}

CLI::Option* add_format(CLI::App* command, OutputFormat& format,
                        const std::vector<OutputFormat>& formats) {
  std::vector<Choice<OutputFormat>> choices;
  for (const OutputFormat one : formats)
    choices.push_back({std::string(output_format_name(one)), one});
  return add_choice(command, "--format", format, choices, "Output format");
}

void add_null_flag(CLI::App* command, OutputFormat& format, CLI::Option* format_option,
                   const std::string& help) {
  command
      ->add_flag_callback(
          "-0,--null", [&format] { format = OutputFormat::NulPaths; }, help)
      ->excludes(format_option);
}

}  // namespace zeroshelf
