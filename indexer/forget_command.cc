// forget: takes pictures out of a collection on purpose. Tested by tests/programs/everyday_test.cc.

#include "indexer/commands.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "lib/collection/collection.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/output_stream.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct ForgetOptions {
  fs::path collection;
  std::vector<fs::path> paths;
  bool json = false;
};

// How much of the collection is at or below each path.
class Named {
 public:
  explicit Named(const std::vector<fs::path>& paths) {
    for (const fs::path& path : paths) counts_.emplace(absolute_path(path).string(), 0);
  }

  // Whether the path, or a folder that it lies in, is named; counted then.
  bool take(const std::string& path) {
    bool taken = false;
    for (std::string part = path;; part = fs::path(part).parent_path().string()) {
      if (const auto named = counts_.find(part); named != counts_.end()) {
        ++named->second;
        taken = true;
      }
      if (part == "/" || part.empty()) return taken;
    }
  }

  // Throws for a path of which there is nothing.
  void expect_all_found() const {
    for (const auto& [path, count] : counts_) {
      if (count > 0) continue;
      throw Error(ErrorCode::NotFound, path, "not in the collection, nor is anything below it",
                  "name a folder or picture that zeroshelf-index add indexed");
    }
  }

 private:
  std::unordered_map<std::string, uint64_t> counts_;
};

int run_forget(const ForgetOptions& options) {
  constexpr size_t kRowsABatch = 10'000;  // each leaves its vectors behind
  CollectionWriter collection = CollectionWriter::open_existing(options.collection);
  Named named(options.paths);
  std::vector<Row> rows;
  collection.for_each_record([&](Row row, const PictureRecord& record) {
    if (named.take(record.file.path)) rows.push_back(row);
  });
  Batch skips;
  collection.for_each_skip([&](const SkippedFile& file) {
    if (named.take(file.file.path)) skips.forgotten_skips.push_back(file.file.path);
  });
  named.expect_all_found();
  for (size_t first = 0; first < rows.size(); first += kRowsABatch) {
    const size_t end = std::min(rows.size(), first + kRowsABatch);
    Batch batch;
    batch.removed.assign(rows.begin() + static_cast<ptrdiff_t>(first),
                         rows.begin() + static_cast<ptrdiff_t>(end));
    collection.commit(batch);
  }
  if (!skips.empty()) collection.commit(skips);
  collection.publish_snapshot();
  const uint64_t left = collection.counts().pictures;
  OutputStream out(stdout, "standard output");
  out.write(options.json
                ? fmt::format("{{\"type\":\"summary\",\"forgotten\":{},\"pictures\":{}}}\n",
                              rows.size(), left)
                : fmt::format("{} pictures forgotten, {} in the collection\n",
                              with_thousands(rows.size()), with_thousands(left)));
  out.flush();
  return kDone;
}

}  // namespace

void add_forget(Program& program) {
  const auto shared = std::make_shared<ForgetOptions>();
  ForgetOptions& options = *shared;
  CLI::App* command = program.add_command(
      "forget", "Drop pictures from the collection; their files stay as they are",
      [shared] { return run_forget(*shared); });
  command->add_option("COLLECTION", options.collection, "The collection's folder")->required();
  command
      ->add_option("PATH", options.paths,
                   "Folders and pictures of the collection; their files may be gone")
      ->required();
  command->add_flag("--json", options.json, "The summary as a JSON line");
}

}  // namespace zeroshelf
