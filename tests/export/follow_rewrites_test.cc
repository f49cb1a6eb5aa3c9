#include "lib/export/follow_rewrites.h"

#include <boost/test/unit_test.hpp>

#include "lib/labelling/kept_truth.h"
#include "tests/collection/shelf.h"
#include "tests/export/keyword_files.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;

struct RewrittenFiles : testing::Shelf {
  RewrittenFiles() {
    CollectionWriter writer = write();
    Batch batch;
    for (uint32_t i = 0; i < 3; ++i) {
      testing::write_file(at(i), "old " + std::to_string(i));
      batch.added.push_back(testing::picture(at(i), i));
      batch.added.back().record.content_hash = testing::indexed(at(i)).content;
    }
    writer.commit(batch);
  }

  std::string at(uint32_t number) const { return (directory / std::to_string(number)).string(); }
  RewrittenFile rewrite(uint32_t number, const std::string& bytes) const {
    const ContentHash before = testing::indexed(at(number)).content;
    testing::write_file(at(number), bytes);
    return {at(number), before, testing::indexed(at(number)).content};
  }
};

BOOST_FIXTURE_TEST_SUITE(following_rewrites, RewrittenFiles)

BOOST_AUTO_TEST_CASE(the_collection_and_what_people_said_follow) {
  KeptTruth truth;
  truth.say(testing::indexed(at(1)).content, "cat", at(1));
  save_truth(View::open(path), "mine", truth);
  const RewrittenFile one = rewrite(1, "new, and longer");
  const RewrittenFile unknown{(directory / "nowhere").string(), one.before, one.after};
  {
    RewriteFollower follower({path});
    const RewrittenFile files[] = {one, unknown};
    follower.follow(path, files);
    follower.finish();
  }
  const View view = View::open(path);
  BOOST_TEST((view.record(1).content_hash == one.after));
  BOOST_TEST(view.record(1).file.size_bytes == 15u);
  BOOST_TEST((view.record(0).content_hash == testing::indexed(at(0)).content));
  BOOST_TEST(*load_truth(view, "mine").find(one.after) == "cat");
  BOOST_TEST(verify_collection(path).empty());

  // A picture that is another by now does not follow.
  follow_rewrites({{path, {{at(1), one.before, {}}}}},
                  [](const fs::path&, const Error& error) { BOOST_ERROR(error.what()); });
  BOOST_TEST((View::open(path).record(1).content_hash == one.after));
  const RewrittenFile back = rewrite(1, "old 1");
  follow_rewrites({{path, {back}}},
                  [](const fs::path&, const Error& error) { BOOST_ERROR(error.what()); });
  BOOST_TEST((View::open(path).record(1).content_hash == one.before));
}

BOOST_AUTO_TEST_CASE(it_waits_for_no_other_writer) {
  const CollectionWriter other = write();
  BOOST_CHECK_EXCEPTION(RewriteFollower({path}), Error, [](const Error& error) {
    return error.code() == ErrorCode::Unavailable;
  });
  int problems = 0;
  follow_rewrites({{path, {}}, {directory / "none", {}}},
                  [&](const fs::path&, const Error&) { ++problems; });
  BOOST_TEST(problems == 2);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
