#include <boost/test/unit_test.hpp>

#include <chrono>
#include <nlohmann/json.hpp>

#include "lib/util/error.h"
#include "lib/util/file.h"
#include "models/text/text_cleaning.h"
#include "models/text/tokenizer.h"
#include "tests/clip/tiny_model.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

std::string unescaped(std::u32string_view text) {
  std::string result;
  for (const char32_t c : unescape_html(text))
    result +=
        c < 0x80 ? std::string(1, static_cast<char>(c)) : std::to_string(static_cast<uint32_t>(c));
  return result;
}

BOOST_AUTO_TEST_SUITE(tokenizer)

BOOST_AUTO_TEST_CASE(text_is_cleaned_as_the_reference_does) {
  BOOST_TEST(clean_text("  A\t B\n\nC ") == "a b c");
  BOOST_TEST(clean_text("“Curly” ‘quotes’ donʼt") == "\"curly\" 'quotes' don't");
  BOOST_TEST(clean_text("ﬁne ﬂow ĳs ǅ") == "fine flow ijs dž");
  BOOST_TEST(clean_text("ＦＵＬＬ　ｗｉｄｔｈ ｶﾞ") == "full width ガ");
  BOOST_TEST(clean_text("e\u0301") == "é");
  BOOST_TEST(clean_text("ΟΔΟΣ İ") == "οδος i̇");
  BOOST_TEST(clean_text("&lt;b&gt; &amp;amp;amp;") == "<b> &");
  BOOST_TEST(clean_text("<b> &amp;amp;amp;") == "<b> &amp;");  // HTML source: two rounds only
  BOOST_TEST(clean_text("&EACUTE;") == "é");
  BOOST_TEST(clean_text("a\x1b[31mb\x07") == "ab");
  BOOST_TEST(clean_text("\xc2\x93quoted\xc2\x94 \xc2\x85") == "\"quoted\" …");
  BOOST_TEST(clean_text("\xef\xbb\xbfmark") == "mark");
  BOOST_TEST(clean_text("bad\xff") == "bad\xef\xbf\xbd");
  BOOST_TEST(clean_text("") == "");
}

BOOST_AUTO_TEST_CASE(character_references_are_read_as_html_reads_them) {
  BOOST_TEST(unescaped(U"&amp;&lt&gt;") == "&<>");
  BOOST_TEST(unescaped(U"&notit; &notin;") == "172it; 8713");  // the longest name that fits
  BOOST_TEST(unescaped(U"&#65;&#x42;&#67") == "ABC");
  BOOST_TEST(unescaped(U"&#128;&#0;&#xD800;&#x110000;&#99999999999999999999;") ==
             "83646553365533"
             "6553365533");
  BOOST_TEST(unescaped(U"&#1;&#x7f;x") == "x");
  BOOST_TEST(unescaped(U"& &; &# &#x; &nosuch; &") == "& &; &# &#x; &nosuch; &");
}

struct SmallVocabulary {
  SmallVocabulary() { testing::TinyModel(1).write(directory.path()); }
  Tokenizer load() const { return Tokenizer::load(directory.path(), ""); }
  std::vector<int32_t> ids(std::string_view text) const { return load().encode(text); }

  testing::TemporaryDirectory directory;
};

BOOST_FIXTURE_TEST_CASE(words_are_split_and_merged, SmallVocabulary) {
  constexpr int kEnd = 256;  // added to a byte's id at the end of a word
  BOOST_TEST((ids("cat") == std::vector<int32_t>{'c', 512}));
  BOOST_TEST((ids("at") == std::vector<int32_t>{512}));
  BOOST_TEST((ids("12") == std::vector<int32_t>{'1' + kEnd, '2' + kEnd}));
  BOOST_TEST((ids("a's!?") == std::vector<int32_t>{'a' + kEnd, '\'', 's' + kEnd, '!', '?' + kEnd}));
  BOOST_TEST((ids("!'s") == std::vector<int32_t>{'!', '\'' + kEnd, 's' + kEnd}));
  BOOST_TEST(ids("x'\u017fa").size() == 5u);  // x, the ending with the two bytes of the long s, a
  BOOST_TEST((ids("<|endoftext|>") == std::vector<int32_t>{514}));
  BOOST_TEST((ids("") == std::vector<int32_t>{}));
}

BOOST_FIXTURE_TEST_CASE(tokenizer_json_says_the_same_as_vocab_and_merges, SmallVocabulary) {
  const std::string expected = load().checksum();
  const auto vocabulary = nlohmann::json::parse(read_file(directory / "vocab.json", 1 << 20));
  std::filesystem::remove(directory / "vocab.json");
  using nlohmann::json;
  for (const json& merges :
       {json::array({"a t</w>"}), json::array({json::array({"a", "t</w>"})})}) {
    testing::write_file(
        directory / "tokenizer.json",
        nlohmann::json{{"model", {{"vocab", vocabulary}, {"merges", merges}}}}.dump());
    BOOST_TEST(load().checksum() == expected);
  }
  testing::write_file(directory / "tokenizer.json", R"({"model": {"vocab": 3}})");
  BOOST_CHECK_THROW(load(), Error);
}

BOOST_FIXTURE_TEST_CASE(a_word_of_a_million_letters_takes_no_quadratic_time, SmallVocabulary) {
  const Tokenizer loaded = load();
  const auto start = std::chrono::steady_clock::now();
  BOOST_TEST(loaded.encode(std::string(1'000'000, 'a')).size() == 1'000'000u);
  BOOST_TEST(loaded.encode(std::string(300'000, '&')).size() == 300'000u);
  const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
  BOOST_TEST(spent.count() < 20);
}

BOOST_FIXTURE_TEST_CASE(damaged_vocabularies_are_refused, SmallVocabulary) {
  for (const std::string merges : {"#version\nonlyone\n", "#version\nno such\n"}) {
    testing::write_file(directory / "merges.txt", merges);
    BOOST_CHECK_THROW(load(), Error);
  }
  testing::write_file(directory / "merges.txt", "#version: 0.2\n");
  for (const std::string vocabulary : {"{}", "[]", "{\"a\": -1}", "{\"a\": 99999999999}", "{"}) {
    testing::write_file(directory / "vocab.json", vocabulary);
    BOOST_CHECK_THROW(load(), Error);
  }
  testing::write_file(directory / "vocab.txt.gz", "\x1f\x8b\x08 cut short");
  BOOST_CHECK_THROW(Tokenizer::load(directory.path(), directory / "vocab.txt.gz"), Error);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
