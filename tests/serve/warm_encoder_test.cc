// Which vectors of texts are known without a model, by which model they are kept, and that the first
// state of the collection outlives its successors. No model is loaded.

#include "query/serve/warm_encoder.h"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <memory>

#include "lib/collection/settings.h"
#include "lib/labelling/prompt_cache.h"
#include "lib/util/error.h"
#include "tests/support/random_collection.h"

namespace zeroshelf::serve {
namespace {

constexpr const char* kOwn = "0";  // the fingerprint of RandomCollection's model
constexpr const char* kOther = "another text model";

struct Warm : testing::RandomCollection {
  Warm() {
    options.precision = "fp32";
  }

  SnapshotPointer snapshot() const {
    return std::make_shared<Snapshot>(Snapshot{open(), {}, 1, 1});
  }
  // A prompt with that value everywhere, as a query of that model keeps it.
  void keep(const char* fingerprint, const char* prompt, float value) const {
    Matrix vectors(1, testing::kRandomDimension);
    std::ranges::fill(vectors.row(0), value);
    PromptCache(open().directory(), fingerprint, "fp32", testing::kRandomDimension)
        .keep({prompt}, vectors);
  }
  void remember_text_model() const {
    Settings(open().directory()).remember_text_model({"/no/such/model", kOther});
  }
  static float value_of(WarmEncoder& encoder, const std::string& prompt) {
    return encoder.encode_texts(std::span(&prompt, 1), LongText::Truncate).row(0)[0];
  }

  ModelOptions options;
};

BOOST_FIXTURE_TEST_SUITE(warm_encoder, Warm)

BOOST_AUTO_TEST_CASE(what_the_collection_keeps_needs_no_model) {
  keep(kOwn, "cat", 1);
  WarmEncoder encoder(snapshot(), options);
  BOOST_TEST(value_of(encoder, "cat") == 1);
  BOOST_TEST(encoder.loaded() == nullptr);
  BOOST_CHECK_THROW(value_of(encoder, "dog"), Error);  // there is no such model
}

BOOST_AUTO_TEST_CASE(the_first_state_stays_open) {
  SnapshotPointer first = snapshot();
  const std::weak_ptr<const Snapshot> watched = first;
  WarmEncoder encoder(std::move(first), options);
  BOOST_TEST(!watched.expired());
  BOOST_CHECK_THROW(value_of(encoder, "dog"), Error);  // reads the state to look for the model
}

BOOST_AUTO_TEST_CASE(prompts_of_another_text_model_are_its_own) {
  keep(kOwn, "cat", 1);
  keep(kOther, "cat", 2);
  remember_text_model();
  WarmEncoder encoder(snapshot(), options);
  BOOST_TEST(value_of(encoder, "cat") == 2);
  BOOST_TEST(encoder.text_fingerprint() == kOther);
}

BOOST_AUTO_TEST_CASE(a_text_model_that_was_named_since_the_start_is_not_mixed_in) {
  keep(kOwn, "cat", 1);
  WarmEncoder encoder(snapshot(), options);
  remember_text_model();
  BOOST_TEST(value_of(encoder, "cat") == 1);
  BOOST_CHECK_EXCEPTION(value_of(encoder, "dog"), Error, [](const Error& error) {
    return error.code() == ErrorCode::Incompatible;
  });
}

BOOST_AUTO_TEST_CASE(questions_get_what_is_in_memory) {
  keep(kOwn, "cat", 1);
  WarmEncoder encoder(snapshot(), options);
  keep(kOwn, "dog", 1);  // of another process; nobody looks again
  const View collection = open();
  const std::string prompt = "cat";
  BOOST_TEST(prompt_vectors(collection, std::span(&prompt, 1), encoder).row(0)[0] == 1);
  const std::string other = "dog";
  BOOST_CHECK_THROW(prompt_vectors(collection, std::span(&other, 1), encoder), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
