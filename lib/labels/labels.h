#pragma once

// The classes a user thinks of: names, and the prompts by which the text encoder meets them.

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "lib/labels/label_tree.h"

namespace zeroshelf {

struct Label {
  std::string name;
  // As they are written, see prompt.h; of one at least that is no veto.
  std::vector<std::string> prompts;

  bool operator==(const Label&) const = default;
};

// Replaces every "{}" by the label. A template without "{}" is refused with InvalidArgument:
// it would give every label the same prompt.
std::string fill_template(std::string_view prompt_template, std::string_view label);

// "a, b, c": names separated by commas, white space around them dropped, empty ones ignored. Each
// gets one prompt a template. Where a '/' parts levels, "{}" stands for the last one, see
// spoken_names().
// Throws InvalidArgument when there is no label, or one stands twice.
std::vector<Label> parse_label_list(std::string_view list,
                                    const std::vector<std::string>& templates,
                                    Slash slash = Slash::Level);

// A label file, a pipe or "-" (standard input), at most 64 MiB, read as read_text_input reads. Text:
//
//   # a comment; empty lines are ignored
//   cat
//   dog: a photo of a dog | a drawing of a {}
//   people: a person | - a statue
//   gull: @gulls/1.jpg | @more-gulls/
//
// The first ':' ends the name. In a prompt, "{}" stands for the label, see spoken_names(). What else a prompt may be
// says prompt.h: '- ' begins a veto, '@' a picture or folder, relative to the file. A label without prompts of its own, or with vetoes alone, gets
// one a template. JSON (the file starts with '[' or '{' and is valid JSON):
//
//   ["cat", {"label": "dog", "prompts": ["a photo of a dog"]}]      or
//   {"cat": [], "dog": ["a photo of a dog"], "fox": "one prompt"}
//
// A prompt with its label has at most 64 KiB.
//
// Throws NotFound or Io for the file, InvalidArgument (with the line) for what is in it.
std::vector<Label> read_label_file(const std::filesystem::path& path,
                                   const std::vector<std::string>& templates,
                                   Slash slash = Slash::Level);

// The labels with their prompts completed, pictures among them left as they are: "{}" in a prompt stands for the label, and a label without
// prompts gets one a template. subject is for errors. Throws InvalidArgument as read_label_file does.
std::vector<Label> complete_labels(std::string_view subject, const std::vector<Label>& labels,
                                   const std::vector<std::string>& templates,
                                   Slash slash = Slash::Level);

// The label that stands for what is none of the others, and prompts that fit every picture a little
// and none in particular.
inline constexpr const char* kNoneLabel = "none";
std::vector<std::string> default_none_prompts();

// The places of these names among the labels, in the order of the names. Throws InvalidArgument
// naming the flag that they came from for a name that no label has; it tells the nearest name, or
// else the first ones that there are.
std::vector<uint32_t> find_labels(const std::string& flag, const std::vector<std::string>& names,
                                  const std::vector<Label>& labels);

}  // namespace zeroshelf
