#pragma once

// Pictures to be exported, and what is in a folder.

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>

#include "lib/export/folder_export.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"

namespace zeroshelf::testing {

// The file as it is now, into a folder of the label's name; what is not there has no content.
inline ExportItem export_item(const std::filesystem::path& source, const std::string& label,
                              std::string evidence = "") {
  ExportItem item;
  item.source = source;
  item.folders = {label};
  item.label = label;
  item.evidence_json = std::move(evidence);
  struct stat status {};
  if (::stat(source.c_str(), &status) != 0) return item;
  item.size_bytes = static_cast<uint64_t>(status.st_size);
  item.mtime_ns = int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  const std::string bytes = read_file(source, 1 << 20);
  item.content = content_hash(std::as_bytes(std::span(bytes)));
  return item;
}

// Every file below the folder with its bytes and its time.
inline std::map<std::string, std::string> file_tree(const std::filesystem::path& folder) {
  namespace fs = std::filesystem;
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    files[entry.path().string()] =
        read_file(entry.path(), 1 << 20) + "|" +
        std::to_string(fs::last_write_time(entry.path()).time_since_epoch().count());
  }
  return files;
}

}  // namespace zeroshelf::testing
