#pragma once

// Labelled pictures in the annotation formats of other tools. All of them stream, and appear in
// finish() complete or not at all; names, labels and texts are written as JSON strings and nothing
// else. Threads: one at a time. Errors: those of NewFile.

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "lib/files/descriptor.h"
#include "lib/files/new_file.h"

namespace zeroshelf {

struct AnnotatedPicture {
  std::string path;  // absolute
  uint32_t width_px = 0;
  uint32_t height_px = 0;
  std::optional<uint32_t> label;  // index into the labels; absent: no answer
  float score = 0;
  std::string text;  // that was read in it
};

// Tasks with predictions, as Label Studio imports them
// (https://labelstud.io/guide/predictions, https://labelstud.io/guide/tasks):
//   DIR/tasks.json    one task a picture: data {image, path, text}, predictions [{choices}]
//   DIR/config.xml    the labelling interface that goes with it
// data.image is /data/local-files/?d=PATH, with PATH relative to `root` (Label Studio's local files
// document root) and percent-encoded.
class LabelStudioTasks {
 public:
  // The folder must be new or empty. model: named as the predictions' model_version.
  LabelStudioTasks(std::filesystem::path directory, const std::vector<std::string>& labels,
                   std::string model, std::filesystem::path root);

  // Throws InvalidArgument for a picture outside the root; the export can go on after that.
  void add(const AnnotatedPicture& picture);
  void finish();

 private:
  std::vector<std::string> labels_;
  std::string model_;
  std::filesystem::path root_;
  Descriptor folder_;
  std::optional<NewFile> tasks_;
  std::optional<NewFile> config_;
  bool any_ = false;
};

// COCO's object annotations (https://cocodataset.org/#format-data), with the whole picture as the
// box of its label, so that tools that need a box have one. Ids count from 1; a picture without an
// answer has no annotation. file_name is the path, or what follows `root` in it.
// Memory: 24 bytes a picture.
class CocoFile {
 public:
  CocoFile(std::filesystem::path file, const std::vector<std::string>& labels,
           std::string description, std::filesystem::path root);

  // Throws InvalidArgument for a picture outside the root; the export can go on after that.
  void add(const AnnotatedPicture& picture);
  void finish();

 private:
  struct Annotation {
    uint64_t image = 0;
    uint32_t width_px = 0;
    uint32_t height_px = 0;
    uint32_t label = 0;
    float score = 0;
  };

  std::filesystem::path root_;
  NewFile file_;
  std::vector<std::string> labels_;
  std::vector<Annotation> annotations_;
  uint64_t images_ = 0;
};

// labels.json of a FiftyOneImageClassificationDataset
// (https://docs.voxel51.com/user_guide/import_datasets.html): the pictures are in data/ beside it,
// and each is named by its file name without the ending.
class FiftyOneLabels {
 public:
  // file: where labels.json goes; shown is for errors.
  FiftyOneLabels(const Place& file, const std::filesystem::path& shown,
                 const std::vector<std::string>& labels);

  // placed: the picture's place below the folder, data/NAME.
  void add(const std::filesystem::path& placed, std::optional<uint32_t> label, float score);
  void finish();

 private:
  NewFile file_;
  bool any_ = false;
};

}  // namespace zeroshelf
