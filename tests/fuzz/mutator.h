#pragma once

// Makes hostile inputs out of sound ones: bits flipped, bytes and numbers changed to extremes,
// blocks inserted, deleted, copied and doubled, inputs spliced and cut, and words of the format put
// in. It knows nothing of the program's paths, but its pool grows by inputs whose outcome was new
// (see learn), so that mutations build on each other.
//
// The same seed and the same calls give the same inputs on every machine. Threads: one.

#include <cstdint>
#include <random>
#include <set>
#include <string>
#include <vector>

namespace zeroshelf::testing {

class Mutator {
 public:
  // seeds: sound inputs, at least one. No input has more than max_bytes.
  Mutator(uint64_t seed, std::vector<std::string> seeds, std::vector<std::string> dictionary,
          size_t max_bytes);

  std::string next();

  // What became of the input that next() gave last. Numbers in the outcome do not count.
  void learn(const std::string& input, const std::string& outcome);

  size_t outcomes() const { return outcomes_.size(); }

 private:
  // Below limit, which is at least 1.
  size_t below(size_t limit) { return static_cast<size_t>(random_() % limit); }
  size_t place(const std::string& bytes);
  void mutate(std::string& bytes);
  void change_byte(std::string& bytes);
  void change_binary_number(std::string& bytes);
  void change_decimal_number(std::string& bytes);
  void change_block(std::string& bytes);
  void put_word(std::string& bytes);
  void nest(std::string& bytes);
  void splice(std::string& bytes);

  std::mt19937_64 random_;
  std::vector<std::string> pool_;
  size_t sound_;  // the first of the pool are the seeds
  std::vector<std::string> dictionary_;
  size_t max_bytes_;
  std::set<std::string> outcomes_;
};

}  // namespace zeroshelf::testing
