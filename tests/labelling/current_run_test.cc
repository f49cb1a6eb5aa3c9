// Runs that are kept current: what came gets its answers, what was there keeps its own.

#include "lib/labelling/current_run.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>

#include "lib/labelling/classifier.h"
#include "lib/labelling/kept_request.h"
#include "lib/util/error.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/fake_encoder.h"

namespace zeroshelf {
namespace {

using testing::NoEncoder;

struct CurrentShelf : testing::DrawnCollection {
  CurrentShelf() : DrawnCollection(30) {
    keep_classifier(labels);
    request.classifier = "pets";
    request.threshold = 0.4f;
    const View view = open();
    save_run(view, "monday", make_run(view, make_labelling(view, request, encoders)));
    save_request(view, "monday", request);
  }

  void keep_classifier(const std::vector<Label>& names) {
    Classifier classifier;
    classifier.labels = names;
    classifier.vectors = vectors;
    classifier.vectors.image_bias = {0, 0, 0};
    classifier.vectors.text_bias = {0, 0, 0};
    classifier.model_fingerprint = "d4a3";
    save_classifier(open(), "pets", classifier);
  }

  void add(int count) {
    Batch batch;
    for (int i = 0; i < count; ++i) {
      NewPicture picture;
      picture.record.file.path = "/new" + std::to_string(i);
      for (size_t j = 0; j < 8; ++j)
        picture.record.content_hash[j] = static_cast<uint8_t>(random.next());
      picture.image_vector = unit_vector();
      batch.added.push_back(std::move(picture));
    }
    CollectionWriter::open_existing(directory / "collection").commit(batch);
  }

  // The code of what is thrown.
  template <class Call>
  static ErrorCode refusal(const Call& call) {
    try {
      call();
    } catch (const Error& error) {
      return error.code();
    }
    BOOST_ERROR("nothing was thrown");
    return ErrorCode::Io;
  }

  NoEncoder encoders;
  LabellingRequest request;
};

BOOST_FIXTURE_TEST_SUITE(current_run, CurrentShelf)

BOOST_AUTO_TEST_CASE(what_came_gets_its_answers_and_what_was_there_keeps_its_own) {
  BOOST_TEST(new_answers(open(), "monday", encoders).rows.empty());
  const Run before = load_run(open(), "monday");
  add(5);
  const View view = open();
  const NewAnswers answers = new_answers(view, "monday", encoders);
  BOOST_REQUIRE_EQUAL(answers.rows.size(), 5u);
  keep_answers(view, "monday", answers);
  const Run after = load_run(view, "monday");
  BOOST_TEST(after.entries.size() == 35u);
  const Run all = make_run(view, make_labelling(view, request, encoders));
  for (const RunEntry& entry : after.entries) {
    const RunEntry* known = before.find(entry.key);
    const RunEntry* expected = known != nullptr ? known : all.find(entry.key);
    BOOST_TEST((expected->label == entry.label));
    BOOST_TEST(expected->score == entry.score);
  }
  BOOST_TEST(new_answers(view, "monday", encoders).rows.empty());
}

BOOST_AUTO_TEST_CASE(only_a_run_that_says_what_was_asked_is_kept_current) {
  const View view = open();
  BOOST_TEST((refusal([&] { keep_current(view, "tuesday", {}); }) == ErrorCode::NotFound));
  view.attachments().remove(kRequestKind, "monday");
  BOOST_TEST((refusal([&] { keep_current(view, "monday", {}); }) == ErrorCode::InvalidArgument));
  BOOST_TEST(!load_current(view, "monday").has_value());
}

BOOST_AUTO_TEST_CASE(a_classifier_with_other_labels_is_refused) {
  keep_classifier({{"x", {"x"}}, {"y", {"y"}}, {"z", {"z"}}});
  add(1);
  BOOST_TEST((refusal([&] { new_answers(open(), "monday", encoders); }) == ErrorCode::Incompatible));
}

BOOST_AUTO_TEST_CASE(a_run_of_other_labels_that_took_its_name_meanwhile_stays_as_it_is) {
  add(1);
  const NewAnswers answers = new_answers(open(), "monday", encoders);
  Run other = load_run(open(), "monday");
  other.labels[0].name = "x";
  save_run(open(), "monday", other);
  keep_answers(open(), "monday", answers);
  BOOST_TEST(load_run(open(), "monday").entries.size() == 30u);
}

BOOST_AUTO_TEST_CASE(what_is_done_with_answers_comes_back_and_goes_with_the_run) {
  const View view = open();
  const std::string folder = "/sorted/caf\xe9";  // a name that is no UTF-8
  keep_current(view, "monday", {folder, "copy"});
  BOOST_TEST(load_current(view, "monday")->export_to == folder);
  BOOST_TEST(load_current(view, "monday")->mode == "copy");
  BOOST_TEST(remove_run(view, "monday"));
  BOOST_TEST(!load_current(view, "monday").has_value());
  BOOST_TEST(!load_request(view, "monday").has_value());
  BOOST_TEST(!remove_run(view, "monday"));
}

BOOST_AUTO_TEST_CASE(two_runs_want_two_roots_and_labels_that_can_be_keywords) {
  const View view = open();
  Run run = load_run(view, "monday");
  save_run(view, "tuesday", run);
  save_request(view, "tuesday", request);
  keep_current(view, "monday", {"", "symlink", "machine/pets"});
  keep_current(view, "monday", {"", "symlink", "machine/pets"});  // once more: it is its own
  BOOST_TEST(load_current(view, "monday")->keyword_root == "machine/pets");
  for (const char* root : {"machine/pets", "machine", "machine/pets/2", "/", "\x1b"})
    BOOST_TEST((refusal([&] { keep_current(view, "tuesday", {"", "symlink", root}); }) ==
                ErrorCode::InvalidArgument));
  keep_current(view, "tuesday", {"", "symlink", "machine/pets2"});
  run.labels[1].name = "//";
  save_run(view, "tuesday", run);
  keep_current(view, "tuesday", {});
  BOOST_TEST((refusal([&] { keep_current(view, "tuesday", {"", "symlink", "other"}); }) ==
              ErrorCode::InvalidArgument));
}

BOOST_AUTO_TEST_CASE(what_was_kept_before_there_were_keywords_is_read) {
  const CurrentRun earlier = decode_current(R"({"export_to":"L3NvcnRlZA==","mode":"copy"})", "x");
  BOOST_TEST(earlier.export_to == "/sorted");
  BOOST_TEST(earlier.keyword_root == "");
}

BOOST_AUTO_TEST_CASE(damaged_bytes_are_refused) {
  const std::string good = encode_current({"/sorted", "copy", "machine"});
  for (size_t i = 0; i < good.size(); ++i)
    BOOST_TEST((refusal([&] { decode_current(good.substr(0, i), "x"); }) == ErrorCode::Corruption));
  for (const CurrentRun& bad : {CurrentRun{"sorted", "copy"}, CurrentRun{"/sorted", "move"},
                                CurrentRun{"/sorted", "copy", "/"}}) {
    const std::string bytes = encode_current(bad);
    BOOST_TEST((refusal([&] { decode_current(bytes, "x"); }) == ErrorCode::Corruption));
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
