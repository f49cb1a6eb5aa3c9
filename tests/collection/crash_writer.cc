// A program that writes to a collection until it is killed: commits batches, changes a file,
// publishes snapshots and compacts now and then. After each batch it writes the number of pictures
// that are committed (4 bytes) to stdout.

#include "tests/collection/crash_writer.h"

#include <unistd.h>

#include <exception>

#include "tests/collection/shelf.h"

int main(int, char** argv) try {
  using namespace zeroshelf;
  CollectionWriter writer = CollectionWriter::open_or_create(argv[1], testing::test_manifest());
  for (uint32_t round = 0;; ++round) {
    const auto next = static_cast<uint32_t>(writer.counts().pictures);
    const uint32_t committed = next + testing::kCrashBatch;
    testing::Shelf::add(writer, next, committed);
    if (::write(STDOUT_FILENO, &committed, sizeof committed) != sizeof committed) return 1;
    if (round % 3 == 0) {
      Batch again;  // a changed file: a new row and a tombstone
      again.added = {testing::picture("/0", 0)};
      writer.commit(again);
    }
    if (round % 4 == 1) writer.publish_snapshot(SnapshotWhen::Now);
    if (round % 6 == 2) writer.compact();
  }
} catch (const std::exception&) {
  return 2;
}
