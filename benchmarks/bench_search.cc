// Searching, in process: the exact fused search of a collection of CLIP-like vectors beside
// streaming the same bytes, the search by the approximate index and what it misses, and phrases and
// misspelt words among a million texts.
//
//   ./dev bench search [ROWS [TEXTS [FOLDER]]]     default 1,000,000 rows of 512 (40 % with text)
//   and
//                                                  1,000,000 texts; about 3 GB of disk. The
//                                                  collection stays in FOLDER for another run.

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>

#include "benchmarks/clip_like.h"
#include "benchmarks/measure.h"
#include "lib/lexicon/lexical_match.h"
#include "lib/program/version.h"
#include "lib/search/search.h"
#include "lib/util/parallel.h"
#include "lib/util/random.h"
#include "lib/vectors/scan.h"
#include "tests/support/asked.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

constexpr int kReadings = 3;         // of each way, to find the fastest
constexpr int kVectorQueries = 100;  // of each kind
constexpr int kTextQueries = 200;

View make_collection(const std::filesystem::path& path, const ClipLike& clip, uint64_t rows) {
  if (std::filesystem::exists(path / "CURRENT")) return View::open(path);
  Random random(1);
  Manifest manifest;
  manifest.model_name = "random";
  manifest.model_fingerprint = "0";
  manifest.dimension = ClipLike::kDimension;
  CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
  for (uint64_t row = 0; row < rows;) {
    Batch batch;
    for (size_t i = 0; i < 4000 && row < rows; ++i, ++row) {
      NewPicture picture;
      picture.record.file.path = fmt::format("/{}", row);
      picture.image_vector = clip.picture(clip.topic(random), random);
      if (random.next() % 5 < 2) {
        picture.words = {{"word", 1, {}}};
        picture.record.word_count = 1;
        picture.text_vector = clip.text(clip.topic(random), random);
      }
      batch.added.push_back(std::move(picture));
    }
    writer.commit(batch);
  }
  const double seconds = seconds_of(
      [&] { writer.publish_snapshot(SnapshotWhen::Now, {std::min(rows, kIvfFromRows)}); });
  fmt::print("a snapshot with its approximate index: {:.0f} s\n", seconds);
  return View::open(path);
}

// In the order of the runs' lengths.
struct Times {
  std::vector<double> ms;

  void measure(const std::function<void()>& run) { ms.push_back(1000 * seconds_of(run)); }
  double at(double share) {
    std::ranges::sort(ms);
    return ms[static_cast<size_t>(share * static_cast<double>(ms.size() - 1) + 0.5)];
  }
  std::string quantiles() {
    return fmt::format("p50 {:8.2f}  p90 {:8.2f}  p99 {:8.2f}", at(0.5), at(0.9), at(0.99));
  }
};

// The share of the best rows that are among the others.
double recall(const std::vector<SearchHit>& found, const std::vector<SearchHit>& best) {
  const auto hits = std::ranges::count_if(best, [&](const SearchHit& hit) {
    return std::ranges::find(found, hit.row, &SearchHit::row) != found.end();
  });
  return static_cast<double>(hits) / static_cast<double>(best.size());
}

// One kind of query: exact and by the approximate index in turns.
void measure_queries(const View& collection, const char* name, SearchSpace space,
                     const std::function<SearchQuery(Random&)>& next) {
  Random random(2);
  Times streaming;
  Times exact;
  Times by_index;
  double recalls = 0;
  const VectorRows* const both[] = {&only_part(collection).image_vectors(),
                                    &only_part(collection).text_vectors()};
  const ReadingWay way = fastest_way_to_read(both, kReadings);
  for (int i = 0; i < kVectorQueries; ++i) {
    const SearchQuery query = next(random);
    SearchLimits limits{10, space, {}, 0};
    std::vector<SearchHit> best;
    std::vector<SearchHit> found;
    by_index.measure([&] { found = search(collection, query, limits); });
    limits.reach = SearchReach::EveryRow;
    exact.measure([&] { best = search(collection, query, limits); });
    streaming.measure([&] { stream(both, way); });
    recalls += recall(found, best) / kVectorQueries;
  }
  fmt::print("{}, best 10\n", name);
  fmt::print("  streaming the rows      {}  ({})\n", streaming.quantiles(), way.name);
  fmt::print("  exact                   {}  {:.2f} times streaming\n", exact.quantiles(),
             exact.at(0.5) / streaming.at(0.5));
  fmt::print("  approximate index       {}  {:.3f} of exact; recall@10 {:.4f}\n",
             by_index.quantiles(), by_index.at(0.5) / exact.at(0.5), recalls);
}

void measure_vectors(uint64_t rows, const std::filesystem::path& path) {
  const ClipLike clip(5);
  const View collection = make_collection(path, clip, rows);
  fmt::print("{} rows of {}, {} with text; ms over {} queries of each kind\n", rows,
             ClipLike::kDimension, only_part(collection).text_vectors().size(), kVectorQueries);
  collection.lexicons();
  only_part(collection).vector_index();
  const auto by_text = [&](Random& random) {
    return SearchQuery::of_vector(clip.text(clip.topic(random), random));
  };
  measure_queries(collection, "a text, in pictures and texts", SearchSpace::Both, by_text);
  measure_queries(collection, "a text, in pictures", SearchSpace::Picture, by_text);
  measure_queries(collection, "a picture, in pictures", SearchSpace::Picture, [&](Random& random) {
    SearchQuery query;
    query.picture = clip.picture(clip.topic(random), random);
    return query;
  });
}

// --- lexical match ------------------------------------------------------------------------------

// Words of a language that does not exist, used as words are: the n-th about 1/n as often as the
// first (Zipf 1949).
class Language {
 public:
  Language() {
    Random random(3);
    double sum = 0;
    for (size_t i = 0; i < kWords; ++i) {
      std::string word;
      const int length = random.between(2, 11);
      for (int j = 0; j < length; ++j) word += static_cast<char>('a' + random.below(26));
      words_.push_back(word);
      shares_.push_back(sum += 1 / static_cast<double>(i + 1));
    }
  }

  const std::string& word(Random& random) const {
    const double at = random.uniform() * shares_.back();
    return words_[static_cast<size_t>(std::ranges::lower_bound(shares_, at) - shares_.begin())];
  }

  static std::string with_error(std::string word, Random& random) {
    word[random.below(word.size())] = static_cast<char>('a' + random.below(26));
    return word;
  }

 private:
  static constexpr size_t kWords = 100'000;
  std::vector<std::string> words_;
  std::vector<double> shares_;
};

void measure_lexical_match(uint64_t texts) {
  const Language language;
  Random random(4);
  LexiconBuilder builder;
  std::vector<std::string> some;  // texts to ask for
  for (uint64_t row = 0; row < texts; ++row) {
    std::vector<Word> words;
    const int length = random.between(4, 14);
    std::string text;
    for (int i = 0; i < length; ++i) {
      std::string word = language.word(random);
      if (i > 0 && i < 5) text += (text.empty() ? "" : " ") + word;
      if (random.chance(0.03)) word = Language::with_error(word, random);
      words.push_back({word, 1, {}});
    }
    builder.add(row, words);
    if (row % std::max<uint64_t>(1, texts / kTextQueries) == 0) some.push_back(text);
  }
  std::string bytes = std::move(builder).finish({0, 0, texts});
  const size_t size = bytes.size();
  std::vector<Lexicon> parts;
  parts.push_back(Lexicon::of_bytes(std::move(bytes)));
  Times phrase;
  Times fuzzy;
  for (const std::string& text : some) {
    const LexicalQuery quoted = lexical_query("\"" + text + "\"");
    phrase.measure([&] { rows_with_phrases(placed(parts), quoted.phrases); });
    std::string misspelt = text;
    for (int i = 0; i < 2; ++i) misspelt = Language::with_error(misspelt, random);
    const LexicalQuery query = lexical_query(misspelt);
    fuzzy.measure([&] { lexical_evidence(placed(parts), query, texts); });
  }
  fmt::print("{} texts, {} terms, a lexicon of {:.1f} MB; ms over {} queries of 3 to 4 words\n",
             texts, parts[0].terms(), static_cast<double>(size) / 1e6, some.size());
  fmt::print("phrase                    {}\n", phrase.quantiles());
  fmt::print("misspelt words            {}\n", fuzzy.quantiles());
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) {
  using namespace zeroshelf;
  const uint64_t rows = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1'000'000;
  const uint64_t texts = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1'000'000;
  if (rows == 0 || rows > 10'000'000 || texts == 0 || texts > 10'000'000) {
    fmt::print(stderr, "bench_search: ROWS and TEXTS must be 1 to 10,000,000\n");
    return 2;
  }
  fmt::print("zeroshelf {}, {} cores, kernel {}\n", version(), available_cores(),
             scan_kernel_name());
  const testing::TemporaryDirectory directory;
  measure_lexical_match(texts);
  measure_vectors(rows, argc > 3 ? std::filesystem::path(argv[3]) : directory / "collection");
}
