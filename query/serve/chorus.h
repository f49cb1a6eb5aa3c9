#pragma once

// Questions that several processes answer together, each from its own parts: the first one takes
// them from its clients, one after the other, and all of them run the same endpoint on each; its
// answer is the first one's.
//
// An endpoint that is run so goes the same way in all of them. What may fail in one alone, or is
// read from what a client sent, goes through in_all: then all end it with the same error, and the
// next question finds them ready. Any other failure ends the processes, since some would wait for
// ever.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "lib/collection/elsewhere.h"
#include "query/serve/http.h"
#include "query/serve/living_view.h"
#include "query/serve/shelves.h"

namespace zeroshelf::serve {

class Chorus {
 public:
  using Answer = std::function<HttpResponse(const HttpRequest&)>;

  // patience: how long one question may take before the processes count as stuck.
  explicit Chorus(Ranks& ranks, std::chrono::nanoseconds patience = std::chrono::minutes(1))
      : ranks_(ranks), patience_(patience) {}

  // In the first process, from any thread: waits for its turn and for the answer. Throws Abandoned
  // where nobody waits for it any more when its turn comes, Unavailable after end() and while the
  // processes are stuck at the question of another, and what the answer throws.
  HttpResponse ask(const HttpRequest& request);
  // Whether they are at one question for longer than patience: one of them may hang, as on a file
  // system that does not answer. From any thread.
  bool is_stuck() const;
  // In every process, in the thread in which the ranks were made: answers until end(). The answer's
  // request has nobody who could abandon it. Throws where something failed that was not agreed on.
  void answer_all(const Answer& answer);
  // In the first process, from any thread.
  void end();

 private:
  struct Question {
    const HttpRequest& request;
    std::promise<HttpResponse> answer;
  };

  using Clock = std::chrono::steady_clock;

  bool is_stuck_locked() const { return since_ && Clock::now() - *since_ > patience_; }
  void lead(const Answer& answer);
  void lead(const Answer& answer, Question& question);
  void follow(const Answer& answer);

  Ranks& ranks_;
  std::chrono::nanoseconds patience_;
  mutable std::mutex mutex_;
  std::condition_variable due_;
  std::deque<Question*> questions_;
  std::optional<Clock::time_point> since_;  // of the question that they are at
  bool ends_ = false;
};

// --- of the endpoints; where there is one process only, all parts are its own --------------------

// Whether another process tells the client: what is left to do for this one's answer is nothing.
bool is_silent(const Snapshot& snapshot);
// This process's number; 0 where there is one only.
size_t rank_of(const Snapshot& snapshot);

// What make gives here; where it throws an Error in one process, it does in all.
template <class Make>
auto in_all(const Snapshot& snapshot, const Make& make) {
  std::optional<decltype(make())> made;
  if (Ranks* ranks = ranks_of(snapshot.view)) {
    ranks->agree_after([&] { made.emplace(make()); });
  } else {
    made.emplace(make());
  }
  return *std::move(made);
}

// A sum over all of them.
uint64_t sum_of_all(const Snapshot& snapshot, uint64_t own);
// What make tells in each, in their order, in the first one, or in all of them; where it throws an
// Error in one, it does in all.
std::vector<std::string> told_by_all(const Snapshot& snapshot,
                                     const std::function<std::string()>& make);
std::vector<std::string> told_to_all(const Snapshot& snapshot,
                                     const std::function<std::string()>& make);

// The view's row of that row of all parts, where it is its own, has a picture, and one of that
// content.
std::optional<Row> row_if_it_is(const Snapshot& snapshot, std::optional<uint64_t> row,
                                const std::optional<ContentHash>& content);
// NotFound
Error no_such_picture(std::optional<uint64_t> row, const std::optional<ContentHash>& content);
// The view's row of a picture: of that row, if its content is what was named, else one with the
// content. Absent: it is another process's. Throws NotFound where nobody has it.
std::optional<Row> own_row(const Snapshot& snapshot, std::optional<uint64_t> row,
                           const std::optional<ContentHash>& content);
// What make tells of the view's row, by the process that has it; empty in silent ones.
std::string told_by_owner(const Snapshot& snapshot, std::optional<Row> own,
                          const std::function<std::string(Row own)>& make);
// What make tells of each of `count` things in the lowest process where that is not empty, in all
// of them; where it throws an Error in one, it does in all.
std::vector<std::string> first_told(const Snapshot& snapshot, size_t count,
                                    const std::function<std::string(size_t place)>& make);
// The rows of all parts with these contents, of each the first; absent: there is none.
std::vector<std::optional<Row>> rows_of_contents(const Snapshot& snapshot,
                                                 std::span<const ContentHash> contents);
// Every other row, of all parts, with the content of that picture.
std::vector<Row> copies_of(const Snapshot& snapshot, std::optional<Row> own);

// What make tells of rows of all parts, one text a row in their order: each process tells of its
// own, by the view's numbers. The rows are the first process's; in silent ones there is no answer.
std::vector<std::string> told_of_rows(
    const Snapshot& snapshot, std::span<const Row> rows,
    const std::function<std::vector<std::string>(std::span<const Row> own)>& make);

// As Shelves has them, with the rows of all parts; at the first process.
Shelves::Counts count_in_all(const Shelves& shelves, std::optional<float> threshold, size_t bins,
                             size_t first, ShelfOrder order);
struct Stretch {
  uint64_t count = 0;  // of all that it is a stretch of
  std::vector<Row> rows;
};
// The first `count` of all pictures with an answer, in that order, of which keep is true; keep is
// asked of the view's rows, and false of most_left_out at the most. count: of the candidates.
Stretch least_sure_in_all(const Shelves& shelves, ShelfOrder order, size_t count,
                          size_t most_left_out, const std::function<bool(Row own)>& keep);
Stretch stretch_of_shelf(const Shelves& shelves, ShelfLabel label, std::optional<float> threshold,
                         ShelfOrder order, size_t offset, size_t limit);

}  // namespace zeroshelf::serve
