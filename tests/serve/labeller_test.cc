// The kept answers against what the commands compute anew for every question, for models of both
// kinds of scores; who waits, who was overtaken, and what a person is told.

#include "query/serve/labeller.h"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <memory>
#include <stdexcept>
#include <thread>

#include "lib/labelling/prompt_cache.h"
#include "lib/labels/labels.h"
#include "lib/util/error.h"
#include "tests/support/random_collection.h"

namespace zeroshelf::serve {
namespace {

// As a command has it: the prompts are kept with the collection.
class NoModel : public EncoderSource {
 public:
  Encoder& encoder(EncoderSide) override { throw std::logic_error("a prompt is not kept"); }
  std::string precision() const override { return "fp32"; }
  bool is_named() const override { return false; }
};

struct Labelled : testing::RandomCollection {
  explicit Labelled(std::optional<float> logit_bias = {}) : RandomCollection(logit_bias) {
    std::vector<std::string> prompts = default_none_prompts();
    prompts.insert(prompts.end(), {"a", "b", "c", "nothing"});
    PromptCache(open().directory(), "0", "fp32", testing::kRandomDimension)
        .keep(prompts, testing::random_matrix(random, prompts.size()));
    auto made = std::make_shared<Snapshot>(Snapshot{open(), {}, 1, 1});
    made->counts = made->view.counts();
    snapshot = made;
    ModelOptions options;
    options.precision = "fp32";
    encoder = std::make_unique<WarmEncoder>(snapshot, options);
    labeller = std::make_unique<Labeller>(*encoder, gate);
  }

  static AskedLabelling asked_of(const char* body) {
    const nlohmann::json json = nlohmann::json::parse(body);
    Members members(json, "");
    AskedLabelling asked = ask_labelling(members);
    members.expect_no_others();
    return asked;
  }
  std::shared_ptr<const Shelves> ask(const AskedLabelling& asked) {
    return labeller->shelves(snapshot, asked, [] {});
  }

  // Counts and rows of the kept answers, against those of a command.
  void check(const AskedLabelling& asked) {
    NoModel commands;
    const Labelling labelling = make_labelling(snapshot->view, asked.request, commands);
    const PictureCounts expected = count_pictures(snapshot->view, labelling, asked.multi());
    const auto shelves = ask(asked);
    const auto counts = shelves->count(asked.request.threshold, 10, 3, ShelfOrder::Score);
    BOOST_TEST(counts.of_label == expected.of_label, boost::test_tools::per_element());
    BOOST_TEST(counts.unsure == expected.unanswered);
    BOOST_TEST(shelves->labelling_with(asked.request.threshold).none_is_rest ==
               labelling.none_is_rest);
    if (asked.request.several) return;
    const std::vector<Prediction> predictions = classify(snapshot->view, labelling);
    for (uint32_t k = 0; k < labelling.labels.size(); ++k) {
      for (const Row row : *shelves->shelf(k, asked.request.threshold, ShelfOrder::Score))
        BOOST_TEST((predictions[row].winner && predictions[row].fused.label == k));
    }
  }

  // Every way to ask, each threshold with what the one before it has left in memory.
  void check_all() {
    size_t ways = 0;
    for (const char* none : {"false", "true", R"(["nothing"])"}) {
      for (const char* multi : {"false", "true"}) {
        for (const char* threshold : {"null", "0", "0.3", "0.6", "0.9", "null"}) {
          const std::string body = std::string(R"({"labels":[{"name":"a"},{"name":"b"},{"name":"c"}],)") +
                                   R"("none":)" + none + R"(,"multi":)" + multi +
                                   R"(,"threshold":)" + threshold + "}";
          BOOST_TEST_CONTEXT(body) check(asked_of(body.c_str()));
          ++ways;
        }
      }
    }
    BOOST_TEST(ways == 36u);
  }

  SnapshotPointer snapshot;
  Gate gate;
  std::unique_ptr<WarmEncoder> encoder;
  std::unique_ptr<Labeller> labeller;
};

constexpr const char* kThree = R"({"labels":[{"name":"a"},{"name":"b"},{"name":"c"}]})";

BOOST_FIXTURE_TEST_SUITE(labeller_of_answers, Labelled)

BOOST_AUTO_TEST_CASE(every_question_is_answered_as_a_command_answers_it) { check_all(); }

BOOST_AUTO_TEST_CASE(so_are_those_of_a_model_with_a_sigmoid) { Labelled(-2.0f).check_all(); }

BOOST_AUTO_TEST_CASE(a_moved_threshold_scans_nothing_again) {
  AskedLabelling asked = asked_of(kThree);
  ask(asked);
  for (const float threshold : {0.1f, 0.5f, 0.9f}) {
    asked.request.threshold = threshold;
    ask(asked);
  }
  BOOST_TEST(labeller->figures().scans == 1u);
  BOOST_TEST(labeller->figures().hits == 3u);
  asked.request.labels.pop_back();
  ask(asked);
  BOOST_TEST(labeller->figures().scans == 2u);
}

BOOST_AUTO_TEST_CASE(with_a_sigmoid_only_the_first_threshold_and_those_of_none_scan) {
  Labelled sigmoid(-2.0f);
  AskedLabelling asked = asked_of(kThree);
  sigmoid.ask(asked);
  for (const float threshold : {0.1f, 0.5f, 0.9f}) {
    asked.request.threshold = threshold;
    sigmoid.ask(asked);
  }
  BOOST_TEST(sigmoid.labeller->figures().scans == 2u);
  asked = asked_of(R"({"labels":[{"name":"a"}],"none":true,"threshold":0.5})");
  sigmoid.ask(asked);
  asked.request.threshold = 0.6f;
  sigmoid.ask(asked);
  BOOST_TEST(sigmoid.labeller->figures().scans == 4u);
}

BOOST_AUTO_TEST_CASE(answers_of_earlier_states_are_forgotten) {
  ask(asked_of(kThree));
  BOOST_TEST(labeller->figures().bytes > 0u);
  labeller->forget_others(1);
  BOOST_TEST(labeller->figures().bytes > 0u);
  labeller->forget_others(2);
  BOOST_TEST(labeller->figures().bytes == 0u);
}

BOOST_AUTO_TEST_CASE(one_label_gets_everything_unless_a_sigmoid_judges_it_alone) {
  AskedLabelling alone = asked_of(R"({"labels":[{"name":"a"}]})");
  BOOST_TEST(labeller->warnings(ask(alone)->labelling()).size() == 1u);
  BOOST_TEST(labeller->warnings(ask(asked_of(kThree))->labelling()).empty());
  Labelled sigmoid(-2.0f);
  BOOST_TEST(sigmoid.labeller->warnings(sigmoid.ask(alone)->labelling()).size() == 1u);
  alone.request.threshold = 0.5f;
  BOOST_TEST(sigmoid.labeller->warnings(sigmoid.ask(alone)->labelling()).empty());
  const AskedLabelling twins =
      asked_of(R"({"labels":[{"name":"x","prompts":["a"]},{"name":"y","prompts":["a"]}]})");
  BOOST_TEST(labeller->warnings(ask(twins)->labelling()).front().find("'x', 'y' are the same") == 0u);
}

BOOST_AUTO_TEST_CASE(who_gives_up_waiting_keeps_nobody_from_it) {
  auto inside = std::make_unique<Gate::Pass>(gate, [] {});
  BOOST_CHECK_THROW(Gate::Pass(gate, [] { throw std::runtime_error("gone"); }), std::runtime_error);
  BOOST_TEST(gate.waiting() == 1u);
  std::atomic<bool> entered = false;
  std::thread other([&] {
    const Gate::Pass pass(gate, [] {});
    entered = true;
  });
  while (gate.waiting() < 2) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  BOOST_TEST(!entered);
  inside.reset();
  other.join();
  BOOST_TEST(entered);
  BOOST_TEST(gate.waiting() == 0u);
}

BOOST_AUTO_TEST_CASE(a_later_request_overtakes_only_its_own_client_and_kind) {
  Clients clients;
  const uint64_t first = clients.arrive("classify ", "page");
  const uint64_t search = clients.arrive("search ", "page");
  const uint64_t nobody = clients.arrive("classify ", "");
  BOOST_TEST(!clients.is_overtaken("classify ", "page", first));
  const uint64_t second = clients.arrive("classify ", "page");
  clients.arrive("classify ", "");
  BOOST_TEST(clients.is_overtaken("classify ", "page", first));
  BOOST_TEST(!clients.is_overtaken("classify ", "page", second));
  BOOST_TEST(!clients.is_overtaken("search ", "page", search));
  BOOST_TEST(!clients.is_overtaken("classify ", "", nobody));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
