// Tested through the program by tests/programs.

#include "indexer/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "lib/program/message.h"
#include "lib/report/messages.h"
#include "lib/report/terminal_table.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};
constexpr std::chrono::seconds kLook{1};

std::string minutes(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

void RunningNumbers::begin(uint64_t total) {
  total_ = total;
  start_ = looked_ = Clock::now();
}

void RunningNumbers::look(const StageTimes& times) {
  const Clock::time_point now = Clock::now();
  if (now - looked_ < kLook) return;
  looked_ = now;
  const StageTimes::Seconds seconds = times.seconds();
  double most = 0;
  for (size_t i = 0; i < kStages; ++i) {
    const double spent = seconds[i] - before_[i];
    if (spent > most) {
      most = spent;
      bottleneck_ = kStageNames[i];
    }
  }
  before_ = seconds;
}

double RunningNumbers::per_second() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  return seconds > 0 ? static_cast<double>(done_) / seconds : 0;
}

std::optional<double> RunningNumbers::seconds_left() const {
  const double rate = per_second();
  if (done_ == 0 || rate <= 0) return std::nullopt;
  return static_cast<double>(total_ - done_) / rate;
}

std::string progress_line(const RunningNumbers& numbers, int columns) {
  constexpr int kWidestBar = 24;
  constexpr int kNarrowestBar = 8;
  const std::optional<double> left = numbers.seconds_left();
  const std::string_view most = numbers.bottleneck();
  std::string text = fmt::format("{}/{}  {:.1f}/s  {} left", with_thousands(numbers.done()),
                                 with_thousands(numbers.total()), numbers.per_second(),
                                 left ? minutes(*left) : "?");
  if (numbers.skips() > 0) text += fmt::format("  {} skipped", with_thousands(numbers.skips()));
  if (!most.empty()) text += fmt::format("  mostly {}", most);
  if (most == kStageNames[static_cast<size_t>(Stage::Ocr)]) text += " (--no-ocr: without)";
  const int bar = std::min(kWidestBar, columns - 4 - display_width(text));
  if (bar >= kNarrowestBar) {
    const auto width = static_cast<uint64_t>(bar);
    const uint64_t filled = numbers.total() == 0 ? 0 : numbers.done() * width / numbers.total();
    std::string drawn(filled, '#');
    drawn.resize(width, '.');
    text = "[" + drawn + "] " + text;
  }
  return fitted(text, std::max(1, columns - 1));
}

namespace {

constexpr int kUsualColumns = 80;
constexpr uint64_t kShownOfAReason = 3;

}  // namespace

TextProgress::TextProgress(std::filesystem::path collection)
    : collection_(std::move(collection)), terminal_(::isatty(STDERR_FILENO) == 1) {}

void TextProgress::begin() {
  if (!terminal_) return;
  say("looking at the files ...");
  drawn_ = true;
}

void TextProgress::planned(uint64_t files_to_read) {
  numbers_.begin(files_to_read);
  if (terminal_ && files_to_read > 0) draw();
}

void TextProgress::read_one() {
  numbers_.read_one();
  if (numbers_.done() == numbers_.total() && terminal_) draw();
}

void TextProgress::skipped(const SkippedFile& file) {
  numbers_.skipped();
  if (++skips_[file.skip.reason] > kShownOfAReason) return;
  erase();
  say("skipped {}: {}\n", printable(file.file.path), printable(file.skip.detail));
}

void TextProgress::working(const StageTimes& times) {
  numbers_.look(times);
  if (terminal_ && Clock::now() - last_drawn_ >= kRedraw) draw();
}

void TextProgress::finish() {
  if (drawn_) say("{}", numbers_.total() > 0 ? "\n" : "\r\x1b[K");
  drawn_ = false;
  bool more = false;
  for (const auto& [reason, count] : std::exchange(skips_, {})) {
    if (count <= kShownOfAReason) continue;
    more = true;
    say("skipped {} more: {}\n", with_thousands(count - kShownOfAReason), skip_reason_name(reason));
  }
  if (more) {
    say("zeroshelf-index skips {} lists them all\n", printable(collection_.string()));
  }
}

void TextProgress::draw() {
  last_drawn_ = Clock::now();
  drawn_ = true;
  const int columns = terminal_columns(stderr);
  say("\r\x1b[K{}", progress_line(numbers_, columns > 0 ? columns : kUsualColumns));
}

void TextProgress::erase() {
  if (drawn_) say("\r\x1b[K");
  drawn_ = false;
}

void JsonProgress::planned(uint64_t files_to_read) {
  numbers_.begin(files_to_read);
  out_.write(json_line(message::Plan{files_to_read}));
  out_.flush();
}

void JsonProgress::working(const StageTimes& times) {
  numbers_.look(times);
  const auto now = RunningNumbers::Clock::now();
  if (now - last_written_ < kLook) return;
  last_written_ = now;
  out_.write(json_line(message::Progress{numbers_.done(), numbers_.total(), numbers_.per_second(),
                                         numbers_.seconds_left(), numbers_.skips(),
                                         numbers_.bottleneck()}));
  out_.flush();
}

void JsonProgress::skipped(const SkippedFile& file) {
  numbers_.skipped();
  out_.write(skip_json(file));
}

void JsonProgress::committed(uint64_t pictures) {
  out_.write(json_line(message::Commit{pictures, numbers_.done(), numbers_.total()}));
  out_.flush();
}

std::string profile_text(const StageTimes::Seconds& seconds) {
  double whole = 0;
  for (const double stage : seconds) whole += stage;
  std::string text = "time of all threads by stage:\n";
  for (size_t i = 0; i < kStages; ++i) {
    fmt::format_to(std::back_inserter(text), "  {:<14} {:>9.2f} s {:>4.0f} %\n", kStageNames[i],
                   seconds[i], whole > 0 ? 100 * seconds[i] / whole : 0);
  }
  return text;
}

std::string skip_json(const SkippedFile& file) {
  return json_line(
      message::SkippedFile{file.file.path, skip_reason_name(file.skip.reason), file.skip.detail});
}

}  // namespace zeroshelf
