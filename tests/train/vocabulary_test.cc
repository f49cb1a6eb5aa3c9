#include "models/train/vocabulary.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "models/text/tokenizer.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf::train {
namespace {

BOOST_AUTO_TEST_SUITE(vocabulary)

BOOST_AUTO_TEST_CASE(the_most_frequent_pair_is_merged_first) {
  const auto merges = train_merges({"low low low lower", "newest newest"}, 514 + 2);
  BOOST_REQUIRE_EQUAL(merges.size(), 2u);
  BOOST_TEST(merges[0] == "l o");  // four times; "lo w</w>" follows with three
  BOOST_TEST(merges[1] == "lo w</w>");
}

BOOST_AUTO_TEST_CASE(pairs_that_occur_once_are_not_merged) {
  BOOST_TEST(train_merges({"abc"}, 1000).empty());
}

BOOST_AUTO_TEST_CASE(the_size_is_never_exceeded) {
  const std::vector<std::string> texts(3, "many different words make many different pairs");
  BOOST_TEST(vocabulary_size(train_merges(texts, 530)) == 530u);
}

BOOST_AUTO_TEST_CASE(the_order_of_the_texts_changes_nothing) {
  std::vector<std::string> texts = {"red fish blue fish", "one fish two fish", "old fish new fish"};
  const auto merges = train_merges(texts, 560);
  std::reverse(texts.begin(), texts.end());
  BOOST_TEST(train_merges(texts, 560) == merges, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(the_tokenizer_reads_what_was_written) {
  const testing::TemporaryDirectory directory;
  const std::vector<std::string> texts(5, "a photo of a raccoon, naïve 日本");
  const auto merges = train_merges(texts, 600);
  write_vocabulary(merges, directory.path());
  const Tokenizer tokenizer = Tokenizer::load(directory.path(), {});
  BOOST_TEST(tokenizer.size() == static_cast<int32_t>(vocabulary_size(merges)));
  BOOST_TEST(tokenizer.end_id() == tokenizer.size() - 1);
  // A word that stood in every text is one token; one that never did is still spelled.
  BOOST_TEST(tokenizer.encode("raccoon").size() == 1u);
  BOOST_TEST(tokenizer.encode("Raccoon!").size() == 2u);
  BOOST_TEST(tokenizer.encode("zyx").size() == 3u);
  BOOST_TEST(tokenizer.encode("日本").size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::train
