// Tests lib/collection/layout.h: small files that are sound by their checksum and hostile in what
// they say.

#include "lib/collection/layout.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "tests/collection/shelf.h"
#include "tests/support/growth.h"

namespace zeroshelf {
namespace {

using nlohmann::json;

std::string sealed(json value) {
  value.erase("checksum");
  Checksum128 checksum;
  checksum.update(value.dump());
  value["checksum"] = checksum.hex();
  return value.dump();
}

// The manifest with one member changed, and its checksum made to fit.
std::string manifest_with(const char* name, const char* value) {
  json manifest = json::parse(layout::encode_manifest(testing::test_manifest()));
  manifest[name] = json::parse(value);
  return sealed(manifest);
}

bool is_corruption(const Error& error) {
  return error.code() == ErrorCode::Corruption && error.subject() == "MANIFEST";
}

BOOST_AUTO_TEST_SUITE(hostile_layout)

BOOST_AUTO_TEST_CASE(a_manifest_with_impossible_values_is_refused) {
  layout::decode_manifest(manifest_with("dimension", "16"), "MANIFEST");
  const std::pair<const char*, const char*> kChanges[] = {
      {"dimension", "0"},          {"dimension", "65537"},
      {"dimension", "4294967312"}, {"dimension", "16.5"},
      {"dimension", "-16"},        {"dimension", "\"16\""},
      {"logit_scale", "1e300"},    {"logit_scale", "null"},
      {"model_name", "5"},         {"zeroshelf_collection", "-1"}};
  for (const auto& [name, value] : kChanges) {
    BOOST_TEST_CONTEXT(name << " = " << value)
    BOOST_CHECK_EXCEPTION(layout::decode_manifest(manifest_with(name, value), "MANIFEST"), Error,
                          is_corruption);
  }
}

BOOST_AUTO_TEST_CASE(a_sigmoid_makes_the_second_version_and_survives_it) {
  Manifest manifest = testing::test_manifest();
  const std::string plain = layout::encode_manifest(manifest);
  BOOST_TEST(json::parse(plain)["zeroshelf_collection"] == 1);
  BOOST_TEST((layout::decode_manifest(plain, "MANIFEST").scoring == Scoring::Softmax));
  manifest.scoring = Scoring::Sigmoid;
  manifest.logit_bias = -12.5f;
  const std::string text = layout::encode_manifest(manifest);
  const Manifest read = layout::decode_manifest(text, "MANIFEST");
  BOOST_TEST(read.format_version == 2u);
  BOOST_TEST((read.scoring == Scoring::Sigmoid));
  BOOST_TEST(read.logit_bias == -12.5f);
  for (const auto& [name, value] : {std::pair("scoring", json("softmin")), {"scoring", json(1)},
                                    {"logit_bias", json(nullptr)}, {"logit_bias", json("low")}}) {
    json changed = json::parse(text);
    changed[name] = value;
    BOOST_TEST_CONTEXT(changed.dump())
    BOOST_CHECK_EXCEPTION(layout::decode_manifest(sealed(changed), "MANIFEST"), Error,
                          is_corruption);
  }
  json newer = json::parse(text);
  newer["zeroshelf_collection"] = 3;
  BOOST_CHECK_EXCEPTION(
      layout::decode_manifest(sealed(newer), "MANIFEST"), Error,
      [](const Error& error) { return error.code() == ErrorCode::Incompatible; });
}

BOOST_AUTO_TEST_CASE(deep_nesting_is_damage_and_no_crash) {
  const std::string deep(400'000, '[');
  const std::string text = "{\"checksum\":\"\",\"a\":" + deep + std::string(400'000, ']') + "}";
  BOOST_CHECK_EXCEPTION(layout::decode_manifest(text, "MANIFEST"), Error, is_corruption);
}

BOOST_AUTO_TEST_CASE(a_current_with_impossible_values_is_refused) {
  const testing::TemporaryDirectory folder;
  const json sound = {{"epoch", 1}, {"commits", 2}};
  testing::write_file(folder / layout::kCurrentFile, sealed(sound));
  BOOST_TEST(layout::read_current(folder.path()).commits == 2u);
  for (const char* change :
       {R"({"epoch": -1})", R"({"commits": 1.5})", R"({"snapshot": 5})", R"({"snapshot": {}})",
        R"({"snapshot": {"generation": 1, "image": [], "text": 1, "rows": null}})"}) {
    json changed = sound;
    changed.update(json::parse(change));
    testing::write_file(folder / layout::kCurrentFile, sealed(changed));
    BOOST_TEST_CONTEXT(change) BOOST_CHECK_THROW(layout::read_current(folder.path()), Error);
  }
}

BOOST_AUTO_TEST_CASE(a_manifest_is_read_or_refused_in_a_time_that_goes_with_its_size) {
  const auto manifest = [](const char* part) {
    return [part](size_t members) {
      std::string text = "{";
      for (size_t i = 0; i < members; ++i) text += "\"m" + std::to_string(i) + "\":" + part + ",";
      return text + "\"checksum\":\"\"}";
    };
  };
  const auto read = [](const std::string& text) {
    BOOST_CHECK_THROW(layout::decode_manifest(text, "manifest"), Error);
  };
  for (const char* part : {"1", "{}", R"([{"a":{}},[]])"}) {
    BOOST_TEST_CONTEXT(part)
    BOOST_TEST(testing::growth_over_four_sizes(2'000, manifest(part), read) <
               testing::kLinearGrowth);
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
