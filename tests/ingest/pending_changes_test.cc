// When folders are looked at again, by a clock of the test's own.

#include "lib/ingest/pending_changes.h"

#include <boost/test/unit_test.hpp>

namespace zeroshelf {
namespace {

using Clock = PendingChanges::Clock;
using Kind = FolderEvent::Kind;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kNow = int64_t{2'000'000'000} * 1'000'000'000;

struct Changes {
  Clock::time_point at(int64_t ms) const { return start + milliseconds(ms); }
  void happens(Kind kind, const std::string& path, int64_t ms) {
    pending.note({kind, path}, at(ms));
  }
  int64_t due_ms() const {
    return std::chrono::duration_cast<milliseconds>(pending.due() - start).count();
  }
  bool is_left_alone(const std::string& path, int64_t age_s) {
    FoundFile file;
    file.path = path;
    file.mtime_ns = kNow - age_s * 1'000'000'000;
    return pending.is_being_written(file, kNow);
  }
  void look(int64_t end_ms, int64_t cost_ms = 0) {
    pending.begin_look();
    pending.end_look(at(end_ms), milliseconds(cost_ms));
  }

  Clock::time_point start = Clock::now();
  PendingChanges pending{{}, start};
};

constexpr int64_t kEvery = 3'600'000;

BOOST_FIXTURE_TEST_SUITE(pending_changes, Changes)

BOOST_AUTO_TEST_CASE(without_changes_there_is_a_look_now_and_then) {
  BOOST_TEST(due_ms() == kEvery);
  look(5'000);
  BOOST_TEST(due_ms() == 5'000 + kEvery);
  BOOST_TEST((pending.due(milliseconds(100)) == at(5'100)));
}

BOOST_AUTO_TEST_CASE(a_change_is_looked_at_when_it_has_been_quiet) {
  happens(Kind::Finished, "/a", 500);
  BOOST_TEST(due_ms() == 1'500);
  happens(Kind::Changed, "/b", 1'200);
  BOOST_TEST(due_ms() == 2'200);
  look(2'300);
  BOOST_TEST(due_ms() == 2'300 + kEvery);
}

BOOST_AUTO_TEST_CASE(a_flood_is_not_waited_for_to_end) {
  for (int64_t ms = 0; ms < 60'000; ms += 100) happens(Kind::Finished, "/a", ms);
  BOOST_TEST(due_ms() == 10'000);
}

BOOST_AUTO_TEST_CASE(what_was_lost_is_a_change) {
  happens(Kind::Lost, "", 100);
  BOOST_TEST(due_ms() == 1'100);
}

BOOST_AUTO_TEST_CASE(where_something_was_lost_no_file_is_waited_for) {
  happens(Kind::Created, "/a", 0);
  happens(Kind::Lost, "", 100);
  pending.begin_look();
  BOOST_TEST(!is_left_alone("/a", 1));
}

BOOST_AUTO_TEST_CASE(a_file_that_is_being_written_is_left_alone_until_it_is_closed) {
  happens(Kind::Created, "/a", 0);
  BOOST_TEST(due_ms() == 60'000);  // nothing to look at yet
  happens(Kind::Finished, "/b", 100);
  pending.begin_look();
  BOOST_TEST(is_left_alone("/a", 5));
  BOOST_TEST(!is_left_alone("/b", 0));
  pending.end_look(at(2'000), {});
  BOOST_TEST(due_ms() == 62'000);  // it may have been left open
  happens(Kind::Finished, "/a", 30'000);
  BOOST_TEST(due_ms() == 31'000);
  pending.begin_look();
  BOOST_TEST(!is_left_alone("/a", 1));
}

BOOST_AUTO_TEST_CASE(a_file_that_grows_slowly_is_left_alone_and_one_that_does_not_is_complete) {
  happens(Kind::Created, "/a", 0);
  happens(Kind::Changed, "/a", 500);  // its rights
  pending.begin_look();
  BOOST_TEST(is_left_alone("/a", 59));
  pending.end_look(at(60'000), {});
  pending.begin_look();
  BOOST_TEST(!is_left_alone("/a", 60));
  pending.end_look(at(120'000), {});
  BOOST_TEST(due_ms() == 120'000 + kEvery);
}

BOOST_AUTO_TEST_CASE(a_time_in_the_future_says_nothing) {
  happens(Kind::Created, "/a", 0);
  pending.begin_look();
  BOOST_TEST(!is_left_alone("/a", -1'000'000));
}

BOOST_AUTO_TEST_CASE(what_no_look_came_across_is_forgotten) {
  happens(Kind::Created, "/elsewhere", 0);
  look(1'000);
  BOOST_TEST(due_ms() == 1'000 + kEvery);
}

BOOST_AUTO_TEST_CASE(looking_takes_a_tenth_of_the_time_at_most) {
  look(0, 700);
  happens(Kind::Finished, "/a", 0);
  BOOST_TEST(due_ms() == 6'300);
}

BOOST_AUTO_TEST_CASE(a_look_that_failed_is_tried_again_and_not_at_once) {
  look(1'000);
  pending.try_again(at(1'000), seconds(30));
  BOOST_TEST(due_ms() == 31'000);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
