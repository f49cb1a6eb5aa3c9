// Tested by tests/serve/chorus_test.cc and tests/serve/together_test.py.

#include "query/serve/chorus.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <exception>
#include <memory>

#include "lib/util/bytes.h"
#include "lib/util/error.h"
#include "lib/util/hash.h"
#include "lib/util/value_bytes.h"
#include "query/serve/errors.h"

namespace zeroshelf::serve {
namespace {

// What endpoints read of a request.
std::string bytes_of(const HttpRequest& request) {
  ByteWriter out;
  for (const std::string* text : {&request.method, &request.path, &request.host, &request.body})
    out.text(*text);
  for (const auto& [name, value] : request.query) {
    out.text(name);
    out.text(value);
  }
  return std::move(out).bytes();
}

HttpRequest request_of_bytes(std::string_view bytes) {
  HttpRequest request;
  ByteReader in(bytes, kRanksMessage);
  for (std::string* text : {&request.method, &request.path, &request.host, &request.body})
    *text = in.text();
  while (in.left() > 0) {
    std::string name(in.text());
    request.query.emplace(std::move(name), in.text());
  }
  request.is_abandoned = [] { return false; };
  return request;
}

Error server_ends() {
  return {ErrorCode::Unavailable, "the server", "it ends"};
}

Error processes_are_stuck() {
  return {
      ErrorCode::Unavailable, "the server's processes",
      "at one question for too long; one of them may hang",
      "look at their machines and at the file systems of their parts, or start the server again"};
}

}  // namespace

HttpResponse Chorus::ask(const HttpRequest& request) {
  Question question{request, {}};
  std::future<HttpResponse> answer = question.answer.get_future();
  {
    const std::lock_guard lock(mutex_);
    if (ends_) throw server_ends();
    if (is_stuck_locked()) throw processes_are_stuck();
    questions_.push_back(&question);
  }
  due_.notify_all();
  const auto pause = std::min<std::chrono::nanoseconds>(patience_, std::chrono::seconds(1));
  while (answer.wait_for(pause) != std::future_status::ready) {
    const std::lock_guard lock(mutex_);
    if (is_stuck_locked() && std::erase(questions_, &question) > 0) throw processes_are_stuck();
  }
  return answer.get();
}

bool Chorus::is_stuck() const {
  const std::lock_guard lock(mutex_);
  return is_stuck_locked();
}

void Chorus::end() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  due_.notify_all();
}

void Chorus::answer_all(const Answer& answer) {
  ranks_.is_first() ? lead(answer) : follow(answer);
}

void Chorus::lead(const Answer& answer) {
  std::unique_lock lock(mutex_);
  for (;;) {
    due_.wait(lock, [this] { return ends_ || !questions_.empty(); });
    if (ends_) break;
    Question& question = *questions_.front();
    questions_.pop_front();
    since_ = Clock::now();
    lock.unlock();
    if (question.request.is_abandoned()) {
      question.answer.set_exception(std::make_exception_ptr(Abandoned()));
    } else {
      lead(answer, question);
    }
    lock.lock();
    since_.reset();
  }
  for (Question* question : std::exchange(questions_, {}))
    question->answer.set_exception(std::make_exception_ptr(server_ends()));
  lock.unlock();
  ranks_.broadcast({});
}

void Chorus::lead(const Answer& answer, Question& question) {
  const std::string bytes = bytes_of(question.request);
  ranks_.begin_anew();
  std::exception_ptr failure;
  try {
    ranks_.broadcast(bytes);
    question.answer.set_value(answer(request_of_bytes(bytes)));
    return;
  } catch (...) {
    failure = std::current_exception();
  }
  question.answer.set_exception(failure);
  if (ranks_.ended()) return;  // all know of it
  end();
  std::rethrow_exception(failure);
}

void Chorus::follow(const Answer& answer) {
  for (;;) {
    ranks_.begin_anew();
    const std::string bytes = ranks_.broadcast({});
    if (bytes.empty()) return;
    try {
      answer(request_of_bytes(bytes));
    } catch (const EndedElsewhere&) {
    }
  }
}

bool is_silent(const Snapshot& snapshot) {
  const Ranks* ranks = ranks_of(snapshot.view);
  return ranks != nullptr && !ranks->is_first();
}

size_t rank_of(const Snapshot& snapshot) {
  const Ranks* ranks = ranks_of(snapshot.view);
  return ranks == nullptr ? 0 : ranks->rank();
}

uint64_t sum_of_all(const Snapshot& snapshot, uint64_t own) {
  if (Ranks* ranks = ranks_of(snapshot.view)) ranks->add_up(std::span(&own, 1));
  return own;
}

std::vector<std::string> told_by_all(const Snapshot& snapshot,
                                     const std::function<std::string()>& make) {
  std::string own = in_all(snapshot, make);
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return {std::move(own)};
  return ranks->gather(own);
}

std::vector<std::string> told_to_all(const Snapshot& snapshot,
                                     const std::function<std::string()>& make) {
  std::string own = in_all(snapshot, make);
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return {std::move(own)};
  return ranks->exchange(own);
}

// --- rows ----------------------------------------------------------------------------------------

namespace {

// The lowest process that has one; size(): nobody.
size_t first_with(Ranks& ranks, bool has) {
  const std::vector<std::string> all = ranks.exchange(has ? "1" : "");
  return static_cast<size_t>(std::ranges::find(all, "1") - all.begin());
}

// The last process whose rows begin there or before; one without rows begins where the next does.
size_t owner_of(const Snapshot& snapshot, Row row) {
  const auto behind = std::ranges::upper_bound(snapshot.first_rows, row);
  return static_cast<size_t>(behind - snapshot.first_rows.begin()) - 1;
}

// In several processes the lowest one's; some: whether any has it.
std::optional<Row> first_of_all(const Snapshot& snapshot,
                                const std::function<std::optional<Row>()>& find, bool& some) {
  std::optional<Row> own = in_all(snapshot, find);
  some = own.has_value();
  if (Ranks* ranks = ranks_of(snapshot.view)) {
    const size_t first = first_with(*ranks, own.has_value());
    some = first < ranks->size();
    if (first != ranks->rank()) own.reset();
  }
  return own;
}

}  // namespace

std::optional<Row> row_if_it_is(const Snapshot& snapshot, std::optional<uint64_t> row,
                                const std::optional<ContentHash>& content) {
  const View& view = snapshot.view;
  if (!row || !snapshot.has(*row)) return std::nullopt;
  const Row own = *row - snapshot.first_row;
  const bool is_it = view.is_live(own) && (!content || view.record(own).content_hash == *content);
  return is_it ? std::optional(own) : std::nullopt;
}

Error no_such_picture(std::optional<uint64_t> row, const std::optional<ContentHash>& content) {
  return {ErrorCode::NotFound,
          content ? to_hex(*content)
          : row   ? fmt::format("row {}", *row)
                  : "row",
          "the collection has no such picture"};
}

std::optional<Row> own_row(const Snapshot& snapshot, std::optional<uint64_t> row,
                           const std::optional<ContentHash>& content) {
  bool some = false;
  auto own = first_of_all(
      snapshot, [&] { return row_if_it_is(snapshot, row, content); }, some);
  if (some) return own;
  if (content) {
    own = first_of_all(
        snapshot, [&] { return snapshot.view.find_content(*content); }, some);
    if (some) return own;
  }
  const Error error = no_such_picture(row, content);
  if (Ranks* ranks = ranks_of(snapshot.view)) ranks->agree(error);
  throw Error(error);
}

std::string told_by_owner(const Snapshot& snapshot, std::optional<Row> own,
                          const std::function<std::string(Row own)>& make) {
  std::string told = in_all(snapshot, [&] { return own ? make(*own) : std::string(); });
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return told;
  for (std::string& one : ranks->gather(told)) {
    if (!one.empty()) return std::move(one);
  }
  return {};
}

std::vector<std::string> first_told(const Snapshot& snapshot, size_t count,
                                    const std::function<std::string(size_t place)>& make) {
  const std::vector<std::string> all = told_to_all(snapshot, [&] {
    ByteWriter out;
    for (size_t i = 0; i < count; ++i) out.text(make(i));
    return std::move(out).bytes();
  });
  std::vector<std::string> first(count);
  for (const std::string& bytes : all) {
    ByteReader in(bytes, kRanksMessage);
    for (std::string& one : first) {
      const std::string_view told = in.text();
      if (one.empty()) one = told;
    }
    in.expect_end();
  }
  return first;
}

std::vector<std::optional<Row>> rows_of_contents(const Snapshot& snapshot,
                                                 std::span<const ContentHash> contents) {
  std::vector<std::optional<Row>> rows;
  for (const std::string& told : first_told(snapshot, contents.size(), [&](size_t i) {
         const auto own = snapshot.view.find_content(contents[i]);
         ByteWriter out;
         if (own) out.number(snapshot.first_row + *own);
         return std::move(out).bytes();
       })) {
    rows.push_back(told.empty() ? std::nullopt
                                : std::optional(ByteReader(told, kRanksMessage).number<Row>()));
  }
  return rows;
}

std::vector<Row> copies_of(const Snapshot& snapshot, std::optional<Row> own) {
  const View& view = snapshot.view;
  Ranks* ranks = ranks_of(view);
  std::string content = in_all(snapshot, [&] {
    if (!own) return std::string();
    const ContentHash hash = view.record(*own).content_hash;
    return std::string(reinterpret_cast<const char*>(hash.data()), hash.size());
  });
  if (ranks != nullptr) {
    for (std::string& one : ranks->exchange(content)) {
      if (!one.empty()) content = std::move(one);
    }
  }
  ContentHash hash{};
  std::ranges::copy(content, hash.begin());
  std::string found = in_all(snapshot, [&] {
    ByteWriter out;
    for (const View::Part& part : view.parts()) {
      for (const Row copy : part.collection.find_contents(hash)) {
        const Row row = part.first_row + copy;
        if (row != own) out.number(snapshot.first_row + row);
      }
    }
    return std::move(out).bytes();
  });
  std::vector<Row> copies;
  for (const std::string& bytes :
       ranks == nullptr ? std::vector<std::string>{found} : ranks->exchange(found)) {
    ByteReader in(bytes, kRanksMessage);
    while (in.left() > 0) copies.push_back(in.number<Row>());
  }
  return copies;
}

std::vector<std::string> told_of_rows(
    const Snapshot& snapshot, std::span<const Row> rows,
    const std::function<std::vector<std::string>(std::span<const Row> own)>& make) {
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return make(rows);
  ByteWriter asked;
  for (const Row row : rows) asked.number(row);
  const std::string wanted = ranks->broadcast(std::move(asked).bytes());
  const std::string told = in_all(snapshot, [&] {
    std::vector<Row> own;
    ByteReader in(wanted, kRanksMessage);
    while (in.left() > 0) {
      const Row row = in.number<Row>();
      if (snapshot.has(row)) own.push_back(row - snapshot.first_row);
    }
    ByteWriter out;
    for (const std::string& one : make(own)) out.text(one);
    return std::move(out).bytes();
  });
  const std::vector<std::string> all = ranks->gather(told);
  if (!ranks->is_first()) return {};
  // Each process's come in the order of the rows.
  std::vector<ByteReader> readers;
  for (const std::string& bytes : all) readers.emplace_back(bytes, kRanksMessage);
  std::vector<std::string> in_order;
  for (const Row row : rows) in_order.emplace_back(readers[owner_of(snapshot, row)].text());
  return in_order;
}

// --- shelves -------------------------------------------------------------------------------------

namespace {

// In the order of Shelves; a path that several parts have stands in the order of the parts.
struct PlacedRow {
  uint64_t order = 0;
  std::string path;
  Row row = 0;
  auto operator<=>(const PlacedRow&) const = default;
};

void write_placed(ByteWriter& out, const Snapshot& snapshot, std::span<const Row> rows,
                  std::span<const uint64_t> orders) {
  out.varint(rows.size());
  for (size_t i = 0; i < rows.size(); ++i) {
    out.varint(orders[i]);
    out.text(snapshot.view.record(rows[i]).file.path);
    out.varint(snapshot.first_row + rows[i]);
  }
}

void read_placed(ByteReader& in, std::vector<PlacedRow>& placed) {
  for (uint64_t left = in.varint_at_most(in.left()); left > 0; --left) {
    PlacedRow& one = placed.emplace_back();
    one.order = in.varint();
    one.path = in.text();
    one.row = in.varint();
  }
}

// In one message, however many labels there are.
void add_up(Shelves::Counts& counts, Ranks& ranks) {
  std::vector<uint64_t*> places;
  for (uint64_t& count : counts.of_label) places.push_back(&count);
  places.push_back(&counts.unsure);
  for (std::vector<uint64_t>& histogram : counts.histograms) {
    for (uint64_t& count : histogram) places.push_back(&count);
  }
  std::vector<uint64_t> sums;
  for (const uint64_t* place : places) sums.push_back(*place);
  ranks.add_up(sums);
  for (size_t i = 0; i < places.size(); ++i) *places[i] = sums[i];
}

std::vector<Row> first_rows(std::vector<PlacedRow>& placed, size_t offset, size_t limit) {
  std::ranges::sort(placed);
  std::vector<Row> rows;
  for (size_t i = offset; i < placed.size() && rows.size() < limit; ++i)
    rows.push_back(placed[i].row);
  return rows;
}

}  // namespace

Shelves::Counts count_in_all(const Shelves& shelves, std::optional<float> threshold, size_t bins,
                             size_t first, ShelfOrder order) {
  const Snapshot& snapshot = *shelves.snapshot();
  Shelves::Counts counts =
      in_all(snapshot, [&] { return shelves.count(threshold, bins, first, order); });
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return counts;
  add_up(counts, *ranks);
  ByteWriter out;
  for (size_t k = 0; k < counts.first.size(); ++k)
    write_placed(out, snapshot, counts.first[k], counts.orders[k]);
  std::vector<std::vector<PlacedRow>> placed(counts.first.size());
  for (const std::string& bytes : ranks->gather(out.bytes())) {
    ByteReader in(bytes, kRanksMessage);
    for (std::vector<PlacedRow>& of_shelf : placed) read_placed(in, of_shelf);
  }
  for (size_t k = 0; k < placed.size(); ++k) counts.first[k] = first_rows(placed[k], 0, first);
  return counts;
}

Stretch least_sure_in_all(const Shelves& shelves, ShelfOrder order, size_t count,
                          size_t most_left_out, const std::function<bool(Row own)>& keep) {
  const Snapshot& snapshot = *shelves.snapshot();
  uint64_t candidates = 0;
  const std::vector<Row> own = in_all(snapshot, [&] {
    std::vector<Row> rows;
    for (const Row row : shelves.least_sure(order, count + most_left_out, candidates)) {
      if (rows.size() == count) break;
      if (keep(row)) rows.push_back(row);
    }
    return rows;
  });
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) return {candidates, own};
  Stretch stretch{sum_of_all(snapshot, candidates), {}};
  ByteWriter out;
  write_placed(out, snapshot, own, shelves.orders(std::nullopt, own, order));
  std::vector<PlacedRow> placed;
  for (const std::string& bytes : ranks->gather(out.bytes())) {
    ByteReader in(bytes, kRanksMessage);
    read_placed(in, placed);
  }
  stretch.rows = first_rows(placed, 0, count);
  return stretch;
}

Stretch stretch_of_shelf(const Shelves& shelves, ShelfLabel label, std::optional<float> threshold,
                         ShelfOrder order, size_t offset, size_t limit) {
  const Snapshot& snapshot = *shelves.snapshot();
  const auto rows = in_all(snapshot, [&] { return shelves.shelf(label, threshold, order); });
  std::span<const Row> own(*rows);
  Ranks* ranks = ranks_of(snapshot.view);
  if (ranks == nullptr) {
    own = own.subspan(std::min(offset, own.size()));
    own = own.first(std::min(limit, own.size()));
    return {rows->size(), {own.begin(), own.end()}};
  }
  Stretch stretch{sum_of_all(snapshot, own.size()), {}};
  const size_t end = limit > SIZE_MAX - offset ? SIZE_MAX : offset + limit;
  own = own.first(std::min(end, own.size()));
  ByteWriter out;
  write_placed(out, snapshot, own, shelves.orders(label, own, order));
  std::vector<PlacedRow> placed;
  for (const std::string& bytes : ranks->gather(out.bytes())) {
    ByteReader in(bytes, kRanksMessage);
    read_placed(in, placed);
  }
  stretch.rows = first_rows(placed, offset, limit);
  return stretch;
}

}  // namespace zeroshelf::serve
