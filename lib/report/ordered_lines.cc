// Tested by tests/report/ordered_lines_test.cc.

#include "lib/report/ordered_lines.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "lib/util/bytes.h"

namespace zeroshelf {
namespace {

constexpr size_t kWrittenAtOnce = size_t{1} << 16;

std::string bytes_of(const OrderedLines& lines) {
  ByteWriter out;
  out.text(lines.text);
  for (const OrderedLines::Line& line : lines.lines) {
    out.text(line.path);
    out.varint(line.end);
  }
  return std::move(out).bytes();
}

// Nothing for no bytes: the end.
std::optional<OrderedLines> lines_of(std::string_view bytes) {
  if (bytes.empty()) return std::nullopt;
  ByteReader in(bytes, "lines of another process");
  OrderedLines lines;
  lines.text = in.text();
  while (in.left() > 0) {
    std::string path(in.text());
    lines.lines.push_back({std::move(path), in.varint_at_most(lines.text.size())});
    if (lines.lines.size() > 1 && lines.lines.back().end < lines.lines.rbegin()[1].end)
      in.fail("lines overlap");
  }
  return lines;
}

// The lines of one rank, one at a time.
class Source {
 public:
  Source(NextLines next, size_t rank) : next_(std::move(next)), rank_(rank) { fill(); }

  bool at_end() const { return !lines_; }
  std::string_view line() const {
    const size_t begin = at_ == 0 ? 0 : lines_->lines[at_ - 1].end;
    return std::string_view(lines_->text).substr(begin, lines_->lines[at_].end - begin);
  }
  void step() {
    if (++at_ == lines_->lines.size()) fill();
  }
  // The first one is on top of a heap.
  static bool later(const Source* a, const Source* b) {
    const int order = a->path().compare(b->path());
    return order != 0 ? order > 0 : a->rank_ > b->rank_;
  }

 private:
  const std::string& path() const { return lines_->lines[at_].path; }
  void fill() {
    at_ = 0;
    do {
      lines_ = next_();
    } while (lines_ && lines_->lines.empty());
  }

  NextLines next_;
  size_t rank_;
  std::optional<OrderedLines> lines_;
  size_t at_ = 0;
};

void send_lines(Ranks& ranks, const NextLines& own) {
  while (const auto lines = own()) {
    if (!lines->lines.empty()) ranks.send(0, bytes_of(*lines));
  }
  ranks.send(0, "");
}

}  // namespace

void merge_lines(Ranks& ranks, const NextLines& own,
                 const std::function<void(std::string_view)>& write) {
  if (!ranks.is_first()) return send_lines(ranks, own);
  std::vector<Source> sources;
  sources.emplace_back(own, 0);
  for (size_t rank = 1; rank < ranks.size(); ++rank)
    sources.emplace_back([&ranks, rank] { return lines_of(ranks.receive(rank)); }, rank);
  std::vector<Source*> heap;
  for (Source& source : sources) {
    if (!source.at_end()) heap.push_back(&source);
  }
  std::ranges::make_heap(heap, Source::later);
  std::string text;
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, Source::later);
    text += heap.back()->line();
    if (text.size() >= kWrittenAtOnce) {
      write(text);
      text.clear();
    }
    heap.back()->step();
    if (heap.back()->at_end()) {
      heap.pop_back();
    } else {
      std::ranges::push_heap(heap, Source::later);
    }
  }
  if (!text.empty()) write(text);
}

}  // namespace zeroshelf
