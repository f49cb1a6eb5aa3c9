// Removed pictures come back from what they left behind, until compaction.

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using testing::holds;
using testing::picture;
using testing::Shelf;
using testing::stamp;

constexpr uint32_t kWithText = 3;  // shelf.h: every third has text

BOOST_FIXTURE_TEST_SUITE(removed_pictures, Shelf)

BOOST_AUTO_TEST_CASE(a_removed_picture_is_restored_whole_under_another_path) {
  const ContentHash hash = picture("", kWithText).record.content_hash;
  {
    CollectionWriter writer = write();
    add(writer, 0, 6);
    BOOST_TEST(!writer.can_restore(hash, ""));
    writer.commit({.removed = {*writer.find_path("/3")}});
    BOOST_TEST(!writer.find_content(hash).has_value());
  }
  {
    CollectionWriter writer = write();
    BOOST_TEST(writer.can_restore(hash, ""));
    Batch batch;
    batch.restored.emplace_back(hash, stamp("/back"));
    writer.commit(batch);
    BOOST_TEST(holds(writer, "/back", kWithText));
    BOOST_TEST(!writer.can_restore(hash, ""));
    BOOST_TEST(writer.counts().pictures == 6u);
  }
  BOOST_TEST(holds(read(), "/back", kWithText));
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(a_replaced_picture_can_be_had_back_too) {
  CollectionWriter writer = write();
  add(writer, 0, 2);
  writer.commit({.added = {picture("/1", 77)}});
  BOOST_TEST(writer.can_restore(picture("", 1).record.content_hash, ""));
}

BOOST_AUTO_TEST_CASE(compaction_gives_up_what_removed_pictures_left_behind) {
  const ContentHash hash = picture("", 1).record.content_hash;
  {
    CollectionWriter writer = write();
    add(writer, 0, 4);
    writer.commit({.removed = {*writer.find_path("/1")}});
    writer.compact();
    BOOST_TEST(!writer.can_restore(hash, ""));
  }
  Batch batch;
  batch.restored.emplace_back(hash, stamp("/1"));
  BOOST_CHECK_THROW(write().commit(batch), Error);
  BOOST_TEST(read().counts().pictures == 3u);
}

BOOST_AUTO_TEST_CASE(what_was_read_in_other_languages_stays_with_its_picture) {
  NewPicture german = picture("/german", kWithText);
  german.read_in = "deu";
  NewPicture unread = picture("/unread", 1);
  unread.read_in = "";
  {
    CollectionWriter writer = write();
    writer.commit({.added = {german, unread, picture("/plain", 6)}});
    const std::string told = writer.manifest().ocr_languages;
    const Row row = *writer.find_path("/german");
    BOOST_TEST(writer.text_languages(row) == "deu");
    BOOST_TEST(writer.text_languages(*writer.find_path("/unread")) == "");
    BOOST_TEST(writer.text_languages(*writer.find_path("/plain")) == told);
    writer.commit({.copied = {{row, stamp("/copy")}}, .removed = {}});
    writer.commit({.moved = {{row, stamp("/moved")}}});
    writer.commit({.removed = {*writer.find_path("/plain")}});
    writer.compact();
  }
  {
    CollectionWriter writer = write();
    BOOST_TEST(writer.text_languages(*writer.find_path("/copy")) == "deu");
    BOOST_TEST(writer.text_languages(*writer.find_path("/moved")) == "deu");
    writer.commit({.removed = {*writer.find_path("/copy"), *writer.find_path("/moved")}});
    const ContentHash hash = german.record.content_hash;
    BOOST_TEST(writer.can_restore(hash, "deu"));
    BOOST_TEST(writer.can_restore(hash, ""));
    BOOST_TEST(!writer.can_restore(hash, "eng"));
    Batch batch;
    batch.restored.emplace_back(hash, stamp("/back"));
    writer.commit(batch);
    BOOST_TEST(writer.text_languages(*writer.find_path("/back")) == "deu");
  }
  size_t others = 0;
  read().for_each_languages([&](Row, const std::string&) { ++others; });
  BOOST_TEST(others == 2u);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(the_identity_of_a_file_follows_its_path) {
  const auto identities = [&](const Collection& collection) {
    std::map<std::string, FileIdentity> found;
    collection.for_each_identity([&](std::string_view file, const FileIdentity& identity) {
      found.emplace(file, identity);
    });
    return found;
  };
  const FileIdentity identity{2, 7, -1};
  NewPicture known = picture("/known", 1);
  known.record.file.identity = identity;
  FileStamp broken = stamp("/broken");
  broken.identity = {2, 8, 5};
  {
    CollectionWriter writer = write();
    Batch batch;
    batch.added = {known, picture("/unknown", 2)};
    batch.skipped = {{broken, {SkipReason::Damaged, "damaged"}}};
    writer.commit(batch);
    BOOST_TEST(identities(writer).size() == 2u);
    BOOST_TEST((identities(writer)["/known"] == identity));
    FileStamp seen = stamp("/unknown");
    seen.identity = {2, 9, 5};
    Batch more;
    more.seen = {seen};
    FileStamp moved = stamp("/elsewhere");
    moved.identity = identity;
    more.moved = {{*writer.find_path("/known"), moved}};
    writer.commit(more);
    writer.commit({.removed = {*writer.find_path("/unknown")}});
    writer.commit({.forgotten_skips = {"/broken"}});
  }
  const auto left = identities(read());
  BOOST_TEST(left.size() == 1u);
  BOOST_TEST(left.contains("/elsewhere"));
  write().compact();
  BOOST_TEST((identities(read()) == left));
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
