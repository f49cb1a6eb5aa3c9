// The vectors of pictures whose text is blanked out.

#include <boost/test/unit_test.hpp>

#include "lib/collection/codec.h"
#include "lib/collection/layout.h"
#include "lib/store/store.h"
#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using testing::picture;
using testing::stamp;

// Pictures of the shelf, of which every third has text; masked, they look like another number's.
struct MaskingShelf : testing::Shelf {
  CollectionWriter write_masking() const {
    Manifest manifest = testing::test_manifest();
    manifest.mask_text = true;
    return CollectionWriter::open_or_create(path, manifest);
  }

  static NewPicture masked_picture(const std::string& path, uint32_t number) {
    NewPicture result = picture(path, number);
    if (!result.words.empty()) result.masked_vector = picture("", number + 5000).image_vector;
    return result;
  }

  static void add_masked(CollectionWriter& writer, uint32_t first, uint32_t last) {
    Batch batch;
    for (uint32_t i = first; i < last; ++i)
      batch.added.push_back(masked_picture("/" + std::to_string(i), i));
    writer.commit(batch);
  }

  static bool has_mask_of(const Collection& collection, const std::string& path, uint32_t number) {
    const NewPicture expected = masked_picture(path, number);
    std::vector<uint16_t> halves(testing::kDimension);
    to_fp16(expected.words.empty() ? expected.image_vector : expected.masked_vector, halves);
    return collection.masked_vector(collection.find_path(path).value()) == halves;
  }
};

auto is(ErrorCode code) {
  return [code](const Error& error) { return error.code() == code; };
}

}  // namespace

BOOST_FIXTURE_TEST_SUITE(masked_vectors, MaskingShelf)

BOOST_AUTO_TEST_CASE(masked_vectors_are_kept_through_copies_removals_and_compaction) {
  {
    CollectionWriter writer = write_masking();
    add_masked(writer, 0, 10);
    Batch batch;
    batch.removed = {*writer.find_path("/0"), *writer.find_path("/1")};
    batch.copied = {{*writer.find_path("/6"), stamp("/copy")}};
    batch.moved = {{*writer.find_path("/9"), stamp("/moved")}};
    writer.commit(batch);
  }
  BOOST_TEST(read().manifest().mask_text);
  for (int round = 0; round < 2; ++round) {
    BOOST_TEST(has_mask_of(read(), "/3", 3));
    BOOST_TEST(has_mask_of(read(), "/4", 4));  // without text: the picture's own vector
    BOOST_TEST(has_mask_of(read(), "/copy", 6));
    BOOST_TEST(has_mask_of(read(), "/moved", 9));
    BOOST_TEST(verify_collection(path).empty());
    compact_collection(path);
  }
}

BOOST_AUTO_TEST_CASE(a_collection_has_masked_vectors_of_all_its_texts_or_of_none) {
  CollectionWriter writer = write_masking();
  Batch without;
  without.added = {picture("/3", 3)};
  BOOST_CHECK_EXCEPTION(writer.commit(without), Error, is(ErrorCode::InvalidArgument));
  testing::Shelf plain;
  CollectionWriter plain_writer = plain.write();
  Batch with;
  with.added = {masked_picture("/3", 3)};
  BOOST_CHECK_EXCEPTION(plain_writer.commit(with), Error, is(ErrorCode::InvalidArgument));
  plain.add(plain_writer, 0, 4);
  BOOST_TEST(!plain_writer.masked_vector(0).has_value());
}

BOOST_AUTO_TEST_CASE(a_lost_masked_vector_is_found_and_its_row_is_read_again) {
  {
    CollectionWriter writer = write_masking();
    add_masked(writer, 0, 7);
  }
  {
    Store store(layout::records_directory(path, 1), Store::Access::ReadWrite);
    StoreBatch batch;
    batch.erase(codec::row_key(codec::kMaskedPrefix, 3));
    batch.put(codec::row_key(codec::kMaskedPrefix, 100), "stray");
    store.write(std::move(batch));
    store.flush();
  }
  BOOST_CHECK_EXCEPTION(read().masked_vector(3), Error, is(ErrorCode::Corruption));
  BOOST_TEST(verify_collection(path).size() >= 2u);
  const RepairReport report = repair_collection(path);
  BOOST_REQUIRE(report.lost.size() == 1u);
  BOOST_TEST(report.lost[0].subject == "/3");
  BOOST_TEST(verify_collection(path).empty());
  BOOST_TEST(has_mask_of(read(), "/6", 6));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf
