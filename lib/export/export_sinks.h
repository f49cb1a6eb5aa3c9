#pragma once

// Where exported pictures go: what the formats of `export` have in common.

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "lib/collection/view.h"
#include "lib/export/export_format.h"
#include "lib/export/folder_export.h"
#include "lib/export/keyword_export.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

// What is exported, from what, and how. What only some formats take means nothing to the others
// (see export_format.h).
struct ExportContext {
  ExportContext(const View& indexed, const std::vector<Label>& asked,
                const std::vector<Prediction>& answers)
      : collection(indexed), labels(asked), predictions(answers) {}

  const View& collection;
  const std::vector<Label>& labels;
  const std::vector<Prediction>& predictions;  // one a row
  ExportMode mode = ExportMode::Symlink;       // of the formats with pictures
  std::string mode_name = "symlink";
  std::vector<bool> validation;           // of imagefolder: by row
  LabelTree tree;                         // of folders: a folder in a folder for each level
  std::filesystem::path root;             // of labelstudio and coco: what paths are relative to
  std::string model;                      // named in labelstudio and coco
  std::string fusion;                     // the rule's name, in the head of a page
  std::optional<uint64_t> max_per_label;  // of a page; absent: PageOptions' own
  unsigned threads = 0;                   // of a page
  KeywordsIn keywords_in = KeywordsIn::Sidecars;  // of xmp
  std::string keyword_root = "zeroshelf";         // of xmp: below which ours lie
  // Only for xmp: pictures that are not chosen keep what stands below the root; else it goes.
  bool only_chosen = false;
  // Only for xmp, where a picture may have several labels: a row's labels. Empty: its answer.
  std::function<std::vector<uint32_t>(Row)> labels_of;
  // Only for xmp in pictures: which have other bytes now, of the collection in this folder. May be
  // empty.
  std::function<void(const std::filesystem::path& collection, std::span<const RewrittenFile>)>
      on_rewritten;
  // Members that say what was promised of the export: into the manifest, or where there is none into
  // promise_file_of(target). Empty: nothing was.
  std::string promise;
  std::function<void(const Error&)> on_failure;  // for each picture that could not be exported
  // For each picture that was placed, with both absolute paths. May be empty.
  std::function<void(const std::filesystem::path& source, const std::filesystem::path& target)>
      on_placed;
};

class ExportSink {
 public:
  virtual ~ExportSink() = default;
  // The chosen rows, which are live, in the order of their paths. Once. Where the collection's ranks
  // (elsewhere.h) have more, only formats that are placed_together export them, all ranks together,
  // each its own rows; what is counted is then of all.
  virtual void add_rows(const std::function<bool(Row)>& chosen) = 0;
  virtual void finish() = 0;
  virtual uint64_t exported() const = 0;
  virtual uint64_t failed() const { return 0; }
  // "12 pictures exported to sorted (symlink)": what stands on stderr in the end; what is "" or
  // "unsure ".
  virtual std::string told(std::string_view what) const = 0;
};

// Throws InvalidArgument when the target exists, or, where something is promised, the file for that.
// Changes nothing.
enum class Promises { None, One };
void check_target(ExportFormat format, const std::filesystem::path& target,
                  Promises promises = Promises::None);

// Makes the target, which appears in finish(). The context must outlive the sink. Throws what
// check_target does, and Io.
std::unique_ptr<ExportSink> make_sink(ExportFormat format, const std::filesystem::path& target,
                                      const ExportContext& context);

}  // namespace zeroshelf
