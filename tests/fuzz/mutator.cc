// Tested by tests/fuzz/fuzz_test.cc.

#include "tests/fuzz/mutator.h"

#include <algorithm>
#include <iterator>

namespace zeroshelf::testing {
namespace {

constexpr size_t kMaxPool = 2'000;
constexpr size_t kHeaderBytes = 128;  // where most decisions are taken

// The edges of every integer width, and one beside each.
constexpr uint64_t kExtremes[] = {0,
                                  1,
                                  2,
                                  0x7e,
                                  0x7f,
                                  0x80,
                                  0xff,
                                  0x100,
                                  0x7fff,
                                  0x8000,
                                  0xffff,
                                  0x10000,
                                  0x7fffffff,
                                  0x80000000,
                                  0xffffffff,
                                  0x100000000,
                                  0x7fffffffffffffff,
                                  0x8000000000000000,
                                  0xffffffffffffffff};

constexpr const char* kNumbers[] = {"0",
                                    "-1",
                                    "-0.0",
                                    "1.5",
                                    "1e308",
                                    "-1e308",
                                    "1e-320",
                                    "2147483648",
                                    "4294967296",
                                    "4294967312",
                                    "9223372036854775807",
                                    "9223372036854775808",
                                    "18446744073709551615",
                                    "18446744073709551616",
                                    "-9223372036854775808",
                                    "null",
                                    "true",
                                    "\"1\"",
                                    "[]",
                                    "{}"};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

}  // namespace

Mutator::Mutator(uint64_t seed, std::vector<std::string> seeds, std::vector<std::string> dictionary,
                 size_t max_bytes)
    : random_(seed),
      pool_(std::move(seeds)),
      sound_(pool_.size()),
      dictionary_(std::move(dictionary)),
      max_bytes_(max_bytes) {}

std::string Mutator::next() {
  // The seeds keep half of the turns, however large the pool grows.
  std::string bytes = pool_[below(random_() % 2 == 0 ? sound_ : pool_.size())];
  const size_t changes = size_t{1} << below(5);
  for (size_t i = 0; i < changes; ++i) mutate(bytes);
  bytes.resize(std::min(bytes.size(), max_bytes_));
  return bytes;
}

void Mutator::learn(const std::string& input, const std::string& outcome) {
  std::string shape;
  for (const char c : outcome) {
    if (!is_digit(c)) shape += c;
  }
  if (outcomes_.insert(shape).second && pool_.size() < kMaxPool) pool_.push_back(input);
}

size_t Mutator::place(const std::string& bytes) {
  if (bytes.empty()) return 0;
  return below(random_() % 2 == 0 ? std::min(bytes.size(), kHeaderBytes) : bytes.size());
}

void Mutator::mutate(std::string& bytes) {
  switch (below(12)) {
    case 0:
    case 1:
      if (!bytes.empty()) bytes[place(bytes)] ^= static_cast<char>(1 << below(8));
      return;
    case 2:
    case 3:
      return change_byte(bytes);
    case 4:
    case 5:
      return change_binary_number(bytes);
    case 6:
      return change_decimal_number(bytes);
    case 7:
      return change_block(bytes);
    case 8:
      return put_word(bytes);
    case 9:
      return splice(bytes);
    case 10:
      return nest(bytes);
    default:
      if (random_() % 4 == 0) bytes.resize(below(bytes.size() + 1));
  }
}

void Mutator::change_byte(std::string& bytes) {
  if (!bytes.empty()) bytes[place(bytes)] = static_cast<char>(random_());
}

// Writes an extreme, or a neighbour of what is there, as 1, 2, 4 or 8 bytes in either order.
void Mutator::change_binary_number(std::string& bytes) {
  const size_t width = size_t{1} << below(4);
  if (bytes.size() < width) return;
  const size_t at = std::min(place(bytes), bytes.size() - width);
  const bool big = random_() % 2 == 0;
  const auto byte_at = [&](size_t i) -> char& { return bytes[at + (big ? width - 1 - i : i)]; };
  uint64_t value = kExtremes[below(std::size(kExtremes))];
  if (random_() % 2 == 0) {
    uint64_t old = 0;
    for (size_t i = 0; i < width; ++i) old |= uint64_t{static_cast<uint8_t>(byte_at(i))} << 8 * i;
    value = old + below(64) - 32;
  }
  for (size_t i = 0; i < width; ++i) byte_at(i) = static_cast<char>(value >> 8 * i);
}

void Mutator::change_decimal_number(std::string& bytes) {
  const auto begin =
      std::find_if(bytes.begin() + static_cast<ptrdiff_t>(place(bytes)), bytes.end(), is_digit);
  if (begin == bytes.end()) return;
  const auto end = std::find_if_not(begin, bytes.end(), is_digit);
  const std::string number = kNumbers[below(std::size(kNumbers))];
  bytes.replace(begin, end, number);
}

// Deletes, copies to another place, or repeats a run of bytes.
void Mutator::change_block(std::string& bytes) {
  if (bytes.empty()) return;
  const size_t from = place(bytes);
  const size_t size = 1 + below(std::min<size_t>(bytes.size() - from, size_t{1} << below(10)));
  const std::string block = bytes.substr(from, size);
  switch (below(4)) {
    case 0:
      bytes.erase(from, size);
      return;
    case 1:
      bytes.insert(place(bytes), block);
      return;
    case 2:
      bytes.replace(place(bytes), size, block);
      return;
    default:
      for (size_t i = below(64); i > 0 && bytes.size() < max_bytes_; --i) bytes.insert(from, block);
  }
}

void Mutator::put_word(std::string& bytes) {
  if (dictionary_.empty()) return;
  const std::string& word = dictionary_[below(dictionary_.size())];
  if (random_() % 2 == 0) {
    bytes.insert(place(bytes), word);
  } else {
    bytes.replace(place(bytes), word.size(), word);
  }
}

// A word again and again: what is read by recursion, or grows by repetition, shows here.
void Mutator::nest(std::string& bytes) {
  if (dictionary_.empty() || random_() % 8 != 0) return;
  const std::string& word = dictionary_[below(dictionary_.size())];
  std::string run;
  const size_t size = std::min(max_bytes_, size_t{1} << below(18));
  while (!word.empty() && run.size() < size) run += word;
  bytes.insert(place(bytes), run);
}

void Mutator::splice(std::string& bytes) {
  const std::string& other = pool_[below(pool_.size())];
  bytes = bytes.substr(0, place(bytes)) + other.substr(place(other));
}

}  // namespace zeroshelf::testing
