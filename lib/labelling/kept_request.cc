// Tested by tests/labelling/kept_request_test.cc.

#include "lib/labelling/kept_request.h"

#include <fmt/format.h>

#include <set>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using nlohmann::json;

constexpr size_t kMostLabels = 1'000'000;

[[noreturn]] void refuse(const std::string& subject, const char* member) {
  throw Error(ErrorCode::Corruption, subject, fmt::format("damaged: no usable \"{}\"", member));
}

const std::string& expect_utf8(const std::string& text) {
  if (is_utf8(text)) return text;
  throw Error(ErrorCode::InvalidArgument, printable(text), "is not UTF-8, so it cannot be kept",
              "write the labels in UTF-8");
}

json label_json(const Label& label) {
  json prompts = json::array();
  for (const std::string& prompt : label.prompts) prompts.push_back(expect_utf8(prompt));
  return {{"name", expect_utf8(label.name)}, {"prompts", std::move(prompts)}};
}

Label parse_label(const json& value, const std::string& subject) {
  Label label{json_member<std::string>(value, "name", subject), {}};
  const auto prompts = value.find("prompts");
  if (label.name.empty() || prompts == value.end() || !prompts->is_array())
    refuse(subject, "labels");
  for (const json& prompt : *prompts) {
    const auto text = json_as<std::string>(prompt);
    if (!text) refuse(subject, "prompts");
    label.prompts.push_back(*text);
  }
  return label;
}

std::vector<Label> parse_labels(const json& object, const std::string& subject) {
  const auto found = object.find("labels");
  if (found == object.end() || !found->is_array() || found->size() > kMostLabels)
    refuse(subject, "labels");
  std::vector<Label> labels;
  std::set<std::string> names;
  for (const json& value : *found) {
    labels.push_back(parse_label(value, subject));
    if (!names.insert(labels.back().name).second)
      throw Error(ErrorCode::Corruption, subject, "damaged: a label is there twice");
  }
  return labels;
}

json name_or_null(const std::string& name) {
  return name.empty() ? json() : json(name);
}

// Nothing for null.
template <class T>
std::optional<T> optional_member(const json& object, const char* name, const std::string& subject) {
  const auto found = object.find(name);
  if (found == object.end()) refuse(subject, name);
  if (found->is_null()) return std::nullopt;
  return json_member<T>(object, name, subject);
}

std::string kept_name(const json& object, const char* member, const std::string& subject) {
  const std::string name = optional_member<std::string>(object, member, subject).value_or("");
  if (!name.empty()) Attachments::check_name(subject, name);
  return name;
}

}  // namespace

std::string request_json(const LabellingRequest& request) {
  json labels = json::array();
  for (const Label& label : request.labels) labels.push_back(label_json(label));
  const json value = {{"labels", std::move(labels)},
                      {"rule", request.fusion},
                      {"calibration", name_or_null(request.calibration)},
                      {"classifier", name_or_null(request.classifier)},
                      {"none", request.last_is_none},
                      {"none_has_own_prompts", request.none_has_own_prompts},
                      {"several", request.several},
                      {"levels", request.slash == Slash::Level},
                      {"depth", request.depth ? json(*request.depth) : json()},
                      {"threshold", request.threshold ? json(*request.threshold) : json()}};
  return value.dump();
}

LabellingRequest parse_request(std::string_view text, const std::string& subject) {
  const auto value = parse_bounded_json(text);
  if (!value || !value->is_object())
    throw Error(ErrorCode::Corruption, subject, "damaged: it is not a JSON object");
  LabellingRequest request;
  request.labels = parse_labels(*value, subject);
  request.fusion = json_member<std::string>(*value, "rule", subject);
  request.calibration = kept_name(*value, "calibration", subject);
  request.classifier = kept_name(*value, "classifier", subject);
  request.last_is_none = json_member<bool>(*value, "none", subject);
  request.none_has_own_prompts = json_member<bool>(*value, "none_has_own_prompts", subject);
  request.several = json_member<bool>(*value, "several", subject);
  request.threshold = optional_member<float>(*value, "threshold", subject);
  request.slash = json_member<bool>(*value, "levels", subject) ? Slash::Level : Slash::Letter;
  request.depth = optional_member<uint32_t>(*value, "depth", subject);
  if (request.depth == 0u) refuse(subject, "depth");
  if (request.labels.empty() && request.classifier.empty()) refuse(subject, "labels");
  for (const Label& label : request.labels)
    if (label.prompts.empty() && request.classifier.empty()) refuse(subject, "prompts");
  return request;
}

void save_request(const View& collection, const std::string& run, const LabellingRequest& request) {
  const Attachments attachments = collection.attachments();
  if (request.vectors.empty())
    attachments.put(kRequestKind, run, request_json(request));
  else
    attachments.remove(kRequestKind, run);
}

std::optional<LabellingRequest> load_request(const View& collection, const std::string& run) {
  const auto bytes = collection.attachments().get(kRequestKind, run);
  if (!bytes) return std::nullopt;
  return parse_request(*bytes, fmt::format("request of run {}", run));
}

}  // namespace zeroshelf
