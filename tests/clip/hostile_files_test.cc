// Tests models/checkpoint/config.h, safetensors.h and tokenizer.h: files that are sound JSON and
// hostile in what they say.

#include <boost/test/unit_test.hpp>
#include <cstring>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "models/checkpoint/config.h"
#include "models/checkpoint/safetensors.h"
#include "models/text/tokenizer.h"
#include "tests/support/checks.h"
#include "tests/support/growth.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
using testing::is_corruption;
using testing::TemporaryDirectory;

void read_config_with(const char* vision_member, const char* value) {
  const TemporaryDirectory folder;
  json config = json::object();
  config["vision_config"][vision_member] = json::parse(value);
  testing::write_file(folder / "config.json", config.dump());
  read_hugging_face_config(folder.path());
}

void read_safetensors(const std::string& header, const std::string& data = "") {
  const TemporaryDirectory folder;
  const uint64_t size = header.size();
  const std::string length(reinterpret_cast<const char*>(&size), sizeof size);
  testing::write_file(folder / "model.safetensors", length + header + data);
  Safetensors(folder / "model.safetensors");
}

BOOST_AUTO_TEST_SUITE(hostile_files)

BOOST_AUTO_TEST_CASE(configurations_out_of_range_are_refused) {
  read_config_with("layer_norm_eps", "1e-6");
  const std::pair<const char*, const char*> kChanges[] = {
      {"layer_norm_eps", "0"},
      {"layer_norm_eps", "-1e-5"},
      {"layer_norm_eps", "1e300"},
      {"hidden_size", "18446744073709551615"},
      {"hidden_size", "768.5"},
      {"patch_size", "-32"},
      {"image_size", "[18446744073709551615, 18446744073709551615]"},
      {"num_hidden_layers", "\"12\""}};
  for (const auto& [name, value] : kChanges) {
    BOOST_TEST_CONTEXT(name << " = " << value)
    BOOST_CHECK_EXCEPTION(read_config_with(name, value), Error, is_corruption);
  }
}

BOOST_AUTO_TEST_CASE(the_time_goes_with_the_number_of_tensors) {
  const TemporaryDirectory folder;
  const auto header = [](size_t tensors) {
    json value = json::object();
    for (size_t i = 0; i < tensors; ++i) {
      value["layer " + std::to_string(i)] = {
          {"dtype", "U8"}, {"shape", {0}}, {"data_offsets", {0, 0}}};
    }
    return value.dump();
  };
  BOOST_TEST(testing::growth_over_four_sizes(2'000, header, [](const std::string& text) {
               read_safetensors(text);
             }) < testing::kLinearGrowth);
  const auto tensors = [](size_t count) {
    std::map<std::string, TensorView> views;
    for (size_t i = 0; i < count; ++i)
      views["layer " + std::to_string(i)] = {TensorType::F32, {0}, {}};
    return views;
  };
  const auto write = [&](const auto& views) { write_safetensors(folder / "written", views); };
  BOOST_TEST(testing::growth_over_four_sizes(2'000, tensors, write) < testing::kLinearGrowth);
}

// As the library that writes them refuses them.
BOOST_AUTO_TEST_CASE(tensors_fill_the_file_once_each) {
  const auto entry = [](int begin, int end) {
    return R"({"dtype":"U8","shape":[)" + std::to_string(end - begin) + R"(],"data_offsets":[)" +
           std::to_string(begin) + "," + std::to_string(end) + "]}";
  };
  const auto two = [&](const char* second, int begin, int end) {
    return R"({"a":)" + entry(0, 4) + ",\"" + second + "\":" + entry(begin, end) + "}";
  };
  const std::string data = "12345678";
  read_safetensors(two("b", 4, 8), data);
  for (const std::string& header :
       {two("a", 4, 8), two("b", 3, 7), two("b", 5, 8), two("b", 4, 7)}) {
    BOOST_TEST_CONTEXT(header)
    BOOST_CHECK_EXCEPTION(read_safetensors(header, data), Error, is_corruption);
  }
  BOOST_CHECK_EXCEPTION(read_safetensors(two("b", 4, 8), data + "9"), Error, is_corruption);
}

BOOST_AUTO_TEST_CASE(an_mlp_without_bound_is_refused) {
  for (const char* ratio : {"1e300", "-1e300", "-4", "1e18"}) {
    const TemporaryDirectory folder;
    testing::write_file(
        folder / "open_clip_config.json",
        std::string(R"({"model_cfg": {"vision_cfg": {"mlp_ratio": )") + ratio + "}}}");
    BOOST_TEST_CONTEXT(ratio)
    BOOST_CHECK_EXCEPTION(read_open_clip_config(folder.path()), Error, is_corruption);
  }
}

BOOST_AUTO_TEST_CASE(deviations_that_cannot_be_divided_by_are_refused) {
  for (const char* deviation : {"0", "1e-44", "1e300", "-1"}) {
    const TemporaryDirectory folder;
    testing::write_file(folder / "config.json", "{}");
    testing::write_file(folder / "preprocessor_config.json",
                        std::string("{\"image_std\": [1, ") + deviation + ", 1]}");
    BOOST_TEST_CONTEXT(deviation)
    BOOST_CHECK_EXCEPTION(read_hugging_face_config(folder.path()), Error, is_corruption);
  }
}

BOOST_AUTO_TEST_CASE(shapes_whose_sides_overflow_are_refused_even_when_empty) {
  read_safetensors(R"({"a":{"dtype":"F32","shape":[0,3],"data_offsets":[0,0]}})");
  for (const char* shape : {"[0,9223372036854775807,9223372036854775807]",
                            "[4611686018427387904,0,4611686018427387904]",
                            "[18446744073709551615,0]", "[-1,0]", "[0.0]"}) {
    BOOST_TEST_CONTEXT(shape)
    BOOST_CHECK_EXCEPTION(
        read_safetensors(std::string(R"({"a":{"dtype":"F32","data_offsets":[0,0],"shape":)") +
                         shape + "}}"),
        Error, is_corruption);
  }
}

BOOST_AUTO_TEST_CASE(token_ids_out_of_range_are_refused) {
  for (const char* id : {"-1", "2147483647", "4294967296", "1.5", "\"1\""}) {
    const TemporaryDirectory folder;
    testing::write_file(folder / "tokenizer.json",
                        std::string(R"({"model":{"vocab":{"a":)") + id + R"(},"merges":[]}})");
    BOOST_TEST_CONTEXT(id)
    BOOST_CHECK_EXCEPTION(Tokenizer::load(folder.path(), {}), Error, [](const Error& error) {
      return is_corruption(error) && error.cause().find("an id") != std::string::npos;
    });
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
