// Tested by tests/util/csv_test.cc.

#include "lib/util/csv.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <iterator>
#include <utility>

#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr std::string_view kSeparators = ",;\t";
constexpr std::string_view kFormulaStarts = "=+-@\t\r";

std::string lower(std::string_view text) {
  std::string result(text);
  for (char& c : result) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

// The one that stands most often in the first line, outside of quotes.
char separator_of(std::string_view line) {
  size_t counts[kSeparators.size()] = {};
  bool quoted = false;
  for (const char c : line) {
    if (c == '"') quoted = !quoted;
    const size_t which = quoted ? std::string_view::npos : kSeparators.find(c);
    if (which != std::string_view::npos) ++counts[which];
  }
  return kSeparators[static_cast<size_t>(std::ranges::max_element(counts) - std::begin(counts))];
}

// Whether a spreadsheet would calculate with it, apart from apostrophes before it.
bool is_formula(std::string_view text) {
  const size_t start = text.find_first_not_of('\'');
  return start != std::string_view::npos &&
         kFormulaStarts.find(text[start]) != std::string_view::npos;
}

}  // namespace

std::string guarded_cell(std::string_view text) {
  return (is_formula(text) ? "'" : "") + std::string(text);
}

std::string unguarded_cell(std::string_view cell) {
  return std::string(cell.starts_with('\'') && is_formula(cell) ? cell.substr(1) : cell);
}

CsvTable::CsvTable(std::string text, std::string subject, std::string cure)
    : text_(std::move(text)), subject_(std::move(subject)), cure_(std::move(cure)) {
  // A first line "sep=;" is how Excel is told.
  if (text_.size() > 4 && lower(std::string_view(text_).substr(0, 4)) == "sep=") {
    separator_ = text_[4];
    position_ = 5;
    take_line_end();
    ++next_line_;
  } else {
    const size_t start = std::min(text_.find_first_not_of("\r\n"), text_.size());
    const size_t end = std::min(text_.find_first_of("\r\n", start), text_.size());
    separator_ = separator_of(std::string_view(text_).substr(start, end - start));
  }
  auto first = next();
  if (!first) fail("the file is empty");
  for (std::string& name : *first) columns_.push_back(lower(trimmed(name)));
}

std::optional<size_t> CsvTable::find_column(std::string_view name) const {
  const auto found = std::ranges::find(columns_, name);
  if (found == columns_.end()) return std::nullopt;
  if (std::ranges::count(columns_, name) > 1)
    fail(fmt::format("there are several columns \"{}\"", name));
  return static_cast<size_t>(found - columns_.begin());
}

size_t CsvTable::column(std::string_view name) const {
  if (const auto found = find_column(name)) return *found;
  constexpr size_t kMostShown = 8;
  const size_t shown = std::min(kMostShown, columns_.size());
  fail(fmt::format("there is no column \"{}\" but \"{}\"{}", name,
                   fmt::join(columns_.begin(), columns_.begin() + static_cast<ptrdiff_t>(shown),
                             "\", \""),
                   shown < columns_.size() ? " ..." : ""));
}

std::optional<std::vector<std::string>> CsvTable::next() {
  while (position_ < text_.size()) {
    std::vector<std::string> row = read_row();
    if (std::ranges::any_of(row, [](const std::string& cell) { return !cell.empty(); })) return row;
  }
  return std::nullopt;
}

void CsvTable::fail(const std::string& cause) const {
  throw Error(ErrorCode::InvalidArgument, fmt::format("{}:{}", subject_, line_), cause, cure_);
}

std::vector<std::string> CsvTable::read_row() {
  line_ = next_line_;
  std::vector<std::string> row;
  do {
    row.push_back(unguarded_cell(read_cell()));
  } while (take(separator_));
  if (position_ < text_.size() && !at_line_end()) fail("a quoted cell goes on behind its quote");
  take_line_end();
  ++next_line_;
  return row;
}

std::string CsvTable::read_cell() {
  skip_blanks();
  if (take('"')) return read_quoted();
  const char ends[] = {separator_, '\r', '\n', '\0'};
  const size_t end = std::min(text_.find_first_of(ends, position_), text_.size());
  const std::string_view cell = std::string_view(text_).substr(position_, end - position_);
  position_ = end;
  return std::string(trimmed(cell));
}

// Behind the quote. Blanks inside of it are the cell's own.
std::string CsvTable::read_quoted() {
  std::string cell;
  for (;;) {
    if (position_ >= text_.size()) fail("a quoted cell does not end");
    const char c = text_[position_++];
    if (c == '\n' || (c == '\r' && !text_.substr(position_, 1).starts_with('\n'))) ++next_line_;
    if (c == '"' && !take('"')) break;
    cell += c;
  }
  skip_blanks();
  return cell;
}

void CsvTable::skip_blanks() {
  while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t') &&
         text_[position_] != separator_) {
    ++position_;
  }
}

bool CsvTable::take(char c) {
  if (position_ >= text_.size() || text_[position_] != c) return false;
  ++position_;
  return true;
}

void CsvTable::take_line_end() {
  take('\r');
  take('\n');
}

bool CsvTable::at_line_end() const {
  return text_[position_] == '\r' || text_[position_] == '\n';
}

}  // namespace zeroshelf
