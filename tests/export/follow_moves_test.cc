#include "lib/export/follow_moves.h"

#include <boost/test/unit_test.hpp>

#include <filesystem>

#include "lib/collection/collection.h"
#include "lib/util/error.h"
#include "tests/collection/shelf.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct MovedFiles : testing::Shelf {
  MovedFiles() {
    CollectionWriter writer = write();
    Batch batch;
    for (uint32_t i = 0; i < 3; ++i) {
      testing::write_file(at(i), std::to_string(i));
      batch.added.push_back(testing::picture(at(i), i));
    }
    writer.commit(batch);
  }

  std::string at(uint32_t number) const { return (directory / std::to_string(number)).string(); }
  std::string moved(uint32_t number) const { return at(number) + ".moved"; }

  MovedFile move(uint32_t number) const {
    fs::rename(at(number), moved(number));
    return {at(number), moved(number)};
  }
};

BOOST_FIXTURE_TEST_SUITE(following_moves, MovedFiles)

BOOST_AUTO_TEST_CASE(pictures_are_where_their_files_are) {
  BOOST_TEST(follow_moves(path, {move(0), move(2)}) == 2u);
  const Collection collection = read();
  BOOST_TEST(!collection.find_path(at(0)));
  BOOST_TEST(collection.find_path(moved(0)).value() == 0u);
  BOOST_TEST(collection.find_path(at(1)).value() == 1u);
  BOOST_TEST(collection.record(2).file.path == moved(2));
  BOOST_TEST(collection.record(2).file.size_bytes == 1u);
  BOOST_TEST(verify_collection(path).empty());
}

BOOST_AUTO_TEST_CASE(a_file_that_did_not_move_or_is_unknown_changes_nothing) {
  fs::copy_file(at(0), moved(0));
  BOOST_TEST(follow_moves(path, {{at(0), moved(0)}, {"/nowhere", moved(0)}}) == 0u);
  fs::remove(at(1));
  BOOST_TEST(follow_moves(path, {{at(1), moved(1)}}) == 0u);
  BOOST_TEST(read().find_path(at(0)).value() == 0u);
  BOOST_TEST(read().find_path(at(1)).value() == 1u);
}

BOOST_AUTO_TEST_CASE(it_waits_for_no_other_writer) {
  const CollectionWriter other = write();
  const MovedFile file = move(0);
  BOOST_CHECK_EXCEPTION(follow_moves(path, {file}), Error,
                        [](const Error& error) { return error.code() == ErrorCode::Unavailable; });
  BOOST_TEST(follow_moves(path, {}) == 0u);  // nothing to tell it
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
