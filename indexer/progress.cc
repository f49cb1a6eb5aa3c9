// Tested through the program by tests/programs.

#include "indexer/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iterator>

#include "lib/program/message.h"
#include "lib/report/messages.h"
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

TextProgress::TextProgress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void TextProgress::planned(uint64_t files_to_read) {
  numbers_.begin(files_to_read);
}

void TextProgress::read_one() {
  numbers_.read_one();
  if (numbers_.done() == numbers_.total() && terminal_) draw();
}

void TextProgress::skipped(const SkippedFile& file) {
  numbers_.skipped();
  erase();
  say("skipped {}: {}\n", printable(file.file.path), printable(file.skip.detail));
}

void TextProgress::working(const StageTimes& times) {
  numbers_.look(times);
  if (terminal_ && Clock::now() - last_drawn_ >= kRedraw) draw();
}

void TextProgress::finish() {
  if (drawn_) say("\n");
  drawn_ = false;
}

void TextProgress::draw() {
  constexpr uint64_t kBarWidth = 24;
  last_drawn_ = Clock::now();
  drawn_ = true;
  const uint64_t total = numbers_.total();
  const uint64_t filled = total == 0 ? 0 : numbers_.done() * kBarWidth / total;
  std::string bar(filled, '#');
  bar.resize(kBarWidth, '.');
  const std::optional<double> left = numbers_.seconds_left();
  say("\r\x1b[K[{}] {}/{}  {:.1f}/s  {} left  {} skipped{}{}", bar, with_thousands(numbers_.done()),
      with_thousands(total), numbers_.per_second(), left ? minutes(*left) : "?",
      with_thousands(numbers_.skips()), numbers_.bottleneck().empty() ? "" : "  mostly ",
      numbers_.bottleneck());
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
