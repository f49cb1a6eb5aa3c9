#pragma once

// Raw text -> the text that CLIP's tokenizer was trained on. The same answer as OpenAI's cleaning
// (https://github.com/openai/CLIP, simple_tokenizer.py): ftfy's repairs, HTML entities unescaped
// twice, white space folded, lower case. One of ftfy's repairs is left out: text that was decoded
// by the wrong encoding ("schÃ¶n") stays as it is.

#include <string>
#include <string_view>

namespace zeroshelf {

enum class Cleaning {
  Clip,       // as above
  // "canonicalize" of OpenCLIP's tokenizers: '_' is a space, and no ASCII punctuation
  Canonical,
  // As transformers does for SigLIP: no ASCII punctuation, white space folded, lower case
  NoPunctuation,
  LowerCase,   // as it does for SigLIP 2: that alone
  Whitespace,  // CLIP's without lower case: of OpenCLIP's other tokenizers
  Nothing,
};

// UTF-8 in, UTF-8 out; bytes that are not UTF-8 count as U+FFFD.
std::string clean_text(std::string_view text, Cleaning cleaning = Cleaning::Clip);

// HTML 5 character references as Python's html.unescape reads them: named ones also without ';'
// (the longest name that fits), numeric ones with the Windows-1252 repairs of the HTML standard.
std::u32string unescape_html(std::u32string_view text);

// The text of a named reference ("amp;", "amp"), or an empty view. The table is the list of named
// character references of the HTML standard (https://html.spec.whatwg.org/, section 13.5).
std::string_view html_entity(std::string_view name);

}  // namespace zeroshelf
