// Tested by tests/labelling/answers_digest_test.cc.

#include "lib/labelling/answers_digest.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cstring>
#include <span>

#include "lib/labelling/run.h"
#include "lib/util/hash.h"
#include "lib/util/parallel.h"

namespace zeroshelf {
namespace {

// The three marks of a row.
struct Marks {
  uint64_t evidence = 0;
  uint64_t answer = 0;
  uint64_t score = 0;
};

// Bytes of which a mark is made.
class MarkBytes {
 public:
  explicit MarkBytes(const ContentKey& key) { add(key.data(), key.size()); }

  template <class T>
  void add(const T& value) {
    add(&value, sizeof value);
  }
  template <class T>
  void add_all(std::span<const T> values) {
    add(uint64_t{values.size()});
    add(values.data(), values.size_bytes());
  }
  void add_name(const std::string& name) { add_all(std::span<const char>(name)); }

  uint64_t mark() const { return checksum64(std::as_bytes(std::span(bytes_))); }

 private:
  void add(const void* bytes, size_t size) {
    bytes_.append(static_cast<const char*>(bytes), size);
  }

  std::string bytes_;
};

class Digester {
 public:
  Digester(const View& collection, const Labelling& labelling, std::optional<float> multi_threshold)
      : collection_(collection),
        labelling_(labelling),
        multi_threshold_(multi_threshold),
        pictures_(ViewVectors::pictures(collection)),
        texts_(ViewVectors::texts(collection)),
        keys_(collection.rows()),
        marks_(collection.rows()) {
    collection.for_each_record([&](Row row, const PictureRecord& record) {
      keys_[row] = content_key(record.content_hash);
    });
  }

  AnswersDigest run(size_t buckets, unsigned threads) {
    constexpr size_t kRowsAtOnce = 4096;
    parallel_chunks(collection_.rows(), kRowsAtOnce, threads, [this](size_t begin, size_t end) {
      for (Row row = begin; row < end; ++row)
        if (collection_.is_live(row)) marks_[row].evidence = evidence_mark(row);
    });
    ScanOptions options;
    options.threads = threads;
    options.all_scores = multi_threshold_.has_value();
    scan(collection_, labelling_, options, [this](const PredictionBlock& block) {
      for (size_t i = 0; i < block.predictions.size(); ++i)
        if (collection_.is_live(block.first_row + i)) mark_answer(block, i);
    });
    return digest(buckets);
  }

 private:
  uint64_t evidence_mark(Row row) const {
    MarkBytes bytes(keys_[row]);
    bytes.add_all(pictures_.row(row));
    if (const auto text = collection_.text_index(row)) {
      bytes.add_all(texts_.row(*text));
      const TextEvidence evidence = collection_.text_evidence(*text);
      bytes.add(evidence.word_count);
      bytes.add(evidence.confidence);
    }
    return bytes.mark();
  }

  void mark_answer(const PredictionBlock& block, size_t i) {
    const Row row = block.first_row + i;
    const Prediction& prediction = block.predictions[i];
    std::vector<Scored> all;
    if (prediction.winner) all.push_back(prediction.answer());
    if (multi_threshold_) {
      for (const Scored& scored : labels_above(block, i, *multi_threshold_)) all.push_back(scored);
    }
    MarkBytes names(keys_[row]);
    MarkBytes scores(keys_[row]);
    names.add(prediction.winner.has_value());
    for (const Scored& scored : all) {
      const std::string& name = labelling_.labels[scored.label].name;
      names.add_name(name);
      scores.add_name(name);
      scores.add(scored.score);
    }
    marks_[row].answer = names.mark();
    marks_[row].score = scores.mark();
  }

  std::string digest_of(uint64_t Marks::*mark) const {
    std::vector<uint64_t> all;
    for (Row row = 0; row < marks_.size(); ++row)
      if (collection_.is_live(row)) all.push_back(marks_[row].*mark);
    std::ranges::sort(all);
    return to_hex(content_hash(std::as_bytes(std::span(all))));
  }

  AnswersDigest digest(size_t buckets) const {
    AnswersDigest result;
    result.buckets.resize(buckets);
    for (Row row = 0; row < marks_.size(); ++row) {
      if (!collection_.is_live(row)) continue;
      ++result.pictures;
      uint64_t content = 0;
      std::memcpy(&content, keys_[row].data(), sizeof content);
      AnswersDigest::Bucket& bucket = result.buckets[content & (buckets - 1)];
      ++bucket.pictures;
      bucket.contents += content;
      bucket.evidence += marks_[row].evidence;
      bucket.answers += marks_[row].answer;
    }
    result.evidence = digest_of(&Marks::evidence);
    result.answers = digest_of(&Marks::answer);
    result.scores = digest_of(&Marks::score);
    return result;
  }

  const View& collection_;
  const Labelling& labelling_;
  const std::optional<float> multi_threshold_;
  const ViewVectors pictures_;
  const ViewVectors texts_;
  std::vector<ContentKey> keys_;  // one a row
  std::vector<Marks> marks_;
};

}  // namespace

size_t buckets_for(uint64_t pictures) {
  return std::bit_ceil(std::clamp<uint64_t>(pictures, 1, AnswersDigest::kMostBuckets));
}

AnswersDigest digest_answers(const View& collection, const Labelling& labelling,
                             std::optional<float> multi_threshold, size_t buckets,
                             unsigned threads) {
  assert(std::has_single_bit(buckets));
  return Digester(collection, labelling, multi_threshold).run(buckets, threads);
}

AnswerChanges compare_digests(const AnswersDigest& before, const AnswersDigest& now) {
  assert(before.buckets.size() == now.buckets.size());
  AnswerChanges changes;
  for (size_t i = 0; i < now.buckets.size(); ++i) {
    const AnswersDigest::Bucket& old_one = before.buckets[i];
    const AnswersDigest::Bucket& new_one = now.buckets[i];
    const uint64_t more = new_one.pictures - std::min(new_one.pictures, old_one.pictures);
    const uint64_t fewer = old_one.pictures - std::min(new_one.pictures, old_one.pictures);
    const bool others = new_one.contents != old_one.contents;
    if (others || more + fewer > 0) {
      const bool replaced = more + fewer == 0;
      changes.added += replaced ? 1 : more;
      changes.removed += replaced ? 1 : fewer;
    } else if (new_one.evidence != old_one.evidence) {
      ++changes.changed;
    } else if (new_one.answers != old_one.answers) {
      ++changes.answered;
    }
  }
  return changes;
}

}  // namespace zeroshelf
