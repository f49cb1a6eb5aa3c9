// Tested by tests/export/follow_moves_test.cc and move_journal_test.cc.

#include "lib/export/exported_files.h"

#include <fstream>
#include <utility>

#include "lib/util/json_object.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

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

std::vector<ExportedFile> read_exported_files(const std::filesystem::path& directory) {
  std::vector<ExportedFile> files;
  for (const char* name : {kManifestName, kUnfinishedManifestName}) {
    std::ifstream manifest(directory / name, std::ios::binary);
    for (std::string line; std::getline(manifest, line);) {
      const auto json = parse_bounded_json(line);
      if (!json || !json->is_object()) continue;
      ExportedFile file{text_member(*json, "exported"), path_member(*json, "path", "path_base64"),
                        path_member(*json, "collection", "collection_base64")};
      if (!file.exported.empty() && !file.original.empty()) files.push_back(std::move(file));
    }
  }
  return files;
}

}  // namespace zeroshelf
