// What comes from elsewhere with vectors (arrays, lists of paths), and the journal that undo
// trusts.

#include <cstring>
#include <fstream>
#include <memory>
#include <vector>

#include "lib/export/move_journal.h"
#include "lib/export/open_folder.h"
#include "lib/files/npy_reader.h"
#include "lib/ingest/import.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "tests/fuzz/file_targets.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& path, std::string_view bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc)
      .write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
}

// --- .npy ---------------------------------------------------------------------------------------

std::string npy_seed(char version, const std::string& type, size_t rows, size_t columns) {
  std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" +
                       std::to_string(rows) + ", " + std::to_string(columns) + "), }\n";
  std::string bytes = "\x93NUMPY" + std::string({version, 0});
  const auto size = static_cast<uint32_t>(header.size());
  bytes.append(reinterpret_cast<const char*>(&size), version == 1 ? 2 : 4);
  return bytes + header + std::string(rows * columns * (type == "<f4" ? 4 : 2), '\x3c');
}

// The header's length, for as long as a header can be told.
void seal_npy(std::string& bytes) {
  const size_t start = bytes.size() > 6 && bytes[6] == 1 ? 10 : 12;
  const size_t end = bytes.find("}\n");
  if (end == std::string::npos || end + 2 < start) return;
  const auto size = static_cast<uint32_t>(end + 2 - start);
  std::memcpy(bytes.data() + 8, &size, start - 8);
}

std::string read_npy(const fs::path& path, const std::string& input) {
  put(path, input);
  return outcome_of([&] {
    const NpyReader reader(path);
    // A file without rows may have any number of columns.
    if (reader.rows() == 0 || reader.columns() == 0) return;
    promise(reader.rows() <= input.size() / 2 / reader.columns(), "the values are in the file");
    std::vector<float> row(reader.columns());
    for (size_t i = 0; i < reader.rows(); ++i) reader.read_row(i, row);
    const Matrix all = reader.matrix();
    promise(all.rows() == reader.rows() && all.columns() == reader.columns(), "all of it");
  });
}

// --- lists of an import -------------------------------------------------------------------------

void check_rows(const std::vector<ImportRow>& rows) {
  for (const ImportRow& row : rows) {
    promise(fs::path(row.file.path).is_absolute(), "a path is absolute");
    promise(row.file.path.find('\0') == std::string::npos, "a path has no NUL");
    for (const Word& word : row.words)
      promise(word.confidence >= 0 && word.confidence <= 1, "a confidence is 0 to 1");
  }
}

// The first byte says what kind of list the rest is.
std::string read_list(const fs::path& path, const std::string& input) {
  if (input.empty()) return "empty";
  put(path, std::string_view(input).substr(1));
  return input[0] + outcome_of([&] {
           switch (input[0]) {
             case 'l':
               return check_rows(read_import_paths(path, PathSeparator::Line, "/root"));
             case '0':
               return check_rows(read_import_paths(path, PathSeparator::Nul, "/root"));
             case 'm':
               return check_rows(read_import_metadata(path, "/root"));
             default:
               return;
           }
         });
}

// --- the journal ---------------------------------------------------------------------------------

// Nothing of what it names is there, so nothing can be moved; what would be is what is checked.
std::string read_journal(const fs::path& folder, const std::string& input) {
  std::error_code ignored;
  fs::create_directory(folder, ignored);
  put(folder / kMoveJournalName, input);
  uint64_t told = 0;
  const std::string outcome = outcome_of([&] {
    const UndoReport report = undo_moves(folder, [&](const Error&) { ++told; });
    promise(report.put_back == 0, "what is not there cannot be put back");
    promise(report.problems == told, "each problem was told");
    promise(fs::exists(folder) == (told > 0), "the journal stays as long as there are problems");
  });
  return outcome + (told > 0 ? ", with problems" : "");
}

std::string journal_seed(const fs::path& nowhere) {
  const TemporaryDirectory folder;
  MoveJournal journal(folder.path());
  journal.name_collections(std::vector{nowhere});
  journal.plan(nowhere / "a.jpg", "cat/a.jpg");
  journal.plan(nowhere / "b \xff\n.jpg", "dog/b.jpg");
  journal.note_kept(nowhere / "a.jpg", "cat/a.jpg");
  journal.sync();
  return read_file(folder / kMoveJournalName, 1 << 20);
}

// Of several processes, whose own journals are not there.
std::string shared_journal_seed() {
  const TemporaryDirectory folder;
  SharedMoveJournal(open_export_folder(folder.path()), folder.path()).begin_moves(3);
  return read_file(folder / kMoveJournalName, 1 << 20);
}

// Each line's checksum.
void seal_journal(std::string& bytes) {
  std::string sealed;
  for (size_t start = 0; start < bytes.size();) {
    const size_t end = std::min(bytes.find('\n', start), bytes.size());
    const std::string line = bytes.substr(start, end - start);
    const size_t tab = line.rfind('\t');
    if (tab == std::string::npos) {
      sealed += line;
    } else {
      const std::string body = line.substr(0, tab + 1);
      constexpr const char* kDigits = "0123456789abcdef";
      const uint64_t seal = checksum64(std::as_bytes(std::span(body)));
      sealed += body;
      for (int shift = 60; shift >= 0; shift -= 4) sealed += kDigits[seal >> shift & 15];
    }
    sealed += '\n';
    start = end + 1;
  }
  bytes = std::move(sealed);
}

}  // namespace

Target npy_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {npy_seed(1, "<f4", 3, 4), npy_seed(2, "<f2", 2, 5), npy_seed(3, "<f4", 0, 4)},
          {"\x93NUMPY", "'descr'", "'shape'", "(", ")", ",", "True", "'<f2'", "'>f4'", "}", "'"},
          seal_npy,
          [folder](const std::string& input) { return read_npy(*folder / "npy", input); }};
}

Target import_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {"la.jpg\n/b/c d.jpg\r\n../e.jpg\n", std::string("0a.jpg\0/b\n.jpg\0", 16),
           R"(m{"path": "a.jpg", "size_bytes": 12, "mtime_ns": -3, "sha256": ")" +
               std::string(64, 'a') +
               R"(", "width": 640, "height": 480, "words": [{"text": "hello", "confidence": 0.5, )"
               R"("box": [1, 2, 3, 4]}]})"
               "\n"
               R"({"path": "b", "path_base64": "L2Ev/w=="})"
               "\n"},
          {"\n", "\r", std::string(1, '\0'), "\"path\":", "\"words\":", "\"box\":", "[",
           "{\"a\":", "\\u0000", "\\ud800", "\"path_base64\":\"\"", "../", "/"},
          nullptr,
          [folder](const std::string& input) { return read_list(*folder / "list", input); }};
}

Target journal_target() {
  const auto folder = std::make_shared<TemporaryDirectory>();
  return {"",
          {journal_seed(*folder / "nowhere"), shared_journal_seed()},
          {"move\t", "kept\t", "\t", "\n", "%00", "%2E%2E/", "../", "/", "%", "%FF"},
          seal_journal,
          [folder](const std::string& input) { return read_journal(*folder / "export", input); }};
}

}  // namespace zeroshelf::testing
