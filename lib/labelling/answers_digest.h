#pragma once

// What the pictures of a collection are and what they got, in a few numbers: the same whatever the
// order of the rows, the parts, the paths, and the number of threads.
//
// Beside three digests of everything there is a table by content: each picture falls into one of
// some buckets by its content's hash, and a bucket holds the sums (modulo 2^64) of its pictures'
// marks. So two digests tell roughly how many pictures differ, and in what, without holding any.
// The marks are of 64 bits: they find what differs by chance, not what somebody made to collide.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "lib/collection/view.h"
#include "lib/labelling/classify.h"

namespace zeroshelf {

struct AnswersDigest {
  static constexpr size_t kMostBuckets = 1024;

  struct Bucket {
    uint64_t pictures = 0;
    uint64_t contents = 0;  // sums: of contents,
    uint64_t evidence = 0;  // of contents, vectors, and how much text was read how surely,
    uint64_t answers = 0;   // of contents and labels
    bool operator==(const Bucket&) const = default;
  };

  uint64_t pictures = 0;        // live ones, copies counted
  std::string evidence;         // SHA-256 in hexadecimal of all pictures' marks of that kind
  std::string answers;
  std::string scores;           // of contents, labels, and the bits of the scores
  std::vector<Bucket> buckets;  // a power of two
};

// How many buckets a number of pictures gets: few pictures few, many kMostBuckets.
size_t buckets_for(uint64_t pictures);

// multi_threshold: a picture's answer are all labels with that score or more. One scan of the
// collection; memory: 40 bytes a row. Throws what scan() throws.
AnswersDigest digest_answers(const View& collection, const Labelling& labelling,
                             std::optional<float> multi_threshold, size_t buckets,
                             unsigned threads = 0);

// How many pictures differ at least. Exact while they are few beside the buckets.
struct AnswerChanges {
  uint64_t added = 0;
  uint64_t removed = 0;
  uint64_t changed = 0;   // the content is the same, vectors or words are not
  uint64_t answered = 0;  // all of that is the same, the label is not
};
// Both have as many buckets.
AnswerChanges compare_digests(const AnswersDigest& before, const AnswersDigest& now);

}  // namespace zeroshelf
