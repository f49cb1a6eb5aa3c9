// vectors: the vectors of a collection, for other programs. Tested by
// tests/programs/import_test.cc.

#include "query/commands.h"

#include <fmt/format.h>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/collection/foreign.h"
#include "lib/collection/path_order.h"
#include "lib/collection/view.h"
#include "lib/files/new_file.h"
#include "lib/files/npy.h"
#include "lib/program/message.h"
#include "lib/report/messages.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/text.h"
#include "query/flags.h"
#include "query/together.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct VectorsOptions {
  std::vector<fs::path> collections;
  fs::path npy;
  fs::path text_npy;
  fs::path paths;
  fs::path paths0;
  fs::path metadata;
};

std::string metadata_line(const PictureRecord& record, const std::vector<Word>& words) {
  return json_line(message::Metadata{record.file.path, record.file.size_bytes, record.file.mtime_ns,
                                     to_hex(record.content_hash), record.width_px, record.height_px,
                                     words});
}

// The files that were asked for, each new.
class VectorFiles {
 public:
  VectorFiles(const VectorsOptions& options, uint32_t dimension) : row_(1, dimension) {
    std::set<fs::path> names;
    for (const fs::path& file :
         {options.npy, options.text_npy, options.paths, options.paths0, options.metadata}) {
      if (file.empty()) continue;
      check_new_file(file);
      if (!names.insert(absolute_path(file)).second)
        throw Error(ErrorCode::InvalidArgument, file.string(), "named twice", "name another");
    }
    if (!options.npy.empty()) images_.emplace(options.npy, dimension);
    if (!options.text_npy.empty()) texts_.emplace(options.text_npy, dimension);
    if (!options.paths.empty()) paths_.emplace(options.paths);
    if (!options.paths0.empty()) paths0_.emplace(options.paths0);
    if (!options.metadata.empty()) metadata_.emplace(options.metadata);
  }

  void add(const View& collection, Row row, const PictureRecord& record) {
    if (images_) append(*images_, ViewVectors::pictures(collection), row);
    if (texts_) append(*texts_, ViewVectors::texts(collection), collection.text_index(row));
    if (paths_) paths_->write(line_of(record.file.path));
    if (paths0_) paths0_->write(record.file.path + '\0');
    if (metadata_) metadata_->write(metadata_line(record, collection.words(row)));
  }

  void finish() {
    if (images_) images_->finish();
    if (texts_) texts_->finish();
    for (std::optional<NewFile>* file : {&paths_, &paths0_, &metadata_}) {
      if (*file) (*file)->publish();
    }
  }

 private:
  // Zeros for a picture without text.
  void append(NpyWriter& writer, const ViewVectors& vectors, std::optional<uint64_t> row) {
    std::fill_n(row_.data(), row_.columns(), 0.0f);
    if (row) from_fp16(vectors.row(*row), row_.row(0));
    writer.append(row_);
  }

  static std::string line_of(const std::string& path) {
    if (path.find('\n') != std::string::npos || path.ends_with('\r')) {
      throw Error(ErrorCode::InvalidArgument, path, "a path with a line break in a list of lines",
                  "use --paths0 or --metadata");
    }
    return path + "\n";
  }

  Matrix row_;
  std::optional<NpyWriter> images_;
  std::optional<NpyWriter> texts_;
  std::optional<NewFile> paths_;
  std::optional<NewFile> paths0_;
  std::optional<NewFile> metadata_;
};

int run_vectors(const VectorsOptions& options) {
  const View collection = open_to_ask(options.collections);
  VectorFiles files(options, collection.manifest().dimension);
  uint64_t rows = 0;
  for_each_record_by_path(collection, [&](Row row, const PictureRecord& record) {
    files.add(collection, row, record);
    ++rows;
  });
  files.finish();
  say("{} rows of {} dimensions written\n", with_thousands(rows), collection.manifest().dimension);
  return rows > 0 ? kDone : kNothingFound;
}

}  // namespace

void add_vectors(Program& program) {
  const auto shared = std::make_shared<VectorsOptions>();
  VectorsOptions& options = *shared;
  CLI::App* command =
      program.add_command("vectors", "Write the collection's vectors and paths for other programs",
                          [shared] { return run_vectors(*shared); });
  add_collections(command, options.collections);
  CLI::Option_group* files = command->add_option_group("Files", "One or several, each new");
  const auto add_file = [&](const char* flag, fs::path& file, const char* help) {
    files->add_option(flag, file, help)->type_name("OUT");
  };
  add_file("--npy", options.npy, "Picture vectors: float32, one row per picture");
  add_file("--text-npy", options.text_npy,
           "Vectors of the text in them: the same rows, zeros without text");
  add_file("--paths", options.paths, "Paths, one per line, in the order of the rows");
  add_file("--paths0", options.paths0, "The same, each ended by NUL");
  add_file("--metadata", options.metadata,
           "All that is known about each picture as JSON Lines, for zeroshelf-index import");
  files->require_option(1, 5);
}

}  // namespace zeroshelf
