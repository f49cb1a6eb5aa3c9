#pragma once

// Inside models/clip: where the files of a ZIP archive lie, as libtorch writes them (PKWARE's
// APPNOTE 6.3.9, with ZIP64). Nothing is unpacked, and nothing is copied.

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>

namespace zeroshelf {

struct ZipEntry {
  std::span<const std::byte> bytes;  // as they are stored
  bool is_deflated = false;          // else they are the file itself
};

// By name. Throws Corruption naming the subject: every place and length is checked before it is
// used, two entries never overlap or share a name, and nothing is encrypted.
std::map<std::string, ZipEntry> read_zip_directory(std::span<const std::byte> archive,
                                                   const std::string& subject);

}  // namespace zeroshelf
