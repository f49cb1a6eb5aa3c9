// Every commit is in RocksDB's log when it returns, so the log's size or name is another one then.
// Tested by tests/serve/living_view_test.cc.

#include "lib/collection/change_mark.h"

#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <iterator>
#include <system_error>
#include <vector>

#include "lib/collection/layout.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

void append_mark(std::string& mark, const fs::path& file) {
  struct stat status {};
  if (::lstat(file.c_str(), &status) != 0) return;
  fmt::format_to(std::back_inserter(mark), "{} {} {} {}.{}\n", file.filename().string(),
                 status.st_ino, status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec);
}

std::vector<uint64_t> epochs_of(const fs::path& collection) {
  try {
    return layout::epochs_on_disk(collection);
  } catch (const Error&) {  // it is gone for now
    return {};
  }
}

}  // namespace

std::string change_mark(const fs::path& collection) {
  std::string mark;
  append_mark(mark, collection / layout::kCurrentFile);
  std::error_code error;
  std::vector<fs::path> files;
  for (const uint64_t epoch : epochs_of(collection)) {
    const fs::path records = layout::records_directory(collection, epoch);
    for (auto entry = fs::directory_iterator(records, error);
         !error && entry != fs::directory_iterator(); entry.increment(error))
      files.push_back(entry->path());
  }
  std::ranges::sort(files);
  for (const fs::path& file : files) append_mark(mark, file);
  return mark;
}

}  // namespace zeroshelf
