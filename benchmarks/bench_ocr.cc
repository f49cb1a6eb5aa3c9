// How well and how fast pictures' text is read: plain Tesseract (page segmentation modes 3 and 11)
// beside zeroshelf's pipeline, over drawn pictures whose words are known.
//
//   ./dev bench ocr [--few N] [--split development|test] [--ablation] [--style NAME] [--save DIR]
//                   [--words FILE]
//
// Words are compared without case and marks, as multisets a picture, and once more as they are
// drawn
// ("exact"); Japanese and Chinese by letters. The last column is zeroshelf's processor time by that
// of psm 3, which reads each picture in turn in the same process. The test set shares no font,
// photograph or sentence with the development set, on which every setting was chosen
// (benchmarks/ocr_words.cc).

#include <fmt/format.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <map>
#include <set>

#include "benchmarks/ocr_set.h"
#include "lib/image/encode_jpeg.h"
#include "lib/ocr/text_reader.h"
#include "lib/program/program.h"
#include "tests/support/shared_data.h"

namespace zeroshelf::bench {
namespace {

struct Options {
  size_t few = 12;
  std::string split = "test";
  bool ablation = false;
  std::vector<std::string> styles;
  std::filesystem::path save;
  std::filesystem::path words;  // what zeroshelf read, to compare two builds
  bool misses = false;
  bool alone = false;
};

constexpr std::string_view kOurs = "zeroshelf";
constexpr std::string_view kPage = "psm 3";

struct Way {
  std::string_view name;
  ReadingSteps steps;
};

ReadingSteps with_method(ReadingSteps::Method method) {
  ReadingSteps steps;
  steps.method = method;
  return steps;
}

std::vector<Way> ways(const Options& options) {
  using Method = ReadingSteps::Method;
  std::vector<Way> result;
  if (!options.ablation && !options.alone) {
    result.push_back({kPage, with_method(Method::PlainPage)});
    result.push_back({"psm 11", with_method(Method::PlainSparse)});
  }
  result.push_back({kOurs, {}});
  if (options.ablation) {
    const auto without = [&](const char* name, bool ReadingSteps::*step) {
      ReadingSteps steps;
      steps.*step = false;
      result.push_back({name, steps});
    };
    without("no isolation", &ReadingSteps::isolate);
    without("one reading", &ReadingSteps::second_reading);
    without("no colours", &ReadingSteps::colour_layers);
    without("no reach", &ReadingSteps::whole_rows);
    without("no ink", &ReadingSteps::same_ink);
    without("no levelling", &ReadingSteps::deskew);
    without("no splitting", &ReadingSteps::split_words);
    without("no plausib.", &ReadingSteps::plausibility);
  }
  return result;
}

// Letters and digits of any script, without case.
std::string normalised(const std::string& word) {
  icu::UnicodeString result;
  const auto whole = icu::UnicodeString::fromUTF8(word);
  for (int32_t i = 0; i < whole.length(); i = whole.moveIndex32(i, 1)) {
    if (const UChar32 c = whole.char32At(i); u_isalnum(c)) result += c;
  }
  std::string utf8;
  result.foldCase().toUTF8String(utf8);
  return utf8;
}

std::vector<std::string> letters_of(const std::vector<std::string>& words) {
  std::vector<std::string> letters;
  for (const std::string& word : words) {
    const auto whole = icu::UnicodeString::fromUTF8(word);
    for (int32_t i = 0; i < whole.length(); i = whole.moveIndex32(i, 1))
      icu::UnicodeString(whole.char32At(i)).toUTF8String(letters.emplace_back());
  }
  return letters;
}

std::multiset<std::string> bag(const std::vector<std::string>& words) {
  std::multiset<std::string> result;
  for (const std::string& word : words) {
    if (std::string plain = normalised(word); !plain.empty()) result.insert(std::move(plain));
  }
  return result;
}

using Bag = std::multiset<std::string>;

size_t common(const Bag& a, const Bag& b) {
  std::vector<std::string> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both.size();
}

struct Score {
  size_t found = 0;
  size_t read = 0;
  size_t drawn = 0;
  size_t exact = 0;      // of those that were found, with case and marks
  size_t all_read = 0;   // words as they were read
  size_t all_drawn = 0;  // and as they were drawn
  size_t pictures = 0;
  size_t with_words = 0;  // pictures in which anything was read
  double seconds = 0;
  double slowest = 0;

  Score& operator+=(const Score& other) {
    found += other.found;
    read += other.read;
    drawn += other.drawn;
    exact += other.exact;
    all_read += other.all_read;
    all_drawn += other.all_drawn;
    with_words += other.with_words;
    pictures += other.pictures;
    seconds += other.seconds;
    slowest = std::max(slowest, other.slowest);
    return *this;
  }
  double recall() const {
    return drawn == 0 ? 0 : static_cast<double>(found) / static_cast<double>(drawn);
  }
  double precision() const {
    return read == 0 ? 0 : static_cast<double>(found) / static_cast<double>(read);
  }
  double f1() const {
    return found == 0 ? 0 : 2 * static_cast<double>(found) / static_cast<double>(read + drawn);
  }
  double exact_f1() const {
    return exact == 0 ? 0
                      : 2 * static_cast<double>(exact) / static_cast<double>(all_read + all_drawn);
  }
  double ms() const { return 1000 * seconds / static_cast<double>(std::max<size_t>(1, pictures)); }
};

// Processor time: reading keeps to its thread, and this does not depend on what runs beside it.
double thread_seconds() {
  timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) * 1e-9;
}

// A line a word: text, confidence, box.
std::string listed(const std::vector<Word>& words) {
  std::string lines;
  for (const Word& word : words) {
    const Box& box = word.box;
    lines += fmt::format("{} {:.3f} {} {} {} {}\n", word.text, word.confidence, box.x, box.y,
                         box.width, box.height);
  }
  return lines;
}

Score score_of(TextReader& reader, const OcrSample& sample, bool tell, std::string& list) {
  const double start = thread_seconds();
  const std::vector<Word> words = reader.read(sample.image);
  const double spent = thread_seconds() - start;
  list = listed(words);
  std::vector<std::string> texts;
  for (const Word& word : words) texts.push_back(word.text);
  const auto counted = [&](const std::vector<std::string>& all) {
    return sample.has_blanks ? all : letters_of(all);
  };
  const std::vector<std::string> all_read = counted(texts);
  const std::vector<std::string> all_drawn = counted(sample.words);
  const Bag read = bag(all_read);
  const Bag drawn = bag(all_drawn);
  const Bag exactly_read(all_read.begin(), all_read.end());
  const Bag exactly_drawn(all_drawn.begin(), all_drawn.end());
  if (tell) {
    std::vector<std::string> missed, spurious;
    std::ranges::set_difference(exactly_drawn, exactly_read, std::back_inserter(missed));
    std::ranges::set_difference(exactly_read, exactly_drawn, std::back_inserter(spurious));
    fmt::print(stderr, "    {:.1f} ms\n    missed: {}\n    read instead: {}\n", 1000 * spent,
               fmt::join(missed, " "), fmt::join(spurious, " "));
  }
  return {.found = common(read, drawn),
          .read = read.size(),
          .drawn = drawn.size(),
          .exact = common(exactly_read, exactly_drawn),
          .all_read = all_read.size(),
          .all_drawn = all_drawn.size(),
          .pictures = 1,
          .with_words = words.empty() ? size_t{0} : size_t{1},
          .seconds = spent,
          .slowest = spent};
}

void print_head(const std::vector<Way>& all) {
  fmt::print("{:<24}", "");
  for (const Way& way : all) fmt::print("  {:^36}", way.name);
  fmt::print("\n{:<24}", "style");
  for (size_t i = 0; i < all.size(); ++i)
    fmt::print("  {:>6} {:>6} {:>6} {:>6} {:>8}", "recall", "prec.", "F1", "exact", "ms");
  fmt::print("  {}\n", all.front().name == kPage ? "by psm 3" : "");
}

void print_row(const std::string& name, const std::vector<Way>& all,
               const std::vector<Score>& scores) {
  fmt::print("{:<24}", name);
  for (const Score& score : scores) {
    if (score.drawn == 0) {
      fmt::print("  {:>4} words in {:>3} of {:>3} {:>8.1f}", score.read, score.with_words,
                 score.pictures, score.ms());
    } else {
      fmt::print("  {:>6.3f} {:>6.3f} {:>6.3f} {:>6.3f} {:>8.1f}", score.recall(),
                 score.precision(), score.f1(), score.exact_f1(), score.ms());
    }
  }
  if (all.front().name == kPage) fmt::print("  {:>8.2f}", scores.back().ms() / scores.front().ms());
  fmt::print("\n");
  std::fflush(stdout);
}

// A reader of each way and language, loaded when it is first asked for and then kept. What a reader
// loads when it first meets a script that it cannot read is part of its start, too.
class Readers {
 public:
  Readers(const std::vector<Way>& all, const OcrSet& set) : all_(all), set_(set) {}

  TextReader& of(size_t way, const std::string& languages) {
    std::unique_ptr<TextReader>& reader = readers_[{way, languages}];
    if (!reader) {
      reader = std::make_unique<TextReader>(
          TextReaderOptions{.languages = languages, .steps = all_[way].steps});
      const char* const foreign = languages == "rus" ? "Greek caption" : "Russian caption";
      reader->read(set_.draw(foreign, 0).image);
    }
    return *reader;
  }

 private:
  const std::vector<Way>& all_;
  const OcrSet& set_;
  std::map<std::pair<size_t, std::string>, std::unique_ptr<TextReader>> readers_;
};

int run(const Options& options) {
  const std::filesystem::path shared = testing::shared_directory();
  const OcrSet set(options.split == "test" ? Split::Test : Split::Development, shared);
  if (!set.has_photographs())
    fmt::print(
        "The shared data is absent: everything is drawn over drawn scenes, and there are no "
        "text-free photographs.\n");
  const std::vector<Way> all = ways(options);
  Readers readers(all, set);

  std::vector<std::string> styles = options.styles.empty() ? ocr_styles() : options.styles;
  if (options.styles.empty()) {
    if (set.has_photographs()) styles.emplace_back(kPhotographStyle);
    styles.emplace_back(kDrawnStyle);
    for (const char* style : {kSmallTextlessStyle, kLargeTextlessStyle}) {
      if (set.count(style, 0) > 0) styles.emplace_back(style);
    }
  }
  fmt::print("{} set, {} pictures a style; ms: a picture and core\n", options.split, options.few);
  print_head(all);
  std::vector<Score> total(all.size());
  std::vector<Score> textless(all.size());
  std::ofstream told(options.words);
  for (const std::string& style : styles) {
    std::vector<Score> scores(all.size());
    for (size_t i = 0; i < set.count(style, options.few); ++i) {
      const OcrSample sample = set.draw(style, i);
      if (!options.save.empty()) {
        std::string name = style;
        std::ranges::replace(name, ' ', '-');
        std::ofstream(options.save / fmt::format("{}-{:02}.jpg", name, i), std::ios::binary)
            << encode_jpeg(sample.image, 90);
      }
      if (options.misses) fmt::print(stderr, "{} {}\n", style, i);
      for (size_t way = 0; way < all.size(); ++way) {
        std::string list;
        scores[way] += score_of(readers.of(way, sample.languages), sample, options.misses, list);
        if (all[way].name == kOurs) told << fmt::format("# {} {}\n{}", style, i, list);
      }
    }
    print_row(style, all, scores);
    for (size_t way = 0; way < all.size(); ++way)
      (scores[way].drawn > 0 ? total : textless)[way] += scores[way];
  }
  if (total.front().pictures > 0) print_row("all with text", all, total);
  if (textless.front().pictures > 0) print_row("all without text", all, textless);
  return kDone;
}

}  // namespace
}  // namespace zeroshelf::bench

int main(int argc, char** argv) {
  using namespace zeroshelf;
  Program program("bench_ocr", "How well and how fast the text in pictures is read.");
  bench::Options options;
  CLI::App& app = program.app();
  app.require_subcommand(0);
  app.add_option("--few", options.few, "Pictures a style")->capture_default_str();
  app.add_option("--split", options.split, "development or test")
      ->check(CLI::IsMember({"development", "test"}))
      ->capture_default_str();
  app.add_flag("--ablation", options.ablation,
               "zeroshelf with one step left out at a time, instead of plain Tesseract");
  std::vector<std::string> styles = zeroshelf::bench::ocr_styles();
  styles.insert(styles.end(),
                {zeroshelf::bench::kPhotographStyle, zeroshelf::bench::kDrawnStyle,
                 zeroshelf::bench::kSmallTextlessStyle, zeroshelf::bench::kLargeTextlessStyle});
  app.add_option("--style", options.styles, "Only this style; several times for more")
      ->check(CLI::IsMember(styles));
  app.add_option("--save", options.save, "Also write the pictures into this folder");
  app.add_option("--words", options.words,
                 "Write the words that zeroshelf reads into this file, to compare two builds");
  app.add_flag("--alone", options.alone, "zeroshelf without plain Tesseract beside it");
  app.add_flag("--misses", options.misses,
               "Tell on stderr what each picture's reading costs, misses and invents");
  program.choose([&] { return bench::run(options); });
  return program.run(argc, argv);
}
