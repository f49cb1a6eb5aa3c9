// Tested by tests/serve/asked_test.cc, and by the fuzzer's target "serve_json".

#include "query/serve/asked.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "lib/collection/attachments.h"
#include "lib/fusion/fusion.h"
#include "lib/labelling/example_pictures.h"
#include "lib/labels/labels.h"
#include "lib/labels/prompt.h"
#include "lib/labels/templates.h"
#include "lib/util/error.h"
#include "lib/util/hex_hash.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"

namespace zeroshelf::serve {
namespace {

constexpr size_t kMostLabels = 1000;
constexpr size_t kMostPrompts = 10'000;  // of all labels
constexpr size_t kMostText = 64 << 10;
constexpr size_t kMostName = 1000;
constexpr const char* kLabelsExample =
    R"(name them: "labels": ["cat", {"name": "dog", "prompts": ["a photo of a dog"]}])";

std::vector<std::string> ask_templates(Members& members) {
  const nlohmann::json* given = members.find("template");
  if (given == nullptr) return {"{}"};
  const std::vector<std::string> asked = given->is_string()
                                             ? std::vector{given->get<std::string>()}
                                             : members.texts("template", 100, kMostText);
  std::vector<std::string> templates;
  for (const std::string& one : asked) {
    if (one.find("{}") != std::string::npos) {
      templates.push_back(one);
    } else if (const auto set = template_set(one)) {
      templates.insert(templates.end(), set->begin(), set->end());
    } else {
      members.refuse("template",
                     fmt::format("'{}' is neither a set of templates nor a text with {{}}", one),
                     fmt::format("the sets are {}", fmt::join(template_set_names(), ", ")));
    }
  }
  if (templates.empty()) templates = {"{}"};
  return templates;
}

// Texts, and pictures of the collection by their rows. No path of a request is ever read.
std::vector<std::string> ask_prompts(Members& label) {
  std::vector<std::string> prompts;
  for (const auto& [value, where] : label.list("prompts", 1000)) {
    const std::string place = where.substr(label.where().size());
    if (value->is_object()) {
      Members picture(*value, where + ".");
      const auto row = picture.whole("row", 0, UINT64_MAX);
      const bool is_veto = picture.flag("veto").value_or(false);
      picture.expect_no_others();
      if (!row) picture.refuse("row", "a picture is named by its row", R"(e.g. {"row": 12})");
      Prompt prompt = parse_prompt(prompt_of_row(*row));
      prompt.is_veto = is_veto;
      prompts.push_back(written_prompt(prompt));
      continue;
    }
    if (!value->is_string()) label.refuse(place, "it is no text and no picture");
    prompts.push_back(value->get<std::string>());
    if (prompts.back().size() > kMostText) label.refuse(place, "it is too long");
    if (parse_prompt(prompts.back()).kind == Prompt::Kind::Picture)
      label.refuse(
          place, "a request names no files",
          R"(name a picture of the collection by its row, {"row": 12}, or write \@ for the sign)");
  }
  return prompts;
}

std::vector<Label> ask_labels(Members& members) {
  std::vector<Label> labels;
  for (const auto& [value, where] : members.list("labels", kMostLabels)) {
    Label asked;
    if (value->is_string()) {
      asked.name = value->get<std::string>();
      if (trimmed(asked.name).empty() || asked.name.size() > kMostName)
        members.refuse(where.substr(members.where().size()),
                       fmt::format("a label's name has 1 to {} bytes", with_thousands(kMostName)),
                       kLabelsExample);
      labels.push_back(std::move(asked));
      continue;
    }
    if (!value->is_object())
      members.refuse(where.substr(members.where().size()), "it is no label", kLabelsExample);
    Members label(*value, where + ".");
    asked.name = label.text("name", kMostName).value_or("");
    asked.prompts = ask_prompts(label);
    label.expect_no_others();
    if (trimmed(asked.name).empty()) label.refuse("name", "a label has a name", kLabelsExample);
    labels.push_back(std::move(asked));
  }
  if (labels.empty()) members.refuse("labels", "no labels", kLabelsExample);
  return labels;
}

// The prompts of none; nothing: there is no such label.
std::optional<std::vector<std::string>> ask_none(Members& members) {
  const nlohmann::json* none = members.find("none");
  if (none == nullptr) return std::nullopt;
  if (none->is_boolean())
    return none->get<bool>() ? std::optional(default_none_prompts()) : std::nullopt;
  std::vector<std::string> prompts = members.texts("none", 100, kMostText);
  if (prompts.empty()) members.refuse("none", "it has no prompts", "give some, or true");
  return prompts;
}

std::vector<Label> labels_of(Members& members, Slash slash) {
  const std::vector<std::string> templates = ask_templates(members);
  std::vector<Label> labels = complete_labels("labels", ask_labels(members), templates, slash);
  if (const auto none = ask_none(members)) {
    if (std::ranges::find(labels, kNoneLabel, &Label::name) != labels.end())
      members.refuse("none", fmt::format("one of the labels is called '{}' itself", kNoneLabel),
                     "give that label another name");
    labels.push_back({kNoneLabel, *none});
  }
  size_t prompts = 0;
  for (const Label& label : labels) prompts += label.prompts.size();
  if (prompts > kMostPrompts)
    members.refuse("labels", fmt::format("they have {} prompts; at most {} are taken",
                                         with_thousands(prompts), with_thousands(kMostPrompts)));
  return labels;
}

// The terms that an object names by its members text, image, row and vector.
std::vector<AskedTerm> ask_terms(Members& members, float weight) {
  using Kind = SearchTerm::Kind;
  std::vector<AskedTerm> terms;
  if (auto text = members.text("text", kMostText); text && !trimmed(*text).empty())
    terms.push_back({{Kind::Text, *std::move(text), weight}, {}});
  if (const auto image = members.text("image", SIZE_MAX)) {
    auto bytes = from_base64(*image);
    if (!bytes) members.refuse("image", "it is no base64");
    terms.push_back({{Kind::PictureBytes, *std::move(bytes), weight}, {}});
  }
  const auto row = members.whole("row", 0, UINT64_MAX);
  const auto content = members.text("sha256", 64);
  if (row || content) {
    AskedTerm term{{Kind::RowOfCollection, "", weight, row.value_or(UINT64_MAX)}, {}};
    if (content) term.content = ask_hash(*content, members.where() + "sha256");
    terms.push_back(std::move(term));
  }
  if (members.find("vector") != nullptr) {
    AskedTerm term{{Kind::Values, "", weight}, {}};
    term.term.values = ask_vector(members, "vector");
    terms.push_back(std::move(term));
  }
  return terms;
}

void ask_signed_terms(Members& members, const char* name, float sign,
                      std::vector<AskedTerm>& terms) {
  for (const auto& [value, where] : members.list(name, 100)) {
    if (value->is_string()) {
      const auto& text = value->get_ref<const std::string&>();
      if (text.size() > kMostText) members.refuse(name, "a text is too long");
      terms.push_back({{SearchTerm::Kind::Text, text, sign}, {}});
      continue;
    }
    Members term(*value, where + ".");
    const double weight = term.number("weight", 0, 1000).value_or(1);
    std::vector<AskedTerm> of_term = ask_terms(term, sign * static_cast<float>(weight));
    term.expect_no_others();
    if (of_term.size() != 1)
      members.refuse(where, "it has exactly one of text, image, row and vector");
    terms.push_back(std::move(of_term.front()));
  }
}

void ask_filters(const nlohmann::json& json, AskedSearch& asked) {
  Members members(json, "filters.");
  RecordFilter& filter = asked.filter;
  filter.paths = members.texts("path", 100, kMostText);
  if (members.flag("path_case").value_or(false)) filter.path_case = PathCase::Match;
  if (const auto day = members.text("since", 20))
    filter.since_ns = start_of_day_ns("filters.since", *day);
  if (const auto day = members.text("until", 20))
    filter.until_ns = start_of_day_ns("filters.until", *day, 1);
  filter.min_bytes = members.whole("min_size", 0, UINT64_MAX).value_or(filter.min_bytes);
  filter.max_bytes = members.whole("max_size", 0, UINT64_MAX).value_or(filter.max_bytes);
  const auto pixels = [&](const char* name, uint32_t& value) {
    value = static_cast<uint32_t>(members.whole(name, 0, UINT32_MAX).value_or(value));
  };
  pixels("min_width", filter.min_width);
  pixels("max_width", filter.max_width);
  pixels("min_height", filter.min_height);
  pixels("max_height", filter.max_height);
  filter.has_text = members.flag("has_text");
  if (const auto run = members.text("run", kMostName))
    asked.run = checked_name(*run, "filters.run");
  asked.labels = members.texts("label", kMostLabels, kMostName);
  if (const nlohmann::json* labelling = members.find("labelling")) {
    Members of_labelling(*labelling, "filters.labelling.");
    asked.labelling = ask_labelling(of_labelling);
    of_labelling.expect_no_others();
  }
  members.expect_no_others();
  const bool has_source = !asked.run.empty() || asked.labelling.has_value();
  if (!asked.run.empty() && asked.labelling)
    members.refuse("run", "a run and a labelling cannot both say the label");
  if (has_source == asked.labels.empty())
    members.refuse("label", has_source ? "no label is named" : "nothing says who has the label",
                   "give run or labelling, and label");
}

}  // namespace

Members::Members(const nlohmann::json& object, std::string where)
    : object_(object), where_(std::move(where)) {
  if (!object.is_object()) refuse("", "it is no object");
}

void Members::refuse(std::string_view name, const std::string& cause,
                     const std::string& cure) const {
  std::string subject = where_ + std::string(name);
  while (subject.ends_with('.')) subject.pop_back();
  throw Error(ErrorCode::InvalidArgument, subject.empty() ? "the request" : subject, cause, cure);
}

const nlohmann::json* Members::find(const char* name) {
  known_.insert(name);
  const auto found = object_.find(name);
  return found == object_.end() || found->is_null() ? nullptr : &*found;
}

const nlohmann::json& Members::needed(const char* name, const std::string& cure) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) refuse(name, "it is missing", cure);
  return *value;
}

std::optional<std::string> Members::text(const char* name, size_t most_bytes) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_string()) refuse(name, "it is no text");
  const auto& text = value->get_ref<const std::string&>();
  if (text.size() > most_bytes)
    refuse(name, fmt::format("it has {} bytes; at most {} are taken", with_thousands(text.size()),
                             with_thousands(most_bytes)));
  return text;
}

std::optional<double> Members::number(const char* name, double least, double most) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto number = json_as<double>(*value);
  if (!number) refuse(name, "it is no number");
  if (!(*number >= least && *number <= most))
    refuse(name, fmt::format("{} is not from {} to {}", *number, least, most));
  return number;
}

std::optional<uint64_t> Members::whole(const char* name, uint64_t least, uint64_t most) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  const auto number = json_as<uint64_t>(*value);
  if (!number) refuse(name, "it is no whole number");
  if (*number < least || *number > most)
    refuse(name, fmt::format("{} is not from {} to {}", *number, least, most));
  return number;
}

std::optional<bool> Members::flag(const char* name) {
  const nlohmann::json* value = find(name);
  if (value == nullptr) return std::nullopt;
  if (!value->is_boolean()) refuse(name, "it is neither true nor false");
  return value->get<bool>();
}

std::vector<std::pair<const nlohmann::json*, std::string>> Members::list(const char* name,
                                                                         size_t most) {
  const nlohmann::json* value = find(name);
  std::vector<std::pair<const nlohmann::json*, std::string>> elements;
  if (value == nullptr) return elements;
  if (!value->is_array()) refuse(name, "it is no list");
  if (value->size() > most)
    refuse(name, fmt::format("it has {} elements; at most {} are taken",
                             with_thousands(value->size()), with_thousands(most)));
  for (const nlohmann::json& element : *value)
    elements.push_back({&element, fmt::format("{}{}[{}]", where_, name, elements.size())});
  return elements;
}

std::vector<std::string> Members::texts(const char* name, size_t most, size_t most_bytes) {
  std::vector<std::string> texts;
  for (const auto& [value, where] : list(name, most)) {
    if (!value->is_string()) refuse(name, "it is no list of texts");
    texts.push_back(value->get<std::string>());
    if (texts.back().size() > most_bytes) refuse(name, "a text of it is too long");
  }
  return texts;
}

void Members::expect_no_others() const {
  for (const auto& [name, value] : object_.items()) {
    if (known_.contains(name)) continue;
    refuse(fitted(name, 60), "there is no such member",
           fmt::format("known here: {}", fmt::join(known_, ", ")));
  }
}

namespace {

// Where a member is given twice, it is not known which one is meant.
class BodyJson : public JsonBuilder {
  void named(size_t, const std::string& name, bool is_new) override {
    if (is_new) return;
    throw Error(ErrorCode::InvalidArgument, "the body",
                fmt::format("'{}' is given twice in one object", name), "give it once");
  }
};

}  // namespace

nlohmann::json parse_body(const std::string& body) {
  BodyJson builder;
  std::optional<nlohmann::json> json = builder.parse(body);
  if (!json)
    throw Error(ErrorCode::InvalidArgument, "the body",
                builder.is_too_deep() ? "it is nested too deeply" : "it is no JSON in UTF-8");
  if (!json->is_object())
    throw Error(ErrorCode::InvalidArgument, "the body", "it is no JSON object");
  return *std::move(json);
}

std::string checked_name(const std::string& name, std::string_view what) {
  Attachments::check_name(std::string(what), name);
  return name;
}

std::optional<float> AskedLabelling::multi() const {
  if (!request.several) return std::nullopt;
  return request.threshold.value_or(kMultiThreshold);
}

std::string AskedLabelling::key(const Manifest& manifest) const {
  const ThresholdBearing bearing = threshold_bearing(manifest, request);
  std::string key =
      fmt::format("{}\n{}\n{}\n", request.fusion, request.calibration, request.classifier);
  key += fmt::format("{} {} {} {}\n", request.last_is_none, request.none_has_own_prompts,
                     multi().value_or(2),
                     bearing != ThresholdBearing::None && request.threshold.has_value());
  key += fmt::format("{} {}\n", request.slash == Slash::Letter, request.depth.value_or(0));
  if (bearing == ThresholdBearing::Value) key += fmt::format("{}\n", request.threshold.value_or(2));
  const auto add = [&](const std::string& text) { key += fmt::format("{}:", text.size()) + text; };
  for (const Label& label : request.labels) {
    add(label.name);
    key += fmt::format("{}|", label.prompts.size());
    for (const std::string& prompt : label.prompts) add(prompt);
  }
  return key;
}

AskedLabelling ask_labelling(Members& members) {
  AskedLabelling asked;
  LabellingRequest& request = asked.request;
  if (const auto threshold = members.number("threshold", -1, 1))
    request.threshold = static_cast<float>(*threshold);
  request.several = members.flag("multi").value_or(false);
  asked.client = members.text("client", 100).value_or("");
  const auto fusion = members.text("fusion", 100);
  const auto calibration = members.text("calibration", kMostName);
  const auto classifier = members.text("classifier", kMostName);
  if (fusion) members.as_member("fusion", [&] { request.fusion = fusion_rule(*fusion).name(); });
  if (calibration) {
    if (fusion && *fusion != "mix")
      members.refuse("calibration", "it is one of the rule mix", "leave fusion out");
    request.calibration = checked_name(*calibration, members.where() + "calibration");
  }
  if (classifier) {
    request.classifier = checked_name(*classifier, members.where() + "classifier");
    for (const char* other : {"labels", "calibration", "none", "template", "flat", "depth"}) {
      const nlohmann::json* given = members.find(other);
      const bool says_no = given == nullptr || (given->is_boolean() && !given->get<bool>()) ||
                           (given->is_array() && given->empty()) ||
                           std::string_view(other) == "template";
      if (!says_no) members.refuse(other, "a classifier has its own", "leave it out");
    }
    return asked;
  }
  if (members.flag("flat").value_or(false)) request.slash = Slash::Letter;
  if (const auto depth = members.whole("depth", 1, 16))
    request.depth = static_cast<uint32_t>(*depth);
  if (request.depth && request.slash == Slash::Letter)
    members.refuse("depth", "flat labels have no levels", "leave out depth or flat");
  if (request.depth && request.several)
    members.refuse("depth", "pictures of several labels have them at every level",
                   "leave out depth or multi");
  request.labels = labels_of(members, request.slash);
  request.last_is_none = ask_none(members).has_value();
  const nlohmann::json* none = members.find("none");
  request.none_has_own_prompts = none != nullptr && none->is_array();
  return asked;
}

ShelfOrder ask_order(Members& members) {
  return members.choice("sort", ShelfOrder::Score,
                        {{"score", ShelfOrder::Score},
                         {"margin", ShelfOrder::Margin},
                         {"disagreement", ShelfOrder::Disagreement}});
}

ContentHash ask_hash(const std::string& hex, std::string_view name) {
  if (const auto hash = hash_from_hex(hex)) return *hash;
  throw Error(ErrorCode::InvalidArgument, std::string(name),
              "it is no SHA-256: 64 of the digits 0 to 9 and a to f");
}

std::vector<float> ask_vector(Members& members, const char* name) {
  constexpr size_t kMostDimensions = 65'536;
  std::vector<float> values;
  for (const auto& [value, where] : members.list(name, kMostDimensions)) {
    const auto number = json_as<float>(*value);
    if (!number) members.refuse(name, fmt::format("{} is no number", where));
    values.push_back(*number);
  }
  return values;
}

AskedSearch ask_search(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedSearch asked;
  asked.terms = ask_terms(members, 1);
  ask_signed_terms(members, "plus", 1, asked.terms);
  ask_signed_terms(members, "minus", -1, asked.terms);
  asked.space = members.choice("in", SearchSpace::Both,
                               {{"picture", SearchSpace::Picture},
                                {"text", SearchSpace::Text},
                                {"both", SearchSpace::Both}});
  asked.count = members.whole("k", 1, 10'000).value_or(asked.count);
  asked.all = members.flag("all").value_or(false);
  asked.group = members.flag("group").value_or(false);
  asked.exact = members.flag("exact").value_or(false);
  asked.client = members.text("client", 100).value_or("");
  if (const nlohmann::json* filters = members.find("filters")) ask_filters(*filters, asked);
  members.expect_no_others();
  if (asked.terms.empty())
    members.refuse("", "nothing to search for", "give text, image, row, vector, plus or minus");
  return asked;
}

}  // namespace zeroshelf::serve
