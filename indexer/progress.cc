// Tested through the program by tests/programs.

#include "indexer/progress.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>

#include "lib/output/formats.h"
#include "lib/util/text.h"

namespace zeroshelf {
namespace {

constexpr std::chrono::milliseconds kRedraw{100};

std::string minutes(double seconds) {
  const auto whole = static_cast<uint64_t>(seconds + 0.5);
  if (whole >= 3600)
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

TextProgress::TextProgress() : terminal_(::isatty(STDERR_FILENO) == 1) {}

void TextProgress::planned(uint64_t files_to_read) {
  total_ = files_to_read;
  start_ = Clock::now();
}

void TextProgress::read_one() {
  ++done_;
  if (terminal_ && (done_ == total_ || Clock::now() - last_drawn_ >= kRedraw)) draw();
}

void TextProgress::skipped(const SkippedFile& file) {
  ++skips_;
  erase();
  fmt::print(stderr, "skipped {}: {}\n", printable(file.file.path), printable(file.skip.detail));
}

void TextProgress::finish() {
  if (drawn_) fmt::print(stderr, "\n");
  drawn_ = false;
}

void TextProgress::draw() {
  constexpr uint64_t kBarWidth = 24;
  last_drawn_ = Clock::now();
  drawn_ = true;
  const double seconds = std::chrono::duration<double>(last_drawn_ - start_).count();
  const double rate = seconds > 0 ? static_cast<double>(done_) / seconds : 0;
  const uint64_t filled = total_ == 0 ? 0 : done_ * kBarWidth / total_;
  std::string bar(filled, '#');
  bar.resize(kBarWidth, '.');
  fmt::print(stderr, "\r\x1b[K[{}] {}/{}  {:.1f}/s  {} left  {} skipped", bar,
             with_thousands(done_), with_thousands(total_), rate,
             rate > 0 ? minutes(static_cast<double>(total_ - done_) / rate) : "?",
             with_thousands(skips_));
  std::fflush(stderr);
}

void TextProgress::erase() {
  if (drawn_) fmt::print(stderr, "\r\x1b[K");
  drawn_ = false;
}

void JsonProgress::planned(uint64_t files_to_read) {
  total_ = files_to_read;
  out_.write(fmt::format("{{\"type\":\"plan\",\"files\":{}}}\n", files_to_read));
  out_.flush();
}

void JsonProgress::skipped(const SkippedFile& file) {
  out_.write(skip_json(file));
}

void JsonProgress::committed(uint64_t pictures) {
  out_.write(fmt::format("{{\"type\":\"commit\",\"pictures\":{},\"files_read\":{},\"files\":{}}}\n",
                         pictures, done_, total_));
  out_.flush();
}

std::string skip_json(const SkippedFile& file) {
  std::string line = "{\"type\":\"skip\",";
  append_json_path(line, file.file.path);
  fmt::format_to(std::back_inserter(line),
                 ",\"reason\":\"{}\",\"detail\":", skip_reason_name(file.skip.reason));
  append_json_string(line, file.skip.detail);
  return line + "}\n";
}

}  // namespace zeroshelf
