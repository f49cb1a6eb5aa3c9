// Tested by tests/export/follow_moves_test.cc.

#include "lib/export/follow_moves.h"

#include <fstream>
#include <system_error>
#include <utility>

#include "lib/collection/collection.h"
#include "lib/files/find_files.h"
#include "lib/util/file.h"
#include "lib/util/json_object.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

std::string text_member(const nlohmann::json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? "" : json_as<std::string>(*found).value_or("");
}

// As append_json_path writes it.
std::string path_member(const nlohmann::json& object, const char* name, const char* exact_name) {
  const std::string exact = text_member(object, exact_name);
  return exact.empty() ? text_member(object, name) : from_base64(exact).value_or("");
}

}  // namespace

uint64_t follow_moves(const fs::path& collection, const std::vector<MovedFile>& files) {
  constexpr size_t kMovesABatch = 1000;
  CollectionWriter writer = CollectionWriter::open_existing(collection);
  uint64_t followed = 0;
  Batch batch;
  const auto commit = [&] {
    if (!batch.empty()) writer.commit(batch);
    batch = {};
  };
  for (const MovedFile& file : files) {
    std::error_code ignored;
    const auto row = writer.find_path(file.from);
    const auto found = row ? find_file(file.to) : std::nullopt;
    if (!found || fs::exists(fs::symlink_status(file.from, ignored))) continue;
    batch.moved.emplace_back(
        *row, FileStamp{file.to, found->size_bytes, found->mtime_ns, found->identity});
    ++followed;
    if (batch.moved.size() >= kMovesABatch) commit();
  }
  commit();
  return followed;
}

ExportedMoves read_exported_moves(const fs::path& directory) {
  ExportedMoves moves;
  for (const char* name : {"manifest.jsonl", "manifest.jsonl.unfinished"}) {
    std::ifstream manifest(directory / name, std::ios::binary);
    for (std::string line; std::getline(manifest, line);) {
      const auto json = parse_bounded_json(line);
      if (!json || !json->is_object()) continue;
      const std::string original = path_member(*json, "path", "path_base64");
      const std::string exported = text_member(*json, "exported");
      const std::string collection = path_member(*json, "collection", "collection_base64");
      if (original.empty() || exported.empty() || collection.empty()) continue;
      moves[collection].push_back({absolute_path(directory / exported).string(), original});
    }
  }
  return moves;
}

}  // namespace zeroshelf
