// Tested by tests/ocr/text_reader_test.cc.

#include "lib/ocr/text_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <iterator>
#include <map>
#include <memory>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <string>

#include "lib/image/preprocess.h"
#include "lib/ocr/glyphs.h"
#include "lib/ocr/installed_languages.h"
#include "lib/ocr/line_reader.h"
#include "lib/ocr/logical_order.h"
#include "lib/ocr/reading_order.h"
#include "lib/ocr/recogniser.h"
#include "lib/ocr/scripts.h"
#include "lib/ocr/stacked.h"
#include "lib/ocr/text_lines.h"
#include "lib/util/error.h"

namespace zeroshelf {
namespace {

// Letters below this height cannot be told apart.
constexpr int kMinSidePx = 8;
// Reading time goes with the pixels.
constexpr double kMaxPixels = 12e6;
constexpr double kMaxSidePx = 16000;
// Glyphs are looked for in a picture of at most this longer side.
constexpr double kSearchSidePx = 1600;
// Up to which factor more than that shrinking takes longer than looking.
constexpr double kLittleMore = 1.25;
// The least confidence of plain Tesseract's words.
constexpr float kMinConfidence = 0.3f;

// Factor by which a picture shrinks before it is read; 1 for most.
double scale_for(const cv::Size& size) {
  const double pixels = static_cast<double>(size.width) * size.height;
  const double longer = std::max(size.width, size.height);
  return std::min({1.0, std::sqrt(kMaxPixels / pixels), kMaxSidePx / longer});
}

Image shrunk(const Image& image, double scale) {
  const auto side = [&](int px) { return std::max(1, static_cast<int>(px * scale)); };
  return resize_bicubic(image, side(image.width_px), side(image.height_px));
}

cv::Mat shrunk_to_search(cv::Mat rgb, double scale) {
  for (; scale <= 0.5; scale *= 2) rgb = halved(rgb);
  if (scale == 1) return rgb;
  cv::Mat shrunk;
  cv::resize(rgb, shrunk, {}, scale, scale, cv::INTER_AREA);
  return shrunk;
}

// A box of the shrunk picture in pixels of the whole one.
Box enlarged(const Box& box, const cv::Size& from, const cv::Size& to) {
  if (from == to) return box;
  const double x = static_cast<double>(to.width) / from.width;
  const double y = static_cast<double>(to.height) / from.height;
  const auto rounded = [](double value) { return static_cast<int>(std::lround(value)); };
  const int left = rounded(box.x * x);
  const int top = rounded(box.y * y);
  return {left, top, rounded((box.x + box.width) * x) - left,
          rounded((box.y + box.height) * y) - top};
}

std::string seconds(int ms) {
  return fmt::format("{:g} s", ms / 1000.0);
}

cv::Mat as_mat(const Image& image) {
  return {image.height_px, image.width_px, CV_8UC3, const_cast<uint8_t*>(image.rgb.data())};
}

Image copied(const cv::Mat& rgb) {
  Image image{rgb.cols, rgb.rows, {}};
  for (int y = 0; y < rgb.rows; ++y)
    image.rgb.insert(image.rgb.end(), rgb.ptr<uint8_t>(y), rgb.ptr<uint8_t>(y) + 3 * rgb.cols);
  return image;
}

// Where a word stands in the picture that must be turned clockwise by `degrees` to become the
// one of this size in which it was read.
Box turned_back(const Box& box, int degrees, const cv::Size& read) {
  switch (degrees) {
    case 90:
      return {box.y, read.width - box.x - box.width, box.height, box.width};
    case 180:
      return {read.width - box.x - box.width, read.height - box.y - box.height, box.width,
              box.height};
    case 270:
      return {read.height - box.y - box.height, box.x, box.height, box.width};
    default:
      return box;
  }
}

cv::Mat turned(const cv::Mat& rgb, int degrees) {
  if (degrees == 0) return rgb;
  cv::Mat result;
  cv::rotate(rgb, result,
             degrees == 90    ? cv::ROTATE_90_CLOCKWISE
             : degrees == 180 ? cv::ROTATE_180
                              : cv::ROTATE_90_COUNTERCLOCKWISE);
  return result;
}

using Lines = std::vector<std::vector<Word>>;

float weight_of(const Lines& lines) {
  float sum = 0;
  for (const auto& line : lines) {
    for (const Word& word : line) sum += word.confidence * static_cast<float>(word.text.size());
  }
  return sum;
}

// What was read in a window.
struct PartialText {
  Lines lines;  // in no order; boxes are those of the window as it was turned
  size_t sure_letters = 0;
  int turned_degrees = 0;
  std::string unread_script;
};

// Places of a picture, each with what was read in it.
struct Window {
  cv::Rect place;
  PartialText text;
  cv::Size read;  // the size in which it was read, as it lies

  // A box of its text in pixels of the picture.
  Box in_picture(const Box& box) const {
    const int degrees = text.turned_degrees;
    const cv::Size as_turned = degrees % 180 == 0 ? read : cv::Size(read.height, read.width);
    Box result = enlarged(turned_back(box, degrees, as_turned), read, place.size());
    result.x += place.x;
    result.y += place.y;
    return result;
  }
};

// Whether a box belongs to the window and not to one that shares it: its middle lies before the
// middle of what is shared with the next window, and behind that with the one before.
bool belongs_to(const Box& box, const std::vector<Window>& windows, size_t at) {
  const auto border = [&](size_t i) {
    const cv::Rect both = windows[i].place & windows[i + 1].place;
    return cv::Point(both.x + both.width / 2, both.y + both.height / 2);
  };
  const bool is_tall = windows[0].place.y != windows.back().place.y;
  const int middle = is_tall ? box.y + box.height / 2 : box.x + box.width / 2;
  const auto along = [&](const cv::Point& point) { return is_tall ? point.y : point.x; };
  return (at == 0 || middle >= along(border(at - 1))) &&
         (at + 1 == windows.size() || middle < along(border(at)));
}

std::vector<Word> in_order(Lines lines) {
  std::vector<Word> words;
  for (const size_t line : reading_order(lines))
    std::ranges::move(in_logical_order(std::move(lines[line])), std::back_inserter(words));
  return words;
}

// Parts of a line that two windows show.
void join_across(Lines& lines) {
  for (size_t i = 0; i < lines.size(); ++i) {
    for (size_t j = 0; j < lines.size(); ++j) {
      if (i == j || lines[i].empty() || lines[j].empty()) continue;
      const Box& last = lines[i].back().box;
      const Box& first = lines[j].front().box;
      const int overlap =
          std::min(last.y + last.height, first.y + first.height) - std::max(last.y, first.y);
      const int gap = first.x - last.x - last.width;
      const int height = std::max(last.height, first.height);
      if (2 * overlap < height || gap < -height / 2 || gap > height) continue;
      std::ranges::move(lines[j], std::back_inserter(lines[i]));
      lines[j].clear();
      j = 0;
    }
  }
  std::erase_if(lines, [](const auto& line) { return line.empty(); });
}

// Takes out what a cut between windows that stand beside each other spoilt: words at the cut, which
// the next window shows whole, and the second reading of those that both show.
class AcrossCuts {
 public:
  explicit AcrossCuts(const std::vector<Window>& windows) : windows_(windows) {}

  void clean(std::vector<Word>& line, size_t at) {
    std::erase_if(line,
                  [&](const Word& word) { return is_cut(word.box, at) || is_known(word.box); });
    for (const Word& word : line) fresh_.push_back(word.box);
  }
  void end_window() {
    known_.insert(known_.end(), fresh_.begin(), fresh_.end());
    fresh_.clear();
  }

 private:
  bool is_cut(const Box& box, size_t at) const {
    const cv::Rect& place = windows_[at].place;
    const int margin = std::max(2, box.height);  // a letter at the cut may be left out
    return (at > 0 && box.x <= place.x + margin) ||
           (at + 1 < windows_.size() && box.x + box.width >= place.x + place.width - margin);
  }
  bool is_known(const Box& box) const {
    return std::ranges::any_of(known_, [&](const Box& other) {
      const int across =
          std::min(box.x + box.width, other.x + other.width) - std::max(box.x, other.x);
      const int down =
          std::min(box.y + box.height, other.y + other.height) - std::max(box.y, other.y);
      return 2 * across > std::min(box.width, other.width) &&
             2 * down > std::min(box.height, other.height);
    });
  }

  const std::vector<Window>& windows_;
  std::vector<Box> known_;
  std::vector<Box> fresh_;
};

PictureText joined(std::vector<Window>& windows) {
  PictureText result;
  const auto best = std::ranges::max_element(
      windows, {}, [](const Window& window) { return weight_of(window.text.lines); });
  result.turned_degrees = best->text.turned_degrees;
  const bool is_upright = result.turned_degrees == 0;
  const bool is_wide = windows.size() > 1 && windows[0].place.x != windows[1].place.x;
  AcrossCuts cuts(windows);
  Lines all;
  for (size_t i = 0; i < windows.size(); ++i) {
    Window& window = windows[i];
    if (result.unread_script.empty()) result.unread_script = window.text.unread_script;
    // Words that lie otherwise than the rest are none.
    if (window.text.turned_degrees != result.turned_degrees) continue;
    if (is_upright) {
      for (auto& line : window.text.lines) {
        for (Word& word : line) word.box = window.in_picture(word.box);
        if (is_wide) {
          cuts.clean(line, i);
        } else {
          std::erase_if(line, [&](const Word& word) { return !belongs_to(word.box, windows, i); });
        }
        if (!line.empty()) all.push_back(std::move(line));
      }
      cuts.end_window();
      continue;
    }
    for (Word& word : in_order(std::move(window.text.lines))) {
      word.box = window.in_picture(word.box);
      if (belongs_to(word.box, windows, i)) result.words.push_back(std::move(word));
    }
  }
  if (is_upright) {
    if (is_wide) join_across(all);
    result.words = in_order(std::move(all));
  }
  return result;
}

// Parts of a long picture, each with something of the next one.
std::vector<cv::Rect> windows_of(const cv::Size& size) {
  constexpr double kLong = 3;      // in shorter sides: what is no longer is one window
  constexpr double kWindow = 2.2;  // in shorter sides
  constexpr int kWhole = 1600;     // pixels of the longer side in which lines are searched
  // What two windows share, in shorter sides: beside each other as long as a long word.
  const double kShared = size.width > size.height ? 1.0 : 0.3;
  const int shorter = std::min(size.width, size.height);
  const int longer = std::max(size.width, size.height);
  if (longer <= kLong * shorter || longer <= kWhole || shorter < 64) return {cv::Rect({}, size)};
  const double step = (kWindow - kShared) * shorter;
  const int count = static_cast<int>(std::ceil((longer - kShared * shorter) / step));
  std::vector<cv::Rect> windows;
  for (int i = 0; i < count; ++i) {
    const int begin =
        static_cast<int>(static_cast<int64_t>(longer - kShared * shorter) * i / count);
    const int end =
        i + 1 == count
            ? longer
            : static_cast<int>(static_cast<int64_t>(longer - kShared * shorter) * (i + 1) / count +
                               kShared * shorter);
    windows.push_back(size.height >= size.width ? cv::Rect(0, begin, size.width, end - begin)
                                                : cv::Rect(begin, 0, end - begin, size.height));
  }
  return windows;
}

}  // namespace

struct TextReader::Engine {
  explicit Engine(const TextReaderOptions& options)
      : timeout_ms(options.timeout_ms), steps(options.steps) {
    if (options.languages == kAutoLanguages) {
      finder = std::make_unique<ScriptFinder>();
      const std::vector<std::string> installed = finder->installed_languages();
      for (const std::string& language : installed) scripts[script_of_language(language)] = {};
      for (auto& [script, groups] : scripts) groups = language_groups(installed, script);
      std::erase_if(scripts, [](const auto& script) { return script.second.empty(); });
      if (scripts.empty()) {
        throw Error(ErrorCode::Unavailable, "languages auto", "no data of Tesseract's is found",
                    language_data_cure("eng"));
      }
      const auto latin = scripts.find(kLatin);
      languages = (latin == scripts.end() ? scripts.begin() : latin)->second.front();
      is_auto = true;
    } else {
      languages = options.languages;
    }
    recogniser_for(languages);
    if (!is_auto) {
      for (const std::string& language : split_languages(languages))
        scripts[script_of_language(language)] = {};
    }
  }

  std::unique_ptr<ScriptFinder> finder;
  bool no_finder = false;
  bool is_auto = false;
  std::string languages;  // that are tried first
  // The scripts of the languages; with kAutoLanguages what to read each with.
  std::map<std::string, std::vector<std::string>> scripts;
  std::map<std::string, std::unique_ptr<Recogniser>> recognisers;
  int timeout_ms = 0;
  ReadingSteps steps;

  Recogniser& recogniser_for(const std::string& codes) {
    std::unique_ptr<Recogniser>& recogniser = recognisers[codes];
    if (!recogniser) recogniser = std::make_unique<Recogniser>(codes);
    return *recogniser;
  }

  // Nothing where the data is not installed.
  ScriptFinder* script_finder() {
    if (finder == nullptr && !no_finder) {
      try {
        finder = std::make_unique<ScriptFinder>();
      } catch (const Error&) {
        no_finder = true;
      }
    }
    return finder.get();
  }

  PictureText read_all(const Image& image, const TimeBudget& time) {
    if (steps.method != ReadingSteps::Method::Pipeline)
      return {read_plainly(as_mat(image), time), 0, ""};
    std::vector<Window> windows;
    for (const cv::Rect& place : windows_of({image.width_px, image.height_px})) {
      windows.push_back({place, {}, {}});
      read_window(image, time, windows.back());
    }
    return joined(windows);
  }

  void read_window(const Image& image, const TimeBudget& time, Window& window) {
    const cv::Mat part = as_mat(image)(window.place);
    const double scale = scale_for(part.size());
    cv::Mat rgb = part;
    if (scale < 1) {
      const Image small = shrunk(copied(part), scale);
      if (std::min(small.width_px, small.height_px) < kMinSidePx) return;
      rgb = as_mat(small).clone();
    }
    window.text = read_from_all_sides(rgb, time);
    window.read = rgb.size();
  }

  PartialText read_from_all_sides(const cv::Mat& rgb, const TimeBudget& time) {
    Side side(*this, rgb, time);
    PartialText text = side.read();
    if (side.is_on_its_head()) return read_turned(rgb, 180, time);
    if (side.makes_sense() || !steps.turned || !side.may_lie_sideways()) return text;
    PartialText other = read_turned(rgb, 90, time);
    return other.sure_letters > 0 && weight_of(other.lines) > weight_of(text.lines) ? other : text;
  }

  // Turned by `degrees`, or by half a circle more.
  PartialText read_turned(const cv::Mat& rgb, int degrees, const TimeBudget& time) {
    cv::Mat other = turned(rgb, degrees);
    PartialText text;
    {
      Side side(*this, other, time);
      text = side.read();
      if (degrees == 90 && side.is_on_its_head()) {
        degrees = 270;
        other = turned(rgb, degrees);
        text = Side(*this, other, time).read();
      }
    }
    text.turned_degrees = degrees;
    return text;
  }

  // A picture as it lies.
  class Side {
   public:
    Side(Engine& engine, const cv::Mat& rgb, const TimeBudget& time)
        : engine_(engine), rgb_(rgb), time_(time) {
      const int longer = std::max(rgb.cols, rgb.rows);
      if (longer > kLittleMore * kSearchSidePx) scale_ = kSearchSidePx / longer;
      searched_ = shrunk_to_search(rgb, scale_);
      layers_ = find_glyphs(searched_, {engine.steps.large_letters, engine.steps.colour_layers});
      lines_ = find_candidates(layers_);
    }

    bool is_on_its_head() const { return is_on_its_head_; }
    bool makes_sense() const { return makes_sense_; }

    // Whether there are rows of letters from top to bottom, and more than from left to right.
    bool may_lie_sideways() const {
      std::vector<Layer> sideways;
      for (const Layer& layer : layers_) sideways.push_back(glyphs_turned_by_90(layer));
      std::vector<TextLine> lines = find_candidates(sideways);
      std::erase_if(lines, [](const TextLine& line) { return line.glyphs.size() < kFewestInRow; });
      for (size_t i = 0; i < sideways.size(); ++i) {
        const auto of_layer = [&](const TextLine& line) { return line.layer == &sideways[i]; };
        if (std::ranges::any_of(lines, of_layer))
          cv::rotate(layers_[i].samples, sideways[i].samples, cv::ROTATE_90_CLOCKWISE);
      }
      const size_t glyphs = glyphs_in(std::move(lines));
      return glyphs > 0 && glyphs > glyphs_in(lines_);
    }

    PartialText read() {
      PartialText text = read_in(engine_.languages);
      if (is_on_its_head_ || doubtful_.empty()) return text;
      const std::optional<ScriptGuess> guess = script_of_doubtful();
      if (guess && !engine_.scripts.contains(guess->script)) {
        text = std::move(without_doubtful_);
        text.unread_script = guess->script;
        return text;
      }
      bool made_sense = makes_sense_;
      const auto try_script = [&](const std::string& script, bool only_if_it_makes_sense) {
        const auto own = engine_.scripts.find(script);
        if (own == engine_.scripts.end()) return;
        for (const std::string& others : own->second) {
          if (others == engine_.languages) continue;
          PartialText other = read_in(others);
          if (only_if_it_makes_sense && !makes_sense_) continue;
          if (weight_of(other.lines) <= weight_of(text.lines)) continue;
          text = std::move(other);
          made_sense = makes_sense_;
        }
      };
      if (guess) try_script(guess->script, false);
      // Many letters of these are the same as Latin ones: what a line says tells them apart.
      for (const char* const script : {"Greek", "Cyrillic"}) {
        if (engine_.is_auto && !made_sense && !(guess && guess->script == script))
          try_script(script, true);
      }
      makes_sense_ = made_sense;
      return text;
    }

   private:
    static constexpr size_t kFewestInRow = 5;

    static size_t glyphs_in(std::vector<TextLine> lines) {
      constexpr float kSurelyText = 0.9f;
      size_t glyphs = 0;
      for (TextLine& line : lines) {
        if (line.glyphs.size() >= kFewestInRow && is_likely_text(line) &&
            line.quality >= kSurelyText)
          glyphs += line.glyphs.size();
      }
      return glyphs;
    }

    PartialText read_in(const std::string& chosen) {
      PictureReader reader(rgb_, 1 / scale_, engine_.recogniser_for(chosen), engine_.steps, time_);
      const bool is_stacked = have_stacked_letters(chosen);
      if (is_stacked && stacked_layers_.empty()) {
        std::ranges::transform(layers_, std::back_inserter(stacked_layers_), with_stacked_glyphs);
        stacked_lines_ = find_candidates(stacked_layers_);
      }
      if (is_stacked) reader.read(stacked_lines_);
      if (!reader.is_on_its_head()) reader.read(lines_);
      is_on_its_head_ = engine_.steps.turned && reader.is_on_its_head();
      if (is_on_its_head_) return {};
      // A page has one paper, before which everything of its ink was seen.
      if (engine_.steps.same_ink && !reader.is_page()) {
        for (const LetterStyle& style : reader.styles()) {
          std::vector<Layer> more = {find_glyphs_of_ink(searched_, style.ink, style.height_px)};
          if (is_stacked) more.front() = with_stacked_glyphs(more.front());
          reader.read(lines_of_height(find_candidates(more), style.height_px));
        }
      }
      const size_t sure = reader.sure_letters();
      makes_sense_ = reader.makes_sense();
      doubtful_ = reader.doubtful_strips();
      PartialText text{reader.lines(), sure, 0, ""};
      if (!doubtful_.empty()) {
        reader.drop_doubtful();
        without_doubtful_ = {reader.lines(), sure, 0, ""};
      }
      return text;
    }

    std::optional<ScriptGuess> script_of_doubtful() {
      ScriptFinder* const known = engine_.steps.scripts ? engine_.script_finder() : nullptr;
      if (known == nullptr) return std::nullopt;
      time_.check();
      return known->guess(doubtful_);
    }

    static std::vector<TextLine> lines_of_height(std::vector<TextLine> lines, float height_px) {
      constexpr float kTaller = 1.4f;
      std::erase_if(lines, [&](const TextLine& line) {
        return line.height_px > kTaller * height_px || height_px > kTaller * line.height_px;
      });
      return lines;
    }

    Engine& engine_;
    const cv::Mat& rgb_;
    const TimeBudget& time_;
    cv::Mat searched_;
    double scale_ = 1;
    std::vector<Layer> layers_;
    std::vector<TextLine> lines_;
    // The same with the parts of letters joined, where a language needs it.
    std::vector<Layer> stacked_layers_;
    std::vector<TextLine> stacked_lines_;
    bool is_on_its_head_ = false;
    bool makes_sense_ = false;
    std::vector<cv::Mat> doubtful_;
    PartialText without_doubtful_;
  };

  std::vector<Word> read_plainly(const cv::Mat& rgb, const TimeBudget& time) {
    const auto layout = steps.method == ReadingSteps::Method::PlainPage
                            ? Recogniser::Layout::Page
                            : Recogniser::Layout::Sparse;
    std::vector<Word> words;
    for (const RecognisedWord& word : recogniser_for(languages).read(rgb, layout, time)) {
      if (word.confidence < kMinConfidence) continue;
      words.push_back(
          {word.text, word.confidence, {word.box.x, word.box.y, word.box.width, word.box.height}});
    }
    return words;
  }
};

TextReader::TextReader(const TextReaderOptions& options) : engine_(new Engine(options)) {
  cv::setNumThreads(1);
}

TextReader::~TextReader() = default;

PictureText TextReader::read_picture(const Image& image) {
  if (std::min(image.width_px, image.height_px) < kMinSidePx) return {};
  const TimeBudget time{std::chrono::milliseconds(engine_->timeout_ms)};
  try {
    return engine_->read_all(image, time);
  } catch (const TimeIsUp&) {
    throw Error(ErrorCode::Unavailable, "text recognition",
                "not done after " + seconds(engine_->timeout_ms) + " of processor time",
                "give it more with --ocr-timeout, or index it with --no-ocr");
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Unavailable, "text recognition", error.what(), "index it with --no-ocr");
  }
}

}  // namespace zeroshelf
