#include "lib/collection/rewrite.h"

#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

using testing::Shelf;

BOOST_AUTO_TEST_SUITE(rewrite)

BOOST_AUTO_TEST_CASE(rows_stay_and_their_contents_are_others) {
  const Shelf shelf;
  {
    CollectionWriter writer = shelf.write();
    Shelf::add(writer, 0, 20);
  }
  const Row row = *shelf.read().find_path("/7");
  const PictureRecord before = shelf.read().record(row);
  ContentHash content{};
  content.fill(0xab);
  FileStamp file = before.file;
  file.size_bytes += 100;
  file.mtime_ns += 5;
  file.identity = {1, 2, 3};
  {
    CollectionRewriter rewriter = CollectionRewriter::open(shelf.path);
    const RewrittenPicture picture{row, file, content};
    rewriter.commit({&picture, 1});
    BOOST_TEST((rewriter.find_content(content) == row));
    BOOST_CHECK_THROW(shelf.write(), Error);  // it is the one writer
  }
  const Collection after = shelf.read();
  BOOST_TEST(*after.find_path("/7") == row);
  BOOST_TEST((after.record(row).content_hash == content));
  BOOST_TEST(after.record(row).file.size_bytes == file.size_bytes);
  BOOST_TEST(!after.find_content(before.content_hash).has_value());
  BOOST_TEST((after.find_content(content) == row));
  BOOST_TEST(after.counts().tombstones == 0u);
  BOOST_TEST(after.counts().pictures == 20u);
  BOOST_TEST(after.words(row).size() == before.word_count);
  after.for_each_identity([&](std::string_view path, const FileIdentity& identity) {
    if (path == "/7") BOOST_TEST((identity == file.identity));
  });
  BOOST_TEST(verify_collection(shelf.path).empty());

  // And back: all is as it was.
  {
    CollectionRewriter rewriter = CollectionRewriter::open(shelf.path);
    const RewrittenPicture both[] = {{row, file, content}, {row, before.file, before.content_hash}};
    rewriter.commit(both);
  }
  BOOST_TEST(testing::holds(shelf.read(), "/7", 7));
  BOOST_TEST(verify_collection(shelf.path).empty());
  BOOST_TEST(compact_collection(shelf.path) == 0u);
  BOOST_TEST(testing::holds(shelf.read(), "/7", 7));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
