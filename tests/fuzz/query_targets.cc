// What a user writes: label files, label lists, texts to search for.

#include <algorithm>
#include <fstream>
#include <memory>
#include <set>

#include "lib/labels/label_tree.h"
#include "lib/labels/labels.h"
#include "lib/labels/prompt.h"
#include "lib/util/text.h"
#include "tests/fuzz/file_targets.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

const std::vector<std::string> kTemplates = {"{}", "a photo of a {}"};

void check_labels(const std::vector<Label>& labels) {
  promise(!labels.empty(), "a label at least");
  std::set<std::string> names;
  for (const Label& label : labels) {
    promise(!label.name.empty() && is_utf8(label.name), "a name is a text");
    promise(names.insert(label.name).second, "no name is there twice");
    promise(!std::ranges::all_of(label.prompts, is_veto), "a prompt at least that is no veto");
    for (const std::string& prompt : label.prompts) {
      promise(!prompt.empty() && is_utf8(prompt), "a prompt is a text");
      const Prompt parsed = parse_prompt(prompt);
      promise(!parsed.value.empty(), "a prompt says something");
      promise(parse_prompt(as_text_prompt(parsed.value)) == Prompt{false, parsed.value},
              "every text can be written");
      promise(parse_prompt(written_prompt(parsed)) == parsed, "every prompt can be written");
      promise(parsed.kind == Prompt::Kind::Text || parsed.value.starts_with('/'),
              "a picture has its whole path");
    }
  }
}

void check_tree(const std::vector<Label>& labels) {
  std::vector<std::string> all;
  for (const Label& label : labels) all.push_back(label.name);
  const LabelTree tree = tree_of(all);
  if (tree.empty()) return;
  promise(tree.places.size() == all.size() + tree.nodes.size(), "a place a label and a node");
  all.insert(all.end(), tree.nodes.begin(), tree.nodes.end());
  promise(std::set(all.begin(), all.end()).size() == all.size(), "no level has a label's name");
  for (uint32_t place = 0; place < tree.places.size(); ++place) {
    const LabelTree::Place& it = tree.places[place];
    const std::vector<std::string> levels = levels_of(tree, place, all[place]);
    promise(levels.size() == it.depth, "a level for each step down");
    for (const std::string& level : levels)
      promise(!level.empty() && (levels.size() == 1 || (level != ".." && level != ".")), "a level has a name");
    promise(it.parent ? tree.places[*it.parent].depth + 1 == it.depth : it.depth == 1,
            "parents are one level above");
    if (it.parent) promise(all[place].starts_with(all[*it.parent] + "/"), "parents begin their children");
  }
  promise(tree_of(all).nodes.empty(), "labels with their nodes are the same tree");
}

std::string read_labels(const fs::path& path, const std::string& input) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(input.data(), static_cast<std::streamsize>(input.size()));
  return outcome_of([&] {
    const std::vector<Label> labels = read_label_file(path, kTemplates);
    check_labels(labels);
    check_tree(labels);
  });
}

// A list of labels, a template, and a text for the tokenizer: all from one input.
std::string read_query(const Tokenizer& tokenizer, const std::string& input) {
  for (const int32_t id : tokenizer.encode(input)) {
    promise(id >= 0 && id < tokenizer.size(), "a token is of the vocabulary");
  }
  promise(is_utf8(printable(input)) && is_utf8(legible(input)), "what is shown is UTF-8");
  const std::string filled = outcome_of([&] { fill_template(input, "cat"); });
  return filled.substr(0, 10) +
         outcome_of([&] { check_labels(parse_label_list(input, kTemplates)); });
}

}  // namespace

Target labels_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {"# labels\ncat\ndog: a photo of a dog | a drawing of a {}\n\nred fox:\n",
           "people: a person | - a statue | - a painting of {}\nsea: - \\- 5\n- 5:\n",
           "animal/bird/petrel: @a.jpg | - @b/{}\nanimal/cat\nanimal: \\@x\nAC/DC\n",
           R"(["cat", {"label": "dog", "prompts": ["a photo of a dog", "a {}"]}])",
           R"({"cat": [], "dog": ["a photo of a dog"], "fox": "one prompt", "owl": null})"},
          {"{}", "|", ":", "#", "\n", "- ", "| - ", "\\- ", "\"- ", "@", "| @", "/", "animal/", "/../", "//", "\"label\":", "\"prompts\":", "[", "{\"a\":", "\\ud800",
           "\\u0000", "\xef\xbb\xbf", "\xff", "\"\"", "{}{}{}{}"},
          nullptr,
          [folder](const std::string& input) { return read_labels(*folder / "labels", input); }};
}

Target query_target() {
  const auto tokenizer = std::make_shared<Tokenizer>(tokenizer_for_queries());
  return {
      "",
      {"cat, dog, red fox", "a photo of a {}", "two dogs &amp; a cat\u2019s caf\u00e9 \uff21\ufb01",
       "<|startoftext|>that<|endoftext|>"},
      {",", "{}", "&amp;", "&#", "&#x10ffff;", "&#xd800;", "&", ";", "<|endoftext|>", "'s",
       "\u0301", "\u202e", "\uff21", "\xff", "\xed\xa0\x80", "\xf4\x90\x80\x80"},
      nullptr,
      [tokenizer](const std::string& input) { return read_query(*tokenizer, input); }};
}

}  // namespace zeroshelf::testing
