#pragma once

// A vocabulary for the tests of collections: pictures that can be told by their vectors, and a
// collection in a folder of its own.

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "lib/collection/collection.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::testing {

inline constexpr uint32_t kDimension = 16;

// The manifest of the tests' model.
Manifest test_manifest(const std::string& fingerprint = "test", uint32_t dimension = kDimension);

// A picture whose vectors, hash and words follow from the number; every third has text.
NewPicture picture(const std::string& path, uint32_t number);

FileStamp stamp(const std::string& path);

// Whether the row holds everything that picture(path, number) says.
bool holds(const Collection& collection, const std::string& path, uint32_t number);

// Everything that the collection answers, as one text: equal texts, equal collections.
std::string answers(const Collection& collection);

// Every file with its bytes.
std::map<std::string, std::string> files_of(const std::filesystem::path& directory);

struct Shelf {
  TemporaryDirectory directory;
  std::filesystem::path path = directory / "collection";

  CollectionWriter write() const { return CollectionWriter::open_or_create(path, test_manifest()); }
  Collection read() const { return Collection::open(path); }
  // Commits pictures /first ... /last-1 with these numbers.
  static void add(CollectionWriter& writer, uint32_t first, uint32_t last);
};

}  // namespace zeroshelf::testing
