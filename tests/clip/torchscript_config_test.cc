// Tests models/checkpoint/torchscript_config.h: what zeroshelf.json may say, and that every key is
// understood or refused by its name.

#include "models/checkpoint/torchscript_config.h"

#include <boost/test/unit_test.hpp>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
using testing::TemporaryDirectory;

const json kGood = {
    {"size", 224},
    {"resize", "shortest"},
    {"filter", "bilinear"},
    {"mean", {0.5, 0.25, 0.125}},
    {"deviation", {0.5, 0.5, 0.25}},
    {"tokenizer", {{"kind", "clip"}, {"context", 77}, {"pad", 3}, {"clean", "lower"}}},
    {"scoring", {{"kind", "sigmoid"}, {"scale", 112.5}, {"bias", -16.5}}}};

struct Folder {
  Folder() {
    for (const char* name : {"picture.pt", "text.pt"}) testing::write_file(folder / name, "x");
  }
  TorchScriptConfig read(const std::string& text) const {
    testing::write_file(folder / "zeroshelf.json", text);
    return read_torchscript_config(folder.path());
  }
  TorchScriptConfig read(const json& config) const { return read(config.dump()); }
  // The error names the file, and `word` in its cause.
  void check_refused(const std::string& text, const std::string& word) const {
    BOOST_TEST_CONTEXT(text.substr(0, 200))
    BOOST_CHECK_EXCEPTION(read(text), Error, [&](const Error& error) {
      BOOST_TEST_CONTEXT(error.what()) {
        BOOST_TEST(error.subject() == (folder / "zeroshelf.json").string());
        BOOST_TEST(error.cause().find(word) != std::string::npos);
      }
      return error.code() == ErrorCode::Incompatible || error.code() == ErrorCode::Corruption;
    });
  }
  void check_value_refused(const char* pointer, const json& value) const {
    json changed = kGood;
    changed[json::json_pointer(pointer)] = value;
    const std::string path = std::string(pointer).substr(1);
    check_refused(changed.dump(), path.substr(path.find('/') + 1));
  }

  TemporaryDirectory folder;
};

BOOST_FIXTURE_TEST_SUITE(torchscript_config, Folder)

BOOST_AUTO_TEST_CASE(every_key_says_what_it_says) {
  const TorchScriptConfig config = read(kGood);
  BOOST_TEST(config.preprocessing.size_px == 224);
  BOOST_TEST((config.preprocessing.resize == Resize::ShortestSide));
  BOOST_TEST((config.preprocessing.filter == Filter::Bilinear));
  BOOST_TEST(config.preprocessing.mean[1] == 0.25f);
  BOOST_TEST(config.preprocessing.standard_deviation[2] == 0.25f);
  BOOST_TEST((config.tokenizer == TorchScriptTokenizer::Vocabulary));
  BOOST_TEST((config.vocabulary == Vocabulary::Clip));
  BOOST_TEST((config.cleaning == TextCleaning::Lower));
  BOOST_TEST(!config.has_open_clip_marks);
  BOOST_TEST(config.context_length == 77);
  BOOST_TEST(config.pad_id.value() == 3);
  BOOST_TEST(config.is_sigmoid);
  BOOST_TEST(config.logit_scale == 112.5f);
  BOOST_TEST(config.logit_bias == -16.5f);
}

BOOST_AUTO_TEST_CASE(what_may_be_left_out_has_the_value_that_docs_say) {
  json config = kGood;
  config.erase("filter");
  config["resize"] = "squash";
  config["tokenizer"] = {{"kind", "sentencepiece"}, {"context", 64}};
  config["scoring"] = {{"kind", "softmax"}, {"scale", 100}};
  const TorchScriptConfig read_config = read(config);
  BOOST_TEST((read_config.preprocessing.filter == Filter::Bicubic));
  BOOST_TEST((read_config.preprocessing.resize == Resize::Squash));
  BOOST_TEST((read_config.vocabulary == Vocabulary::Pieces));
  BOOST_TEST((read_config.cleaning == TextCleaning::Own));
  BOOST_TEST(!read_config.pad_id.has_value());
  BOOST_TEST(!read_config.is_sigmoid);
  BOOST_TEST(read_config.logit_bias == 0);
}

BOOST_AUTO_TEST_CASE(every_tokenizer_has_its_name) {
  const auto with = [&](const json& tokenizer) {
    json config = kGood;
    config["tokenizer"] = tokenizer;
    return read(config);
  };
  BOOST_TEST(with({{"kind", "open_clip"}, {"context", 77}}).has_open_clip_marks);
  const TorchScriptConfig roberta = with({{"kind", "xlm-roberta"}, {"context", 512}});
  BOOST_TEST((roberta.vocabulary == Vocabulary::RobertaPieces));
  BOOST_TEST((roberta.cleaning == TextCleaning::Nothing));
  BOOST_TEST((with({{"kind", "program"}}).tokenizer == TorchScriptTokenizer::Program));
}

BOOST_AUTO_TEST_CASE(nothing_is_guessed) {
  for (const char* key : {"size", "resize", "mean", "deviation", "tokenizer", "scoring"}) {
    json config = kGood;
    config.erase(key);
    check_refused(config.dump(), key);
  }
  for (const char* pointer : {"/tokenizer/kind", "/tokenizer/context", "/scoring/kind",
                              "/scoring/scale", "/scoring/bias"}) {
    json config = kGood;
    const json::json_pointer place(pointer);
    config[place.parent_pointer()].erase(place.back());
    check_refused(config.dump(), place.back());
  }
}

BOOST_AUTO_TEST_CASE(unknown_keys_and_values_are_refused_by_name) {
  for (const char* pointer : {"/code", "/tokenizer/vocabulary", "/scoring/temperature"})
    check_value_refused(pointer, "x");
  for (const char* pointer :
       {"/resize", "/filter", "/tokenizer/kind", "/tokenizer/clean", "/scoring/kind"}) {
    check_value_refused(pointer, "other");
    check_value_refused(pointer, 7);
  }
  json program = kGood;
  program["tokenizer"] = {{"kind", "program"}, {"context", 77}};
  check_refused(program.dump(), "context");
  json softmax = kGood;
  softmax["scoring"] = {{"kind", "softmax"}, {"scale", 100}, {"bias", 1}};
  check_refused(softmax.dump(), "bias");
}

BOOST_AUTO_TEST_CASE(hostile_numbers_are_refused) {
  const json large = 18446744073709551615u;
  for (const json& value : {json(0), json(-1), json(4097), json(2.5), large, json("224")})
    check_value_refused("/size", value);
  for (const json& value : {json(2), json(-77), json(4097), json(1e300), large})
    check_value_refused("/tokenizer/context", value);
  for (const json& value : {json(-1), json(4'000'001), large})
    check_value_refused("/tokenizer/pad", value);
  for (const json& value : {json(0), json(-100), json(1e300), json("100"), json(true)})
    check_value_refused("/scoring/scale", value);
  check_value_refused("/scoring/bias", 1e9);
  for (const json& value :
       {json(0.5), json({0.5, 0.5}), json({0.5, 0.5, "x"}), json({1e300, 0, 0})})
    check_value_refused("/mean", value);
  for (const json& value : {json({0.5, 0.5, 0}), json({0.5, 0.5, -1}), json({1e-320, 0.5, 0.5})}) {
    json changed = kGood;
    changed["deviation"] = value;
    check_refused(changed.dump(), "deviation");
  }
}

BOOST_AUTO_TEST_CASE(what_is_no_object_is_refused) {
  for (const char* text : {"", "[]", "null", "{", "{}x", "\xff", "{\"size\": 1e999}"})
    check_refused(text, "not a JSON object");
  check_refused(std::string(100'000, '[') + std::string(100'000, ']'), "not a JSON object");
  for (const char* key : {"tokenizer", "scoring"}) {
    json changed = kGood;
    changed[key] = json::array({1});
    check_refused(changed.dump(), key);
  }
}

BOOST_AUTO_TEST_CASE(all_three_files_must_be_there) {
  read(kGood);
  BOOST_TEST(torchscript_folder(folder.path()).value() == folder.path());
  BOOST_TEST(torchscript_folder(folder / "zeroshelf.json").value() == folder.path());
  BOOST_TEST(!torchscript_folder(folder / "picture.pt").has_value());
  for (const char* name : {"picture.pt", "text.pt", "zeroshelf.json"}) {
    const TemporaryDirectory other;
    std::filesystem::copy(folder.path(), other / "model");
    std::filesystem::remove(other / "model" / name);
    BOOST_CHECK_EXCEPTION(read_torchscript_config(other / "model"), Error, [&](const Error& error) {
      return error.code() == ErrorCode::NotFound &&
             error.subject() == (other / "model" / name).string();
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
