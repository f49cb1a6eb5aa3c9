// What search finds: pictures with known text, drawn by the generator and indexed by the real
// program with the bundled model and OCR, and how often each kind of evidence finds them; then how
// often a search for a thing that is there finds it, and for one that is not says so.
//
//   ./dev bench found [PICTURES]        default 600
//
// Of the pictures, 55 % show a scene of the theme that their text is about, 30 % one of another
// theme, and 15 % have no text. Phrases and seed are such as no training used. Recall at 10 is the
// share of what is wanted (at most 10) among the first 10; it rests on what OCR reads.

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <stdexcept>

#include "lib/image/encode_jpeg.h"
#include "lib/util/file.h"
#include "lib/util/random.h"
#include "lib/util/share.h"
#include "models/flags/model_flags.h"
#include "models/train/generator.h"
#include "query/background.h"
#include "query/search.h"
#include "query/search_cut.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_directory.h"

namespace zeroshelf {
namespace {

namespace fs = std::filesystem;
using train::CaptionedPicture;
using train::Generator;

constexpr uint64_t kSeed = 4'000'000'011;  // no training may have this one

struct Drawn {
  size_t world = 0;  // of the text
  std::string text;  // empty: none
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
    const Image image =
        generator.scene(scene, text, random, {480, 480, 0.5, 0, train::Part::HeldOut});
    write_file_atomically(folder / fmt::format("{:05}.jpg", i), encode_jpeg(image, 88));
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
  Finder(const Collection& collection, Encoder& encoder)
      : collection_(collection), encoder_(encoder) {}

  std::vector<Row> first_ten(size_t way, const std::string& text) const {
    const Matrix vector = encoder_.encode_texts(std::span(&text, 1), LongText::Truncate);
    SearchQuery query = SearchQuery::of_vector(vector.row(0));
    const LetterQuery letters = letter_query(text);
    if (way == 2) return by_letters(letters);
    if (way == 3) query.letters = letters;
    const SearchSpace space = way == 0   ? SearchSpace::Picture
                              : way == 1 ? SearchSpace::Text
                                         : SearchSpace::Both;
    std::vector<Row> rows;
    for (const SearchHit& hit : search(collection_, query, {10, space, {}, 0}))
      rows.push_back(hit.row);
    return rows;
  }

 private:
  std::vector<Row> by_letters(const LetterQuery& letters) const {
    const auto nats =
        letter_evidence(collection_.lexicon(), letters, collection_.image_vectors().size()).nats;
    std::vector<Row> rows;
    for (Row row = 0; row < nats.size(); ++row) {
      if (nats[row] > 0) rows.push_back(row);
    }
    std::ranges::stable_sort(rows, [&](Row a, Row b) { return nats[a] > nats[b]; });
    rows.resize(std::min<size_t>(rows.size(), 10));
    return rows;
  }

  const Collection& collection_;
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

void measure_recall(const Generator& generator, Encoder& encoder, const fs::path& directory,
                    size_t count) {
  constexpr size_t kMostQuestions = 200;
  const std::vector<Drawn> drawn = draw(generator, directory / "pictures", count);
  index(directory / "shelf", directory / "pictures");
  const Collection collection = Collection::open(directory / "shelf");
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
  fmt::print("{} pictures, of {} OCR read words\n\n", count, collection.text_vectors().size());
  fmt::print("recall at 10       queries    picture    meaning    letters      fused\n");
  report("the text", finder, exact);
  report("one letter wrong", finder, errors);
  report("what it is about", finder, meaning);
}

// Pictures of single things, of half of all things; then all of them are searched for.
void measure_cut(const Generator& generator, Encoder& encoder, const fs::path& path) {
  constexpr size_t kPictures = 400;
  constexpr size_t kQuestions = 150;
  Manifest manifest;
  manifest.model_name = encoder.info().name;
  manifest.model_fingerprint = encoder.info().fingerprint;
  manifest.dimension = encoder.info().dimension;
  const size_t things = generator.things().size();
  std::vector<bool> is_there(things);
  {
    CollectionWriter writer = CollectionWriter::open_or_create(path, manifest);
    Batch batch;
    for (size_t i = 0; i < kPictures; ++i) {
      Random random = Random::of_item(kSeed + 1, i);
      const size_t thing = random.below(things / 2) * 2;
      is_there[thing] = true;
      const int side = static_cast<int>(encoder.info().preprocessing.size_px);
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
  const Collection collection = Collection::open(path);
  const Matrix background = background_vectors(collection, encoder);
  Share found;
  Share right;
  Share refused;
  std::vector<float> nats_there;
  std::vector<float> nats_absent;
  std::vector<float> better_there;
  std::vector<float> better_absent;
  Random random(6);
  while (found.trials < kQuestions || refused.trials < kQuestions) {
    const size_t thing = random.below(things);
    const std::string& name = generator.things()[thing].name;
    if (is_there[thing] ? found.trials == kQuestions
                        : thing % 2 == 0 || refused.trials == kQuestions) {
      continue;
    }
    const Matrix vector = encoder.encode_texts(std::span(&name, 1), LongText::Truncate);
    const SearchQuery query = SearchQuery::of_vector(vector.row(0));
    const Background told(collection, collection.image_vectors(), {}, background, query.picture);
    const auto hits = fitting(collection, query, background, SearchSpace::Both,
                              search(collection, query, {10, SearchSpace::Both, {}, 0}));
    const auto nearest = search(collection, query, {1, SearchSpace::Picture, {}, 0});
    (is_there[thing] ? nats_there : nats_absent).push_back(nearest.at(0).image_nats);
    (is_there[thing] ? better_there : better_absent)
        .push_back(static_cast<float>(told.share_better(nearest.at(0).row)));
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
  const auto line = [](const char* name, const Share& share) {
    fmt::print("{:52} {:5.1f} %  ({:.1f} to {:.1f})\n", name, 100 * share.value(),
               100 * share.low(), 100 * share.high());
  };
  fmt::print("\nthe cut-off, {} pictures of one thing each, {} + {} searches by name\n", kPictures,
             kQuestions, kQuestions);
  line("a thing that is there: something is found", found);
  line("a thing that is there: it is found", right);
  line("a thing that is not there: nothing is found", refused);
  const auto quantiles = [](const char* name, std::vector<float> values) {
    std::ranges::sort(values);
    const auto at = [&](size_t percent) { return values[(values.size() - 1) * percent / 100]; };
    fmt::print("{:52} p5 {:6.3f}  p25 {:6.3f}  p50 {:6.3f}  p75 {:6.3f}  p95 {:6.3f}\n", name,
               at(5), at(25), at(50), at(75), at(95));
  };
  quantiles("nats of the nearest, there", nats_there);
  quantiles("nats of the nearest, not there", nats_absent);
  quantiles("share of prompts that fit the nearest better, there", better_there);
  quantiles("share of prompts that fit the nearest better, not", better_absent);
}

void run(size_t count) {
  const testing::TemporaryDirectory directory;
  const Generator generator({});
  const auto encoder = load_model({}, EncoderSide::Both);
  measure_cut(generator, *encoder, directory / "things");
  measure_recall(generator, *encoder, absolute_path(directory / "set"), count);
}

}  // namespace
}  // namespace zeroshelf

int main(int argc, char** argv) try {
  zeroshelf::run(argc > 1 ? static_cast<size_t>(std::max(50, std::atoi(argv[1]))) : 600);
} catch (const std::exception& error) {
  fmt::print(stderr, "bench_found: {}\n", error.what());
  return 2;
}
