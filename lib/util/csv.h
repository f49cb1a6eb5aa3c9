#pragma once

// A table with named columns, as spreadsheets and people write it: RFC 4180, but cells may be
// separated by ';' or tabs, have blanks around them, and lines may end in any way.
//
// What append_csv_cell (lib/report/formats.h) wrote is read back as it was: it puts an apostrophe
// before what a spreadsheet would take for a formula.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace zeroshelf {

class CsvTable {
 public:
  // Takes the first line, which names the columns, in any case. subject and cure are for errors.
  // Throws InvalidArgument, naming the line, when there is none.
  CsvTable(std::string text, std::string subject, std::string cure);

  // The place of a column, or nothing. Throws InvalidArgument when it stands twice.
  std::optional<size_t> find_column(std::string_view name) const;
  // Throws InvalidArgument, with the names that there are, when there is no such column.
  size_t column(std::string_view name) const;

  // The cells of the next line that is not empty; nothing at the end. A line may be shorter than
  // the first one. Throws InvalidArgument for a quoted cell that does not end.
  std::optional<std::vector<std::string>> next();

  // About the line that next() gave last.
  [[noreturn]] void fail(const std::string& cause) const;

 private:
  std::vector<std::string> read_row();
  std::string read_cell();
  std::string read_quoted();
  void skip_blanks();
  bool take(char c);
  void take_line_end();
  bool at_line_end() const;

  std::string text_;
  std::string subject_;
  std::string cure_;
  char separator_ = ',';
  size_t position_ = 0;
  size_t line_ = 1;
  size_t next_line_ = 1;
  std::vector<std::string> columns_;
};

// How a cell is written so that no spreadsheet takes it for a formula, and back.
std::string guarded_cell(std::string_view text);
std::string unguarded_cell(std::string_view cell);

}  // namespace zeroshelf
