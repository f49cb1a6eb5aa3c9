// Tested by tests/ingest/check_files_test.cc.

#include "lib/ingest/check_files.h"

#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "lib/files/find_files.h"
#include "lib/util/hash.h"
#include "lib/util/ordered_workers.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

enum class Finding { Same, Changed, Gone, Unreadable };

struct Found {
  std::string path;
  Finding finding = Finding::Same;
  std::string cause;
};

Found look_at(const FileStamp& file, const ContentHash& hash) {
  const auto found = find_file(file.path);
  if (!found) return {file.path, Finding::Gone, "the file is gone"};
  const auto content = read_found_file(*found, UINT64_MAX);
  if (const auto* skip = std::get_if<Skip>(&content)) {
    const bool gone = skip->reason == SkipReason::Vanished;
    return {file.path, gone ? Finding::Gone : Finding::Unreadable,
            gone ? "the file is gone" : "cannot be read: " + skip->detail};
  }
  if (content_hash(std::as_bytes(std::span(std::get<std::string>(content)))) == hash)
    return {file.path, Finding::Same, ""};
  return {file.path, Finding::Changed, "the file has another content than when it was indexed"};
}

}  // namespace

FileCheck check_files(const Collection& collection, unsigned threads,
                      const std::function<void(const Fault&)>& on_fault) {
  FileCheck check;
  const auto take = [&](const Found& found) {
    switch (found.finding) {
      case Finding::Same:
        ++check.same;
        return;
      case Finding::Changed:
        ++check.changed;
        break;
      case Finding::Gone:
        ++check.gone;
        break;
      case Finding::Unreadable:
        ++check.unreadable;
        break;
    }
    on_fault({found.path, found.cause});
  };
  using Input = std::pair<FileStamp, ContentHash>;
  using Workers = OrderedWorkers<Input, Found>;
  const unsigned count = threads == 0 ? available_cores() : threads;
  Workers workers(std::vector<Workers::Work>(
                      count, [](const Input& input) { return look_at(input.first, input.second); }),
                  4 * size_t{count});
  collection.for_each_record([&](Row, const PictureRecord& record) {
    if (workers.full()) take(workers.pop());
    workers.push({record.file, record.content_hash});
  });
  while (!workers.empty()) take(workers.pop());
  return check;
}

}  // namespace zeroshelf
