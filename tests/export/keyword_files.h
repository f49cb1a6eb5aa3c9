#pragma once

// Pictures that keywords can be written for, and what is in a folder.

#include <sys/stat.h>

#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "lib/export/keyword_export.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

inline IndexedContent indexed(const std::filesystem::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) throw std::runtime_error("no " + path.string());
  const std::string bytes = read_file(path, uint64_t{1} << 30);
  return {path, static_cast<uint64_t>(status.st_size),
          int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec,
          content_hash(std::as_bytes(std::span(bytes)))};
}

// Every file below the folder with its bytes, its permissions and its time.
inline std::map<std::string, std::string> tree(const std::filesystem::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
    struct stat status {};
    if (::lstat(entry.path().c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    files[entry.path().string()] = read_file(entry.path(), uint64_t{1} << 30) + "|" +
                                   std::to_string(status.st_mode) + "|" +
                                   std::to_string(status.st_mtim.tv_sec) + "." +
                                   std::to_string(status.st_mtim.tv_nsec);
  }
  return files;
}

// What another program wrote for a picture.
inline std::string other_sidecar(const std::string& keyword) {
  return R"(<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmlns:dc="http://purl.org/dc/elements/1.1/" xmp:Rating="3"><dc:subject><rdf:Bag><rdf:li>)" +
         keyword + "</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF></x:xmpmeta>";
}

}  // namespace zeroshelf::testing
