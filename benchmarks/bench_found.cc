// What search finds: pictures with known things and text, drawn by the generator and indexed by the
// real program with the bundled model and OCR; what each kind of query finds of what is there, and
// how much of what it finds is right; how often each kind of evidence has it among the first; and
// how often a search for one that is not there says so.
//
//   ./dev bench found [PICTURES [SEED]]        default 600, 2026; the seed is that of the cut-off's
//   sets
//
// The pictures have two to five things each: 55 % show a scene of the theme that their text is
// about, 30 % one of another theme, and 15 % have no text. Phrases and seed are such as no training
// used. What is found rests on what OCR reads.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "lib/files/new_file.h"
#include "lib/image/encode_jpeg.h"
#include "lib/lexicon/function_words.h"
#include "lib/lexicon/tokens.h"
#include "lib/search/background.h"
#include "lib/search/search.h"
#include "lib/search/search_cut.h"
#include "lib/util/file.h"
#include "lib/util/random.h"
#include "lib/util/share.h"
#include "models/flags/model_flags.h"
#include "models/train/generator.h"
#include "tests/support/asked.h"
#include "tests/support/run_program.h"
#include "tests/support/shared_data.h"
#include "tests/support/temporary_directory.h"
#include "tests/support/true_photographs.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using train::CaptionedPicture;
using train::Generator;

constexpr uint64_t kSeed = 4'000'000'011;  // no training may have this one

struct Drawn {
  size_t world = 0;  // of the text
  std::string text;  // empty: none
  std::vector<std::string> words;
  std::vector<size_t> things;
};

std::vector<Drawn> draw(const Generator& generator, const fs::path& folder, size_t count) {
  fs::create_directories(folder);
  std::vector<Drawn> drawn;
  const auto& worlds = generator.worlds();
  for (size_t i = 0; i < count; ++i) {
    Random random = Random::of_item(kSeed, i);
    Drawn picture;
    picture.world = random.below(worlds.size());
    const double kind = random.uniform();
    const size_t scene = kind < 0.7 ? picture.world : random.below(worlds.size());
    std::optional<std::string> text;
    if (kind >= 0.15)
      text = picture.text = train::sentence(worlds[picture.world], train::Part::HeldOut, random);
    const train::Scene drawn_scene =
        generator.scene(scene, text, random, {480, 480, 0.5, 0, train::Part::HeldOut});
    picture.things = drawn_scene.things;
    picture.words = terms_of(picture.text);
    write_file_atomically(folder / fmt::format("{:05}.jpg", i), encode_jpeg(drawn_scene.image, 88));
    drawn.push_back(std::move(picture));
  }
  return drawn;
}

void index(const fs::path& collection, const fs::path& folder) {
  const auto result =
      testing::run_program({ZEROSHELF_INDEX_PROGRAM, "add", collection.string(), folder.string()},
                           std::chrono::seconds(3600));
  if (result.exit_code != 0) throw std::runtime_error(result.err);
}

// The ways to search that are compared.
constexpr const char* kWays[] = {"picture", "meaning", "letters", "fused"};
constexpr size_t kWayCount = std::size(kWays);

class Finder {
 public:
  Finder(const View& collection, Encoder& encoder) : collection_(collection), encoder_(encoder) {}

  std::vector<Row> first_ten(size_t way, const std::string& text) const {
    const Matrix vector = encoder_.encode_texts(std::span(&text, 1), LongText::Truncate);
    SearchQuery query = SearchQuery::of_vector(vector.row(0));
    const LexicalQuery lexical = lexical_query(text);
    if (way == 2) return by_lexical_match(lexical);
    if (way == 3) query.lexical = lexical;
    const SearchSpace space = way == 0   ? SearchSpace::Picture
                              : way == 1 ? SearchSpace::Text
                                         : SearchSpace::Both;
    std::vector<Row> rows;
    for (const SearchHit& hit : search(collection_, query, {10, space, {}, 0}))
      rows.push_back(hit.row);
    return rows;
  }

 private:
  std::vector<Row> by_lexical_match(const LexicalQuery& lexical) const {
    const auto nats = lexical_evidence(collection_.lexicons(), lexical,
                                       only_part(collection_).image_vectors().size())
                          .nats;
    std::vector<Row> rows;
    for (Row row = 0; row < nats.size(); ++row) {
      if (nats[row] > 0) rows.push_back(row);
    }
    std::ranges::stable_sort(rows, [&](Row a, Row b) { return nats[a] > nats[b]; });
    rows.resize(std::min<size_t>(rows.size(), 10));
    return rows;
  }

  const View& collection_;
  Encoder& encoder_;
};

struct Asked {
  std::string query;
  std::vector<Row> wanted;
};

void report(const char* name, const Finder& finder, const std::vector<Asked>& questions) {
  fmt::print("{:18} {:>7}", name, questions.size());
  for (size_t way = 0; way < kWayCount; ++way) {
    double sum = 0;
    for (const Asked& asked : questions) {
      const std::vector<Row> found = finder.first_ten(way, asked.query);
      const auto good = std::ranges::count_if(found, [&](Row row) {
        return std::ranges::find(asked.wanted, row) != asked.wanted.end();
      });
      sum += static_cast<double>(good) /
             static_cast<double>(std::min<size_t>(10, asked.wanted.size()));
    }
    fmt::print("  {:7.1f} %", 100 * sum / static_cast<double>(questions.size()));
  }
  fmt::print("\n");
}

std::string with_one_error(std::string text, Random& random) {
  for (int tries = 0; tries < 1000; ++tries) {
    const size_t at = random.below(text.size());
    const char letter = static_cast<char>('a' + random.below(26));
    if (text[at] < 'a' || text[at] > 'z' || text[at] == letter) continue;
    text[at] = letter;
    break;
  }
  return text;
}

// --- what is found of what is there, by kind of query --------------------------------------------

// What a query should find; pictures that one could as well call right are neither.
struct Wanted {
  std::string query;
  std::vector<bool> right;  // one a drawn picture
  std::vector<bool> either;
};

class Kinds {
 public:
  Kinds(const Generator& generator, const std::vector<Drawn>& drawn)
      : generator_(generator), drawn_(drawn) {
    for (const Drawn& picture : drawn) {
      for (const std::string& word : picture.words)
        if (word.size() >= 4 && !is_function_word(word, "eng")) words_.insert(word);
      things_.insert(picture.things.begin(), picture.things.end());
    }
  }

  std::vector<Wanted> things() const {
    std::vector<Wanted> asked;
    for (const size_t thing : things_) {
      const std::string& name = generator_.things()[thing].name;
      asked.push_back(wanted(name, [&](const Drawn& it) {
        return std::ranges::find(it.things, thing) != it.things.end();
      }));
      for (size_t i = 0; i < drawn_.size(); ++i)
        asked.back().either[i] = says_all(drawn_[i], terms_of(name));
    }
    return asked;
  }

  std::vector<Wanted> words() const {
    std::vector<Wanted> asked;
    for (const std::string& word : words_) asked.push_back(word_asked_as(word, word));
    return asked;
  }

  // One letter of a word of five and more is lost, exchanged with its neighbour, or another one;
  // not into the beginning of a word that is there.
  std::vector<Wanted> misspelt() const {
    Random random(11);
    std::vector<Wanted> asked;
    for (const std::string& word : words_) {
      if (word.size() < 5) continue;
      const size_t at = 1 + random.below(word.size() - 2);
      std::string typed = word;
      switch (random.below(3)) {
        case 0:
          typed.erase(at, 1);
          break;
        case 1:
          std::swap(typed[at], typed[at + 1]);
          break;
        default:
          typed[at] = static_cast<char>('a' + random.below(26));
      }
      if (std::ranges::none_of(words_, [&](const auto& it) { return it.starts_with(typed); }))
        asked.push_back(word_asked_as(word, typed));
    }
    return asked;
  }

  // Four letters and more of a longer word, not from its beginning.
  std::vector<Wanted> parts() const {
    Random random(12);
    std::vector<Wanted> asked;
    for (const std::string& word : words_) {
      if (word.size() < 7) continue;
      const size_t length = 4 + random.below(word.size() - 5);
      const std::string part = word.substr(1 + random.below(word.size() - length), length);
      if (std::ranges::any_of(words_, [&](const auto& it) { return it.starts_with(part); }))
        continue;
      asked.push_back(wanted(part, [&](const Drawn& it) {
        return std::ranges::any_of(
            it.words, [&](const auto& one) { return one.find(part) != std::string::npos; });
      }));
    }
    return asked;
  }

  // Two or three words that follow each other, without quotes.
  std::vector<Wanted> phrases() const {
    Random random(13);
    std::set<std::string> seen;
    std::vector<Wanted> asked;
    for (const Drawn& picture : drawn_) {
      const size_t length = 2 + random.below(2);
      if (picture.words.size() < length) continue;
      const size_t at = random.below(picture.words.size() - length + 1);
      const std::vector<std::string> some(
          picture.words.begin() + static_cast<ptrdiff_t>(at),
          picture.words.begin() + static_cast<ptrdiff_t>(at + length));
      std::vector<std::string> telling;
      for (const std::string& word : some)
        if (words_.contains(word)) telling.push_back(word);
      const std::string phrase = fmt::format("{}", fmt::join(some, " "));
      if (telling.empty() || !seen.insert(phrase).second) continue;
      asked.push_back(wanted(phrase, [&](const Drawn& it) { return says_all(it, telling); }));
    }
    return asked;
  }

  // Things that no picture shows and no text names.
  std::vector<Wanted> absent() const {
    std::vector<Wanted> asked;
    for (size_t thing = 0; thing < generator_.things().size(); ++thing) {
      const std::string& name = generator_.things()[thing].name;
      const std::vector<std::string> terms = terms_of(name);
      const bool named = std::ranges::any_of(
          terms, [&](const std::string& term) { return words_.contains(term); });
      if (!things_.contains(thing) && !named)
        asked.push_back(wanted(name, [](const Drawn&) { return false; }));
    }
    return asked;
  }

 private:
  static bool says_all(const Drawn& picture, const std::vector<std::string>& words) {
    return std::ranges::all_of(words, [&](const std::string& word) {
      return std::ranges::any_of(picture.words,
                                 [&](const auto& it) { return it.starts_with(word); });
    });
  }

  template <class Right>
  Wanted wanted(const std::string& query, const Right& right) const {
    Wanted asked{query, {}, std::vector<bool>(drawn_.size())};
    for (const Drawn& picture : drawn_) asked.right.push_back(right(picture));
    return asked;
  }

  // What the word names as a thing is right to be found, but not what is asked for.
  Wanted word_asked_as(const std::string& word, const std::string& typed) const {
    Wanted asked = wanted(typed, [&](const Drawn& it) { return says_all(it, {word}); });
    for (size_t i = 0; i < drawn_.size(); ++i) {
      asked.either[i] = std::ranges::any_of(drawn_[i].things, [&](size_t thing) {
        return generator_.things()[thing].name.find(word) != std::string::npos;
      });
    }
    return asked;
  }

  const Generator& generator_;
  const std::vector<Drawn>& drawn_;
  std::set<std::string> words_;
  std::set<size_t> things_;
};

// Means over queries, by the default of `search`.
void report_kind(const char* name, const View& collection, Encoder& encoder,
                 const Matrix& background, const std::vector<Row>& rows,
                 const std::vector<Wanted>& asked) {
  std::vector<size_t> drawn_of(collection.rows());
  for (size_t i = 0; i < rows.size(); ++i) drawn_of[rows[i]] = i;
  fmt::print("{:18} {:>7}", name, asked.size());
  const bool absent = std::ranges::all_of(
      asked, [](const Wanted& it) { return std::ranges::find(it.right, true) == it.right.end(); });
  for (const size_t k : {size_t{10}, rows.size()}) {
    double precision = 0;
    double recall = 0;
    size_t answered = 0;
    for (const Wanted& it : asked) {
      const Matrix vector = encoder.encode_texts(std::span(&it.query, 1), LongText::Truncate);
      SearchQuery query = SearchQuery::of_vector(vector.row(0));
      query.lexical = lexical_query(it.query, "eng");
      const auto hits =
          search(collection, query,
                 {.count = k, .fits = Fit(collection, query, background, SearchSpace::Both)});
      size_t right = 0;
      size_t wrong = 0;
      for (const SearchHit& hit : hits) {
        const size_t i = drawn_of[hit.row];
        right += it.right[i];
        wrong += !it.right[i] && !it.either[i];
      }
      answered += !hits.empty();
      if (right + wrong > 0)
        precision += static_cast<double>(right) / static_cast<double>(right + wrong);
      else
        precision += 1;
      const auto there = static_cast<size_t>(std::ranges::count(it.right, true));
      if (there > 0) recall += static_cast<double>(right) / static_cast<double>(std::min(k, there));
    }
    const auto n = static_cast<double>(std::max<size_t>(1, asked.size()));
    if (absent) {
      fmt::print("   nothing found for {:5.1f} %", 100 * (1 - static_cast<double>(answered) / n));
    } else {
      fmt::print("   {:8.1f} % {:8.1f} %", 100 * precision / n, 100 * recall / n);
    }
  }
  fmt::print("\n");
}

void measure_kinds(const Generator& generator, Encoder& encoder, const View& collection,
                   const std::vector<Drawn>& drawn, const std::vector<Row>& rows) {
  LoadedEncoder encoders(encoder);
  const Matrix background = background_vectors(collection, encoders);
  const Kinds kinds(generator, drawn);
  fmt::print("\nby kind of query   queries      -k 10: right     found   -k {}: right     found\n",
             drawn.size());
  const auto report = [&](const char* name, const std::vector<Wanted>& asked) {
    report_kind(name, collection, encoder, background, rows, asked);
  };
  report("thing", kinds.things());
  report("word", kinds.words());
  report("misspelt word", kinds.misspelt());
  report("part of a word", kinds.parts());
  report("phrase", kinds.phrases());
  report("absent thing", kinds.absent());
}

void measure_recall(const Generator& generator, Encoder& encoder, const fs::path& directory,
                    size_t count) {
  constexpr size_t kMostQuestions = 200;
  const std::vector<Drawn> drawn = draw(generator, directory / "pictures", count);
  index(directory / "shelf", directory / "pictures");
  const View collection = View::open(directory / "shelf");
  const Finder finder(collection, encoder);
  std::vector<Row> rows;
  for (size_t i = 0; i < drawn.size(); ++i) {
    const auto row =
        collection.find_path((directory / "pictures" / fmt::format("{:05}.jpg", i)).string());
    if (!row) throw std::runtime_error("a picture is missing");
    rows.push_back(*row);
  }
  Random random(5);
  std::vector<Asked> exact;
  std::vector<Asked> errors;
  for (size_t i = 0; i < drawn.size() && exact.size() < kMostQuestions; ++i) {
    if (drawn[i].text.empty()) continue;
    std::vector<Row> wanted;
    for (size_t j = 0; j < drawn.size(); ++j) {
      if (drawn[j].text == drawn[i].text) wanted.push_back(rows[j]);
    }
    exact.push_back({drawn[i].text, wanted});
    errors.push_back({with_one_error(drawn[i].text, random), wanted});
  }
  std::vector<Asked> meaning;
  for (size_t world = 0; world < generator.worlds().size(); ++world) {
    Asked asked{generator.worlds()[world].label, {}};
    for (size_t j = 0; j < drawn.size(); ++j) {
      if (drawn[j].world == world && !drawn[j].text.empty()) asked.wanted.push_back(rows[j]);
    }
    if (!asked.wanted.empty()) meaning.push_back(std::move(asked));
  }
  fmt::print("{} pictures, of {} OCR read words\n\n", count,
             only_part(collection).text_vectors().size());
  fmt::print("recall at 10       queries    picture    meaning    letters      fused\n");
  report("the text", finder, exact);
  report("one letter wrong", finder, errors);
  report("what it is about", finder, meaning);
  measure_kinds(generator, encoder, collection, drawn, rows);
}

Manifest manifest_of(const Encoder& encoder) {
  Manifest manifest;
  manifest.model_name = encoder.info().name;
  manifest.model_fingerprint = encoder.info().fingerprint;
  manifest.dimension = encoder.info().dimension;
  return manifest;
}

std::vector<float> vector_of(Encoder& encoder, const std::string& text) {
  const Matrix vector = encoder.encode_texts(std::span(&text, 1), LongText::Truncate);
  return {vector.row(0).begin(), vector.row(0).end()};
}

// Half of `count`, by chance.
std::vector<bool> half_of(size_t count, uint64_t seed) {
  std::vector<bool> half(count);
  Random random(seed);
  for (size_t i = 0; i < count; ++i) half[i] = random.uniform() < 0.5;
  return half;
}

void print_share(const char* name, const Share& share) {
  fmt::print("{:52} {:5.1f} %  ({:.1f} to {:.1f})  of {}\n", name, 100 * share.value(),
             100 * share.low(), 100 * share.high(), share.trials);
}

void print_quantiles(const char* name, std::vector<float> values) {
  std::ranges::sort(values);
  const auto at = [&](size_t percent) { return values[(values.size() - 1) * percent / 100]; };
  fmt::print("{:52} p5 {:6.3f}  p25 {:6.3f}  p50 {:6.3f}  p75 {:6.3f}  p95 {:6.3f}\n", name, at(5),
             at(25), at(50), at(75), at(95));
}

// Pictures of single things, of half of all things; then every thing that is there, and every one
// that cannot be there, is searched for by its name.
void measure_cut_of_pictures(const Generator& generator, Encoder& encoder, const fs::path& path,
                             size_t pictures, uint64_t seed) {
  const size_t things = generator.things().size();
  const std::vector<bool> may_be_there = half_of(things, seed);
  std::vector<bool> is_there(things);
  {
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest_of(encoder));
    Batch batch;
    const int side = static_cast<int>(encoder.info().preprocessing.size_px);
    for (size_t i = 0; i < pictures; ++i) {
      Random random = Random::of_item(kSeed + seed, i);
      size_t thing = random.below(things);
      while (!may_be_there[thing]) thing = random.below(things);
      is_there[thing] = true;
      const CaptionedPicture picture =
          generator.single(thing, random, {side, side, 0.5, 0, train::Part::HeldOut});
      NewPicture added;
      added.record.file.path = fmt::format("/{}/{}", thing, i);
      const Matrix vector = encoder.encode_images(std::span(&picture.image, 1));
      added.image_vector.assign(vector.row(0).begin(), vector.row(0).end());
      batch.added.push_back(std::move(added));
    }
    writer.commit(batch);
  }
  const View collection = View::open(path);
  LoadedEncoder encoders(encoder);
  const Matrix background = background_vectors(collection, encoders);
  Share found;
  Share right;
  Share refused;
  std::vector<float> there;
  std::vector<float> absent;
  for (size_t thing = 0; thing < things; ++thing) {
    if (may_be_there[thing] && !is_there[thing]) continue;
    const SearchQuery query =
        SearchQuery::of_vector(vector_of(encoder, generator.things()[thing].name));
    const auto nearest = search(collection, query, {10, SearchSpace::Both, {}, 0});
    const auto hits =
        search(collection, query, {.fits = Fit(collection, query, background, SearchSpace::Both)});
    (is_there[thing] ? there : absent).push_back(nearest.at(0).image_score);
    if (is_there[thing]) {
      const std::string folder = fmt::format("/{}/", thing);
      found.add(!hits.empty());
      right.add(std::ranges::any_of(hits, [&](const SearchHit& hit) {
        return collection.record(hit.row).file.path.starts_with(folder);
      }));
    } else {
      refused.add(hits.empty());
    }
  }
  fmt::print("\nthe cut-off, {} pictures of one thing each, searches by name (seed {})\n", pictures,
             seed);
  print_share("a thing that is there: something is found", found);
  print_share("a thing that is there: it is found", right);
  print_share("a thing that is not there: nothing is found", refused);
  print_quantiles("cosine of the nearest, there", there);
  print_quantiles("cosine of the nearest, not there", absent);
}

// Texts of half of the worlds; then sentences that stand there and sentences of the other half, and
// the names of both halves, are searched for among the texts.
void measure_cut_of_texts(const Generator& generator, Encoder& encoder, const fs::path& path,
                          size_t texts, uint64_t seed) {
  constexpr size_t kQuestions = 200;
  const auto& worlds = generator.worlds();
  const std::vector<bool> is_there = half_of(worlds.size(), seed + 1);
  const auto sentences = [&](bool there, size_t count, uint64_t part) {
    std::vector<std::string> made;
    for (uint64_t i = 0; made.size() < count; ++i) {
      Random random = Random::of_item(kSeed + seed + part, i);
      const size_t world = random.below(worlds.size());
      if (is_there[world] == there)
        made.push_back(train::sentence(worlds[world], train::Part::HeldOut, random));
    }
    return made;
  };
  const std::vector<std::string> written = sentences(true, texts, 1);
  {
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest_of(encoder));
    Batch batch;
    for (size_t i = 0; i < texts; ++i) {
      NewPicture added;
      added.record.file.path = fmt::format("/{}", i);
      added.image_vector = added.text_vector = vector_of(encoder, written[i]);
      std::istringstream words(written[i]);
      for (std::string word; words >> word;) added.words.push_back({word, 1, {}});
      added.record.word_count = static_cast<uint32_t>(added.words.size());
      batch.added.push_back(std::move(added));
    }
    writer.commit(batch);
  }
  const View collection = View::open(path);
  LoadedEncoder encoders(encoder);
  const Matrix background = background_vectors(collection, encoders);
  const auto finds = [&](const std::string& text) {
    SearchQuery query = SearchQuery::of_vector(vector_of(encoder, text));
    query.lexical = lexical_query(text, "eng");
    return !search(collection, query,
                   {.space = SearchSpace::Text,
                    .fits = Fit(collection, query, background, SearchSpace::Text)})
                .empty();
  };
  Share found;
  Share named;
  Share refused;
  Share names_refused;
  for (size_t i = 0; i < kQuestions; ++i) found.add(finds(written[i % written.size()]));
  for (const std::string& sentence : sentences(false, kQuestions, 2)) refused.add(!finds(sentence));
  for (size_t world = 0; world < worlds.size(); ++world) {
    const bool any = finds(worlds[world].label);
    is_there[world] ? named.add(any) : names_refused.add(!any);
  }
  fmt::print("\nthe cut-off, {} texts of half of the worlds, --in text (seed {})\n", texts, seed);
  print_share("a text that is there: something is found", found);
  print_share("what texts are about, there: something is found", named);
  print_share("a text that is not there: nothing is found", refused);
  print_share("what texts are about, not there: nothing is found", names_refused);
}

// --- a real model --------------------------------------------------------------------------------

// The best of the pictures that have enough nats, over what the query's particularity demands; the
// least number: none has.
float best_z_score(const View& collection, const Matrix& background,
                   std::span<const float> vector) {
  const SearchQuery query = SearchQuery::of_vector(vector);
  const Background pictures(ViewVectors::pictures(collection), background, query.picture);
  float best = std::numeric_limits<float>::lowest();
  for (const SearchHit& hit :
       search(collection, query, {.count = 100, .space = SearchSpace::Picture}))
    if (hit.image_nats >= least_nats(collection.rows()))
      best = std::max(best, pictures.z_score(hit.row) / pictures.demand());
  return best;
}

// A quarter of the names are the background, in turn.
void measure_true_vectors(const fs::path& path) {
  const testing::TruePhotographs photographs;
  photographs.make_collection(path);
  const View collection = View::open(path);
  Share found;
  Share refused;
  Share unsaid_refused;
  std::vector<float> used;
  std::vector<float> others;
  std::vector<float> unsaid;
  for (size_t part = 0; part < testing::TruePhotographs::kParts; ++part) {
    const Matrix background = photographs.background(part);
    for (const size_t k : photographs.used()) {
      used.push_back(best_z_score(collection, background, photographs.label(k)));
      found.add(used.back() >= Fit::kLeastZ);
    }
    const std::vector<size_t> unsaid_names = photographs.unsaid(part);
    for (const size_t i : photographs.others(part)) {
      others.push_back(best_z_score(collection, background, photographs.name(i)));
      refused.add(others.back() < Fit::kLeastZ);
      if (!std::ranges::binary_search(unsaid_names, i)) continue;
      unsaid.push_back(others.back());
      unsaid_refused.add(unsaid.back() < Fit::kLeastZ);
    }
  }
  std::ranges::sort(used);
  const float lost = used[used.size() / 20];
  const auto below = [&](const std::vector<float>& values) {
    return 100.0 *
           static_cast<double>(std::ranges::count_if(values, [&](float z) { return z < lost; })) /
           static_cast<double>(values.size());
  };
  fmt::print("\nCLIP's vectors of {} photographs\n", collection.rows());
  print_share("a name that people use: something is found", found);
  print_share("another of a thousand names: nothing is found", refused);
  print_share("one that no sentence about them comes near", unsaid_refused);
  fmt::print("{:52} {:5.1f} %, {:.1f} %\n", "the same, where 5 % of the used are lost",
             below(others), below(unsaid));
}

void run(size_t count, uint64_t seed) {
  const testing::TemporaryDirectory directory;
  if (fs::exists(testing::shared_directory() / "true_clip"))
    measure_true_vectors(directory / "true");
  const Generator generator({});
  const auto encoder = load_model({}, EncoderSide::Both);
  for (const size_t pictures : {400, 3000})
    measure_cut_of_pictures(generator, *encoder, directory / fmt::format("things{}", pictures),
                            pictures, seed);
  measure_cut_of_texts(generator, *encoder, directory / "texts", 400, seed);
  measure_recall(generator, *encoder, absolute_path(directory / "set"), count);
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  zeroshelf::run(argc > 1 ? static_cast<size_t>(std::max(50, std::atoi(argv[1]))) : 600,
                 argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 2026);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_found: {}\n", error.what());
  return 2;
}
