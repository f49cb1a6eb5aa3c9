// Tests models/text/piece_model.h and piece_tokenizer.h on vocabularies of a few pieces; the
// published ones: tests/clip/golden_models_test.cc.

#include "models/text/piece_tokenizer.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "lib/util/error.h"
#include "tests/support/piece_files.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

using nlohmann::json;
using testing::bpe_json;
using testing::bpe_pieces;
using testing::bytes_field;
using testing::number_field;
using testing::PieceKind;
using testing::sentencepiece_file;
using testing::TemporaryDirectory;
using testing::unigram_json;
using testing::unigram_pieces;

std::vector<int32_t> ids_of(const char* name, const std::string& content, std::string_view text) {
  const TemporaryDirectory folder;
  testing::write_file(folder / name, content);
  return load_piece_tokenizer(folder.path(), {},
                              {.cleaning = Cleaning::Nothing, .is_roberta = false})
      ->encode(text);
}

void check_refused(const char* name, const std::string& content, const char* cause) {
  BOOST_CHECK_EXCEPTION(ids_of(name, content, "the cat"), Error, [&](const Error& error) {
    BOOST_TEST_CONTEXT(error.what()) BOOST_TEST(error.cause().find(cause) != std::string::npos);
    return error.code() == ErrorCode::Corruption || error.code() == ErrorCode::Incompatible;
  });
}

using Ids = std::vector<int32_t>;

BOOST_AUTO_TEST_SUITE(piece_tokenizer)

BOOST_AUTO_TEST_CASE(the_likeliest_cut_is_taken) {
  const std::string spiece = sentencepiece_file(PieceKind::Unigram, unigram_pieces());
  for (const auto& [name, content] :
       {std::pair("spiece.model", spiece), {"tokenizer.json", unigram_json().dump()}}) {
    BOOST_TEST_CONTEXT(name) {
      BOOST_TEST(ids_of(name, content, "the cat") == (Ids{4, 9}));
      BOOST_TEST(ids_of(name, content, "the  cats ") == (Ids{4, 9, 13}));
      BOOST_TEST(ids_of(name, content, "he") == (Ids{3, 6}));
      BOOST_TEST(ids_of(name, content, "caf\u00e9") == Ids{12});
      // What is in no piece is unknown once, however long it is.
      BOOST_TEST(ids_of(name, content, "the xyz cat") == (Ids{4, 3, 2, 9}));
      BOOST_TEST(ids_of(name, content, "").empty());
      BOOST_TEST(ids_of(name, content, "   ").empty());
    }
  }
}

BOOST_AUTO_TEST_CASE(pairs_are_joined_in_their_order_and_the_rest_are_bytes) {
  const std::string file = bpe_json().dump();
  const auto id = [](const char* text) {
    const auto pieces = bpe_pieces();
    return static_cast<int32_t>(
        std::find_if(pieces.begin(), pieces.end(),
                     [&](const auto& piece) { return piece.text == text; }) -
        pieces.begin());
  };
  BOOST_TEST(ids_of("tokenizer.json", file, "cat cat") == (Ids{id("cat"), id("\u2581cat")}));
  BOOST_TEST(ids_of("tokenizer.json", file, "act") == (Ids{id("a"), id("c"), id("t")}));
  BOOST_TEST(ids_of("tokenizer.json", file, "c\u00e9") ==
             (Ids{id("c"), id("<0xC3>"), id("<0xA9>")}));
  // What is not UTF-8 is the replacement character.
  BOOST_TEST(ids_of("tokenizer.json", file, "\xff") ==
             (Ids{id("<0xEF>"), id("<0xBF>"), id("<0xBD>")}));
  const std::string model = sentencepiece_file(PieceKind::Bpe, bpe_pieces(), true);
  BOOST_TEST(ids_of("tokenizer.model", model, "c\u00e9") ==
             (Ids{id("\u2581"), id("c"), id("<0xC3>"), id("<0xA9>")}));
}

BOOST_AUTO_TEST_CASE(xlm_r_counts_the_pieces_of_its_file_in_its_own_order) {
  std::vector<testing::MadePiece> pieces = unigram_pieces();
  pieces[0] = {"<unk>", 0, 2};
  pieces[1] = {"<s>", 0, 3};
  pieces[2] = {"</s>", 0, 3};
  const TemporaryDirectory folder;
  testing::write_file(folder / "sentencepiece.bpe.model",
                      sentencepiece_file(PieceKind::Unigram, pieces));
  const auto tokenizer =
      load_piece_tokenizer(folder.path(), {}, {.cleaning = Cleaning::Nothing, .is_roberta = true});
  BOOST_TEST(tokenizer->start_id().value() == 0);
  BOOST_TEST(tokenizer->end_id() == 2);
  BOOST_TEST(tokenizer->encode("the<mask> cat x") == (Ids{5, 15, 10, 4, 3}));
  BOOST_TEST(tokenizer->size() == 16);
  // A vocabulary of another kind has its marks elsewhere.
  testing::write_file(folder / "sentencepiece.bpe.model",
                      sentencepiece_file(PieceKind::Unigram, unigram_pieces()));
  BOOST_CHECK_THROW(load_piece_tokenizer(folder.path(), {}, {.cleaning = {}, .is_roberta = true}),
                    Error);
}

BOOST_AUTO_TEST_CASE(settings_that_would_make_other_tokens_are_refused_by_their_name) {
  const TemporaryDirectory folder;
  testing::write_file(folder / "spiece.model",
                      sentencepiece_file(PieceKind::Unigram, unigram_pieces()));
  const auto load = [&](const json& settings, PieceOptions options = {.filled_up_to = 64}) {
    testing::write_file(folder / "tokenizer_config.json", settings.dump());
    return load_piece_tokenizer(folder.path(), {}, options);
  };
  const json sound = {{"do_lower_case", true},
                      {"model_max_length", 64},
                      {"tokenizer_class", "SiglipTokenizer"},
                      {"add_eos_token", true},
                      {"padding_side", "right"},
                      {"sp_model_kwargs", json::object()},
                      {"clean_up_tokenization_spaces", true}};
  BOOST_TEST(load(sound)->end_id() >= 0);
  const std::pair<const char*, json> others[] = {{"do_lower_case", false},
                                                 {"model_max_length", 16},
                                                 {"tokenizer_class", "BertTokenizer"},
                                                 {"add_eos_token", false},
                                                 {"add_bos_token", true},
                                                 {"padding_side", "left"},
                                                 {"truncation_side", "left"},
                                                 {"sp_model_kwargs", {{"enable_sampling", true}}},
                                                 {"model_max_length", "many"}};
  for (const auto& [key, value] : others) {
    json changed = sound;
    changed[key] = value;
    BOOST_CHECK_EXCEPTION(load(changed), Error, [&key = key](const Error& error) {
      return error.code() == ErrorCode::Incompatible &&
             error.cause().find(key) != std::string::npos;
    });
  }
  json longer = sound;
  longer["model_max_length"] = 1e30;
  load(longer);
  // Whoever cleans texts before does not go by the file's letters.
  json cased = sound;
  cased["do_lower_case"] = false;
  load(cased, {.cleaning = Cleaning::Canonical});
}

BOOST_AUTO_TEST_CASE(what_is_not_known_of_a_vocabulary_is_refused) {
  const auto changed = [](json sound, const char* pointer, const json& value) {
    sound[json::json_pointer(pointer)] = value;
    return sound.dump();
  };
  check_refused("tokenizer.json", changed(unigram_json(), "/model/type", "WordPiece"), "WordPiece");
  check_refused("tokenizer.json", changed(unigram_json(), "/pre_tokenizer/type", "ByteLevel"),
                "ByteLevel");
  check_refused("tokenizer.json", changed(unigram_json(), "/pre_tokenizer/prepend_scheme", "last"),
                "prepend_scheme");
  check_refused("tokenizer.json", changed(unigram_json(), "/normalizer/normalizers/0/type", "NFD"),
                "NFD");
  check_refused("tokenizer.json", changed(bpe_json(), "/model/end_of_word_suffix", "</w>"),
                "end_of_word_suffix");
  const std::string file = sentencepiece_file(PieceKind::Unigram, unigram_pieces());
  check_refused("spiece.model", file + bytes_field(2, number_field(3, 3)), "neither");
  check_refused("spiece.model", file + bytes_field(2, number_field(24, 1)), "behind words");
  check_refused("spiece.model", file + bytes_field(3, number_field(5, 0)), "spaces");
}

BOOST_AUTO_TEST_CASE(damage_is_refused_before_memory_is_given) {
  const std::string file = sentencepiece_file(PieceKind::Unigram, unigram_pieces());
  for (size_t size = 1; size < file.size(); size += 3) {
    try {
      ids_of("spiece.model", file.substr(0, size), "the cat");
    } catch (const Error&) {
    }
  }
  check_refused("spiece.model", file.substr(0, 20), "damaged");
  check_refused("spiece.model", std::string(12, '\xff'), "damaged");
  check_refused("spiece.model", file + bytes_field(2, number_field(40, 1u << 30)), "unknown");
  const auto with = [](json sound, const char* pointer, const json& value) {
    sound[json::json_pointer(pointer)] = value;
    return sound.dump();
  };
  check_refused("tokenizer.json", with(bpe_json(), "/model/vocab/far", 3'999'999), "an id");
  check_refused("tokenizer.json", with(bpe_json(), "/added_tokens/0/id", 3'999'999), "an id");
  check_refused("tokenizer.json", with(bpe_json(), "/added_tokens/0/id", -1), "an id");
  check_refused("tokenizer.json", with(unigram_json(), "/model/unk_id", 99), "unknown");
  check_refused("tokenizer.json", with(unigram_json(), "/model/vocab/3", {"x", "y"}), "score");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace zeroshelf
