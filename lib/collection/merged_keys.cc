// Tested by tests/collection/path_order_test.cc.

#include "lib/collection/merged_keys.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "lib/util/error.h"

namespace zeroshelf {
namespace {

constexpr size_t kKeysAtOnce = 4096;

struct PathKey {
  std::string bytes;
  Row row = 0;

  static void read(const Collection& part, const PathKey* after, std::vector<PathKey>& keys) {
    // Nothing lies between a path and itself with a zero byte.
    const std::string from = after == nullptr ? "" : after->bytes + '\0';
    part.for_each_path(from, [&](std::string_view path, Row found) {
      keys.push_back({std::string(path), found});
      return keys.size() < kKeysAtOnce;
    });
  }
  bool operator<(const PathKey& other) const { return bytes < other.bytes; }
};

struct ContentKey {
  ContentHash hash{};
  Row row = 0;

  static void read(const Collection& part, const ContentKey* after, std::vector<ContentKey>& keys) {
    const ContentKey from = after == nullptr ? ContentKey() : ContentKey{after->hash, after->row + 1};
    part.for_each_content(from.hash, from.row, [&](const ContentHash& content, Row found) {
      keys.push_back({content, found});
      return keys.size() < kKeysAtOnce;
    });
  }
  bool operator<(const ContentKey& other) const { return hash < other.hash; }
};

// The keys of one part, some thousand at a time.
template <class Key>
class Cursor {
 public:
  Cursor(const View::Part& part, size_t number) : part_(&part), number_(number) { read(nullptr); }

  bool at_end() const { return at_ == keys_.size(); }
  const Key& key() const { return keys_[at_]; }
  // In the view's numbers.
  Row row() const { return part_->first_row + keys_[at_].row; }

  void next() {
    if (++at_ < keys_.size() || keys_.size() < kKeysAtOnce) return;
    const Key last = std::move(keys_.back());
    read(&last);
  }

  // The first one is on top of a heap.
  static bool later(const Cursor& a, const Cursor& b) {
    const Key& of_a = a.keys_[a.at_];
    const Key& of_b = b.keys_[b.at_];
    if (of_a < of_b || of_b < of_a) return of_b < of_a;
    return a.number_ > b.number_;
  }

 private:
  void read(const Key* after) {
    keys_.clear();
    at_ = 0;
    Key::read(part_->collection, after, keys_);
    const uint64_t rows = part_->collection.image_vectors().size();
    if (std::ranges::any_of(keys_, [&](const Key& key) { return key.row >= rows; }))
      throw Error(ErrorCode::Corruption, part_->collection.directory().string(),
                  "damaged: a picture has a row that is not there", "run zeroshelf-index repair");
  }

  const View::Part* part_;
  size_t number_;
  std::vector<Key> keys_;
  size_t at_ = 0;
};

template <class Key, class Visit>
void merge(const View& collection, const Visit& visit) {
  std::vector<Cursor<Key>> heap;
  for (const View::Part& part : collection.parts()) {
    Cursor<Key> cursor(part, heap.size());
    if (!cursor.at_end()) heap.push_back(std::move(cursor));
  }
  std::ranges::make_heap(heap, Cursor<Key>::later);
  while (!heap.empty()) {
    std::ranges::pop_heap(heap, Cursor<Key>::later);
    if (!visit(heap.back().key(), heap.back().row())) return;
    heap.back().next();
    if (heap.back().at_end()) {
      heap.pop_back();
    } else {
      std::ranges::push_heap(heap, Cursor<Key>::later);
    }
  }
}

}  // namespace

void for_each_path(const View& collection, const std::function<void(Row)>& visit) {
  merge<PathKey>(collection, [&](const PathKey&, Row row) {
    visit(row);
    return true;
  });
}

void for_each_content(const View& collection,
                      const std::function<bool(const ContentHash&, Row)>& visit) {
  merge<ContentKey>(collection,
                    [&](const ContentKey& key, Row row) { return visit(key.hash, row); });
}

}  // namespace zeroshelf
