// Tested by tests/collection/own_files_test.cc and tests/programs/foreign_test.cc.

#include "lib/collection/foreign.h"

#include <system_error>

#include "lib/collection/layout.h"
#include "lib/collection/own_files.h"
#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"

namespace zeroshelf {
namespace {

// Others have files that are called MANIFEST.json.
bool is_collection(const std::filesystem::path& folder) {
  try {
    std::error_code error;
    return layout::kind_of(folder) == layout::Kind::Collection &&
           (std::filesystem::exists(folder / layout::kCurrentFile, error) ||
            std::filesystem::exists(folder / layout::kLockFile, error));
  } catch (const Error&) {
    return false;  // a folder that may not be listed
  }
}

}  // namespace

std::vector<std::string> foreign_names(const std::filesystem::path& directory) {
  return layout::foreign_names(directory, layout::read_current(directory),
                               layout::read_manifest(directory));
}

std::filesystem::path collection_around(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path folder = std::filesystem::weakly_canonical(absolute_path(path), error);
  if (error) folder = absolute_path(path);
  while (!is_collection(folder)) {
    if (!folder.has_relative_path()) return {};
    folder = folder.parent_path();
  }
  return folder;
}

namespace {

void refuse_inside(const std::filesystem::path& path, const std::filesystem::path& collection) {
  if (collection.empty()) return;
  throw Error(ErrorCode::InvalidArgument, path.string(),
              "it lies in the folder of the collection " + collection.string() +
                  ", which is the collection's alone",
              "name a place outside of it");
}

}  // namespace

void expect_outside_collections(const std::filesystem::path& path) {
  refuse_inside(path, collection_around(path));
}

void expect_outside_others(const std::filesystem::path& collection) {
  std::error_code error;
  const std::filesystem::path absolute = absolute_path(collection);
  const std::filesystem::path real = std::filesystem::weakly_canonical(absolute, error);
  refuse_inside(collection, collection_around((error ? absolute : real).parent_path()));
}

void check_new_file(const std::filesystem::path& path) {
  expect_outside_collections(path);
  NewFile::check(path);
}

}  // namespace zeroshelf
