// What runs, calibrations and classifiers have in common.

#include "lib/labelling/kept.h"

#include <boost/test/unit_test.hpp>

#include "lib/collection/attachments.h"
#include "tests/programs/drawn_collection.h"
#include "tests/support/checks.h"

namespace zeroshelf {
namespace {

using testing::is_corruption;

struct KeptShelf : testing::DrawnCollection {
  KeptShelf() : DrawnCollection(1) {}

  std::string refusal(const std::string& kind, const std::string& name) const {
    try {
      load_kept(open(), kind, name, "classify --save");
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
};

BOOST_FIXTURE_TEST_SUITE(kept, KeptShelf)

BOOST_AUTO_TEST_CASE(what_is_kept_is_found_by_kind_and_name) {
  open().attachments().put("runs", "monday", "of monday");
  BOOST_TEST(load_kept(open(), "runs", "monday", "classify --save") == "of monday");
  BOOST_TEST(refusal("classifiers", "monday").find("make one with classify --save") !=
             std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_name_is_answered_with_the_one_that_was_meant_or_with_all) {
  open().attachments().put("runs", "monday", "1");
  open().attachments().put("runs", "tuesday", "2");
  BOOST_TEST(refusal("runs", "mondya").find("did you mean 'monday'") != std::string::npos);
  BOOST_TEST(refusal("runs", "x").find("there are monday, tuesday") != std::string::npos);
  BOOST_CHECK_EXCEPTION(load_kept(open(), "runs", "../x", ""), Error, [](const Error& error) {
    return error.code() == ErrorCode::InvalidArgument;
  });
}

BOOST_AUTO_TEST_CASE(what_another_model_made_is_refused) {
  const View collection = open();
  BOOST_CHECK_NO_THROW(check_fingerprint(collection, collection.manifest().model_fingerprint, ""));
  BOOST_CHECK_EXCEPTION(
      check_fingerprint(collection, "another", "mine"), Error, [](const Error& error) {
        return error.code() == ErrorCode::Incompatible && error.subject() == "mine";
      });
}

BOOST_AUTO_TEST_CASE(settings_come_back_to_the_bit) {
  FusionSettings settings;
  settings.image_scale = 0.1f;
  settings.text_scale = 1.0f / 3;
  settings.alpha = 7e-7f;
  settings.confidence_power = 0;
  settings.half_words = 123456.7f;
  settings.image_centring = 0.7f;
  settings.text_centring = 1;
  settings.pooling = 0.3f;
  settings.adaptation = 9;
  BOOST_TEST((parse_settings(settings_json(settings), "") == settings));
}

BOOST_AUTO_TEST_CASE(settings_of_earlier_versions_lack_what_came_later) {
  const FusionSettings old = parse_settings(
      R"({"image_scale": 1, "text_scale": 2, "alpha": 3, "confidence_power": 4, "half_words": 5,
          "image_centring": 0, "text_centring": 1})",
      "");
  BOOST_TEST(old.half_words == 5.0f);
  BOOST_TEST(old.pooling == 0.0f);
  BOOST_TEST(old.adaptation == 0.0f);
}

BOOST_AUTO_TEST_CASE(settings_outside_of_their_ranges_are_damage) {
  const std::string sound = settings_json(FusionSettings());
  for (const auto& [name, value] :
       {std::pair("alpha", "-1"), std::pair("image_centring", "1.5"), std::pair("pooling", "2"),
        std::pair("text_scale", "1e30"), std::pair("half_words", "\"5\"")}) {
    std::string json = sound;
    const size_t at = json.find(':', json.find(name)) + 1;
    json.replace(at, json.find_first_of(",}", at) - at, value);
    BOOST_TEST_CONTEXT(json)
    BOOST_CHECK_EXCEPTION(parse_settings(json, "mine"), Error, is_corruption);
  }
  for (const char* json : {"", "5", "{}", "[1]", "{\"alpha\":"})
    BOOST_CHECK_EXCEPTION(parse_settings(json, "mine"), Error, is_corruption);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
