#pragma once

// Embeddings that were made elsewhere -> a collection.
//
// Rows and paths belong together by their order, so both are read whole and checked before anything
// is written: the same number, every value finite, no vector of length zero, no path twice. The
// collection appears complete or not at all.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/manifest.h"
#include "lib/collection/records.h"
#include "lib/util/matrix.h"

namespace zeroshelf {

// One row of the list that goes with the vectors.
struct ImportRow {
  FileStamp file;                   // size and time are 0 where they are not known
  std::optional<ContentHash> hash;  // as it was when the list was written
  uint32_t width_px = 0;            // 0: not known
  uint32_t height_px = 0;
  std::vector<Word> words;
};

// Paths, one a line (a return before the line break is dropped, empty lines are refused), or ended
// by NUL. Relative ones are relative to root. Throws NotFound, Io, InvalidArgument naming the line.
enum class PathSeparator { Line, Nul };
std::vector<ImportRow> read_import_paths(const std::filesystem::path& file, PathSeparator separator,
                                         const std::filesystem::path& root);

// JSON Lines as `zeroshelf-query vectors --metadata` writes them. Only "path" is needed:
//   {"path", "path_base64", "size_bytes", "mtime_ns", "sha256", "width", "height",
//    "words": [{"text", "confidence", "box": [x, y, width, height]}]}
// Throws NotFound, Io, Corruption naming the line.
std::vector<ImportRow> read_import_metadata(const std::filesystem::path& file,
                                            const std::filesystem::path& root);

struct ImportOptions {
  std::vector<std::filesystem::path> image_files;  // .npy; their rows one after the other
  std::vector<std::filesystem::path> text_files;   // likewise, or empty. A row of zeros: no text
  bool allow_missing = false;                      // files that are not there
  unsigned threads = 0;                            // 0: every core
};

struct ImportReport {
  uint64_t pictures = 0;
  uint64_t with_text = 0;
  uint64_t missing = 0;     // files that are not there
  uint64_t unreadable = 0;  // files that cannot be decoded here: their size in pixels is not known
  uint64_t normalised = 0;  // vectors that had another length than 1
  // Something that stood where the collection was to be built, e.g. by an import that was cut
  // short.
  std::filesystem::path leftover;  // empty: nothing
};

// The files' number of columns, which must be one. Throws what NpyReader does, InvalidArgument.
uint32_t import_dimension(const ImportOptions& options);

// Makes the collection. The manifest's dimension must be import_dimension. check is called with
// some rows whose files are there and their image vectors, before anything is written; what it
// throws ends the import. Throws InvalidArgument when the directory exists, or for what the header
// comment names, with the row and its path; NotFound for a missing file that is not allowed.
ImportReport import_vectors(
    const std::filesystem::path& directory, const Manifest& manifest, std::vector<ImportRow> rows,
    const ImportOptions& options,
    const std::function<void(const std::vector<std::string>& paths, const Matrix& vectors)>& check);

}  // namespace zeroshelf
