// The lexicon as a part of a collection: made with the snapshot, brought up to date at opening,
// found damaged, made again.

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "lib/files/new_file.h"
#include "lib/lexicon/lexical_match.h"
#include "lib/util/file.h"
#include "tests/collection/shelf.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

struct WordShelf : Shelf {
  static void add_text(CollectionWriter& writer, const std::string& path, const std::string& word) {
    Batch batch;
    NewPicture added = picture(path, 3);
    added.words = {{"the", 1, {}}, {word, 1, {}}};
    added.record.word_count = 2;
    if (added.text_vector.empty()) added.text_vector = added.image_vector;
    batch.added.push_back(std::move(added));
    writer.commit(batch);
  }

  // The paths of live pictures that have "the WORD" written in them, in order of rows.
  static std::vector<std::string> found(const Collection& collection, const std::string& word) {
    std::vector<std::string> paths;
    for (const Row row : rows_with_phrases(placed(collection.lexicon()), {{"the", word}})) {
      if (collection.is_live(row)) paths.push_back(collection.record(row).file.path);
    }
    return paths;
  }

  fs::path lexicon_file() const {
    for (const auto& entry : fs::directory_iterator(path)) {
      if (entry.path().filename().string().starts_with("lexicon-")) return entry.path();
    }
    return {};
  }

  void damage() const {
    std::string bytes = read_file(lexicon_file(), 1 << 20);
    bytes[bytes.size() / 2] ^= 1;
    write_file_atomically(lexicon_file(), bytes);
  }
};

using Paths = std::vector<std::string>;

BOOST_FIXTURE_TEST_SUITE(collection_lexicon, WordShelf)

BOOST_AUTO_TEST_CASE(texts_are_found_before_and_after_the_snapshot_and_compaction) {
  {
    CollectionWriter writer = write();
    add_text(writer, "/a", "raccoon");
    add_text(writer, "/b", "skull");
    BOOST_TEST((found(writer, "raccoon") == Paths{"/a"}));
    writer.publish_snapshot(SnapshotWhen::Now);
    add_text(writer, "/c", "raccoon");
    BOOST_TEST((found(writer, "raccoon") == Paths{"/a", "/c"}));
  }
  BOOST_TEST(!lexicon_file().empty());
  BOOST_TEST(read().lexicon().size() == 2);
  BOOST_TEST((found(read(), "raccoon") == Paths{"/a", "/c"}));
  {
    CollectionWriter writer = write();
    writer.commit({.added = {},
                   .moved = {},
                   .copied = {},
                   .removed = {0},
                   .skipped = {},
                   .forgotten_skips = {}});
  }
  BOOST_TEST((found(read(), "raccoon") == Paths{"/c"}));
  BOOST_TEST(verify_collection(path).empty());
  compact_collection(path);
  BOOST_TEST(read().lexicon().size() == 1);
  BOOST_TEST((found(read(), "raccoon") == Paths{"/c"}));
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(a_collection_without_the_file_answers_the_same) {
  {
    CollectionWriter writer = write();
    add_text(writer, "/a", "raccoon");
    writer.publish_snapshot(SnapshotWhen::Now);
  }
  fs::remove(lexicon_file());
  BOOST_TEST((found(read(), "raccoon") == Paths{"/a"}));
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(damage_is_found_by_verify_and_mended_by_repair) {
  {
    CollectionWriter writer = write();
    add_text(writer, "/a", "raccoon");
    writer.publish_snapshot(SnapshotWhen::Now);
  }
  damage();
  BOOST_TEST(!verify_collection(path).empty());
  BOOST_TEST(!repair_collection(path).mended.empty());
  BOOST_TEST(verify_collection(path).empty());
  BOOST_TEST((found(read(), "raccoon") == Paths{"/a"}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::testing
