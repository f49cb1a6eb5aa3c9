#include <boost/test/unit_test.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>

#include "lib/labels/label_vectors.h"
#include "lib/labels/labels.h"
#include "lib/labels/templates.h"
#include "lib/util/error.h"
#include "tests/support/growth.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using testing::TemporaryDirectory;

const std::vector<std::string> kPlain = {"{}"};

std::vector<Label> read_text(std::string_view content,
                             const std::vector<std::string>& templates = kPlain) {
  const TemporaryDirectory directory;
  testing::write_file(directory / "labels", content);
  return read_label_file(directory / "labels", templates);
}

bool is_invalid(const Error& error) {
  return error.code() == ErrorCode::InvalidArgument;
}

BOOST_AUTO_TEST_SUITE(labels)

BOOST_AUTO_TEST_CASE(a_list_is_split_at_commas_and_trimmed) {
  const std::vector<Label> labels =
      parse_label_list(" cat , Animal Crossing,,dog ", {"a {}", "the {}"});
  BOOST_TEST(labels.size() == 3u);
  BOOST_TEST((labels[1] == Label{"Animal Crossing", {"a Animal Crossing", "the Animal Crossing"}}));
}

BOOST_AUTO_TEST_CASE(empty_lists_and_doubles_are_refused) {
  BOOST_CHECK_EXCEPTION(parse_label_list("", kPlain), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(parse_label_list(" , ", kPlain), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(parse_label_list("[\"a\", \"b\"]", kPlain), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(parse_label_list(" {\"a\": []} ", kPlain), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(parse_label_list("cat, dog, cat", kPlain), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(parse_label_list("cat", {"no place"}), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text("# nothing\n\n"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text("cat\ncat: x\n"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(R"({"cat": [], "cat": "x"})"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(R"(["cat", "cat"])"), Error, is_invalid);
}

BOOST_AUTO_TEST_CASE(json_keeps_the_order_of_the_labels_and_names_may_look_like_members) {
  const std::vector<Label> labels =
      read_text(R"({"zebra": "a", "label": null, "ant": ["b", "c"], "prompts": []})");
  BOOST_REQUIRE(labels.size() == 4u);
  BOOST_TEST((labels[0] == Label{"zebra", {"a"}}));
  BOOST_TEST((labels[1] == Label{"label", {"label"}}));
  BOOST_TEST((labels[2] == Label{"ant", {"b", "c"}}));
  BOOST_TEST((labels[3] == Label{"prompts", {"prompts"}}));
  BOOST_CHECK_EXCEPTION(read_text(R"([{"label": "a", "label": "b"}])"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text("[" + std::string(9, '[') + std::string(9, ']') + "]"), Error,
                        [](const Error& error) { return error.cause().ends_with("too deeply"); });
}

// Files of many labels, and of one label with many prompts.
std::string label_file(size_t count, const char* begin, const char* part, const char* end) {
  std::string text = begin;
  for (size_t i = 0; i < count; ++i)
    text +=
        fmt::format("{}{}", i > 0 && *begin != '\0' ? "," : "", fmt::format(fmt::runtime(part), i));
  return text + end;
}

BOOST_AUTO_TEST_CASE(the_time_goes_with_the_size_of_the_file) {
  const TemporaryDirectory directory;
  const std::filesystem::path path = directory / "labels";
  const struct {
    const char* begin;
    const char* part;
    const char* end;
  } kFiles[] = {{"{", R"("label {}":[])", "}"},
                {"{", R"("label {}":["a photo","a drawing"])", "}"},
                {"[", R"("label {}")", "]"},
                {"[", R"({{"label":"label {}","prompts":["a {{}}"]}})", "]"},
                {R"({"cat":[)", R"("prompt {}")", "]}"},
                {"", "label {}\n", ""},
                {"", "label {}: a | b {{}}\n", ""}};
  for (const auto& file : kFiles) {
    const auto make = [&](size_t count) {
      return label_file(count, file.begin, file.part, file.end);
    };
    const auto read = [&](const std::string& content) {
      testing::write_file(path, content);
      distinct_prompts(read_label_file(path, kPlain));
    };
    BOOST_TEST_CONTEXT(file.part)
    BOOST_TEST(testing::growth_over_four_sizes(4'000, make, read) < testing::kLinearGrowth);
  }
  const auto prompts = [](size_t count) {
    std::string text = "cat: prompt";
    for (size_t i = 0; i < count; ++i) text += fmt::format(" | prompt {}", i);
    return text;
  };
  const auto encode = [](const std::vector<std::string>& texts) { return Matrix(texts.size(), 1); };
  const auto read = [&](const std::string& content) {
    testing::write_file(path, content);
    label_vectors(read_label_file(path, kPlain), encode);
  };
  BOOST_TEST(testing::growth_over_four_sizes(4'000, prompts, read) < testing::kLinearGrowth);
}

BOOST_AUTO_TEST_CASE(a_text_file_has_comments_prompts_and_placeholders) {
  const std::vector<Label> labels = read_text(
      "\xef\xbb\xbf# classes\r\ncat\r\n\n dog : a photo of a dog | a {} drawn \n", {"a {}"});
  BOOST_TEST(labels.size() == 2u);
  BOOST_TEST((labels[0] == Label{"cat", {"a cat"}}));
  BOOST_TEST((labels[1] == Label{"dog", {"a photo of a dog", "a dog drawn"}}));
}

BOOST_AUTO_TEST_CASE(vetoes_stand_among_the_prompts_and_are_none) {
  const std::vector<Label> labels =
      read_text("people: a person | - a statue | -  a painting of {}\nsea: - a {} at home\n",
                {"a {}", "the {}"});
  BOOST_TEST((labels[0] == Label{"people", {"a person", "- a statue", "-  a painting of people"}}));
  BOOST_TEST((labels[1] == Label{"sea", {"a sea", "the sea", "- a sea at home"}}));
  BOOST_TEST(
      (labels ==
       read_text(
           R"([{"label": "people", "prompts": ["a person", "- a statue", "-  a painting of {}"]},
                                      {"label": "sea", "prompts": "- a {} at home"}])",
           {"a {}", "the {}"})));
  BOOST_TEST((labels == complete_labels("labels", labels, {"unused {}"})));
  const std::vector<std::string> texts = distinct_prompts(labels);
  BOOST_TEST((texts == std::vector<std::string>{"a person", "a statue", "a painting of people",
                                                "a sea", "the sea", "a sea at home"}));
}

BOOST_AUTO_TEST_CASE(a_veto_against_the_labels_own_prompt_is_refused) {
  BOOST_CHECK_EXCEPTION(
      read_text("dog: a dog\ncat: a cat | - a cat\n"), Error, [](const Error& error) {
        return is_invalid(error) && std::string(error.what()).find("line 2") != std::string::npos;
      });
  BOOST_CHECK_EXCEPTION(read_text("cat: - cat\n"), Error, is_invalid);
  BOOST_TEST(read_text("cat: a cat | - a dog\ndog: a dog | - a cat\n").size() == 2u);
}

BOOST_AUTO_TEST_CASE(pictures_are_relative_to_the_file) {
  const TemporaryDirectory directory;
  std::filesystem::create_directory(directory / "sub");
  testing::write_file(directory / "sub" / "labels",
                      "cat: a cat | @../cats/1.jpg | @/abs/2.jpg | - @{}s/\ndog: @dogs/\n");
  const std::vector<Label> labels = read_label_file(directory / "sub" / "labels", kPlain);
  const std::string base = directory.path().string();
  BOOST_TEST(
      (labels[0].prompts == std::vector<std::string>{"a cat", "@" + base + "/cats/1.jpg",
                                                     "@/abs/2.jpg", "- @" + base + "/sub/cats"}));
  BOOST_TEST((labels[1].prompts == std::vector<std::string>{"@" + base + "/sub/dogs"}));
  BOOST_TEST((distinct_prompts(labels) == std::vector<std::string>{"a cat"}));
  BOOST_TEST(has_text_prompt(labels[0]));
  BOOST_TEST(!has_text_prompt(labels[1]));
  // Of a template they are relative to where the program runs; of a request they stay.
  const std::string here = std::filesystem::current_path().string();
  BOOST_TEST(parse_label_list("cat", {"@examples/{}/"})[0].prompts[0] ==
             "@" + here + "/examples/cat");
  BOOST_TEST(complete_labels("labels", {{"cat", {"@#12"}}}, kPlain)[0].prompts[0] == "@#12");
  BOOST_CHECK_EXCEPTION(read_text("cat: a cat | @\n"), Error, is_invalid);
  BOOST_TEST(distinct_prompts(parse_label_list("@home, dog", kPlain)).front() == "@home");
}

BOOST_AUTO_TEST_CASE(levels_of_names_are_spoken_of_by_the_last) {
  const std::vector<Label> labels = parse_label_list("animal/bat, animal/cat, sport/bat", {"a {}"});
  const auto prompt = [&](size_t i) { return labels[i].prompts.front(); };
  BOOST_TEST(labels[1].name == "animal/cat");
  BOOST_TEST(prompt(0) == "a bat, animal");
  BOOST_TEST(prompt(1) == "a cat");
  BOOST_TEST(prompt(2) == "a bat, sport");
  BOOST_TEST(parse_label_list("AC/DC, Abba", {"a {}"})[0].prompts[0] == "a AC/DC");
  BOOST_TEST(parse_label_list("animal/bat, animal/cat", {"a {}"}, Slash::Letter)[1].prompts[0] ==
             "a animal/cat");
  BOOST_TEST(read_text("animal/cat: the {}\nanimal\n", {"a {}"})[0].prompts[0] == "the cat");
}

BOOST_AUTO_TEST_CASE(a_name_that_begins_with_a_sign_stays_a_name) {
  const std::vector<Label> labels = parse_label_list("- 5 degrees, -, dog", kPlain);
  BOOST_REQUIRE(labels.size() == 3u);
  BOOST_TEST(labels[0].name == "- 5 degrees");
  BOOST_TEST((distinct_prompts(labels) == std::vector<std::string>{"- 5 degrees", "-", "dog"}));
  BOOST_TEST((distinct_prompts(read_text("- 5 degrees: {} outside | - warm\n")) ==
              std::vector<std::string>{"- 5 degrees outside", "warm"}));
}

BOOST_AUTO_TEST_CASE(json_says_the_same) {
  const std::vector<Label> labels = read_text(
      R"([ "cat", {"label": "dog", "prompts": ["a photo of a dog", "a {} drawn"]} ])", {"a {}"});
  BOOST_TEST((labels == read_text("cat\ndog: a photo of a dog | a {} drawn\n", {"a {}"})));
  BOOST_TEST(
      (labels == read_text(R"({"cat": [], "dog": ["a photo of a dog", "a {} drawn"]})", {"a {}"})));
  // The order of the file is kept, whatever the alphabet says.
  BOOST_TEST(read_text(R"({"z": "1", "a": "2"})")[0].name == "z");
}

BOOST_AUTO_TEST_CASE(bad_files_are_refused_with_the_file_named) {
  BOOST_CHECK_EXCEPTION(read_text("cat\n\xff\xfe\n"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text("[\"cat\""), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text("[1]"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(R"({"cat": {"x": 1}})"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(std::string(100'000, '[')), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(": prompt without a name\n"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_label_file("/nowhere/labels", kPlain), Error, [](const Error& error) {
    return error.code() == ErrorCode::NotFound && error.subject() == "/nowhere/labels";
  });
}

BOOST_AUTO_TEST_CASE(mutated_files_are_read_or_refused_and_never_crash) {
  const std::string seed_text = R"([ "cat", {"label": "dog", "prompts": ["a", "a {} drawn"]} ])";
  std::mt19937 random(20261123);
  for (int round = 0; round < 2000; ++round) {
    std::string text = round % 2 == 0 ? seed_text : "cat\n# c\ndog: a | b {}\n";
    for (unsigned i = 0; i < 1 + random() % 4; ++i) {
      text[random() % text.size()] = static_cast<char>(random());
    }
    try {
      BOOST_TEST(!read_text(text).empty());
    } catch (const Error&) {
    }
  }
}

BOOST_AUTO_TEST_CASE(prompts_cannot_grow_without_bound) {
  // 20 KB that would become 100 MB.
  std::string prompt;
  for (int i = 0; i < 5'000; ++i) prompt += "{}";
  const std::string name(10'000, 'x');
  BOOST_CHECK_EXCEPTION(read_text(name + ": " + prompt), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(parse_label_list(name, {prompt}), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(fill_template(prompt, name), Error, is_invalid);
  BOOST_TEST(read_text("x: " + prompt)[0].prompts[0].size() == 5'000u);
}

BOOST_AUTO_TEST_CASE(empty_prompts_are_refused) {
  BOOST_CHECK_EXCEPTION(read_text(R"({"cat": ["a cat", ""]})"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(R"([{"label": "cat", "prompts": ""}])"), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text("cat: a cat | - "), Error, is_invalid);
  BOOST_CHECK_EXCEPTION(read_text(R"({"cat": ["a cat", "- "]})"), Error, is_invalid);
}

// Gives the text's length and its first character as a direction.
class LengthEncoder : public Encoder {
 public:
  const ModelInfo& info() const override { return info_; }
  Matrix encode_images(std::span<const Image>) override { return {}; }
  Matrix encode_texts(std::span<const std::string> texts, LongText) override {
    texts_encoded += texts.size();
    Matrix result(texts.size(), 2);
    for (size_t i = 0; i < texts.size(); ++i) {
      result.row(i)[texts[i][0] == 'x' ? 0 : 1] = 1;
    }
    return result;
  }
  std::vector<int32_t> tokenize(const std::string&) const override { return {}; }

  size_t texts_encoded = 0;

 private:
  ModelInfo info_;
};

BOOST_AUTO_TEST_CASE(a_label_is_the_normalised_mean_of_its_prompts) {
  LengthEncoder encoder;
  const Matrix vectors =
      label_vectors({{"one", {"x"}}, {"both", {"x", "y"}}, {"thrice", {"x", "x", "y"}}}, encoder);
  BOOST_TEST(vectors.rows() == 3u);
  BOOST_TEST(vectors.row(0)[0] == 1.0f);
  BOOST_TEST(std::abs(vectors.row(1)[0] - std::sqrt(0.5f)) < 1e-6f);
  BOOST_TEST(std::abs(vectors.row(2)[0] - 2 / std::sqrt(5.0f)) < 1e-6f);
  BOOST_TEST(encoder.texts_encoded == 2u);
}

BOOST_AUTO_TEST_CASE(vetoes_have_vectors_of_their_own) {
  LengthEncoder encoder;
  const auto encode = [&](const std::vector<std::string>& texts) {
    return encoder.encode_texts(texts, LongText::Truncate);
  };
  const PromptVectors vectors = vectors_of_prompts(
      {{"one", {"x", "- y"}}, {"two", {"y"}}, {"three", {"- x", "y", "- z"}}}, encode);
  BOOST_REQUIRE(vectors.vetoes.size() == 3u);
  BOOST_TEST(encoder.texts_encoded == 3u);
  BOOST_TEST((vectors.vetoes[0].label == 0u && vectors.vetoes[0].prompt == 1u));
  BOOST_TEST((vectors.vetoes[2].label == 2u && vectors.vetoes[2].prompt == 2u));
  const auto same = [](std::span<const float> a, std::span<const float> b) {
    return std::ranges::equal(a, b);
  };
  BOOST_TEST(same(vectors.of_vetoes.row(0), vectors.labels.row(1)));
  BOOST_TEST(same(vectors.of_vetoes.row(1), vectors.labels.row(0)));
  BOOST_CHECK_EXCEPTION(vectors_of_prompts({{"one", {"- y"}}}, encode), Error, is_invalid);
}

BOOST_AUTO_TEST_CASE(templates_go_by_name_text_or_file) {
  BOOST_TEST((read_templates("plain") == std::vector<std::string>{"{}"}));
  BOOST_TEST((read_templates("photo") == std::vector<std::string>{"a photo of a {}"}));
  BOOST_TEST((read_templates("a {} at night") == std::vector<std::string>{"a {} at night"}));
  BOOST_TEST(read_templates("imagenet7").size() == 7u);
  for (const std::string& name : template_set_names()) {
    for (const std::string& one : read_templates(name))
      BOOST_TEST(fill_template(one, "cat").find("cat") != std::string::npos);
  }
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "mine", "# ours\n a {} here\r\n\nthe {} there\n");
  BOOST_TEST((read_templates((directory / "mine").string()) ==
              std::vector<std::string>{"a {} here", "the {} there"}));
}

BOOST_AUTO_TEST_CASE(a_template_that_is_none_is_refused_with_the_set_that_was_meant) {
  const auto says = [](const std::string& text) {
    return [text](const Error& error) {
      return std::string(error.what()).find(text) != std::string::npos;
    };
  };
  BOOST_CHECK_EXCEPTION(read_templates("imagnet7"), Error, says("did you mean 'imagenet7'?"));
  const testing::TemporaryDirectory directory;
  testing::write_file(directory / "bad", "a cat\n");
  BOOST_CHECK_THROW(read_templates((directory / "bad").string()), Error);
  testing::write_file(directory / "empty", "# nothing\n");
  BOOST_CHECK_THROW(read_templates((directory / "empty").string()), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
