// Tested by tests/output/datasets_test.cc.

#include "lib/export/datasets.h"

#include <fmt/format.h>

#include <system_error>
#include <utility>

#include "lib/export/open_folder.h"
#include "lib/report/formats.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

std::string json_string(std::string_view text) {
  std::string out;
  append_json_string(out, text);
  return out;
}

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
  std::string task = any_ ? ",\n" : "\n";
  task += "{\"data\":{\"image\":";
  append_json_string(task, "/data/local-files/?d=" +
                               percent_encoded(below(root_.empty() ? "/" : root_, picture.path)));
  task += ',';
  append_json_path(task, picture.path);
  task += ",\"text\":";
  append_json_string(task, picture.text);
  task += "},\"predictions\":[";
  if (picture.label) {
    task += "{\"model_version\":";
    append_json_string(task, model_);
    fmt::format_to(std::back_inserter(task),
                   ",\"score\":{},\"result\":[{{\"id\":\"label\",\"from_name\":\"label\","
                   "\"to_name\":\"image\",\"type\":\"choices\",\"value\":{{\"choices\":[{}]}}}}]}}",
                   picture.score, json_string(labels_[*picture.label]));
  }
  task += "]}";
  tasks_->write(task);
  any_ = true;
}

void LabelStudioTasks::finish() {
  tasks_->write("\n]\n");
  config_->publish();
  tasks_->publish();
}

CocoFile::CocoFile(fs::path file, const std::vector<std::string>& labels, std::string description,
                   fs::path root)
    : root_(normal_root(root)), file_(std::move(file)), labels_(labels) {
  file_.write("{\"info\":{\"description\":" + json_string(description) +
              "},\"licenses\":[],\n\"images\":[");
}

void CocoFile::add(const AnnotatedPicture& picture) {
  const std::string name = below(root_, picture.path);
  std::string line = images_ > 0 ? ",\n" : "\n";
  ++images_;
  fmt::format_to(std::back_inserter(line),
                 "{{\"id\":{},\"width\":{},\"height\":{},\"file_name\":", images_, picture.width_px,
                 picture.height_px);
  append_json_string(line, name);
  line += ',';
  append_json_path(line, picture.path);
  file_.write(line + "}");
  if (picture.label) {
    annotations_.push_back(
        {images_, picture.width_px, picture.height_px, *picture.label, picture.score});
  }
}

void CocoFile::finish() {
  file_.write("\n],\n\"annotations\":[");
  for (size_t i = 0; i < annotations_.size(); ++i) {
    const Annotation& one = annotations_[i];
    file_.write(fmt::format(
        "{}\n{{\"id\":{},\"image_id\":{},\"category_id\":{},\"bbox\":[0,0,{},{}],\"area\":{},"
        "\"iscrowd\":0,\"segmentation\":[],\"score\":{}}}",
        i > 0 ? "," : "", i + 1, one.image, one.label + 1, one.width_px, one.height_px,
        uint64_t{one.width_px} * one.height_px, one.score));
  }
  file_.write("\n],\n\"categories\":[");
  for (size_t i = 0; i < labels_.size(); ++i) {
    file_.write(fmt::format("{}\n{{\"id\":{},\"name\":{},\"supercategory\":\"\"}}",
                            i > 0 ? "," : "", i + 1, json_string(labels_[i])));
  }
  file_.write("\n]}\n");
  file_.publish();
}

FiftyOneLabels::FiftyOneLabels(const Place& file, const fs::path& shown,
                               const std::vector<std::string>& labels)
    : file_(file, shown) {
  std::string head = "{\"classes\":[";
  for (size_t i = 0; i < labels.size(); ++i) head += (i > 0 ? "," : "") + json_string(labels[i]);
  file_.write(head + "],\n\"labels\":{");
}

void FiftyOneLabels::add(const fs::path& placed, std::optional<uint32_t> label, float score) {
  std::string line = any_ ? ",\n" : "\n";
  append_json_string(line, placed.stem().string());
  if (label) {
    fmt::format_to(std::back_inserter(line), ":{{\"label\":{},\"confidence\":{}}}", *label, score);
  } else {
    line += ":null";
  }
  file_.write(line);
  any_ = true;
}

void FiftyOneLabels::finish() {
  file_.write("\n}}\n");
  file_.publish();
}

}  // namespace zeroshelf
