#pragma once

// Flags that several subcommands have.

#include <CLI/CLI.hpp>
#include <chrono>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "lib/labelling/truth.h"
#include "lib/report/output_format.h"

namespace zeroshelf {

// COLLECTION...: what open_view takes.
void add_collections(CLI::App* command, std::vector<std::filesystem::path>& collections);

// The last of them where the command takes another argument behind COLLECTION..., which they hold
// too: nothing where only one is there, and, unless the argument is needed, where the last one
// names collections as well. Throws NotFound where it has a collection's ending and is none: a
// mistyped name is no text. What does not answer by the deadline (absent: none) is no text either.
enum class LastArgument { Needed, MayLack };
std::optional<std::string> take_last(std::vector<std::filesystem::path>& collections,
                                     LastArgument argument,
                                     std::optional<std::chrono::nanoseconds> deadline = {});

// Where the known labels come from.
struct TruthOptions {
  std::filesystem::path file;
  bool from_folders = false;
  bool from_keywords = false;
  bool judged = false;  // what people judged on the page

  bool is_given() const { return from_folders || from_keywords || judged || !file.empty(); }
  // For errors.
  std::string name() const {
    if (from_keywords) return "--truth-from xmp";
    return from_folders ? "--truth-from-folders" : judged ? "--truth-judged" : file.string();
  }
};

// --truth, --truth-from-folders, --truth-from and --truth-judged, of which one must be given unless
// the group is told otherwise.
CLI::Option_group* add_truth_flags(CLI::App* command, TruthOptions& truth);

// What they name, saying on stderr how many pictures have no label. labels: see
// truth_from_folders; of what was judged only these, too, unless there are none.
Truth read_and_tell_truth(const TruthOptions& truth, const View& collection,
                          const std::vector<Label>& labels);

// --format, one of these.
CLI::Option* add_format(CLI::App* command, OutputFormat& format,
                        const std::vector<OutputFormat>& formats);

// -0, --null: sets format to NulPaths; not together with --format.
void add_null_flag(CLI::App* command, OutputFormat& format, CLI::Option* format_option,
                   const std::string& help = "Only the paths, each ended by NUL, as for xargs -0");

}  // namespace zeroshelf
