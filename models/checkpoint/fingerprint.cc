// Tested by tests/clip/fingerprint_test.cc.

#include "models/checkpoint/fingerprint.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <optional>

#include "lib/files/new_file.h"
#include "lib/util/error.h"
#include "lib/util/file.h"
#include "lib/util/hash.h"
#include "lib/util/user_folders.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

constexpr size_t kHexDigits = 32;
constexpr int64_t kLeastBytes = int64_t{16} << 20;  // less is read as quickly as the cache
constexpr time_t kSettledSeconds = 3;               // clocks of file systems are coarse

// Where the answer for the weights as they are now is kept, if it may be.
std::optional<fs::path> cache_file(const std::vector<fs::path>& weights,
                                   const std::string& configuration,
                                   const std::string& vocabulary) {
  const fs::path folder = user_cache_folder("fingerprints");
  if (folder.empty()) return std::nullopt;
  Checksum128 key;
  int64_t bytes = 0;
  for (const fs::path& file : weights) {
    struct stat status {};
    if (::stat(file.c_str(), &status) != 0) return std::nullopt;
    const time_t changed = std::max(status.st_mtim.tv_sec, status.st_ctim.tv_sec);
    if (std::time(nullptr) - changed < kSettledSeconds) return std::nullopt;
    bytes += status.st_size;
    key.update(fmt::format("1 {} {} {} {}.{} {}.{}\n", status.st_dev, status.st_ino,
                           status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec,
                           status.st_ctim.tv_sec, status.st_ctim.tv_nsec));
  }
  if (bytes < kLeastBytes) return std::nullopt;
  key.update(configuration);
  key.update(vocabulary);
  return folder / key.hex();
}

std::optional<std::string> kept(const fs::path& file) {
  try {
    const std::string content = read_file(file, kHexDigits);
    const bool is_whole = content.size() == kHexDigits &&
                          content.find_first_not_of("0123456789abcdef") == std::string::npos;
    if (is_whole) return content;
  } catch (const Error&) {
  }
  return std::nullopt;
}

void keep(const fs::path& file, const std::string& fingerprint) {
  try {
    std::error_code ignored;
    fs::create_directories(file.parent_path(), ignored);
    write_file_atomically(file, fingerprint);
  } catch (const Error&) {
  }
}

}  // namespace

std::string model_fingerprint(const std::vector<fs::path>& weights,
                              const std::string& configuration, const std::string& vocabulary) {
  const auto before = cache_file(weights, configuration, vocabulary);
  if (before) {
    if (auto fingerprint = kept(*before)) return *fingerprint;
  }
  Checksum128 checksum;
  for (const fs::path& file : weights) checksum.update(MappedFile(file).bytes());
  checksum.update(configuration);
  checksum.update(vocabulary);
  const std::string fingerprint = checksum.hex();
  // Only if it did not change while it was read.
  if (before && before == cache_file(weights, configuration, vocabulary))
    keep(*before, fingerprint);
  return fingerprint;
}

}  // namespace zeroshelf
