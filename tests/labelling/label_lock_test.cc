// Lock files: they come back, they hold what they need, and hostile ones are refused.

#include "lib/labelling/label_lock.h"

#include <boost/test/unit_test.hpp>

#include <fstream>

#include "lib/labelling/calibrate.h"
#include "lib/labelling/classifier.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/fake_encoder.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using testing::NoEncoder;

struct LockShelf : testing::DrawnCollection {
  LockShelf() : DrawnCollection(80) {
    Classifier classifier;
    classifier.labels = labels;
    classifier.vectors = vectors;
    classifier.vectors.image_bias = {0, 0, 0};
    classifier.vectors.text_bias = {0, 0, 0};
    classifier.model_fingerprint = "d4a3";
    classifier.learned_from = {1, 2, 3};
    save_classifier(open(), "pets", classifier);
    request.classifier = "pets";
  }

  LabelLock lock(const LabellingRequest& asked, size_t buckets = 0) const {
    const View view = open();
    NoEncoder encoders;
    return make_lock(view, asked, make_labelling(view, asked, encoders), encoders, "1.2.3", buckets);
  }
  LabelLock lock() const { return lock(request); }

  // What the lock's request gives in this collection.
  LabelLock here(const LabelLock& locked) const {
    const View view = open();
    NoEncoder encoders;
    return make_lock(view, locked.request, make_locked_labelling(view, locked, encoders, "x"),
                     encoders, "1.2.3", locked.digest.buckets.size());
  }

  LabellingRequest request;
};

ErrorCode refusal(const std::string& json) {
  try {
    decode_lock(json, "x");
  } catch (const Error& error) {
    return error.code();
  }
  BOOST_ERROR("taken: " + json.substr(0, 200));
  return ErrorCode::Io;
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.find(from);
  BOOST_REQUIRE_MESSAGE(at != std::string::npos, from);
  return text.replace(at, from.size(), to);
}

const LockFinding& finding(const LockVerdict& verdict, std::string_view what) {
  for (const LockFinding& it : verdict.findings)
    if (it.what == what) return it;
  throw std::runtime_error("no finding");
}

BOOST_FIXTURE_TEST_SUITE(label_lock, LockShelf)

BOOST_AUTO_TEST_CASE(a_lock_comes_back_and_says_the_same) {
  const LabelLock made = lock();
  const std::string json = encode_lock(made);
  const LabelLock back = decode_lock(json, "x");
  BOOST_TEST(encode_lock(back) == json);
  BOOST_TEST(back.digest.pictures == 80u);
  const LockVerdict verdict = compare_locks(back, lock(request, back.digest.buckets.size()));
  BOOST_TEST(verdict.same_answers);
  for (const LockFinding& it : verdict.findings) BOOST_TEST(it.same, it.what << ": " << it.detail);
}

BOOST_AUTO_TEST_CASE(a_file_is_never_overwritten) {
  const fs::path file = directory / "labels.lock";
  write_lock(file, lock());
  BOOST_TEST(read_lock(file).digest.pictures == 80u);
  BOOST_CHECK_EXCEPTION(write_lock(file, lock()), Error, [](const Error& error) {
    return error.code() == ErrorCode::InvalidArgument;
  });
}

BOOST_AUTO_TEST_CASE(a_classifier_that_is_gone_stands_in_the_lock) {
  const LabelLock made = decode_lock(encode_lock(lock()), "x");
  open().attachments().remove(kClassifierKind, "pets");
  BOOST_TEST(compare_locks(made, here(made)).same_answers);

  LabelLock large = made;
  large.classifier_content.clear();
  BOOST_CHECK_EXCEPTION(here(large), Error, [](const Error& error) {
    return error.code() == ErrorCode::NotFound;
  });
}

BOOST_AUTO_TEST_CASE(another_classifier_of_that_name_is_told) {
  const LabelLock made = lock();
  const Classifier first = load_classifier(open(), "pets");
  Classifier other = first;
  for (float& value : other.vectors.image.row(0)) value = -value;
  save_classifier(open(), "pets", other);
  const LockVerdict verdict = compare_locks(made, here(made));
  BOOST_TEST(!verdict.same_answers);
  BOOST_TEST(!finding(verdict, "rule").same);
  BOOST_TEST(!finding(verdict, "label vectors").same);
  BOOST_TEST(finding(verdict, "pictures").same);
  BOOST_TEST(verdict.changes.answered > 0u);
  // When and from what it was learned does not matter.
  other = first;
  other.learned_from = {9};
  other.created_utc = "2026-01-01T00:00:00Z";
  save_classifier(open(), "pets", other);
  BOOST_TEST(finding(compare_locks(made, here(made)), "rule").same);
}

BOOST_AUTO_TEST_CASE(a_calibration_stands_in_the_lock_and_the_own_one_comes_first) {
  testing::FakeEncoder encoder;
  LoadedEncoder encoders(encoder);
  const fs::path shelf = directory / "fake";
  Manifest manifest;
  manifest.model_name = "fake";
  manifest.model_fingerprint = encoder.info().fingerprint;
  manifest.dimension = testing::FakeEncoder::kDimension;
  NewPicture picture;
  picture.record.file.path = "/a";
  picture.image_vector = {1, 0, 0, 0, 0, 0, 0, 0};
  Batch batch;
  batch.added.push_back(picture);
  CollectionWriter::open_or_create(shelf, manifest).commit(batch);
  const View view = View::open(shelf);
  KeptCalibration mine{{}, encoder.info().fingerprint, "2026-01-01T00:00:00Z", {"cat"}, 12};
  mine.settings.alpha = 0.25f;
  mine.settings.adaptation = 0.5f;
  save_calibration(view, "mine", mine);
  LabellingRequest asked;
  asked.labels = {{"cat", {"cat"}}, {"dog", {"dog"}}, {"none", {"thing"}}};
  asked.calibration = "mine";
  asked.last_is_none = true;
  const auto made_by = [&](const Labelling& labelling) {
    return make_lock(view, asked, labelling, encoders, "1");
  };
  const LabelLock made = made_by(make_labelling(view, asked, encoders));
  view.attachments().remove(kCalibrationKind, "mine");
  LockVerdict verdict = compare_locks(made, made_by(make_locked_labelling(view, made, encoders, "x")));
  for (const LockFinding& it : verdict.findings) BOOST_TEST(it.same, it.what << ": " << it.detail);
  mine.settings.alpha = 0.5f;
  save_calibration(view, "mine", mine);
  verdict = compare_locks(made, made_by(make_locked_labelling(view, made, encoders, "x")));
  BOOST_TEST(!finding(verdict, "rule").same);
}

BOOST_AUTO_TEST_CASE(a_threshold_and_a_version_are_told) {
  const LabelLock made = lock();
  LabellingRequest other = request;
  other.threshold = 0.9f;
  LabelLock now = lock(other, made.digest.buckets.size());
  now.zeroshelf = "1.2.4";
  const LockVerdict verdict = compare_locks(made, now);
  BOOST_TEST(finding(verdict, "rule").detail.find("threshold 0.9 here, no threshold") !=
             std::string::npos);
  BOOST_TEST(finding(verdict, "version").detail == "1.2.4 here, 1.2.3 in the lock");
  BOOST_TEST(finding(verdict, "labels").same);
}

BOOST_AUTO_TEST_CASE(hostile_locks_are_refused) {
  const std::string good = encode_lock(lock());
  for (size_t i = 0; i < good.size() - 1; i += 1 + i / 50)
    BOOST_TEST((refusal(good.substr(0, i)) == ErrorCode::Corruption));
  for (const char* text : {"", "[]", "7", "{}", "{\"type\":\"run\"}", "{\"type\":7}"})
    BOOST_TEST((refusal(text) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"format\": 1", "\"format\": 2")) == ErrorCode::Incompatible));
  BOOST_TEST((refusal(replaced(good, "\"format\": 1", "\"format\": -1")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"count\": 80", "\"count\": 81")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"count\": 80", "\"count\": 79")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"table\": \"", "\"table\": \"AAAA")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"table\": \"", "\"table\": \"!")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"sha256\": \"", "\"sha256\": \"0")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"content\": \"", "\"content\": \"AAAA")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(replaced(good, "\"alpha\": ", "\"alpha\": -")) == ErrorCode::Corruption));
  BOOST_TEST((refusal(std::string(100, '[')) == ErrorCode::Corruption));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
