#pragma once

// Named sets of prompt templates, for labels without prompts of their own.
//
//   plain       "{}": the label as it stands
//   photo       "a photo of a {}"                     (Radford et al. 2021, section 3.1.4)
//   meme        captions and their pictures, ours
//   imagenet7   the seven that OpenAI found to do best together for ImageNet
//               (openai/CLIP, notebooks/Prompt_Engineering_for_ImageNet.ipynb)

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

std::vector<std::string> template_set_names();

// The templates of a set, or nothing.
std::optional<std::vector<std::string>> template_set(std::string_view name);

// One --template: a text with {}, the name of a set, or a file with a template a line ('#' starts a
// comment). Throws InvalidArgument, with the set that was probably meant, or what reading the file
// throws.
std::vector<std::string> read_templates(const std::string& name_text_or_file);

}  // namespace zeroshelf
