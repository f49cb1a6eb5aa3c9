// What people said: at once for who asks, with the collection for who comes later, and by several
// processes.

#include "query/serve/truths.h"

#include <boost/test/unit_test.hpp>

#include <array>
#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>

#include "tests/support/random_collection.h"
#include "tests/support/thread_ranks.h"

namespace zeroshelf::serve {
namespace {

namespace fs = std::filesystem;

ContentHash content(uint8_t number) {
  ContentHash hash{};
  hash[0] = number;
  return hash;
}

struct Said : testing::RandomCollection {
  View collection = open();

  uint64_t say(Truths& truths, uint8_t number, const char* label) const {
    return truths.change(collection, [&](KeptTruth& truth) -> uint64_t {
      return truth.say(content(number), label, "/picture");
    });
  }
};

BOOST_FIXTURE_TEST_SUITE(truths_of_people, Said)

BOOST_AUTO_TEST_CASE(what_is_said_is_known_and_kept) {
  Truths truths(collection);
  BOOST_TEST(!label_of(*truths.all(), content(1)).has_value());
  BOOST_TEST(say(truths, 1, "cat") == 1u);
  BOOST_TEST(say(truths, 1, "cat") == 0u);
  BOOST_TEST(label_of(*truths.all(), content(1)).value() == "cat");
  BOOST_TEST(label_of(*Truths(collection).all(), content(1)).value() == "cat");
  BOOST_TEST(truths.count() == 1u);
}

BOOST_AUTO_TEST_CASE(what_another_process_said_stays) {
  Truths ours(collection);
  Truths theirs(collection);
  say(theirs, 1, "cat");
  say(ours, 2, "dog");
  BOOST_TEST(ours.count() == 2u);
  BOOST_TEST(Truths(collection).count() == 2u);
}

BOOST_AUTO_TEST_CASE(what_another_process_says_is_seen_by_the_next_who_asks) {
  Truths ours(collection);
  Truths theirs(collection);
  for (const char* label : {"cat", "dog", "cow"}) {
    say(theirs, 1, label);
    BOOST_TEST(label_of(*ours.all(), content(1)).value() == label);
  }
  theirs.change(collection,
                [](KeptTruth& truth) -> uint64_t { return truth.take_back(content(1)); });
  BOOST_TEST(ours.count() == 0u);
  say(ours, 2, "dog");
  collection.attachments().remove(kTruthKind, kTruthName);
  BOOST_TEST(ours.count() == 0u);
}

BOOST_AUTO_TEST_CASE(it_is_that_of_the_collection_which_is_there) {
  const fs::path here = collection.directory();
  const fs::path other = directory / "other";
  const fs::path kept = directory / "kept";
  fs::copy(here, other, fs::copy_options::recursive);
  Truths truths(collection);
  say(truths, 1, "cat");
  fs::rename(here, kept);
  BOOST_TEST(truths.count() == 1u);  // none is there: as it was
  fs::rename(other, here);
  BOOST_TEST(truths.count() == 0u);
  say(truths, 2, "dog");
  fs::rename(here, other);
  fs::rename(kept, here);
  BOOST_TEST(truths.count() == 1u);
  BOOST_TEST(label_of(*truths.all(), content(1)).value() == "cat");
}

BOOST_AUTO_TEST_CASE(a_change_that_fails_changes_nothing) {
  Truths truths(collection);
  say(truths, 1, "cat");
  BOOST_CHECK_THROW(truths.change(collection,
                                  [](KeptTruth& truth) -> uint64_t {
                                    truth.take_back(content(1));
                                    throw std::runtime_error("no");
                                  }),
                    std::runtime_error);
  BOOST_TEST(truths.count() == 1u);
  BOOST_TEST(Truths(collection).count() == 1u);
}

BOOST_AUTO_TEST_CASE(who_reads_keeps_what_was_said_then) {
  Truths truths(collection);
  say(truths, 1, "cat");
  const auto before = truths.all();
  say(truths, 2, "dog");
  BOOST_TEST(before->all().size() == 1u);
  BOOST_TEST(truths.all()->all().size() == 2u);
}

// As on a file system that shows some of them an earlier state.
BOOST_AUTO_TEST_CASE(all_processes_go_by_what_the_first_one_knows) {
  for (const size_t behind : {size_t{3}, size_t{1}, size_t{0}}) {  // 3: nobody
    std::array<size_t, 3> known{};
    testing::run_ranks(3, [&](Ranks& ranks) {
      KeptTruth own;
      own.say(content(1), "cat", "/a.jpg");
      if (ranks.rank() != behind) own.say(content(2), "dog", "/b.jpg");
      const auto truth = truth_of_first(std::make_shared<const KeptTruth>(own), ranks);
      if (label_of(*truth, content(1)) == "cat") known[ranks.rank()] = truth->all().size();
    });
    const size_t of_first = behind == 0 ? 1 : 2;
    for (const size_t one : known) BOOST_TEST(one == of_first);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
