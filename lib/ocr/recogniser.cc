// Tested by tests/ocr/text_reader_test.cc.

#include "lib/ocr/recogniser.h"

#include <leptonica/allheaders.h>
#include <omp.h>
#include <tesseract/baseapi.h>
#include <tesseract/ocrclass.h>
#include <tesseract/resultiterator.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <optional>
#include <string_view>

#include "lib/ocr/installed_languages.h"
#include "lib/ocr/modern_greek.h"
#include "lib/ocr/scripts.h"
#include "lib/ocr/text_reader.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

// Tesseract's guess follows the height of the lines; it only wants to be told something plausible.
constexpr int kResolutionDpi = 150;
constexpr const char* kScriptData = "osd";
constexpr const char* kFormulaData = "equ";
// Tesseract's own: a line that is read worse is read again with black and white exchanged.
constexpr const char* kInvertThreshold = "0.7";

// No OpenMP threads in the calling thread while it lives. The setting belongs to the thread's own
// OpenMP task, so the process's other threads keep theirs.
class OpenMpOff {
 public:
  OpenMpOff() : levels_(omp_get_max_active_levels()) { omp_set_max_active_levels(0); }
  ~OpenMpOff() { omp_set_max_active_levels(levels_); }
  OpenMpOff(const OpenMpOff&) = delete;
  OpenMpOff& operator=(const OpenMpOff&) = delete;

 private:
  int levels_;
};

[[noreturn]] void throw_missing(const std::string& language) {
  throw Error(ErrorCode::Unavailable, "language " + language,
              "Tesseract's data for it is missing or does not load", language_data_cure(language));
}

// A file name, and nothing that leads out of the folder of language data.
bool is_language_code(const std::string& language) {
  return std::ranges::all_of(language, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void check_codes(const std::string& text) {
  const std::vector<std::string> languages = split_languages(text);
  if (languages.empty() || !std::ranges::all_of(languages, is_language_code)) {
    throw Error(ErrorCode::InvalidArgument, "languages " + text,
                "not Tesseract's codes joined by '+'", "for example eng+deu");
  }
  for (const std::string& language : languages) {
    if (language == kAutoLanguages) {
      throw Error(ErrorCode::InvalidArgument, "languages " + text,
                  "auto stands alone: it takes all languages that are installed",
                  "name auto and nothing else, or the languages without it, for example eng+deu");
    }
    if (language == kScriptData || language == kFormulaData) {
      throw Error(ErrorCode::InvalidArgument, "languages " + text,
                  language + " is data of Tesseract's that is no language",
                  "name languages only, for example eng+deu; data for scripts is used by itself "
                  "where it is installed");
    }
  }
}

// Both libraries keep global settings while they load.
std::mutex& loading() {
  static std::mutex mutex;
  return mutex;
}

// Silences both libraries. What stands for its languages is what is loaded.
bool init(tesseract::TessBaseAPI& api, const std::string& languages,
          tesseract::OcrEngineMode mode) {
  setMsgSeverity(L_SEVERITY_NONE);
  api.SetVariable("debug_file", "/dev/null");
  return api.Init(nullptr, languages.c_str(), mode) == 0;
}

// Whether rows are examined for letters of one width, which takes as long as finding them and
// changes nothing in how the LSTM reads a line. The whole process has one such setting: it is only
// written when it changes, because other threads may be reading.
void look_for_fixed_pitch(tesseract::TessBaseAPI& api, bool look) {
  constexpr const char* kAllProportional = "textord_all_prop";
  bool is_off = false;
  if (!api.GetBoolVariable(kAllProportional, &is_off) || is_off == look)
    api.SetVariable(kAllProportional, look ? "0" : "1");
}

void load(tesseract::TessBaseAPI& api, const std::string& languages) {
  const std::lock_guard lock(loading());
  const bool loaded = init(api, languages, tesseract::OEM_LSTM_ONLY);
  look_for_fixed_pitch(api, false);
  std::vector<std::string> present;
  if (loaded) api.GetLoadedLanguagesAsVector(&present);
  for (const std::string& language : split_languages(languages)) {
    if (std::ranges::find(present, language) == present.end()) throw_missing(language);
  }
}

// One below the other.
cv::Mat stacked(const std::vector<cv::Mat>& strips) {
  int width = 0;
  int height = 0;
  for (const cv::Mat& strip : strips) {
    width = std::max(width, strip.cols);
    height += strip.rows;
  }
  cv::Mat page(height, width, CV_8U, cv::Scalar(255));
  int y = 0;
  for (const cv::Mat& strip : strips) {
    strip.copyTo(page(cv::Rect(0, y, strip.cols, strip.rows)));
    y += strip.rows;
  }
  return page;
}

std::string without_marks_at_the_ends(const std::string& text) {
  const auto is_mark = [](char c) {
    return static_cast<unsigned char>(c) < 128 && std::isalnum(static_cast<unsigned char>(c)) == 0;
  };
  size_t begin = 0;
  size_t end = text.size();
  while (begin < end && is_mark(text[begin])) ++begin;
  while (end > begin && is_mark(text[end - 1])) --end;
  return text.substr(begin, end - begin);
}

// What Tesseract asks now and then whether to stop.
struct Patience {
  const TimeBudget& time;
  bool was_lost = false;

  static bool is_over(void* self, int /*words*/) {
    auto& patience = *static_cast<Patience*>(self);
    patience.was_lost = patience.was_lost || patience.time.is_up();
    return patience.was_lost;
  }
};

tesseract::PageSegMode mode_of(Recogniser::Layout layout) {
  switch (layout) {
    case Recogniser::Layout::Page:
      return tesseract::PSM_AUTO;
    case Recogniser::Layout::Sparse:
      return tesseract::PSM_SPARSE_TEXT;
    case Recogniser::Layout::Block:
      return tesseract::PSM_SINGLE_BLOCK;
    case Recogniser::Layout::Line:
      return tesseract::PSM_SINGLE_LINE;
  }
  return tesseract::PSM_AUTO;
}

}  // namespace

bool may_be_word(std::string_view utf8) {
  const auto size = static_cast<int64_t>(utf8.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(utf8.data(), i, size, c);
    if (c >= 0 && (u_isalnum(c) || (U_GET_GC_MASK(c) & U_GC_M_MASK) != 0)) return true;
  }
  return false;
}

struct Recogniser::Api {
  tesseract::TessBaseAPI tesseract;
  double least_letter_px = 0;
  bool is_ancient_greek = false;

  std::optional<RecognisedWord> word_at(const tesseract::ResultIterator& at, bool is_line) const {
    const std::unique_ptr<char[]> text(at.GetUTF8Text(tesseract::RIL_WORD));
    if (text == nullptr) return std::nullopt;
    RecognisedWord word;
    word.text = to_utf8(trimmed(text.get()));
    if (word.text == "|") word.text = "I";  // alone it is hardly ever a bar
    word.confidence = std::clamp(at.Confidence(tesseract::RIL_WORD) / 100, 0.0f, 1.0f);
    if (!may_be_word(word.text)) return std::nullopt;
    int left = 0, top = 0, right = 0, bottom = 0;
    if (!at.BoundingBox(tesseract::RIL_WORD, &left, &top, &right, &bottom)) return std::nullopt;
    word.box = {left, top, right - left, bottom - top};
    word.symbols = symbols_of(at, word.text);
    if (is_line) word.confidence = std::max(word.confidence, confidence_of_letters(at));
    word.in_dictionary = knows(word.text);
    correct_greek(word, is_ancient_greek);
    return word;
  }

  // Tesseract's confidence of a word is that of the least sure of its letters and of the spaces
  // beside it; where a line has spaces is judged by its gaps (joined_words.h).
  static float confidence_of_letters(tesseract::ResultIterator at) {
    constexpr float kTesseractsScale = 7;  // from letters to words
    constexpr float kSure = 100;
    float least = kSure;
    float least_of_doubles = kSure;
    while (true) {
      const std::unique_ptr<char[]> symbol(at.GetUTF8Text(tesseract::RIL_SYMBOL));
      if (symbol == nullptr) return 0;
      float& of_its_kind = has_greek_doubles(symbol.get()) ? least_of_doubles : least;
      of_its_kind = std::min(of_its_kind, at.Confidence(tesseract::RIL_SYMBOL));
      if (at.IsAtFinalElement(tesseract::RIL_WORD, tesseract::RIL_SYMBOL)) break;
      if (!at.Next(tesseract::RIL_SYMBOL)) return 0;
    }
    if (least == kSure) least = least_of_doubles;
    return std::clamp(1 - kTesseractsScale * (1 - least / 100), 0.0f, 1.0f);
  }

  bool knows(const std::string& word) const {
    return tesseract.IsValidWord(without_marks_at_the_ends(word).c_str()) != 0;
  }

  // None where they are not the text.
  static std::vector<RecognisedSymbol> symbols_of(tesseract::ResultIterator at,
                                                  const std::string& text) {
    std::vector<RecognisedSymbol> symbols;
    std::string joined;
    while (true) {
      const std::unique_ptr<char[]> symbol(at.GetUTF8Text(tesseract::RIL_SYMBOL));
      int left = 0, top = 0, right = 0, bottom = 0;
      if (symbol == nullptr || !at.BoundingBox(tesseract::RIL_SYMBOL, &left, &top, &right, &bottom))
        return {};
      symbols.push_back({joined.size(), static_cast<float>(left + right) / 2});
      joined += symbol.get();
      if (at.IsAtFinalElement(tesseract::RIL_WORD, tesseract::RIL_SYMBOL)) break;
      if (!at.Next(tesseract::RIL_SYMBOL)) return {};
    }
    return joined == text ? symbols : std::vector<RecognisedSymbol>();
  }
};

Recogniser::Recogniser(const std::string& languages) : api_(std::make_unique<Api>()) {
  check_codes(languages);
  load(api_->tesseract, languages);
  api_->least_letter_px = zeroshelf::least_letter_px(languages);
  const std::vector<std::string> codes = split_languages(languages);
  api_->is_ancient_greek = std::ranges::find(codes, "grc") != codes.end();
}

Recogniser::~Recogniser() = default;

double Recogniser::least_letter_px() const {
  return api_->least_letter_px;
}

bool Recogniser::knows(const std::string& word) const {
  return api_->knows(word);
}

std::vector<RecognisedWord> Recogniser::read(const cv::Mat& pixels, Layout layout,
                                             const TimeBudget& time) {
  time.check();
  const OpenMpOff off;
  tesseract::TessBaseAPI& api = api_->tesseract;
  Patience patience{time};
  tesseract::ETEXT_DESC monitor;
  monitor.cancel = Patience::is_over;
  monitor.cancel_this = &patience;
  // A strip is dark on white: read the other way round it would only cost as much again.
  api.SetVariable("invert_threshold", layout == Layout::Line ? "0" : kInvertThreshold);
  look_for_fixed_pitch(api, layout != Layout::Line);  // others are only measured, by one thread
  api.SetPageSegMode(mode_of(layout));
  api.SetImage(pixels.data, pixels.cols, pixels.rows, pixels.channels(),
               static_cast<int>(pixels.step));
  api.SetSourceResolution(kResolutionDpi);
  api.Recognize(&monitor);
  if (patience.was_lost) {
    api.Clear();
    throw TimeIsUp();
  }
  std::vector<RecognisedWord> words;
  const std::unique_ptr<tesseract::ResultIterator> at(api.GetIterator());
  if (at != nullptr) {
    do {
      if (auto word = api_->word_at(*at, layout == Layout::Line)) words.push_back(std::move(*word));
    } while (at->Next(tesseract::RIL_WORD));
  }
  api.Clear();
  return words;
}

InstalledLanguages installed_languages() {
  const std::lock_guard lock(loading());
  // Tesseract tells of its folder only when something was loaded from there.
  for (const char* language : {"osd", "eng"}) {
    tesseract::TessBaseAPI api;
    if (!init(api, language, tesseract::OEM_DEFAULT)) continue;
    InstalledLanguages found{api.GetDatapath(), {}};
    api.GetAvailableLanguagesAsVector(&found.languages);
    std::ranges::sort(found.languages);
    return found;
  }
  return {};
}

std::string language_data_cure(std::string_view language) {
  std::string cure = "apt-get install tesseract-ocr-";
  std::ranges::replace_copy(language, std::back_inserter(cure), '_', '-');
  const char* folder = std::getenv("TESSDATA_PREFIX");
  if (folder != nullptr && *folder != '\0') {
    cure += "; or correct or unset TESSDATA_PREFIX, which names the folder ";
    cure += folder;
  }
  return cure;
}

struct ScriptFinder::Api {
  tesseract::TessBaseAPI tesseract;
};

ScriptFinder::ScriptFinder() : api_(std::make_unique<Api>()) {
  const std::lock_guard lock(loading());
  if (!init(api_->tesseract, kScriptData, tesseract::OEM_TESSERACT_ONLY)) {
    throw Error(ErrorCode::Unavailable, "scripts",
                "Tesseract's data for them is missing or does not load",
                language_data_cure(kScriptData));
  }
  api_->tesseract.SetVariable("min_characters_to_try", "4");
}

ScriptFinder::~ScriptFinder() = default;

std::optional<ScriptGuess> ScriptFinder::guess(const std::vector<cv::Mat>& strips) const {
  const cv::Mat page = stacked(strips);
  if (page.empty()) return std::nullopt;
  const OpenMpOff off;
  tesseract::TessBaseAPI& api = api_->tesseract;
  api.SetImage(page.data, page.cols, page.rows, 1, static_cast<int>(page.step));
  api.SetSourceResolution(kResolutionDpi);
  int degrees = 0;
  float upright_margin = 0;
  ScriptGuess guess;
  const char* name = nullptr;
  const bool found = api.DetectOrientationScript(&degrees, &upright_margin, &name, &guess.margin);
  if (found && name != nullptr) guess.script = script_by_name(name);
  api.Clear();
  if (guess.script.empty() || guess.margin <= 0) return std::nullopt;
  return guess;
}

std::vector<std::string> ScriptFinder::installed_languages() const {
  std::vector<std::string> languages;
  api_->tesseract.GetAvailableLanguagesAsVector(&languages);
  std::ranges::sort(languages);
  return languages;
}

}  // namespace zeroshelf
