// The digest of answers: the same for the same pictures in any order, another for any difference,
// and how many differ.

#include "lib/labelling/answers_digest.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <functional>
#include <vector>

#include "lib/util/random.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr uint32_t kDimension = 16;

std::vector<float> unit_vector(Random& random) {
  std::vector<float> vector(kDimension);
  for (float& value : vector) value = static_cast<float>(random.uniform(-1, 1));
  normalise(vector);
  return vector;
}

std::vector<NewPicture> some_pictures(size_t count) {
  Random random{11};
  std::vector<NewPicture> pictures(count);
  for (size_t i = 0; i < count; ++i) {
    NewPicture& picture = pictures[i];
    picture.record.file.path = "/" + std::to_string(i);
    for (uint8_t& byte : picture.record.content_hash) byte = static_cast<uint8_t>(random.next());
    picture.image_vector = unit_vector(random);
    if (i % 3 != 0) continue;
    picture.words = {{"word", 0.9f, {}}};
    picture.record.word_count = 1;
    picture.record.text_confidence = 0.9f;
    picture.text_vector = unit_vector(random);
  }
  return pictures;
}

// Collections of such pictures.
class Made {
 public:
  explicit Made(const std::vector<std::vector<NewPicture>>& parts) {
    Manifest manifest;
    manifest.model_name = "drawn";
    manifest.model_fingerprint = "d4a3";
    manifest.dimension = kDimension;
    manifest.logit_scale = 20;
    for (size_t i = 0; i < parts.size(); ++i) {
      paths_.push_back(directory_ / std::to_string(i));
      Batch batch;
      batch.added = parts[i];
      CollectionWriter::open_or_create(paths_.back(), manifest).commit(batch);
    }
  }

  View open() const { return View::open(paths_); }

  AnswersDigest digest(std::optional<float> multi = {}, unsigned threads = 2,
                       const std::string& rule = "mix", float threshold = 0) const {
    Random random{5};
    Matrix prompts(3, kDimension);
    for (size_t k = 0; k < 3; ++k) std::ranges::copy(unit_vector(random), prompts.row(k).begin());
    const View view = open();
    Labelling labelling = labelling_of(LabelVectors(prompts), default_fusion(view, rule),
                                                {{"a", {"a"}}, {"b", {"b"}}, {"c", {"c"}}});
    if (threshold > 0) labelling.threshold = threshold;
    return digest_answers(view, labelling, multi, 256, threads);
  }

 private:
  testing::TemporaryDirectory directory_;
  std::vector<std::filesystem::path> paths_;
};

bool same(const AnswersDigest& a, const AnswersDigest& b) {
  return a.pictures == b.pictures && a.evidence == b.evidence && a.answers == b.answers &&
         a.scores == b.scores && a.buckets == b.buckets;
}

BOOST_AUTO_TEST_SUITE(answers_digest)

BOOST_AUTO_TEST_CASE(neither_order_nor_parts_nor_paths_nor_threads_nor_removed_rows_matter) {
  const auto pictures = some_pictures(300);
  const Made whole({pictures});
  auto others = pictures;
  std::ranges::reverse(others);
  for (NewPicture& picture : others) picture.record.file.path = "/elsewhere" + picture.record.file.path;
  BOOST_TEST(same(whole.digest({}, 1), Made({others}).digest({}, 4)));
  const auto middle = pictures.begin() + 111;
  BOOST_TEST(same(whole.digest(), Made({{pictures.begin(), middle}, {middle, pictures.end()}}).digest()));
  BOOST_TEST(same(whole.digest(0.1f, 1), Made({others}).digest(0.1f, 3)));

  Made holed({pictures});
  auto removed = pictures;
  removed.erase(removed.begin() + 7);
  {
    CollectionWriter writer =
        CollectionWriter::open_existing(holed.open().parts().front().collection.directory());
    Batch batch;
    batch.removed = {7};
    writer.commit(batch);
  }
  BOOST_TEST(same(holed.digest(), Made({removed}).digest()));
}

BOOST_AUTO_TEST_CASE(what_differs_is_counted_by_its_kind) {
  const auto pictures = some_pictures(40);
  const AnswersDigest before = Made({pictures}).digest();
  const auto changes_of = [&](const std::function<void(std::vector<NewPicture>&)>& change) {
    auto others = pictures;
    change(others);
    return compare_digests(before, Made({others}).digest());
  };
  const AnswerChanges added = changes_of([](auto& all) {
    all.push_back(some_pictures(41).back());
    all.push_back(some_pictures(42).back());
  });
  BOOST_TEST(added.added == 2u);
  BOOST_TEST(added.removed + added.changed == 0u);
  const AnswerChanges removed = changes_of([](auto& all) { all.resize(37); });
  BOOST_TEST(removed.removed == 3u);
  BOOST_TEST(removed.added == 0u);
  const AnswerChanges replaced = changes_of([](auto& all) { all[4].record.content_hash[0] ^= 0x55; });
  BOOST_TEST(replaced.added == 1u);
  BOOST_TEST(replaced.removed == 1u);
  const AnswerChanges changed = changes_of([](auto& all) { all[4].image_vector = all[5].image_vector; });
  BOOST_TEST(changed.changed == 1u);
  const AnswerChanges surer = changes_of([](auto& all) { all[3].record.text_confidence = 0.5f; });
  BOOST_TEST(surer.changed == 1u);
  BOOST_TEST(surer.added + surer.removed == 0u);
}

BOOST_AUTO_TEST_CASE(another_rule_or_threshold_gives_other_answers_of_the_same_pictures) {
  const Made made({some_pictures(60)});
  const AnswersDigest before = made.digest();
  for (const AnswersDigest& now : {made.digest({}, 2, "text"), made.digest({}, 2, "mix", 0.99f)}) {
    BOOST_TEST(now.evidence == before.evidence);
    BOOST_TEST(now.answers != before.answers);
    const AnswerChanges changes = compare_digests(before, now);
    BOOST_TEST(changes.answered > 10u);
    BOOST_TEST(changes.added + changes.removed + changes.changed == 0u);
  }
  BOOST_TEST(made.digest(0.2f).answers != made.digest(0.4f).answers);
}

BOOST_AUTO_TEST_CASE(there_are_as_many_buckets_as_pictures_up_to_a_limit) {
  BOOST_TEST(buckets_for(0) == 1u);
  BOOST_TEST(buckets_for(60) == 64u);
  BOOST_TEST(buckets_for(1'000'000'000) == AnswersDigest::kMostBuckets);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
