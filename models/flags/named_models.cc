// Tested by tests/programs/handed_over_test.cc.

#include "models/flags/named_models.h"

#include <string>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/user_folders.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxPathBytes = 64 << 10;

fs::path record_folder() {
  return user_state_folder("models");
}

fs::path record_file(const fs::path& folder, const fs::path& model) {
  Checksum128 checksum;
  checksum.update(model.string());
  return folder / checksum.hex();
}

}  // namespace

void remember_named_model(const fs::path& named) {
  const fs::path path = absolute_path(named);
  const fs::path folder = record_folder();
  if (folder.empty() || was_model_named(path)) return;
  try {
    std::error_code ignored;
    fs::create_directories(folder, ignored);
    write_file_atomically(record_file(folder, path), path.string());
  } catch (const Error&) {
  }
}

bool was_model_named(const fs::path& path) {
  const fs::path folder = record_folder();
  if (folder.empty()) return false;
  try {
    return read_file(record_file(folder, path), kMaxPathBytes) == path.string();
  } catch (const Error&) {
    return false;
  }
}

}  // namespace zeroshelf
