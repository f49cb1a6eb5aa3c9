// Label lists and label files. Tested by tests/labels/labels_test.cc.

#include "lib/labels/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>
#include <span>
#include <utility>

#include "lib/labels/prompt.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/json_object.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"
#include "lib/util/text_input.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxFileBytes = uint64_t{64} << 20;
constexpr std::string_view kPlaceholder = "{}";
// The longest prompt with the label in it; a text encoder reads some hundred bytes. Unbounded, a
// file of 64 MiB could ask for petabytes.
constexpr size_t kMaxPromptBytes = 64 << 10;
constexpr int kShownColumns = 40;

[[noreturn]] void refuse(std::string_view subject, const std::string& cause,
                         const std::string& cure = "") {
  throw Error(ErrorCode::InvalidArgument, std::string(subject), cause, cure);
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t end = text.find(separator);
    const std::string_view part = trimmed(text.substr(0, end));
    if (!part.empty()) parts.emplace_back(part);
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

std::string replaced(std::string_view text, std::string_view label) {
  std::string result;
  const auto append = [&](std::string_view part) {
    if (part.size() > kMaxPromptBytes - result.size()) {
      refuse(fitted(to_utf8(label.substr(0, 200)), 40),
             fmt::format("a prompt of more than {} bytes", with_thousands(kMaxPromptBytes)),
             "shorten the label or its prompt");
    }
    result.append(part);
  };
  for (size_t at; (at = text.find(kPlaceholder)) != std::string_view::npos;) {
    append(text.substr(0, at));
    append(label);
    text.remove_prefix(at + kPlaceholder.size());
  }
  append(text);
  return result;
}

// Collects labels and sees to it that each is there once and has prompts.
class LabelCollector {
 public:
  // base: what paths of pictures in prompts are relative to; absent: they are told in another way.
  LabelCollector(std::string_view subject, const std::vector<std::string>& templates, Slash slash,
                 std::optional<fs::path> base = "")
      : subject_(subject),
        templates_(templates),
        slash_(slash),
        locates_(base.has_value()),
        base_(std::move(base).value_or("")) {}

  void add(std::string_view name, const std::vector<std::string>& prompts, std::string_view where) {
    if (name.empty()) refuse(subject_, fmt::format("{}a label without a name", where));
    if (!is_utf8(name)) refuse(subject_, fmt::format("{}the label is not UTF-8", where));
    if (!names_.insert(std::string(name)).second) {
      refuse(subject_, fmt::format("{}the label '{}' is given twice", where, name),
             "give every label once");
    }
    for (const std::string& prompt : prompts) {
      if (prompt.empty()) refuse(subject_, fmt::format("{}an empty prompt for '{}'", where, name));
      if (trimmed(prompt) == "-")
        refuse(subject_, fmt::format("{}a '-' without anything behind it for '{}'", where, name),
               "say what the label is not, or leave the '-' out");
    }
    labels_.push_back({std::string(name), prompts});
    places_.emplace_back(where);
  }

  std::vector<Label> finish() && {
    if (labels_.empty())
      refuse(subject_, "no labels", "name at least one, e.g. --labels \"cat, dog\"");
    std::vector<std::string> names;
    for (const Label& label : labels_) names.push_back(label.name);
    if (slash_ == Slash::Level) names = spoken_names(names);
    for (size_t i = 0; i < labels_.size(); ++i) complete(labels_[i], names[i], places_[i]);
    return std::move(labels_);
  }

 private:
  void complete(Label& label, const std::string& spoken, std::string_view where) const {
    const std::vector<std::string> given = std::exchange(label.prompts, {});
    if (std::ranges::all_of(given, is_veto)) {
      for (const std::string& one : templates_)
        label.prompts.push_back(located(filled(one, fill_template(one, spoken)), "", where));
    }
    for (const std::string& prompt : given)
      label.prompts.push_back(located(filled(prompt, replaced(prompt, spoken)), base_, where));
    check_vetoes(label, where);
  }

  // A name's signs are letters of it: what a prompt is says the prompt alone.
  static std::string filled(std::string_view written, std::string with_name) {
    if (is_veto(written) && without_veto_sign(written).starts_with(kPlaceholder))
      return "- " + as_text_prompt(std::string(without_veto_sign(with_name)));
    return written.starts_with(kPlaceholder) ? as_text_prompt(std::move(with_name))
                                             : std::move(with_name);
  }

  // A picture by its whole path, whoever asks for it from where.
  std::string located(std::string written, const fs::path& base, std::string_view where) const {
    Prompt prompt = parse_prompt(written);
    if (prompt.kind != Prompt::Kind::Picture || !locates_) return written;
    if (prompt.value.empty())
      refuse(subject_, fmt::format("{}an '@' without a picture behind it", where),
             "name a picture or a folder, or write \\@ for the sign itself");
    prompt.value = absolute_path(base / prompt.value).string();
    return written_prompt(prompt);
  }

  void check_vetoes(const Label& label, std::string_view where) const {
    if (std::ranges::none_of(label.prompts, is_veto)) return;
    std::set<Prompt, std::less<>> own;
    for (const std::string& written : label.prompts)
      if (!is_veto(written)) own.insert(parse_prompt(written));
    for (const std::string& written : label.prompts) {
      Prompt prompt = parse_prompt(written);
      if (!std::exchange(prompt.is_veto, false) || !own.contains(prompt)) continue;
      refuse(subject_,
             fmt::format("{}'{}' is a prompt of '{}' and a veto against it", where,
                         fitted(without_veto_sign(written), kShownColumns), label.name),
             "leave one of them out");
    }
  }

  std::string_view subject_;
  const std::vector<std::string>& templates_;
  Slash slash_;
  bool locates_;
  fs::path base_;
  std::set<std::string> names_;
  std::vector<Label> labels_;
  std::vector<std::string> places_;  // where each stands, for errors
};

std::vector<Label> parse_text(std::string_view text, LabelCollector collector) {
  for_each_line(text, [&](size_t line_number, std::string_view whole_line) {
    const std::string_view line = trimmed(whole_line);
    if (line.empty() || line.front() == '#') return;
    const size_t colon = line.find(':');
    const std::vector<std::string> prompts = colon == std::string_view::npos
                                                 ? std::vector<std::string>{}
                                                 : split(line.substr(colon + 1), '|');
    collector.add(trimmed(line.substr(0, colon)), prompts, fmt::format("line {}: ", line_number));
  });
  return std::move(collector).finish();
}

std::vector<std::string> json_prompts(const nlohmann::json& value, std::string_view subject) {
  if (value.is_null()) return {};
  if (value.is_string()) return {value.get<std::string>()};
  std::vector<std::string> prompts;
  if (value.is_array()) {
    for (const auto& prompt : value) {
      if (!prompt.is_string()) refuse(subject, "a prompt must be a text");
      prompts.push_back(prompt.get<std::string>());
    }
    return prompts;
  }
  refuse(subject, "prompts must be a text or a list of texts");
}

// JSON whose outermost names keep their order. A name that stands twice in an object is refused:
// the first one would be lost in silence.
class LabelJson : public JsonBuilder {
 public:
  explicit LabelJson(std::string_view subject) : JsonBuilder(kMaxDepth), subject_(subject) {}

  nlohmann::json read(std::string_view text) {
    std::optional<nlohmann::json> json = parse(text);
    if (is_too_deep()) refuse(subject_, "JSON nested too deeply");
    if (!json) refuse(subject_, "starts like JSON but is not valid JSON");
    return *std::move(json);
  }
  const std::vector<std::string>& names() const { return names_; }

 protected:
  void named(size_t depth, const std::string& name, bool is_new) override {
    if (!is_new) {
      refuse(subject_, fmt::format("the label '{}' is given twice", name), "give every label once");
    }
    if (depth == 1) names_.push_back(name);
  }

 private:
  static constexpr size_t kMaxDepth = 8;

  std::string_view subject_;
  std::vector<std::string> names_;
};

std::vector<Label> parse_json(std::string_view text, std::string_view subject,
                              LabelCollector collector) {
  LabelJson reader(subject);
  const nlohmann::json json = reader.read(text);
  if (json.is_object()) {
    for (const std::string& name : reader.names())
      collector.add(trimmed(name), json_prompts(json[name], subject), "");
    return std::move(collector).finish();
  }
  size_t position = 0;
  for (const auto& item : json) {
    const std::string where = fmt::format("label {}: ", ++position);
    if (item.is_string()) {
      const auto name = item.get<std::string>();
      collector.add(trimmed(name), {}, where);
    } else if (item.is_object() && item.contains("label") && item["label"].is_string()) {
      const auto name = item["label"].get<std::string>();
      collector.add(trimmed(name),
                    item.contains("prompts") ? json_prompts(item["prompts"], subject)
                                             : std::vector<std::string>{},
                    where);
    } else {
      refuse(subject, where + "neither a text nor an object with \"label\"");
    }
  }
  return std::move(collector).finish();
}

}  // namespace

std::string fill_template(std::string_view prompt_template, std::string_view label) {
  if (prompt_template.find(kPlaceholder) == std::string_view::npos) {
    refuse(prompt_template, "a template without {}", "put {} where the label goes");
  }
  return replaced(prompt_template, label);
}

std::vector<Label> parse_label_list(std::string_view list,
                                    const std::vector<std::string>& templates, Slash slash) {
  const std::string_view text = trimmed(list);
  if ((text.starts_with('[') && text.ends_with(']')) ||
      (text.starts_with('{') && text.ends_with('}') && text != kPlaceholder)) {
    refuse("--labels", "looks like JSON, which is read from files only",
           "write it to a file and give that with --labels-file");
  }
  LabelCollector collector("--labels", templates, slash);
  for (const std::string& name : split(list, ',')) collector.add(name, {}, "");
  return std::move(collector).finish();
}

std::vector<Label> read_label_file(const std::filesystem::path& path,
                                   const std::vector<std::string>& templates, Slash slash) {
  const std::string subject = name_of_input(path);
  const std::string text = read_text_input(path, kMaxFileBytes);
  if (!is_utf8(text)) refuse(subject, "not UTF-8 text", "save it as UTF-8");
  const std::filesystem::path folder = is_regular_input(path) ? path.parent_path() : "";
  LabelCollector collector(subject, templates, slash, folder);
  const std::string_view body = trimmed(text);
  if (!body.empty() && (body.front() == '[' || body.front() == '{')) {
    return parse_json(body, subject, std::move(collector));
  }
  return parse_text(text, std::move(collector));
}

std::vector<Label> complete_labels(std::string_view subject, const std::vector<Label>& labels,
                                   const std::vector<std::string>& templates, Slash slash) {
  LabelCollector collector(subject, templates, slash, std::nullopt);
  for (const Label& label : labels) collector.add(label.name, label.prompts, "");
  return std::move(collector).finish();
}

std::vector<std::string> default_none_prompts() {
  return {"a picture", "an image of something", "a photo of something else", "a text"};
}

std::vector<uint32_t> find_labels(const std::string& flag, const std::vector<std::string>& names,
                                  const std::vector<Label>& labels) {
  constexpr size_t kMostShown = 10;
  std::vector<std::string> known;
  for (const Label& label : labels) known.push_back(label.name);
  std::vector<uint32_t> places;
  for (const std::string& name : names) {
    const auto found = std::ranges::find(known, name);
    if (found != known.end()) {
      places.push_back(static_cast<uint32_t>(found - known.begin()));
      continue;
    }
    const std::string meant = did_you_mean(name, known);
    const std::span<const std::string> first(known.data(), std::min(known.size(), kMostShown));
    throw Error(ErrorCode::InvalidArgument, flag, "no label is called '" + name + "'" + meant,
                meant.empty() ? fmt::format("there are {}{}", fmt::join(first, ", "),
                                            known.size() > kMostShown ? ", ..." : "")
                              : "");
  }
  return places;
}

}  // namespace zeroshelf
