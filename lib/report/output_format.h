#pragma once

// The formats in which commands write their results.

#include <string_view>

namespace zeroshelf {

enum class OutputFormat {
  Table,     // for people
  Jsonl,     // one JSON object a line
  Csv,       // with a line of names
  Paths,     // one path a line
  NulPaths,  // each path ended by NUL, nothing else; asked for by -0
};

// As --format takes it.
std::string_view output_format_name(OutputFormat format);

}  // namespace zeroshelf
