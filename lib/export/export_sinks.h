#pragma once

// Where exported pictures go, one by one: what the formats of `export` have in common.

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/export/folder_export.h"
#include "lib/fusion/fusion.h"
#include "lib/labels/labels.h"

namespace zeroshelf {

struct ExportContext {
  ExportContext(const View& indexed, const std::vector<Label>& asked)
      : collection(indexed), labels(asked) {}

  const View& collection;
  const std::vector<Label>& labels;
  ExportMode mode = ExportMode::Symlink;  // of the formats with pictures
  std::string mode_name = "symlink";
  std::vector<bool> validation;  // of imagefolder: by row
  std::filesystem::path root;    // of labelstudio and coco: what paths are relative to
  std::string model;             // named in labelstudio and coco
  std::function<void(const Error&)> on_failure;  // for each picture that could not be exported
};

class ExportSink {
 public:
  virtual ~ExportSink() = default;
  virtual void add(Row row, const PictureRecord& record, const Prediction& prediction) = 0;
  virtual void finish() = 0;
  virtual uint64_t exported() const = 0;
  virtual uint64_t failed() const { return 0; }
};

// The formats of files and folders (the page has its own way, export_page.h), in the order of the
// help.
std::vector<std::string> sink_formats();
// Whether the format is a folder, and whether pictures are placed in it.
bool makes_folder(const std::string& format);
bool places_pictures(const std::string& format);

// Throws InvalidArgument when the target exists. Changes nothing.
void check_target(const std::string& format, const std::filesystem::path& target);

// Makes the target, which appears in finish(). The context must outlive the sink. Throws what
// check_target does, and Io.
std::unique_ptr<ExportSink> make_sink(const std::string& format,
                                      const std::filesystem::path& target,
                                      const ExportContext& context);

}  // namespace zeroshelf
