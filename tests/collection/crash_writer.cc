// A program that writes to a collection, to be killed or to be given failing system calls.
//
//   crash_writer write COLLECTION [ROUNDS]   commits batches, changes a file, removes a batch,
//                                            publishes snapshots and compacts now and then
//   crash_writer write-indexed COLLECTION    the same without end, with an approximate index
//   crash_writer compact COLLECTION          changes a file and compacts, again and again
//   crash_writer repair COLLECTION
//
// After each commit it writes the number of pictures that are there now (4 bytes) to stdout.
// Exit code 2: an Error, which is on stderr; without ROUNDS it never ends.

#include "tests/collection/crash_writer.h"

#include <unistd.h>

#include <cstdlib>
#include <iostream>
#include <string>

#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using testing::kCrashBatch;

// The first number of a batch that is not there.
uint32_t free_batch(const Collection& collection) {
  uint32_t first = 0;
  while (collection.find_path("/" + std::to_string(first))) first += kCrashBatch;
  return first;
}

void acknowledge(const Collection& collection) {
  const auto pictures = static_cast<uint32_t>(collection.counts().pictures);
  if (::write(STDOUT_FILENO, &pictures, sizeof pictures) != sizeof pictures) std::_Exit(1);
}

void remove_batch(CollectionWriter& writer, uint32_t first) {
  Batch batch;
  for (uint32_t i = first; i < first + kCrashBatch; ++i) {
    if (const auto row = writer.find_path("/" + std::to_string(i))) batch.removed.push_back(*row);
  }
  writer.commit(batch);
}

void change_a_file(CollectionWriter& writer) {
  Batch again;  // a new row and a tombstone
  again.added = {testing::picture("/0", 0)};
  writer.commit(again);
}

void compact(const std::filesystem::path& path) {
  CollectionWriter writer = CollectionWriter::open_or_create(path, testing::test_manifest());
  for (;;) {
    change_a_file(writer);
    writer.compact();
  }
}

void write(const std::filesystem::path& path, uint32_t rounds, const SnapshotOptions& options) {
  CollectionWriter writer = CollectionWriter::open_or_create(path, testing::test_manifest());
  for (uint32_t round = 0; round < rounds; ++round) {
    const uint32_t first = free_batch(writer);
    testing::Shelf::add(writer, first, first + kCrashBatch);
    acknowledge(writer);
    if (round % 3 == 0) change_a_file(writer);
    if (round % 4 == 1) writer.publish_snapshot(SnapshotWhen::Now, options);
    if (round % 5 == 3) {
      remove_batch(writer, kCrashBatch * (1 + round % 2));
      acknowledge(writer);
    }
    if (round % 6 == 2) writer.compact(options);
  }
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  using namespace zeroshelf;
  if (argc < 3) return 1;
  const std::string command = argv[1];
  if (command == "write") {
    write(argv[2], argc > 3 ? static_cast<uint32_t>(std::atoi(argv[3])) : UINT32_MAX, {});
  } else if (command == "write-indexed") {
    write(argv[2], UINT32_MAX, {testing::kCrashBatch});
  } else if (command == "compact") {
    compact(argv[2]);
  } else {
    repair_collection(argv[2]);
  }
  return 0;
} catch (const zeroshelf::Error& error) {
  std::cerr << error.what() << "\n";
  return 2;
}
