// Tested by tests/ocr/text_reader_test.cc.

#include "lib/ocr/text_reader.h"

#include <fmt/format.h>
#include <leptonica/allheaders.h>
#include <omp.h>
#include <tesseract/baseapi.h>
#include <tesseract/ocrclass.h>
#include <tesseract/resultiterator.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <exception>
#include <mutex>
#include <optional>
#include <string_view>

#include "lib/image/preprocess.h"
#include "lib/util/error.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

using Clock = std::chrono::steady_clock;

// Letters below this height cannot be told apart.
constexpr int kMinSidePx = 8;
// Reading time goes with the pixels, and Leptonica's sides end at 32767.
constexpr double kMaxPixels = 12e6;
constexpr double kMaxSidePx = 16000;
// Below it words are mostly texture taken for letters.
constexpr float kMinConfidence = 0.3f;
// Tesseract's guess follows the height of the lines; it only wants to be told something plausible.
constexpr int kResolutionDpi = 150;

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

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(separator, start), text.size());
    if (end > start) parts.push_back(text.substr(start, end - start));
    start = end + 1;
  }
  return parts;
}

std::string package_of(std::string language) {
  std::ranges::replace(language, '_', '-');
  return "tesseract-ocr-" + language;
}

[[noreturn]] void throw_missing(const std::string& language) {
  throw Error(ErrorCode::Unavailable, "language " + language,
              "Tesseract's data for it is not installed",
              "apt-get install " + package_of(language));
}

// A file name, and nothing that leads out of the folder of language data.
bool is_language_code(const std::string& language) {
  return std::ranges::all_of(language, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  });
}

void check_codes(const TextReaderOptions& options) {
  const std::vector<std::string> languages = split(options.languages, '+');
  if (languages.empty() || !std::ranges::all_of(languages, is_language_code)) {
    throw Error(ErrorCode::InvalidArgument, "languages " + options.languages,
                "not Tesseract's codes joined by '+'", "for example eng+deu");
  }
}

// Silences both libraries and loads the data. One at a time: both keep global settings.
void load(tesseract::TessBaseAPI& api, const std::string& languages) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  setMsgSeverity(L_SEVERITY_NONE);
  api.SetVariable("debug_file", "/dev/null");
  const bool loaded = api.Init(nullptr, languages.c_str(), tesseract::OEM_LSTM_ONLY) == 0;
  std::vector<std::string> present;
  if (loaded) api.GetLoadedLanguagesAsVector(&present);
  for (const std::string& language : split(languages, '+')) {
    if (std::ranges::find(present, language) == present.end()) throw_missing(language);
  }
}

// Factor by which a picture shrinks before it is read; 1 for most.
double scale_for(const Image& image) {
  const double pixels = static_cast<double>(image.width_px) * image.height_px;
  const double longer = std::max(image.width_px, image.height_px);
  return std::min({1.0, std::sqrt(kMaxPixels / pixels), kMaxSidePx / longer});
}

Image shrunk(const Image& image, double scale) {
  const auto side = [&](int px) { return std::max(1, static_cast<int>(px * scale)); };
  return resize_bicubic(image, side(image.width_px), side(image.height_px));
}

bool has_letter_or_digit(std::string_view utf8) {
  const auto size = static_cast<int64_t>(utf8.size());
  for (int64_t i = 0; i < size;) {
    UChar32 c = 0;
    U8_NEXT(utf8.data(), i, size, c);
    if (c >= 0 && u_isalnum(c)) return true;
  }
  return false;
}

std::optional<Word> word_at(const tesseract::ResultIterator& at) {
  const std::unique_ptr<char[]> text(at.GetUTF8Text(tesseract::RIL_WORD));
  if (text == nullptr) return std::nullopt;
  Word word;
  word.text = to_utf8(trimmed(text.get()));
  word.confidence = std::clamp(at.Confidence(tesseract::RIL_WORD) / 100, 0.0f, 1.0f);
  if (word.confidence < kMinConfidence || !has_letter_or_digit(word.text)) return std::nullopt;
  int left = 0, top = 0, right = 0, bottom = 0;
  if (!at.BoundingBox(tesseract::RIL_WORD, &left, &top, &right, &bottom)) return std::nullopt;
  word.box = {left, top, right - left, bottom - top};
  return word;
}

std::vector<Word> words_of(tesseract::TessBaseAPI& api) {
  std::vector<Word> words;
  const std::unique_ptr<tesseract::ResultIterator> at(api.GetIterator());
  if (at == nullptr) return words;
  do {
    if (auto word = word_at(*at)) words.push_back(std::move(*word));
  } while (at->Next(tesseract::RIL_WORD));
  return words;
}

// A box of the shrunk picture in pixels of the whole one.
Box enlarged(const Box& box, const Image& from, const Image& to) {
  const double x = static_cast<double>(to.width_px) / from.width_px;
  const double y = static_cast<double>(to.height_px) / from.height_px;
  const auto rounded = [](double value) { return static_cast<int>(std::lround(value)); };
  const int left = rounded(box.x * x);
  const int top = rounded(box.y * y);
  return {left, top, rounded((box.x + box.width) * x) - left,
          rounded((box.y + box.height) * y) - top};
}

}  // namespace

struct TextReader::Engine {
  tesseract::TessBaseAPI api;
  int timeout_ms = 0;

  std::vector<Word> recognise(const Image& image, tesseract::PageSegMode mode,
                              Clock::time_point deadline) {
    const auto left =
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - Clock::now()).count();
    if (left <= 0) return {};
    tesseract::ETEXT_DESC monitor;
    monitor.set_deadline_msecs(static_cast<int32_t>(left));
    api.SetPageSegMode(mode);
    api.SetImage(image.rgb.data(), image.width_px, image.height_px, 3, 3 * image.width_px);
    api.SetSourceResolution(kResolutionDpi);
    api.Recognize(&monitor);  // fails at the deadline too, and then leaves what it has
    std::vector<Word> words = words_of(api);
    api.Clear();
    return words;
  }

  std::vector<Word> read(const Image& image) {
    const auto deadline = Clock::now() + std::chrono::milliseconds(timeout_ms);
    std::vector<Word> words = recognise(image, tesseract::PSM_AUTO, deadline);
    if (words.empty()) words = recognise(image, tesseract::PSM_SPARSE_TEXT, deadline);
    return words;
  }
};

TextReader::TextReader(const TextReaderOptions& options) : engine_(std::make_unique<Engine>()) {
  check_codes(options);
  engine_->timeout_ms = options.timeout_ms;
  load(engine_->api, options.languages);
}

TextReader::~TextReader() = default;

std::vector<Word> TextReader::read(const Image& image) {
  if (std::min(image.width_px, image.height_px) < kMinSidePx) return {};
  const OpenMpOff off;
  try {
    const double scale = scale_for(image);
    if (scale == 1.0) return engine_->read(image);
    const Image small = shrunk(image, scale);
    if (std::min(small.width_px, small.height_px) < kMinSidePx) return {};
    std::vector<Word> words = engine_->read(small);
    for (Word& word : words) word.box = enlarged(word.box, small, image);
    return words;
  } catch (const std::exception& error) {
    throw Error(ErrorCode::Unavailable, "text recognition", error.what(),
                "index without it: --no-ocr");
  }
}

}  // namespace zeroshelf
