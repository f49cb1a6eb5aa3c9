// Tested by tests/ocr/pipeline_test.cc.

#include "lib/ocr/line_reader.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "lib/ocr/cut_words.h"
#include "lib/ocr/joined_words.h"
#include "lib/ocr/plausibility.h"
#include "lib/ocr/strip.h"

namespace zeroshelf {
namespace {

// A reading that is at least so good is not tried again in another rendering or layer.
constexpr float kSureScore = 0.9f;
// Nor is any of its words less plausible than this.
constexpr float kSureWord = 0.6f;
// What a reading of this score looks like may be looked for, if none is sure.
constexpr float kLikelyScore = 0.7f;
// So likely text must be the first line of a picture that is read.
constexpr float kFirstText = 0.5f;
// Below that, what was read may be letters of another script, or letters on their heads.
constexpr float kDoubtfulScore = 0.8f;
// Plausible letters that a line must have when it is turned.
constexpr float kFewestTurned = 4;
// Below that, a line whose first reading has no plausible word is not read again.
constexpr float kLikelyText = 0.6f;
// By how much a line may reach beyond a sure reading of it, in heights of a tall letter.
constexpr double kFartherEnds = 0.6;
// Bounds the time for pictures that are all texture: readings without a plausible word.
constexpr int kMostFruitless = 150;
// The same before there is any.
constexpr int kMostInVain = 4;

// Words of one line in one rendering, from left to right.
struct Reading {
  cv::Rect box;             // of the words, in the picture
  std::vector<Word> words;  // confidence: the plausibility
  float score = 0;          // mean plausibility a letter, dropped words included
  cv::Scalar ink;           // R, G, B
  Strip strip;              // that was read
};

// What a reading has to say: the letters of its plausible words, by their plausibility.
float weight(const Reading& reading) {
  float sum = 0;
  for (const Word& word : reading.words) {
    if (word.confidence >= kLeastPlausibility)
      sum += word.confidence * static_cast<float>(word.text.size());
  }
  return sum;
}

cv::Rect rect_of(const Box& box) {
  return {box.x, box.y, box.width, box.height};
}

bool is_sure(const Reading& reading) {
  return reading.score >= kSureScore && std::ranges::all_of(reading.words, [](const Word& word) {
           return word.confidence >= kSureWord;
         });
}

void summarise(Reading& reading) {
  reading.box = {};
  double sum = 0;
  double letters = 0;
  for (const Word& word : reading.words) {
    const auto length = static_cast<double>(word.text.size());
    reading.box = reading.box.area() > 0 ? reading.box | rect_of(word.box) : rect_of(word.box);
    sum += word.confidence * length;
    letters += length;
  }
  reading.score = letters > 0 ? static_cast<float>(sum / letters) : 0;
}

int shared_width(const Word& a, const Word& b) {
  return std::min(a.box.x + a.box.width, b.box.x + b.box.width) - std::max(a.box.x, b.box.x);
}

// The better reading, with those words of the other that are surer than what it has in their place,
// or stand where it has none.
Reading merged(Reading best, Reading other) {
  if (weight(other) > weight(best)) std::swap(best, other);
  for (const Word& word : other.words) {
    if (word.confidence < kLeastPlausibility) continue;
    float rivals = 0;
    float rival_letters = 0;
    const auto is_rival = [&](const Word& rival) {
      return 3 * shared_width(word, rival) > std::min(word.box.width, rival.box.width);
    };
    int covered = 0;
    for (const Word& rival : best.words) {
      if (!is_rival(rival)) continue;
      const auto length = static_cast<float>(rival.text.size());
      rivals += rival.confidence * length;
      rival_letters += length;
      covered += rival.box.width;
    }
    const bool takes_their_place = 10 * covered < 13 * word.box.width &&
                                   word.confidence > rivals / std::max(1.0f, rival_letters) + 0.1f;
    if (rival_letters > 0 && !takes_their_place) continue;
    std::erase_if(best.words, is_rival);
    best.words.push_back(word);
  }
  std::ranges::sort(best.words, {}, [](const Word& word) { return word.box.x; });
  summarise(best);
  return best;
}

// Tesseract's boxes may be as high as the strip and reach into the rows above and below.
cv::Rect in_line(const Strip& strip, const cv::Rect& box) {
  const cv::Rect line(0, strip.rows.start, strip.grey.cols, strip.rows.size());
  const cv::Rect inside = box & line;
  return inside.empty() ? box : inside;
}

cv::Rect scaled(const cv::Rect& box, double scale) {
  const auto at = [&](int value) { return static_cast<int>(std::lround(value * scale)); };
  return {cv::Point(at(box.x), at(box.y)),
          cv::Point(at(box.x + box.width), at(box.y + box.height))};
}

class LineReader {
 public:
  LineReader(const cv::Mat& rgb, double rgb_scale, Recogniser& recogniser,
             const ReadingSteps& steps, const TimeBudget& time)
      : rgb_(rgb), rgb_scale_(rgb_scale), recogniser_(recogniser), steps_(steps), time_(time) {}

  Reading read(const TextLine& line) {
    Reading best = read_as(line, steps_.isolate ? Rendering::Coloured : Rendering::Plain);
    if (!steps_.second_reading || is_sure(best)) return best;
    if (line.quality < kLikelyText && weight(best) == 0) return best;
    return merged(std::move(best), read_as(line, Rendering::Isolated));
  }

  // Whether any plausible word was read.
  bool has_fruit() const { return has_fruit_; }
  bool may_go_on() const { return fruitless_ < (has_fruit_ ? kMostFruitless : kMostInVain); }

  // The strip turned by half a circle.
  Reading read_turned(const TextLine& line, const Strip& strip) {
    Strip turned = strip;
    cv::rotate(strip.grey, turned.grey, cv::ROTATE_180);
    turned.rows = {strip.grey.rows - strip.rows.end, strip.grey.rows - strip.rows.start};
    const cv::Matx23d& map = strip.to_picture;
    const cv::Vec2d corner = map * cv::Vec3d(strip.grey.cols - 1, strip.grey.rows - 1, 1);
    turned.to_picture = {-map(0, 0), -map(0, 1), corner[0], -map(1, 0), -map(1, 1), corner[1]};
    return read_strip(turned, line);
  }

 private:
  // What is not read well is read again larger.
  Reading read_as(const TextLine& line, Rendering rendering) {
    const double least_px =
        rendering == Rendering::Isolated ? kMostLetterPx : recogniser_.least_letter_px();
    return read_strip(render_line(rgb_, rgb_scale_, line, rendering, least_px), line);
  }

  Reading read_strip(const Strip& strip, const TextLine& line) {
    std::vector<RecognisedWord> found =
        recogniser_.read(strip.grey, Recogniser::Layout::Line, time_);
    found = join_cut_words(std::move(found), strip.grey);
    if (steps_.split_words) {
      found = split_joined(std::move(found), strip.grey,
                           [&](const std::string& word) { return recogniser_.knows(word); });
    }
    const LineContext context{line.quality, mean_confidence_of(found)};
    Reading reading;
    reading.ink = strip.ink;
    reading.strip = strip;
    for (const RecognisedWord& word : found) {
      const cv::Rect box = scaled(box_in_picture(strip, in_line(strip, word.box)), rgb_scale_) &
                           cv::Rect(0, 0, rgb_.cols, rgb_.rows);
      if (box.empty()) continue;
      reading.words.push_back(
          {word.text, plausibility(word, context), {box.x, box.y, box.width, box.height}});
    }
    summarise(reading);
    if (weight(reading) == 0) {
      ++fruitless_;
    } else {
      has_fruit_ = true;
    }
    return reading;
  }

  static float mean_confidence_of(const std::vector<RecognisedWord>& words) {
    double sum = 0;
    double letters = 0;
    for (const RecognisedWord& word : words) {
      sum += word.confidence * static_cast<double>(word.text.size());
      letters += static_cast<double>(word.text.size());
    }
    return letters > 0 ? static_cast<float>(sum / letters) : 0;
  }

  const cv::Mat& rgb_;
  double rgb_scale_;
  Recogniser& recogniser_;
  const ReadingSteps& steps_;
  const TimeBudget& time_;
  int fruitless_ = 0;
  bool has_fruit_ = false;
};

// How much of the smaller box the other covers.
float shared(const cv::Rect& a, const cv::Rect& b) {
  const int smaller = std::min(a.area(), b.area());
  return smaller > 0 ? static_cast<float>((a & b).area()) / static_cast<float>(smaller) : 0.0f;
}

cv::Rect whole(const cv::Rect2f& box) {
  return {static_cast<int>(box.x), static_cast<int>(box.y), static_cast<int>(box.width) + 1,
          static_cast<int>(box.height) + 1};
}

// The best ones of several readings of the same place.
class Readings {
 public:
  // Whether the place is read so well, from end to end, that another reading of it is not worth its
  // time. ends: by how much it may reach farther than what was read.
  bool are_sure_of(const cv::Rect& box, int ends) const {
    int covered = 0;
    int left = box.x + box.width;
    int right = box.x;
    for (const Reading& reading : kept_) {
      const cv::Rect shared_box = reading.box & box;
      if (reading.score < kSureScore || shared_box.empty()) continue;
      covered += shared_box.area();
      left = std::min(left, shared_box.x);
      right = std::max(right, shared_box.x + shared_box.width);
    }
    return covered > box.area() * 6 / 10 && left - box.x <= ends &&
           box.x + box.width - right <= ends;
  }

  // Readings of one line are merged; of those that merely overlap the better ones stay.
  void take(Reading reading) {
    if (reading.words.empty()) return;
    for (size_t i = 0; i < kept_.size(); ++i) {
      if (!is_same_line(reading.box, kept_[i].box)) continue;
      reading = merged(std::move(kept_[i]), std::move(reading));
      kept_.erase(kept_.begin() + static_cast<ptrdiff_t>(i--));
    }
    float rivals = 0;
    for (const Reading& other : kept_)
      rivals += shared(reading.box, other.box) > 0.4f ? weight(other) : 0;
    if (rivals >= weight(reading)) return;
    std::erase_if(kept_,
                  [&](const Reading& other) { return shared(reading.box, other.box) > 0.4f; });
    kept_.push_back(std::move(reading));
  }

  // The score of what is kept of a place; 0 where that is nothing.
  float score_at(const cv::Rect& box) const {
    float best = 0;
    for (const Reading& reading : kept_) {
      if (shared(reading.box, box) > 0.4f) best = std::max(best, reading.score);
    }
    return best;
  }

  template <class Condition>
  void drop_at(const cv::Rect& box, const Condition& condition) {
    std::erase_if(kept_, [&](const Reading& reading) {
      return shared(reading.box, box) > 0.4f && condition(reading);
    });
  }

  // Their words, but for those less plausible.
  std::vector<std::vector<Word>> lines(float least_plausibility) const {
    std::vector<std::vector<Word>> lines;
    for (const Reading& reading : kept_) {
      std::vector<Word> words = reading.words;
      std::erase_if(words, [&](const Word& word) { return word.confidence < least_plausibility; });
      if (!words.empty()) lines.push_back(std::move(words));
    }
    return lines;
  }

 private:
  static bool is_same_line(const cv::Rect& a, const cv::Rect& b) {
    const int overlap = std::min(a.y + a.height, b.y + b.height) - std::max(a.y, b.y);
    const int wide = std::min(a.x + a.width, b.x + b.width) - std::max(a.x, b.x);
    return 10 * overlap > 6 * std::max(a.height, b.height) && 2 * wide > std::min(a.width, b.width);
  }

  std::vector<Reading> kept_;
};

// How much a reading promises: long lines, seen in a layer where the letters are neither coarse nor
// thicker than the window of the search.
float promise(const TextLine& line) {
  const float length = std::min(1.0f, line.features.wide / 12);
  const float size = std::min({1.0f, line.features.letter_px / 16, 48 / line.features.letter_px});
  return line.quality * length * size;
}

// Styles of letters by how many letters of each were read.
class Styles {
 public:
  void add(const LetterStyle& style, size_t letters) {
    const auto same =
        std::ranges::find_if(seen_, [&](const Seen& other) { return is_like(other.style, style); });
    if (same == seen_.end()) {
      seen_.push_back({style, letters});
    } else {
      same->letters += letters;
    }
  }

  std::vector<LetterStyle> most_frequent(size_t most, size_t fewest_letters) const {
    std::vector<Seen> sorted = seen_;
    std::ranges::stable_sort(sorted, std::greater<>(), &Seen::letters);
    std::vector<LetterStyle> result;
    for (const Seen& seen : sorted) {
      if (seen.letters >= fewest_letters && result.size() < most) result.push_back(seen.style);
    }
    return result;
  }

 private:
  struct Seen {
    LetterStyle style;
    size_t letters = 0;
  };

  static bool is_like(const LetterStyle& a, const LetterStyle& b) {
    constexpr double kNear = 30;  // of R, G and B
    const cv::Scalar step = a.ink - b.ink;
    return a.height_px < 1.3f * b.height_px && b.height_px < 1.3f * a.height_px &&
           std::max({std::abs(step[0]), std::abs(step[1]), std::abs(step[2])}) < kNear;
  }

  std::vector<Seen> seen_;
};

size_t letters_in(const Reading& reading) {
  size_t letters = 0;
  for (const Word& word : reading.words) letters += word.text.size();
  return letters;
}

}  // namespace

// A line that looks like text and was read badly.
struct Doubtful {
  TextLine line;
  cv::Rect box;  // in the picture
  Reading reading;
};

struct PictureReader::State {
  const cv::Mat& rgb;
  double rgb_scale;
  Recogniser& recogniser;
  const ReadingSteps& steps;
  LineReader reader;
  Readings readings;
  Styles sure;
  Styles likely;
  size_t sure_letters = 0;
  size_t sure_lines = 0;
  size_t unsure_lines = 0;
  std::vector<Doubtful> doubtful;
  bool was_turned = false;  // the first of them, to see whether they stand on their heads
  bool is_on_its_head = false;

  void note(const TextLine& line, const cv::Rect& box, const Reading& reading) {
    if (reading.score >= kLikelyScore) {
      Styles& styles = reading.score >= kSureScore ? sure : likely;
      styles.add({reading.ink, line.height_px}, letters_in(reading));
    }
    if (reading.score >= kSureScore) sure_letters += letters_in(reading);
    ++(reading.score >= kSureScore ? sure_lines : unsure_lines);
    constexpr float kSurelyText = 0.9f;
    constexpr size_t kFewestGlyphs = 3;
    if (reading.score < kDoubtfulScore && line.quality >= kSurelyText &&
        line.glyphs.size() >= kFewestGlyphs && doubtful.size() < kMostDoubtful)
      doubtful.push_back({line, box, reading});
  }

  // Numbers and letters like N and o are surely read on their heads, too.
  bool makes_sense() const { return sure_lines > doubtful.size(); }

  void look_whether_on_its_head() {
    was_turned = true;
    constexpr size_t kMostTurned = 3;
    size_t glyphs = 0;
    for (size_t i = 0; i < std::min(kMostTurned, doubtful.size()); ++i)
      glyphs += doubtful[i].line.glyphs.size();
    if (glyphs <= static_cast<size_t>(kFewestTurned)) return;
    float upright = 0;
    float turned = 0;
    float best = 0;
    for (size_t i = 0; i < std::min(kMostTurned, doubtful.size()); ++i) {
      const Reading other = reader.read_turned(doubtful[i].line, doubtful[i].reading.strip);
      upright += weight(doubtful[i].reading);
      turned += weight(other);
      best = std::max(best, other.score);
    }
    is_on_its_head = best >= kDoubtfulScore && turned > 2 * upright && turned >= kFewestTurned;
  }
};

PictureReader::PictureReader(const cv::Mat& rgb, double rgb_scale, Recogniser& recogniser,
                             const ReadingSteps& steps, const TimeBudget& time)
    : state_(new State{rgb,
                       rgb_scale,
                       recogniser,
                       steps,
                       LineReader(rgb, rgb_scale, recogniser, steps, time),
                       {},
                       {},
                       {},
                       0,
                       0,
                       0,
                       {}}) {}

PictureReader::~PictureReader() = default;

void PictureReader::read(std::vector<TextLine> lines) {
  constexpr size_t kEnoughToTurn = 3;
  State& state = *state_;
  // What looks most like text first, and long lines before their parts.
  std::ranges::stable_sort(lines, std::greater<>(), promise);
  for (TextLine& line : lines) {
    if (!state.reader.may_go_on()) break;
    if (!state.steps.deskew)
      line.base += std::exchange(line.slope, 0) * (line.box.x + line.box.width / 2);
    const auto ends = static_cast<int>(kFartherEnds * line.height_px * state.rgb_scale);
    const cv::Rect box = scaled(whole(line.box), state.rgb_scale);
    if (state.readings.are_sure_of(box, ends) || !is_likely_text(line)) continue;
    if (!state.reader.has_fruit() && line.quality < kFirstText) continue;
    if (state.steps.whole_rows && line.quality >= kLikelyText)
      line.reach = reach_of(state.rgb, state.rgb_scale, line);
    Reading reading = state.reader.read(line);
    state.note(line, box, reading);
    state.readings.take(std::move(reading));
    if (!state.makes_sense() && !state.was_turned && state.doubtful.size() >= kEnoughToTurn) {
      state.look_whether_on_its_head();
      if (state.is_on_its_head) return;
    }
  }
  if (!state.makes_sense() && !state.was_turned && !state.doubtful.empty())
    state.look_whether_on_its_head();
}

std::vector<LetterStyle> PictureReader::styles() const {
  const std::vector<LetterStyle> sure = state_->sure.most_frequent(2, 6);
  return sure.empty() ? state_->likely.most_frequent(1, 4) : sure;
}

size_t PictureReader::sure_letters() const {
  return state_->sure_letters;
}

bool PictureReader::makes_sense() const {
  return state_->makes_sense();
}

bool PictureReader::is_page() const {
  constexpr size_t kManyLines = 10;
  return state_->sure_lines >= kManyLines && 8 * state_->unsure_lines <= state_->sure_lines;
}

bool PictureReader::is_on_its_head() const {
  return state_->is_on_its_head;
}

std::vector<cv::Mat> PictureReader::doubtful_strips() const {
  std::vector<cv::Mat> strips;
  for (const Doubtful& one : state_->doubtful) {
    if (state_->readings.score_at(one.box) < kDoubtfulScore)
      strips.push_back(one.reading.strip.grey);
  }
  return strips;
}

void PictureReader::drop_doubtful() {
  constexpr size_t kLongWord = 4;  // letters; short ones are in any dictionary
  const auto is_unknown = [&](const Reading& reading) {
    size_t known = 0;
    size_t all = 0;
    for (const Word& word : reading.words) {
      if (word.text.size() < kLongWord) continue;
      all += word.text.size();
      if (state_->recogniser.knows(word.text)) known += word.text.size();
    }
    return reading.score < kSureScore && 3 * known < all + 1;
  };
  for (const Doubtful& one : state_->doubtful) state_->readings.drop_at(one.box, is_unknown);
}

std::vector<std::vector<Word>> PictureReader::lines() const {
  return state_->readings.lines(state_->steps.plausibility ? kLeastPlausibility : 0.3f);
}

}  // namespace zeroshelf
