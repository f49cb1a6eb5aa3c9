// The approximate index as a part of a collection: made with the snapshot, kept, extended, trained
// anew, found damaged, made again.

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "lib/files/new_file.h"
#include "lib/util/file.h"
#include "tests/collection/shelf.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

constexpr SnapshotOptions kFromFew = {100};

struct IndexedShelf : Shelf {
  IndexedShelf() {
    CollectionWriter writer = write();
    add(writer, 0, 200);
    writer.publish_snapshot(SnapshotWhen::Now, kFromFew);
  }

  void add_and_publish(uint32_t first, uint32_t last) const {
    CollectionWriter writer = write();
    add(writer, first, last);
    writer.publish_snapshot(SnapshotWhen::Now, kFromFew);
  }

  fs::path file(const std::string& kind) const {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().filename().string().starts_with(kind)) return entry.path();
    }
    return {};
  }
};

BOOST_FIXTURE_TEST_SUITE(collection_ivf, IndexedShelf)

BOOST_AUTO_TEST_CASE(it_is_there_from_a_number_of_rows_on) {
  const Collection collection = read();
  const VectorIndex* index = collection.vector_index();
  BOOST_REQUIRE(index != nullptr);
  BOOST_TEST(index->image.size() == 200);
  BOOST_TEST(index->text.size() == collection.text_vectors().size());
  BOOST_TEST(verify_collection(path).empty());
  Shelf small;
  {
    CollectionWriter writer = small.write();
    add(writer, 0, 99);
    writer.publish_snapshot(SnapshotWhen::Now, kFromFew);
  }
  BOOST_TEST(small.read().vector_index() == nullptr);
}

BOOST_AUTO_TEST_CASE(few_rows_leave_it_more_extend_it_and_twice_as_many_train_it_anew) {
  add_and_publish(200, 208);
  BOOST_TEST(read().vector_index()->image.size() == 200);
  add_and_publish(208, 250);
  BOOST_TEST(read().vector_index()->image.size() == 250);
  BOOST_TEST(read().vector_index()->image.trained_size() == 200);
  add_and_publish(250, 400);
  BOOST_TEST(read().vector_index()->image.trained_size() == 400);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(compact_trains_it_with_and_without_tombstones) {
  add_and_publish(200, 250);
  BOOST_TEST(write().compact(kFromFew) == 0);
  BOOST_TEST(read().vector_index()->image.trained_size() == 250);
  {
    CollectionWriter writer = write();
    Batch batch;
    batch.removed = {3, 5};
    writer.commit(batch);
    BOOST_TEST(writer.compact(kFromFew) == 2);
  }
  BOOST_TEST(read().vector_index()->image.trained_size() == 248);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(damage_or_loss_is_named_by_verify_and_mended_by_repair) {
  const std::string expected = answers(read());
  for (const std::string kind : {"ivf-image-", "ivf-text-"}) {
    for (const bool cut : {true, false}) {
      const fs::path damaged = file(kind);
      const std::string bytes = read_file(damaged, 1 << 20);
      fs::remove(damaged);
      if (cut) write_file_atomically(damaged, bytes.substr(0, bytes.size() / 2));
      BOOST_TEST(read().vector_index() == nullptr);
      BOOST_TEST(answers(read()) == expected);
      BOOST_TEST(!verify_collection(path).empty());
      BOOST_TEST(!repair_collection(path, kFromFew).mended.empty());
      BOOST_TEST(verify_collection(path).empty());
      BOOST_TEST(read().vector_index() != nullptr);
    }
  }
}

BOOST_AUTO_TEST_CASE(it_is_not_used_with_rows_from_the_records) {
  fs::remove(file("rows-"));
  BOOST_TEST(read().vector_index() == nullptr);
  add_and_publish(200, 201);
  BOOST_TEST(read().vector_index()->image.trained_size() == 201);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::testing
