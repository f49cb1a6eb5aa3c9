// Tested by tests/export/datasets_test.cc.

#include "lib/export/datasets.h"

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <system_error>
#include <utility>

#include "lib/export/open_folder.h"
#include "lib/report/formats.h"
#include "lib/report/json.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// What follows the root in the path, without a slash before it; the whole path without a root.
std::string below(const fs::path& root, const std::string& path) {
  if (root.empty()) return path;
  std::string prefix = root.string();
  if (!prefix.ends_with('/')) prefix += '/';
  if (path.size() > prefix.size() && path.starts_with(prefix)) return path.substr(prefix.size());
  throw Error(ErrorCode::InvalidArgument, path, "not below " + root.string(),
              "name a folder with --root that all pictures are in");
}

// RFC 3986, with '/' kept.
std::string percent_encoded(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       std::string_view("-._~/").find(c) != std::string_view::npos;
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

template <class T>
std::string json_of(const T& value) {
  std::string text;
  JsonWriter(text).write(value);
  return text;
}

// --- the parts of the formats, with their members -----------------------------------------------

struct TaskData {
  std::string image;
  std::string_view path;
  std::string_view text;
};
void write_members(JsonWriter& json, const TaskData& data) {
  json.member("image", data.image).path(data.path).member("text", data.text);
}

struct Choices {
  std::array<std::string_view, 1> choices;
};
void write_members(JsonWriter& json, const Choices& value) {
  json.member("choices", value.choices);
}

struct TaskResult {
  std::string_view label;
};
void write_members(JsonWriter& json, const TaskResult& result) {
  json.member("id", "label")
      .member("from_name", "label")
      .member("to_name", "image")
      .member("type", "choices")
      .member("value", Choices{{result.label}});
}

struct TaskPrediction {
  std::string_view model;
  float score = 0;
  std::string_view label;
};
void write_members(JsonWriter& json, const TaskPrediction& prediction) {
  json.member("model_version", prediction.model)
      .member("score", prediction.score)
      .member("result", std::array{TaskResult{prediction.label}});
}

struct Task {
  TaskData data;
  std::vector<TaskPrediction> predictions;  // one, or none
};
void write_members(JsonWriter& json, const Task& task) {
  json.member("data", task.data).member("predictions", task.predictions);
}

struct CocoImage {
  uint64_t id = 0;
  std::string_view name;
  const AnnotatedPicture& picture;
};
void write_members(JsonWriter& json, const CocoImage& image) {
  json.member("id", image.id)
      .member("width", image.picture.width_px)
      .member("height", image.picture.height_px)
      .member("file_name", image.name)
      .path(image.picture.path);
}

// The whole picture.
struct CocoAnnotation {
  uint64_t id = 0;
  uint64_t image = 0;
  uint64_t category = 0;
  uint32_t width_px = 0;
  uint32_t height_px = 0;
  float score = 0;
};
void write_members(JsonWriter& json, const CocoAnnotation& one) {
  json.member("id", one.id)
      .member("image_id", one.image)
      .member("category_id", one.category)
      .member("bbox", std::array<uint64_t, 4>{0, 0, one.width_px, one.height_px})
      .member("area", uint64_t{one.width_px} * one.height_px)
      .member("iscrowd", 0)
      .member("segmentation", std::array<int, 0>{})
      .member("score", one.score);
}

struct CocoCategory {
  uint64_t id = 0;
  std::string_view name;
};
void write_members(JsonWriter& json, const CocoCategory& category) {
  json.member("id", category.id)
      .member("name", category.name)
      .member("supercategory", std::string_view());
}

struct FiftyOneLabel {
  uint32_t label = 0;
  float confidence = 0;
};
void write_members(JsonWriter& json, const FiftyOneLabel& label) {
  json.member("label", label.label).member("confidence", label.confidence);
}

fs::path normal_root(const fs::path& root) {
  return root.empty() ? root : absolute_path(root);
}

std::string labelling_interface(const std::vector<std::string>& labels) {
  std::string xml =
      "<View>\n  <Image name=\"image\" value=\"$image\"/>\n"
      "  <Choices name=\"label\" toName=\"image\" choice=\"single\">\n";
  for (const std::string& label : labels) {
    xml += "    <Choice value=\"";
    append_html(xml, label);
    xml += "\"/>\n";
  }
  return xml + "  </Choices>\n</View>\n";
}

}  // namespace

LabelStudioTasks::LabelStudioTasks(fs::path directory, const std::vector<std::string>& labels,
                                   std::string model, fs::path root)
    : labels_(labels),
      model_(std::move(model)),
      root_(normal_root(root)),
      folder_(open_export_folder(directory)) {
  tasks_.emplace(Place(folder_.get(), "tasks.json"), directory / "tasks.json");
  config_.emplace(Place(folder_.get(), "config.xml"), directory / "config.xml");
  config_->write(labelling_interface(labels_));
  tasks_->write("[");
}

void LabelStudioTasks::add(const AnnotatedPicture& picture) {
  const std::string place = below(root_.empty() ? "/" : root_, picture.path);
  Task task;
  task.data = {"/data/local-files/?d=" + percent_encoded(place), picture.path, picture.text};
  if (picture.label) task.predictions.push_back({model_, picture.score, labels_[*picture.label]});
  tasks_->write((any_ ? ",\n" : "\n") + json_of(task));
  any_ = true;
}

void LabelStudioTasks::finish() {
  tasks_->write("\n]\n");
  config_->publish();
  try {
    tasks_->publish();
  } catch (...) {
    ::unlinkat(folder_.get(), "config.xml", 0);  // the next try finds the folder empty
    throw;
  }
}

CocoFile::CocoFile(fs::path file, const std::vector<std::string>& labels, std::string description,
                   fs::path root)
    : root_(normal_root(root)), file_(std::move(file)), labels_(labels) {
  file_.write("{\"info\":{\"description\":" + json_of(description) +
              "},\"licenses\":[],\n\"images\":[");
}

void CocoFile::add(const AnnotatedPicture& picture) {
  const std::string name = below(root_, picture.path);
  file_.write((images_ > 0 ? ",\n" : "\n") + json_of(CocoImage{images_ + 1, name, picture}));
  ++images_;
  if (picture.label) {
    annotations_.push_back(
        {images_, picture.width_px, picture.height_px, *picture.label, picture.score});
  }
}

void CocoFile::finish() {
  file_.write("\n],\n\"annotations\":[");
  for (size_t i = 0; i < annotations_.size(); ++i) {
    const Annotation& one = annotations_[i];
    file_.write((i > 0 ? ",\n" : "\n") +
                json_of(CocoAnnotation{i + 1, one.image, uint64_t{one.label} + 1, one.width_px,
                                       one.height_px, one.score}));
  }
  file_.write("\n],\n\"categories\":[");
  for (size_t i = 0; i < labels_.size(); ++i)
    file_.write((i > 0 ? ",\n" : "\n") + json_of(CocoCategory{i + 1, labels_[i]}));
  file_.write("\n]}\n");
  file_.publish();
}

FiftyOneLabels::FiftyOneLabels(const Place& file, const fs::path& shown,
                               const std::vector<std::string>& labels)
    : file_(file, shown) {
  file_.write("{\"classes\":" + json_of(labels) + ",\n\"labels\":{");
}

void FiftyOneLabels::add(const fs::path& placed, std::optional<uint32_t> label, float score) {
  std::string line = any_ ? ",\n" : "\n";
  line += json_of(placed.stem().string()) + ':';
  line += label ? json_of(FiftyOneLabel{*label, score}) : "null";
  file_.write(line);
  any_ = true;
}

void FiftyOneLabels::finish() {
  file_.write("\n}}\n");
  file_.publish();
}

}  // namespace zeroshelf
