// Ranks with some parts each, as threads, beside one process with all parts.

#include "lib/search/gathered_hits.h"

#include <boost/test/unit_test.hpp>

#include <optional>
#include <random>
#include <string>
#include <vector>

#include "lib/collection/open_view.h"
#include "lib/search/search_cut.h"
#include "lib/util/hash.h"
#include "tests/search/collected.h"
#include "tests/support/thread_ranks.h"

namespace zeroshelf::testing {
namespace {

namespace fs = std::filesystem;

const char* const kWords[] = {"harbour", "harbours", "harbor", "light", "lighthouse",
                              "house",   "boat",     "common", "rare",  "sea"};

// 400 pictures, most with some words, in so many parts; some scores are equal.
struct Parts {
  explicit Parts(size_t count) {
    std::mt19937 random(9);
    std::vector<Batch> batches(count);
    Manifest manifest;
    manifest.model_name = "random";
    manifest.model_fingerprint = "0";
    manifest.dimension = kCollectedDimension;
    std::vector<float> vector = random_unit(random);
    for (int i = 0; i < 400; ++i) {
      if (i % 5 != 0) vector = random_unit(random);
      NewPicture picture;
      picture.record.file.path = "/folder/" + std::to_string(random() % 1000) + "/" +
                                 std::to_string(i);
      for (uint8_t& byte : picture.record.content_hash) byte = static_cast<uint8_t>(random());
      picture.image_vector = vector;
      if (i % 4 != 0) {
        for (unsigned word = 1 + random() % 6; word > 0; --word)
          picture.words.push_back({kWords[random() % std::size(kWords)], 0.9f, {}});
        picture.record.word_count = static_cast<uint32_t>(picture.words.size());
        picture.record.text_confidence = 0.9f;
        picture.text_vector = random_unit(random);
      }
      batches[random() % count].added.push_back(std::move(picture));
    }
    for (size_t part = 0; part < count; ++part) {
      all.push_back(directory / std::to_string(part));
      CollectionWriter writer = CollectionWriter::open_or_create(all.back(), manifest);
      if (!batches[part].empty()) writer.commit(batches[part]);
    }
  }

  TemporaryDirectory directory;
  std::vector<fs::path> all;
};

struct Asked {
  std::string words;
  SearchSpace space = SearchSpace::Both;
  size_t count = 10;
  bool cut = false;
  bool weak = false;
};

GatheredHits found_by(const View& view, const Asked& asked) {
  std::mt19937 random(17);
  SearchQuery query = SearchQuery::of_vector(random_unit(random));
  query.lexical = lexical_query(asked.words);
  Matrix background(30, kCollectedDimension);
  for (size_t i = 0; i < background.rows(); ++i)
    std::ranges::copy(random_unit(random), background.row(i).begin());
  SearchLimits limits;
  limits.space = asked.space;
  limits.count = asked.count;
  limits.weak = asked.weak;
  if (asked.cut) limits.fits = Fit(view, query, background, asked.space);
  return gathered_hits(view, search(view, query, limits), asked.space, asked.count,
                       {.words = true, .vectors = true, .records = true});
}

std::string hits_text(const GatheredHits& found) {
  std::string text;
  Matrix other(1, kCollectedDimension);
  for (const SearchHit& hit : found.hits) {
    found.facts->read_vector(hit.row, other.row(0));
    text += found.facts->path(hit.row) + " " + std::to_string(hit.score) + " " +
            std::to_string(hit.image_score) + " " + std::to_string(hit.text_score.value_or(-9)) +
            " " + std::to_string(hit.lexical_nats) + " " + std::to_string(hit.lexical_fits) +
            std::to_string(hit.any_lexical_fits) + std::to_string(hit.fits.value_or(false)) + " " +
            std::to_string(found.facts->inner_product(hit.row, other));
    for (const Word& word : found.facts->words(hit.row)) text += " " + word.text;
    const PictureRecord record = found.facts->record(hit.row);
    text += " " + to_hex(record.content_hash) + record.file.path + "\n";
  }
  return text;
}

std::vector<Row> rows_of_all(const GatheredHits& found) {
  std::vector<Row> rows;
  for (const SearchHit& hit : found.hits) rows.push_back(found.facts->row_of_all(hit.row));
  return rows;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hits_of_several_processes)

BOOST_AUTO_TEST_CASE(they_are_those_of_one_process) {
  const std::vector<Asked> questions = {
      {"", SearchSpace::Picture, 30},
      {"harbour light", SearchSpace::Both, 400},
      {"harbour light", SearchSpace::Text, 25},
      {"lighthouse rare", SearchSpace::Both, 40, true},
      {"light house", SearchSpace::Text, 400},
      {"harbours", SearchSpace::Text, 400},
      {"light house light boat", SearchSpace::Text, 400},
      {"harbuor", SearchSpace::Both, 50},
      {"nothing like it", SearchSpace::Both, 20, true},
      {"lighthouse rare", SearchSpace::Both, 40, true, true},
      {"lighthouse rare", SearchSpace::Both, 400, true, true},
  };
  const Parts whole(1);
  const View one = View::open(whole.all.front());
  for (const size_t count : {2u, 5u}) {
    const Parts parts(count);
    const OpenedView alone = open_view(parts.all);
    for (const size_t size : {1u, 2u, 4u}) {
      for (const Asked& asked : questions) {
        std::vector<std::string> texts(size);
        std::vector<Row> rows;
        run_ranks(size, [&](Ranks& ranks) {
          try {
            const OpenedView opened = open_view(parts.all, OpenOptions{.ranks = &ranks});
            const GatheredHits found = found_by(opened.view, asked);
            texts[ranks.rank()] = hits_text(found);
            if (ranks.is_first()) rows = rows_of_all(found);
          } catch (const std::exception& error) {
            texts[ranks.rank()] = error.what();
          }
        });
        BOOST_TEST(texts[0] == hits_text(found_by(one, asked)), asked.words);
        BOOST_TEST((rows == rows_of_all(found_by(alone.view, asked))), asked.words);
        for (size_t rank = 1; rank < size; ++rank) BOOST_TEST(texts[rank].empty());
      }
    }
  }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace zeroshelf::testing
