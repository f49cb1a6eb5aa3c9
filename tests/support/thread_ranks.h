#pragma once

// Ranks that are threads of the test.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "lib/util/ranks.h"

namespace zeroshelf::testing {

// What is on its way, by from and to.
struct Post {
  std::mutex mutex;
  std::condition_variable arrived;
  std::map<std::pair<size_t, size_t>, std::deque<std::string>> boxes;
};

class ThreadRanks : public Ranks {
 public:
  ThreadRanks(Post& post, size_t rank, size_t size) : post_(post), rank_(rank), size_(size) {}

  size_t rank() const override { return rank_; }
  size_t size() const override { return size_; }
  void send(size_t to, std::string_view bytes) override {
    const std::lock_guard lock(post_.mutex);
    post_.boxes[{rank_, to}].emplace_back(bytes);
    post_.arrived.notify_all();
  }
  std::string receive(size_t from) override {
    std::unique_lock lock(post_.mutex);
    std::deque<std::string>& box = post_.boxes[{from, rank_}];
    post_.arrived.wait(lock, [&] { return !box.empty(); });
    std::string bytes = std::move(box.front());
    box.pop_front();
    return bytes;
  }

 private:
  Post& post_;
  size_t rank_;
  size_t size_;
};

// Calls body in so many threads, each with its rank. It throws nothing.
inline void run_ranks(size_t size, const std::function<void(Ranks&)>& body) {
  Post post;
  std::vector<std::thread> threads;
  for (size_t rank = 0; rank < size; ++rank) {
    threads.emplace_back([&, rank] {
      ThreadRanks ranks(post, rank, size);
      body(ranks);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace zeroshelf::testing
