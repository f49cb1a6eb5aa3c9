// What bodies ask for, and what in them is refused. Real bodies through the server: serve_test.py.

#include "query/serve/asked.h"

#include <boost/test/unit_test.hpp>

#include <set>
#include <string>

#include "lib/labels/labels.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"

namespace zeroshelf::serve {
namespace {

AskedLabelling labelling_of(const std::string& body) {
  const nlohmann::json json = parse_body(body);
  Members members(json, "");
  AskedLabelling asked = ask_labelling(members);
  members.expect_no_others();
  return asked;
}

// The subject of the error; "": it was taken.
std::string refused(const std::string& body) {
  try {
    labelling_of(body);
    return "";
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::InvalidArgument));
    return error.subject();
  }
}

std::string refused_search(const std::string& body) {
  try {
    ask_search(body);
    return "";
  } catch (const Error& error) {
    BOOST_TEST((error.code() == ErrorCode::InvalidArgument));
    return error.subject();
  }
}

BOOST_AUTO_TEST_SUITE(asked)

BOOST_AUTO_TEST_CASE(a_labelling_says_what_the_flags_say) {
  const AskedLabelling asked = labelling_of(
      R"({"labels":[{"name":"cat","prompts":["a cat"]},{"name":"dog"}],"template":["a {}","the {}"],
          "none":["nothing"],"threshold":0.25,"multi":true,"fusion":"image","client":"page"})");
  const LabellingRequest& request = asked.request;
  BOOST_REQUIRE(request.labels.size() == 3u);
  BOOST_TEST(request.labels[0].prompts == std::vector<std::string>{"a cat"});
  BOOST_TEST((request.labels[1].prompts == std::vector<std::string>{"a dog", "the dog"}));
  BOOST_TEST(request.labels[2].name == kNoneLabel);
  BOOST_TEST(request.last_is_none);
  BOOST_TEST(request.none_has_own_prompts);
  BOOST_TEST(request.several);
  BOOST_TEST(request.threshold.value() == 0.25f);
  BOOST_TEST(asked.multi().value() == 0.25f);
  BOOST_TEST(request.fusion == "image");
  BOOST_TEST(asked.client == "page");
}

BOOST_AUTO_TEST_CASE(a_label_may_be_its_name_alone) {
  const AskedLabelling asked =
      labelling_of(R"({"labels":["cat",{"name":"dog"}],"template":"a {}"})");
  BOOST_REQUIRE(asked.request.labels.size() == 2u);
  BOOST_TEST(asked.request.labels[0].name == "cat");
  BOOST_TEST(asked.request.labels[0].prompts == std::vector<std::string>{"a cat"});
  BOOST_TEST(refused(R"({"labels":["cat","cat"]})") != "");
  BOOST_TEST(refused(R"({"labels":["cat"," "]})") == "labels[1]");
  BOOST_TEST(refused("{\"labels\":[\"" + std::string(2000, 'a') + "\"]}") == "labels[0]");
}

BOOST_AUTO_TEST_CASE(prompts_are_texts_vetoes_and_pictures_by_their_rows) {
  const AskedLabelling asked = labelling_of(
      R"({"labels":[{"name":"cat","prompts":["a cat","- a dog",{"row":12},{"row":3,"veto":true}]}]})");
  BOOST_TEST((asked.request.labels[0].prompts ==
              std::vector<std::string>{"a cat", "- a dog", "@#12", "- @#3"}));
  for (const char* prompt :
       {R"("@/etc/passwd")", R"("- @/etc/passwd")", R"("@#12")", R"("@")", "{}", "12",
        R"({"row":-1})", R"({"row":1,"path":"/etc/passwd"})", "[]", "null"}) {
    const std::string body = std::string(R"({"labels":[{"name":"a","prompts":[)") + prompt + "]}]}";
    BOOST_TEST(refused(body).starts_with("labels[0].prompts[0]"), body);
  }
  BOOST_TEST(labelling_of(R"({"labels":["a/b","a/c"]})").request.labels[1].prompts[0] == "c");
  const AskedLabelling flat = labelling_of(R"({"labels":["a/b","a/c"],"flat":true})");
  BOOST_TEST(flat.request.labels[1].prompts[0] == "a/c");
  BOOST_TEST((flat.request.slash == Slash::Letter));
  BOOST_TEST(labelling_of(R"({"labels":["a/b","a/c"],"depth":1})").request.depth.value() == 1u);
  BOOST_TEST(refused(R"({"labels":["a"],"depth":0})") == "depth");
  BOOST_TEST(refused(R"({"labels":["a"],"depth":1,"multi":true})") == "depth");
}

BOOST_AUTO_TEST_CASE(what_the_library_refuses_has_the_name_of_the_member) {
  BOOST_TEST(refused(R"({"labels":["a"],"fusion":"foo"})") == "fusion");
  BOOST_TEST(refused(R"({"labels":[]})") == "labels");
  BOOST_TEST(refused("{}") == "labels");
}

BOOST_AUTO_TEST_CASE(none_has_default_prompts_unless_some_are_given) {
  const AskedLabelling with = labelling_of(R"({"labels":[{"name":"a"}],"none":true})");
  BOOST_TEST(with.request.last_is_none);
  BOOST_TEST(!with.request.none_has_own_prompts);
  BOOST_TEST(with.request.labels.back().prompts == default_none_prompts());
  for (const char* none : {"false", "null"}) {
    const AskedLabelling without =
        labelling_of(std::string(R"({"labels":[{"name":"a"}],"none":)") + none + "}");
    BOOST_TEST(!without.request.last_is_none);
    BOOST_TEST(without.request.labels.size() == 1u);
  }
}

BOOST_AUTO_TEST_CASE(several_labels_have_a_threshold_of_their_own) {
  BOOST_TEST(!labelling_of(R"({"labels":[{"name":"a"}],"threshold":0.5})").multi().has_value());
  BOOST_TEST(labelling_of(R"({"labels":[{"name":"a"}],"multi":true})").multi().value() == 0.1f);
}

BOOST_AUTO_TEST_CASE(what_is_misspelt_or_out_of_range_is_refused_by_its_name) {
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"treshold":0.5})") == "treshold");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"threshold":1.5})") == "threshold");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"threshold":"0.5"})") == "threshold");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"multi":1})") == "multi");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"},{"prompts":["b"]}]})") == "labels[1].name");
  BOOST_TEST(refused(R"({"labels":[{"name":"a","prompt":"b"}]})") == "labels[0].prompt");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"template":"a"})") == "template");
  BOOST_TEST(refused(R"({"labels":[{"name":"none"}],"none":true})") == "none");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"none":[]})") == "none");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"calibration":"../x"})") == "calibration");
  BOOST_TEST(refused(R"({"labels":[{"name":"a"}],"calibration":"x","fusion":"max"})") ==
             "calibration");
  BOOST_TEST(refused(R"({"classifier":"x","labels":[{"name":"a"}]})") == "labels");
  BOOST_TEST(refused(R"({"classifier":"x","none":true})") == "none");
  BOOST_TEST(refused(R"({"classifier":"x","none":false,"threshold":0.5,"multi":true})") == "");
}

BOOST_AUTO_TEST_CASE(a_body_is_one_object_that_is_not_too_deep) {
  for (const std::string& body :
       {std::string("{"), std::string("[]"), std::string("1"), std::string(),
        std::string(10'000, '['), std::string("{\"a\":\"\xff\"}"),
        std::string(R"({"a":1,"b":{"c":2,"c":3}})")})
    BOOST_CHECK_THROW(parse_body(body), Error);
}

BOOST_AUTO_TEST_CASE(answers_that_differ_have_keys_that_differ) {
  const Manifest manifest;
  std::set<std::string> keys;
  const std::vector<std::string> bodies = {
      R"({"labels":[{"name":"a"}]})",
      R"({"labels":[{"name":"b","prompts":["a"]}]})",
      R"({"labels":[{"name":"a","prompts":["b"]}]})",
      R"({"labels":[{"name":"a","prompts":["a","b"]}]})",
      R"({"labels":[{"name":"a"},{"name":"b"}]})",
      R"({"labels":[{"name":"a"}],"fusion":"image"})",
      R"({"labels":[{"name":"a"}],"calibration":"c"})",
      R"({"classifier":"c"})",
      R"({"labels":[{"name":"a"}],"none":true})",
      R"({"labels":[{"name":"a"}],"none":["none"]})",
      R"({"labels":[{"name":"a"}],"multi":true})",
      R"({"labels":[{"name":"a","prompts":["a","- b"]}]})",
      R"({"labels":[{"name":"a","prompts":["a",{"row":1}]}]})",
      R"({"labels":[{"name":"a","prompts":["a",{"row":2}]}]})",
      R"({"labels":["a/b","a/c"]})",
      R"({"labels":["a/b","a/c"],"flat":true})",
      R"({"labels":["a/b","a/c"],"depth":1})",
      R"({"labels":["a/b","a/c"],"threshold":0.3})",
      R"({"labels":["a/b","a/c"],"threshold":0.4})",
      R"({"labels":[{"name":"a"}],"multi":true,"threshold":0.2})"};
  for (const std::string& body : bodies) keys.insert(labelling_of(body).key(manifest));
  BOOST_TEST(keys.size() == bodies.size());
  BOOST_TEST(labelling_of(R"({"labels":[{"name":"a"}],"threshold":0.2})").key(manifest) ==
             labelling_of(bodies[0]).key(manifest));
}

BOOST_AUTO_TEST_CASE(hashes_are_64_digits) {
  const std::string hex = "00ff" + std::string(60, 'a');
  BOOST_TEST(to_hex(ask_hash(hex, "sha256")) == hex);
  for (const std::string& wrong :
       {std::string(), hex + "0", hex.substr(1), "0G" + hex.substr(2), "FF" + hex.substr(2)})
    BOOST_CHECK_THROW(ask_hash(wrong, "sha256"), Error);
}

BOOST_AUTO_TEST_CASE(a_search_has_terms_weights_and_filters) {
  const AskedSearch asked = ask_search(
      R"({"text":"bells","row":3,"plus":["a house"],"minus":[{"row":4,"weight":0.5}],"in":"text","k":7,
          "all":true,"filters":{"path":["*.jpg"],"has_text":true,"min_width":5,"run":"r","label":["x"]}})");
  BOOST_REQUIRE(asked.terms.size() == 4u);
  BOOST_TEST(asked.terms[1].term.row == 3u);
  BOOST_TEST(asked.terms[2].term.weight == 1);
  BOOST_TEST(asked.terms[3].term.weight == -0.5f);
  BOOST_TEST((asked.space == SearchSpace::Text));
  BOOST_TEST(asked.count == 7u);
  BOOST_TEST(asked.filter.min_width == 5u);
  BOOST_TEST(asked.filter.has_text.value());
  BOOST_TEST(asked.run == "r");
}

BOOST_AUTO_TEST_CASE(a_search_for_nothing_or_by_a_path_is_refused) {
  BOOST_TEST(refused_search("{}") == "the request");
  BOOST_TEST(refused_search(R"({"text":" "})") == "the request");
  BOOST_TEST(refused_search(R"({"file":"/etc/passwd"})") == "file");
  BOOST_TEST(refused_search(R"({"image":"!"})") == "image");
  BOOST_TEST(refused_search(R"({"text":"a","k":0})") == "k");
  BOOST_TEST(refused_search(R"({"plus":[{"text":"a","row":1}]})") == "plus[0]");
  BOOST_TEST(refused_search(R"({"text":"a","filters":{"label":["x"]}})") == "filters.label");
  BOOST_TEST(refused_search(R"({"text":"a","filters":{"run":"r"}})") == "filters.label");
  BOOST_TEST(refused_search(R"({"text":"a","filters":{"since":"yesterday"}})") == "filters.since");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf::serve
