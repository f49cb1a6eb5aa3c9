#pragma once

// Keywords as paths from the outermost: {"animal", "bird"} is "animal/bird" to digiKam and
// "animal|bird" to Lightroom. A keyword that stands alone has one part. Threads: any.

#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

using KeywordPath = std::vector<std::string>;

// "animal/bird" -> {"animal", "bird"}; white space around the parts and empty parts are dropped.
// Throws InvalidArgument, naming the subject, for what can be no keyword: nothing but slashes, not
// UTF-8, control characters, or more than 4 KiB.
KeywordPath parse_keyword(std::string_view text, const std::string& subject);

// A level as one part: programs part keywords at every '/', so one that is a letter ("AC/DC")
// becomes the division slash, U+2215.
std::string as_part(std::string_view level);
// One part a level. Throws what parse_keyword throws.
KeywordPath keyword_of_levels(const std::vector<std::string>& levels, const std::string& subject);

// The parts with '/' between them.
std::string with_slashes(const KeywordPath& path);
// The same with '|', which in a part itself becomes '_'.
std::string with_bars(const KeywordPath& path);

// The parts of what a program wrote, whatever it is; empty ones are dropped.
KeywordPath split_keyword(std::string_view written, char separator);

// Whether the path lies below the root, and is not the root itself.
bool is_below(const KeywordPath& path, const KeywordPath& root);

}  // namespace zeroshelf
