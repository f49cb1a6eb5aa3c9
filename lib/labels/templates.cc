// Tested by tests/labels/labels_test.cc.

#include "lib/labels/templates.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <system_error>

#include "lib/labels/labels.h"
#include "lib/util/error.h"
#include "lib/util/suggest.h"
#include "lib/util/text.h"
#include "lib/util/text_input.h"

namespace zeroshelf {
namespace {

struct TemplateSet {
  const char* name;
  std::vector<std::string> templates;
};

const std::vector<TemplateSet>& template_sets() {
  static const std::vector<TemplateSet> sets = {
      {"plain", {"{}"}},
      {"photo", {"a photo of a {}"}},
      {"meme", {"{}", "a meme about {}", "a {} meme", "a funny picture about {} with a caption"}},
      {"imagenet7",
       {"itap of a {}.", "a bad photo of the {}.", "a origami {}.", "a photo of the large {}.",
        "a {} in a video game.", "art of the {}.", "a photo of the small {}."}},
  };
  return sets;
}

std::vector<std::string> read_file_of_templates(const std::string& file) {
  constexpr uint64_t kMaxBytes = 1 << 20;
  const std::string content = read_text_input(file, kMaxBytes);
  std::vector<std::string> templates;
  for_each_line(content, [&](size_t, std::string_view whole_line) {
    const std::string_view line = trimmed(whole_line);
    if (line.empty() || line.front() == '#') return;
    fill_template(line, "");  // refuses one without {}
    templates.emplace_back(line);
  });
  if (templates.empty() || !is_utf8(content)) {
    throw Error(ErrorCode::InvalidArgument, file, "no templates in it",
                "write one a line, as UTF-8, with {} where the label goes");
  }
  return templates;
}

}  // namespace

std::vector<std::string> template_set_names() {
  std::vector<std::string> names;
  for (const TemplateSet& set : template_sets()) names.emplace_back(set.name);
  return names;
}

std::optional<std::vector<std::string>> template_set(std::string_view name) {
  for (const TemplateSet& set : template_sets()) {
    if (name == set.name) return set.templates;
  }
  return std::nullopt;
}

std::vector<std::string> read_templates(const std::string& name_text_or_file) {
  if (name_text_or_file.find("{}") != std::string::npos) return {name_text_or_file};
  if (auto set = template_set(name_text_or_file)) return *std::move(set);
  std::error_code error;
  if (std::filesystem::exists(name_text_or_file, error))
    return read_file_of_templates(name_text_or_file);
  const std::vector<std::string> names = template_set_names();
  throw Error(ErrorCode::InvalidArgument, "--template",
              fmt::format("'{}' is neither a set of templates nor a text with {{}} nor a file{}",
                          name_text_or_file, did_you_mean(name_text_or_file, names)),
              fmt::format("the sets are {}; in a text, put {{}} where the label goes",
                          fmt::join(names, ", ")));
}

}  // namespace zeroshelf
