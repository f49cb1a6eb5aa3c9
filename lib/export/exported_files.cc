// Tested by tests/export/exported_files_test.cc, follow_moves_test.cc and move_journal_test.cc.

#include "lib/export/exported_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <fstream>
#include <system_error>
#include <utility>

#include "lib/util/json_object.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

// What stands before a share's numbers, and behind them.
struct Affixes {
  std::string_view before;
  std::string_view behind;
};

Affixes affixes_of(ShareFile file) {
  switch (file) {
    case ShareFile::Journal:
      return {"moves-", ".journal"};
    case ShareFile::Manifest:
      return {"manifest-", ".jsonl.unfinished"};
    case ShareFile::Partial:
      break;
  }
  return {".moving-", ""};
}

std::optional<size_t> number_of(std::string_view digits) {
  size_t number = 0;
  const char* end = digits.data() + digits.size();
  const auto [last, error] = std::from_chars(digits.data(), end, number);
  if (error != std::errc() || last != end) return std::nullopt;
  return number;
}

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

std::string share_name(ShareFile file, const ExportShare& share) {
  const auto [before, behind] = affixes_of(file);
  return fmt::format("{}{:05}-of-{:05}{}", before, share.process, share.processes, behind);
}

std::optional<ExportShare> share_of_name(ShareFile file, std::string_view name) {
  constexpr size_t kDigits = 5;
  constexpr std::string_view kOf = "-of-";
  const auto [before, behind] = affixes_of(file);
  if (!name.starts_with(before) || !name.ends_with(behind) ||
      name.size() != before.size() + 2 * kDigits + kOf.size() + behind.size())
    return std::nullopt;
  const auto process = number_of(name.substr(before.size(), kDigits));
  const auto processes = number_of(name.substr(before.size() + kDigits + kOf.size(), kDigits));
  if (!process || !processes || *process >= *processes) return std::nullopt;
  const ExportShare share{*process, *processes};
  return share_name(file, share) == name ? std::optional(share) : std::nullopt;
}

bool is_share_name(std::string_view name) {
  constexpr std::array kFiles = {ShareFile::Journal, ShareFile::Manifest, ShareFile::Partial};
  return std::ranges::any_of(kFiles,
                             [&](ShareFile file) { return share_of_name(file, name).has_value(); });
}

std::vector<ExportShare> shares_in(const fs::path& directory, ShareFile file) {
  std::vector<ExportShare> shares;
  std::error_code error;
  for (fs::directory_iterator entry(directory, error), end; !error && entry != end;
       entry.increment(error)) {
    if (const auto share = share_of_name(file, entry->path().filename().string()))
      shares.push_back(*share);
  }
  std::ranges::sort(shares);
  return shares;
}

std::optional<ExportedFile> exported_file_of(const std::string& line) {
  const auto json = parse_bounded_json(line);
  if (!json || !json->is_object()) return std::nullopt;
  ExportedFile file{text_member(*json, "exported"), path_member(*json, "path", "path_base64"),
                    path_member(*json, "collection", "collection_base64")};
  if (file.exported.empty() || file.original.empty()) return std::nullopt;
  return file;
}

std::vector<ExportedFile> read_exported_files(const fs::path& directory) {
  std::vector<std::string> names = {kManifestName, kUnfinishedManifestName};
  for (const ExportShare& share : shares_in(directory, ShareFile::Manifest))
    names.push_back(share_name(ShareFile::Manifest, share));
  std::vector<ExportedFile> files;
  for (const std::string& name : names) {
    std::ifstream manifest(directory / name, std::ios::binary);
    for (std::string line; std::getline(manifest, line);) {
      if (auto file = exported_file_of(line)) files.push_back(*std::move(file));
    }
  }
  return files;
}

}  // namespace zeroshelf
